"""Where the end of one request is told: its `callback_url`, or an endpoint."""

from flaskllm.core.auth import Actor
from flaskllm.core.clock import Clock
from flaskllm.core.errors import InvalidInputError, NotFound
from flaskllm.services.callbacks.endpoint_checks import TargetRules
from flaskllm.services.callbacks.endpoint_edits import Editing
from flaskllm.services.callbacks.endpoint_view import Endpoint, shown
from flaskllm.services.callbacks.planning import usual_endpoint
from flaskllm.services.callbacks.signing import make_secret
from flaskllm.services.own_ids import sane_id
from flaskllm.storage.endpoints import ENABLED, EndpointRows


class Receivers:
    """Checks where a request wants its end told, before anything is accepted."""

    def __init__(self, rows: EndpointRows, rules: TargetRules, clock: Clock) -> None:
        """Keep the collaborators; nothing is opened."""
        self._rows = rows
        self._rules = rules
        self._clock = clock

    def check(
        self,
        principal_id: str,
        actor: Actor,
        *,
        callback_url: str | None = None,
        endpoint_id: str | None = None,
    ) -> None:
        """Return when a request may have its end told there.

        It makes the endpoint that signs what goes to a `callback_url`.

        Raises:
            InvalidInputError: Both are given, the URL may not be called, or there is
                no such endpoint, or it is disabled; the field is named.
            ServiceUnavailable: The database cannot be used; a retry may help.
        """
        if callback_url is not None and endpoint_id is not None:
            raise InvalidInputError.of("endpoint", "is given too", "one of the two")
        if callback_url is not None:
            self._rules.check_called(callback_url, "callback_url")
            _check_enabled(self.usual(principal_id, actor), "callback_url")
        if endpoint_id is not None:
            _check_enabled(self._named(endpoint_id, principal_id), "endpoint")

    def usual(self, principal_id: str, actor: Actor) -> Endpoint:
        """Return the endpoint that signs what goes to a `callback_url`.

        It is made at its first use, and listed like any other, without a URL.

        Raises:
            ServiceUnavailable: It could not be made; a retry may help.
        """
        editing = Editing(actor, self._rules)
        now = self._clock.now()
        row = usual_endpoint(principal_id, make_secret(), now)
        noted = editing.noted("endpoint.create", row, now)
        return shown(self._rows.ensure(row, noted), now)

    def _named(self, endpoint_id: str, principal_id: str) -> Endpoint:
        allowed = "the id of an endpoint of yours"
        unknown = InvalidInputError.of("endpoint", "is unknown", allowed)
        try:
            row = self._rows.find(sane_id("endpoint", endpoint_id), principal_id)
        except NotFound:
            raise unknown from None
        if row is None:
            raise unknown
        return shown(row, self._clock.now())


def _check_enabled(endpoint: Endpoint, path: str) -> None:
    if endpoint.state != ENABLED:
        problem = f"the endpoint {endpoint.id} is disabled"
        raise InvalidInputError.of(path, problem, "one that is enabled")
