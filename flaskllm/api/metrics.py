"""`GET /metrics`: what this process counted, in Prometheus' text format."""

import hmac
import ipaddress
from typing import Final

from flask import Blueprint, Flask, Response, current_app, request

from flaskllm.api import context
from flaskllm.api.guard import public
from flaskllm.api.proofs import token_of
from flaskllm.core.config import ServerSettings
from flaskllm.core.errors import AuthenticationError, PermissionDenied
from flaskllm.core.metrics import CONTENT_TYPE

blueprint = Blueprint("metrics", __name__)

_EXTENSION: Final = "flaskllm.metrics"


class Reader:
    """Who may read the metrics: who has their token; without one this machine."""

    def __init__(self, server: ServerSettings) -> None:
        """Behind a proxy on this machine everybody would seem to be on it."""
        token = server.metrics_token
        self._token = token.get_secret_value().encode() if token else None
        self._trusts_loopback = server.proxy_hops == 0

    def check(self) -> None:
        """Return when this request may read them.

        Raises:
            AuthenticationError: The token is missing or wrong.
            PermissionDenied: There is no token, and the peer is another machine.
        """
        if self._is_this_machine():
            return
        if self._token is None:
            raise PermissionDenied(
                "The metrics are for this machine only.",
                details="Set server.metrics_token to read them from elsewhere.",
            )
        given = token_of() or ""
        if not hmac.compare_digest(given.encode("utf-8", "replace"), self._token):
            raise AuthenticationError(
                "The token of the metrics is required.",
                details="Send the header `Authorization: Bearer <metrics token>`.",
            )

    def _is_this_machine(self) -> bool:
        # Someone who forwards for others says so, even where we do not expect it.
        if not self._trusts_loopback or "X-Forwarded-For" in request.headers:
            return False
        try:
            return ipaddress.ip_address(request.remote_addr or "").is_loopback
        except ValueError:
            return False


def init(app: Flask, server: ServerSettings) -> None:
    """Keep who may read the metrics of `app`."""
    app.extensions[_EXTENSION] = Reader(server)


@blueprint.get("/metrics")
@public
def show() -> Response:
    """Return all metrics of this process."""
    reader: Reader = current_app.extensions[_EXTENSION]
    reader.check()
    body = context.services().metrics.render()
    return Response(body, content_type=CONTENT_TYPE)
