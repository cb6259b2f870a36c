"""Who may pass: every route says it, and one check before every request holds it.

A route is marked `@guarded(Scope.X)` or `@public`. What is not marked is never
served, and `check_routes` stops the start. Refused means raised.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn, TypeVar, cast

from flask import Flask, current_app, g, request
from flask_limiter import Limiter
from limits import RateLimitItem, RateLimitItemPerMinute

from flaskllm.api import context
from flaskllm.api.addresses import check_address, peer_of
from flaskllm.api.limit_headers import count_request
from flaskllm.api.proofs import is_silent_websocket, token_of
from flaskllm.core import logs
from flaskllm.core.auth import Principal, Scope
from flaskllm.core.config import LimitSettings
from flaskllm.core.errors import (
    APIError,
    AuthenticationError,
    InternalError,
    PermissionDenied,
    RateLimitExceeded,
    ServiceUnavailable,
)

View = TypeVar("View", bound=Callable[..., object])

EXTENSION = "flaskllm.gate"
_MARK = "flaskllm_access"
_TOO_MANY_VISITS = "Too many requests of this peer in one minute."
_TOO_MANY_FAILURES = (
    "Too many refused API tokens from this address; until the minute is over good "
    "ones are refused too."
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Access:
    """Who may use a route: holders of any of the scopes; all when there is none.

    `or_header` names a second header that may carry the API token, bare.
    `or_frame` lets a WebSocket open without one, which its first frame brings; with
    `by_sender` the view checks a sender's own proof.
    """

    any_of: tuple[Scope, ...] = ()
    or_header: str | None = None
    or_frame: bool = False
    by_sender: bool = False


def guarded(
    *any_of: Scope, or_header: str | None = None, or_frame: bool = False
) -> Callable[[View], View]:
    """Mark a view as one for API tokens that hold any of the scopes.

    Args:
        any_of: The scopes; one of them is enough.
        or_header: Where the API token may stand instead of `Authorization`.
        or_frame: Whether a WebSocket may bring it later, by `sign_in`.
    """
    if not any_of:
        raise ValueError("guarded() needs a scope; an open route is marked public")
    return lambda view: _mark(view, Access(any_of, or_header, or_frame))


def public(view: View) -> View:
    """Mark a view as open to everybody, a limited number of times a minute."""
    return _mark(view, Access())


def proven_by_sender(view: View) -> View:
    """Mark a view that checks a sender's own proof, and counts what has none."""
    return _mark(view, Access(by_sender=True))


def access_of(view: Callable[..., object]) -> Access | None:
    """Return who may use a view, or None when it was never said."""
    return getattr(view, _MARK, None)


def is_public_here() -> bool:
    """Tell whether the route of this request is open to everybody."""
    return _access_here() == Access()


def check_routes(app: Flask) -> None:
    """Raise `RuntimeError` unless each route of `app` is guarded or public."""
    unmarked = sorted(
        rule.rule
        for rule in app.url_map.iter_rules()
        if access_of(app.view_functions[rule.endpoint]) is None
    )
    if unmarked:
        raise RuntimeError(f"neither guarded nor public: {', '.join(unmarked)}")


def init(app: Flask, limiter: Limiter, limits: LimitSettings) -> None:
    """Check every request to `app`, counting with the limiter's own strategy."""
    gate = Gate(
        limiter,
        failures=RateLimitItemPerMinute(limits.authentication_failures_per_minute),
        visits=RateLimitItemPerMinute(limits.unauthenticated_per_minute),
    )
    app.extensions[EXTENSION] = gate
    app.before_request(gate.check)


def sign_in(token: str | None) -> None:
    """Prove who speaks on the WebSocket of this request, as a header would.

    Raises:
        AuthenticationError: The API token is not good; it was counted.
        PermissionDenied: It lacks the scope of this route, or may not come from here.
        RateLimitExceeded: This peer failed too often, or this principal asked too
            much.
        ServiceUnavailable: It could not be looked up.
    """
    _prove(token, counts=True)


def sign_in_again() -> None:
    """Prove it once more with the same API token; raises what `sign_in` raises.

    It counts as no request.
    """
    _prove(g.get("api_token"), counts=False)


def is_signed_in() -> bool:
    """Tell whether it is known who speaks here."""
    return "principal" in g


@dataclass(frozen=True, slots=True)
class Gate:
    """The check, and the two things it counts per peer."""

    limiter: Limiter
    failures: RateLimitItem
    visits: RateLimitItem

    def check(self) -> None:
        """Return when the request may reach its view; raise in every other case."""
        if request.endpoint is None:  # no view: the answer is 404 or 405
            return
        access = _access_here()
        if access is None:
            raise InternalError
        with _closed_when_broken():
            self._admit(access)

    def prove(self, access: Access, token: str | None, *, counts: bool) -> None:
        """Put the principal of this API token on the request, or raise.

        `counts` says whether it is a request towards the principal's limit.
        """
        peer = peer_of(request.remote_addr)
        # Before the token is looked at, or a guesser would still learn from it.
        if not self.limiter.limiter.test(self.failures, "failures", peer):
            self._refuse(self.failures, "failures", peer, _TOO_MANY_FAILURES)
        principal = self._authenticate(peer, token)
        check_address(principal)
        if counts:
            count_request(principal)
        if not principal.may(*access.any_of):
            names = " or ".join(access.any_of)
            details = f"This needs an API token with the scope {names}."
            raise PermissionDenied(details=details)
        g.principal, g.api_token = principal, token

    def _admit(self, access: Access) -> None:
        if access.any_of and not (access.or_frame and is_silent_websocket()):
            self.prove(access, token_of(access.or_header), counts=True)
            return
        if access.by_sender:
            return  # the view counts what is not proven
        peer = peer_of(request.remote_addr)
        if not self.limiter.limiter.hit(self.visits, "visits", peer):
            self._refuse(self.visits, "visits", peer, _TOO_MANY_VISITS)

    def _authenticate(self, peer: str, token: str | None) -> Principal:
        try:
            principal = context.services().api_tokens.authenticate(token)
        except AuthenticationError as refused:
            self._fail(peer, refused)
        # Only now: a stranger's text must not decide what our log lines hide.
        logs.bind(principal=principal.id, secret=token)
        return principal

    def _fail(self, peer: str, refused: AuthenticationError) -> NoReturn:
        """Count and log the failure, then refuse in words that tell nothing."""
        self.limiter.limiter.hit(self.failures, "failures", peer)
        logs.event(
            _log,
            logging.WARNING,
            "authentication_failed",
            peer=request.remote_addr,
            reason=getattr(refused, "reason", None),
            api_token_id=getattr(refused, "token_id", None),
        )
        raise AuthenticationError(
            details="Send the header `Authorization: Bearer <API token>`, once, with "
            "an API token that is neither expired nor revoked."
        ) from refused

    def _refuse(
        self, item: RateLimitItem, what: str, peer: str, details: str
    ) -> NoReturn:
        window = self.limiter.limiter.get_window_stats(item, what, peer)
        raise RateLimitExceeded(
            details=details,
            retry_after_seconds=max(1.0, window.reset_time - time.time()),
        )


def _prove(token: str | None, *, counts: bool) -> None:
    gate: Gate = current_app.extensions[EXTENSION]
    with _closed_when_broken():
        gate.prove(cast(Access, _access_here()), token, counts=counts)


@contextmanager
def _closed_when_broken() -> Iterator[None]:
    """Refuse when something broke: the database, the limiter's store."""
    try:
        yield
    except APIError:
        raise
    except Exception as error:
        raise ServiceUnavailable from error


def _access_here() -> Access | None:
    view = current_app.view_functions.get(request.endpoint or "")
    return access_of(view) if view else None


def _mark(view: View, access: Access) -> View:
    setattr(view, _MARK, access)
    return view
