"""The headers of every reply, and what the headers of a request must be."""

import ipaddress
from functools import lru_cache

from flask import Flask, Response, request
from werkzeug.sansio.utils import host_is_trusted

from flaskllm.api import context, guard
from flaskllm.api.dialects import dialect_of
from flaskllm.api.streaming import EVENT_STREAM
from flaskllm.api.streaming import HEADERS as STREAM_HEADERS
from flaskllm.core.config import ServerSettings
from flaskllm.core.errors import (
    InvalidInputError,
    PermissionDenied,
    UnsupportedMediaType,
)

OPENAI_VERSION = "2020-10-01"  # the only one there ever was
_ONE_YEAR_SECONDS = 31_536_000

# Nothing that we send may run, load or be framed anywhere, whatever it holds.
SECURITY_HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "object-src 'none'",
            "require-trusted-types-for 'script'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

# A server has few names, and this is slow to tell.
_is_trusted = lru_cache(maxsize=256)(host_is_trusted)


def init(app: Flask, server: ServerSettings) -> None:
    """Check the headers of every request to `app` and set those of every reply."""

    def check() -> None:
        _check_host(server.trusted_hosts)
        if server.require_https:
            _check_https()
        _check_encoding()

    def protect(response: Response) -> Response:
        for name, value in SECURITY_HEADERS.items():
            response.headers[name] = value
        if response.mimetype == EVENT_STREAM:
            response.headers.update(STREAM_HEADERS)
        response.headers.update(_of_the_dialect())
        # Over plain http a browser ignores the header (RFC 6797, section 8.1).
        if server.require_https and request.is_secure:
            response.headers["Strict-Transport-Security"] = (
                f"max-age={_ONE_YEAR_SECONDS}"
            )
        return response

    app.before_request(check)
    app.after_request(protect)


def _of_the_dialect() -> dict[str, str]:
    """Return what the vendor's clients look for in every reply, errors too."""
    dialect = dialect_of(request.path)
    if dialect == "anthropic":
        return {"request-id": context.request_id()}
    if dialect == "openai":
        # How long it took so far: of a stream, until its first token.
        milliseconds = str(round(context.elapsed_seconds() * 1000))
        return {"openai-version": OPENAI_VERSION, "openai-processing-ms": milliseconds}
    return {}


def _check_host(trusted_hosts: tuple[str, ...]) -> None:
    """Refuse a Host that is no host name, or that is not one of ours."""
    host = request.environ.get("HTTP_HOST")
    if host is None and not trusted_hosts:  # HTTP/1.0, as simple probes speak it
        return
    if not _is_trusted((host or "").lower(), trusted_hosts):
        raise InvalidInputError(
            details="The Host header names no host that is served here; "
            "server.trusted_hosts lists them."
        )


def _check_https() -> None:
    """Refuse plain http without a redirect: the API token was already sent.

    Probes on the machine itself reach the open routes without TLS.
    """
    if request.is_secure or (_is_loopback() and guard.is_public_here()):
        return
    raise PermissionDenied(
        "Plain http is refused here.",
        details="Use https. Replace an API token that was sent over plain http.",
    )


def _is_loopback() -> bool:
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _check_encoding() -> None:
    """Refuse compressed bodies: a small one may unfold to any size."""
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding.strip().lower() not in ("", "identity"):
        raise UnsupportedMediaType(
            details="Content-Encoding: send the body uncompressed (identity)."
        )
