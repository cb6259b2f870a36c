"""Endpoints: made, listed, changed, rolled, tried and removed by their owners."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from flaskllm.core.auth import Actor
from flaskllm.core.clock import Clock
from flaskllm.core.errors import Conflict, InvalidInputError, JobsDisabled
from flaskllm.core.ids import new_ordered_id
from flaskllm.services.callbacks import endpoint_edits as edits
from flaskllm.services.callbacks import events
from flaskllm.services.callbacks.endpoint_checks import (
    TEST_IS_PENDING,
    NewEndpoint,
    TargetRules,
    check_events,
    check_name,
    check_reachable,
    check_rendering,
)
from flaskllm.services.callbacks.endpoint_edits import Editing
from flaskllm.services.callbacks.endpoint_view import (
    Endpoint,
    shown,
)
from flaskllm.services.callbacks.planning import Belonging, Receiver, plan
from flaskllm.services.callbacks.sending import secrets_at
from flaskllm.services.callbacks.signing import check_secret, make_secret
from flaskllm.services.own_ids import not_found, sane_id
from flaskllm.storage.deliveries import DeliveryRows
from flaskllm.storage.delivery_changes import New
from flaskllm.storage.endpoints import ENABLED, EndpointEdit, EndpointRows
from flaskllm.storage.job_rows import EndpointRow

__all__ = ["Endpoint", "Endpoints", "NewEndpoint", "TargetRules"]

MOST_ENDPOINTS: Final = 20
USUAL_OVERLAP_SECONDS: Final = 86_400
LONGEST_OVERLAP_SECONDS: Final = 7 * 86_400


class Endpoints:
    """The use cases of endpoints. What another principal has reads as not there."""

    def __init__(
        self,
        rows: EndpointRows,
        deliveries: DeliveryRows,
        rules: TargetRules,
        clock: Clock,
        *,
        keep_days: int,
        sends: bool = True,
    ) -> None:
        """Keep the collaborators; nothing is opened.

        Args:
            rows: The table.
            deliveries: Takes the tests.
            rules: Where endpoints may lead.
            clock: Tells when they are made.
            keep_days: How long the log of a test is kept.
            sends: Whether anything is ever sent: `jobs.enabled`.
        """
        self._rows = rows
        self._deliveries = deliveries
        self._rules = rules
        self._clock = clock
        self._keep = timedelta(days=keep_days)
        self._sends = sends

    def create(
        self, wanted: NewEndpoint, principal_id: str, actor: Actor
    ) -> tuple[Endpoint, str]:
        """Make an endpoint and return it with its secret.

        Raises:
            InvalidInputError: A field is not allowed; it is named.
            Conflict: The principal has 20 endpoints already.
            ServiceUnavailable: Nothing was stored; a retry may help.
        """
        now = self._clock.now()
        rendering = check_rendering(wanted.rendering)
        secret = make_secret() if wanted.secret is None else check_secret(wanted.secret)
        row = EndpointRow(
            id=new_ordered_id("end"),
            principal_id=principal_id,
            name=check_name(wanted.name),
            target=self._rules.check(rendering, wanted.url, wanted.email),
            secret=secret.encode(),
            events=check_events(wanted.events),
            rendering=rendering,
            state=ENABLED,
            created_at=now,
        )
        noted = self._editing(actor).noted("endpoint.create", row, now)
        if not self._rows.add(row, noted, MOST_ENDPOINTS):
            details = f"There are {MOST_ENDPOINTS} endpoints already; remove one first."
            raise Conflict(details=details)
        return shown(row, now), secret

    def list(self, principal_id: str) -> tuple[Endpoint, ...]:
        """Return all endpoints of a principal, the oldest first."""
        now = self._clock.now()
        return tuple(shown(row, now) for row in self._rows.list(principal_id))

    def get(self, endpoint_id: str, principal_id: str) -> Endpoint:
        """Return one endpoint.

        Raises:
            NotFound: This principal has none of this id.
        """
        return shown(self._find(endpoint_id, principal_id), self._clock.now())

    def secret(
        self, endpoint_id: str, principal_id: str, actor: Actor
    ) -> tuple[str, ...]:
        """Return the secrets that sign now, the newest first. It is audited.

        Raises:
            NotFound: This principal has none of this id.
        """
        row = self._find(endpoint_id, principal_id)
        now = self._clock.now()
        noted = self._editing(actor).noted("endpoint.secret", row, now)
        self._rows.note(row.id, noted)
        return secrets_at(row, now)

    def change(
        self,
        endpoint_id: str,
        principal_id: str,
        changes: Mapping[str, Any],
        actor: Actor,
    ) -> Endpoint:
        """Change `name`, `url`, `email`, `events` or `state`; others stay.

        To enable one that was disabled forgets why. What waits for one that is
        disabled is cancelled.

        Raises:
            NotFound: This principal has none of this id.
            InvalidInputError: A value is not allowed; its field is named.
            ServiceUnavailable: Nothing was changed; a retry may help.
        """
        edit = edits.change_by(changes, self._editing(actor))
        row = self._change(endpoint_id, principal_id, edit)
        return shown(row, self._clock.now())

    def remove(self, endpoint_id: str, principal_id: str, actor: Actor) -> None:
        """Remove an endpoint and cancel what waits for it.

        Raises:
            NotFound: This principal has none of this id.
            ServiceUnavailable: Nothing was changed; a retry may help.
        """
        row = self._find(endpoint_id, principal_id)
        now = self._clock.now()
        noted = self._editing(actor).noted("endpoint.remove", row, now)
        if not self._rows.remove(row.id, principal_id, noted):
            raise not_found("endpoint", endpoint_id)

    def roll(
        self,
        endpoint_id: str,
        principal_id: str,
        actor: Actor,
        *,
        overlap_seconds: int = USUAL_OVERLAP_SECONDS,
        secret: str | None = None,
    ) -> tuple[Endpoint, str]:
        """Give an endpoint a new secret, and return it with the endpoint.

        Args:
            endpoint_id: Whose.
            principal_id: The owner.
            actor: Who rolls it, for the audit.
            overlap_seconds: How long the old one signs too, 0 to 7 days.
            secret: The new one; None makes one.

        Raises:
            NotFound: This principal has none of this id.
            InvalidInputError: The overlap or the secret is not allowed.
            ServiceUnavailable: Nothing was changed; a retry may help.
        """
        if not 0 <= overlap_seconds <= LONGEST_OVERLAP_SECONDS:
            allowed = f"0 to {LONGEST_OVERLAP_SECONDS}"
            raise InvalidInputError.of("overlap_seconds", str(overlap_seconds), allowed)
        new = make_secret() if secret is None else check_secret(secret)
        edit = edits.roll_by(new, overlap_seconds, self._editing(actor))
        row = self._change(endpoint_id, principal_id, edit)
        return shown(row, self._clock.now()), new

    def test(self, endpoint_id: str, principal_id: str) -> str:
        """Send `endpoint.test`, as any other event; return the delivery's id.

        Raises:
            NotFound: This principal has none of this id.
            Conflict: It is disabled, has no address of its own, or a test of it is
                still pending; `details` says what to do.
            JobsDisabled: Nothing is ever sent here.
            ServiceUnavailable: Nothing was stored; a retry may help.
        """
        row = self._find(endpoint_id, principal_id)
        if not self._sends:
            raise JobsDisabled(details="Nothing is sent later while jobs are off.")
        check_reachable(row)
        receiver = Receiver(row.id, row.rendering)

        def plan_test(now: datetime) -> New:
            event = events.of_test(row.id, row.name, now)
            return plan(event, [receiver], Belonging(principal_id, now + self._keep))

        planned = self._deliveries.add_alone(row.id, "endpoint.test", plan_test)
        if planned is None:
            raise Conflict(details=TEST_IS_PENDING)
        return planned.deliveries[0].id

    def _change(
        self, endpoint_id: str, principal_id: str, edit: EndpointEdit
    ) -> EndpointRow:
        row = self._rows.change(sane_id("endpoint", endpoint_id), principal_id, edit)
        if row is None:
            raise not_found("endpoint", endpoint_id)
        return row

    def _find(self, endpoint_id: str, principal_id: str) -> EndpointRow:
        row = self._rows.find(sane_id("endpoint", endpoint_id), principal_id)
        if row is None:
            raise not_found("endpoint", endpoint_id)
        return row

    def _editing(self, actor: Actor) -> Editing:
        return Editing(actor, self._rules)
