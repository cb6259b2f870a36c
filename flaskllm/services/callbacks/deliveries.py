"""Deliveries: attempted, shown, sent again by hand, and forgotten."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from flaskllm.core import logs
from flaskllm.core.clock import Clock
from flaskllm.core.errors import Conflict, JobsDisabled
from flaskllm.core.ids import random_base62
from flaskllm.core.paging import Place
from flaskllm.services.callbacks.delivery_reports import (
    DeliveryReport,
    report,
    reports,
)
from flaskllm.services.callbacks.planning import next_attempt
from flaskllm.services.callbacks.schedule import Outcome
from flaskllm.services.callbacks.sending import Sender
from flaskllm.services.callbacks.settling import settle_by
from flaskllm.services.callbacks.targets import host_of
from flaskllm.services.own_ids import not_found, sane_id
from flaskllm.storage.deliveries import DeliveryRows
from flaskllm.storage.delivery_changes import Sending, Settled
from flaskllm.storage.delivery_log import DeliveryLog
from flaskllm.storage.endpoints import ENABLED
from flaskllm.storage.job_rows import DeliveryAttempt, DeliveryRow, EndpointRow

# Of those that expired: the lock is held for a batch, and a turn ends.
_BATCH = 200
_MOST_BATCHES = 50
_OVERDUE = timedelta(hours=1)

_log = logging.getLogger(__name__)


class Deliveries:
    """The use cases of deliveries. What another principal has reads as not there."""

    def __init__(
        self,
        rows: DeliveryRows,
        log: DeliveryLog,
        sender: Sender,
        clock: Clock,
        chance: Callable[[], float],
        *,
        sends: bool = True,
    ) -> None:
        """Keep the collaborators; nothing is opened.

        Args:
            rows: The tables.
            log: Reads them for people.
            sender: Makes the attempts.
            clock: Tells how long they take.
            chance: Returns a number from 0 to 1, evenly spread.
            sends: Whether anything is ever sent: `jobs.enabled`.
        """
        self._rows = rows
        self._log = log
        self._sender = sender
        self._clock = clock
        self._chance = chance
        self._sends = sends

    def attempt(self, delivery_id: str, number: int) -> None:
        """Make one attempt, unless it was made or the delivery has ended.

        What comes of it and the start of the next attempt are written as one. Who
        does this twice for one number, or stops in between, may send twice, under one
        `webhook-id`; only one of them is counted.

        Raises:
            ServiceUnavailable: It was sent or not, and nothing was written; it must
                be called again, or the delivery waits for ever.
        """
        sending = self._rows.sending(delivery_id)
        if sending is None or not _is_next(sending, number):
            return
        endpoint = sending.endpoint
        if endpoint is None or endpoint.state != ENABLED:
            self._rows.cancel(delivery_id, sending.now)
            return
        at, begun_seconds = sending.now, self._clock.monotonic()
        outcome = self._sender.send(sending.delivery, endpoint, at)
        took_seconds = self._clock.monotonic() - begun_seconds
        attempt = DeliveryAttempt(
            delivery_id,
            number,
            at,
            outcome.status,
            outcome.reason,
            round(took_seconds * 1000),
        )
        ended_at = at + timedelta(seconds=took_seconds)
        decide = settle_by(outcome, at, ended_at, self._chance())
        settled = self._rows.settle(sending.delivery, attempt, decide)
        if settled is not None:
            _tell(settled, attempt, endpoint, outcome)

    def of_job(self, job_id: str, principal_id: str) -> tuple[DeliveryReport, ...]:
        """Return everything that was sent of a job, the oldest first.

        Raises:
            NotFound: This principal has no such job.
        """
        found = self._log.of_job(sane_id("job", job_id), principal_id)
        if found is None:
            raise not_found("job", job_id)
        return reports(found)

    def of_endpoint(
        self, endpoint_id: str, principal_id: str, most: int, after: Place | None = None
    ) -> tuple[DeliveryReport, ...]:
        """Return what was sent to an endpoint, at most so many, the latest first.

        Raises:
            NotFound: It cannot be the id of an endpoint.
        """
        wanted = sane_id("endpoint", endpoint_id)
        return reports(self._log.of_endpoint(wanted, principal_id, most, after))

    def find(self, delivery_id: str, principal_id: str) -> DeliveryReport:
        """Return one delivery.

        Raises:
            NotFound: This principal has none of this id.
        """
        found = self._log.find(sane_id("delivery", delivery_id), principal_id)
        if found is None:
            raise not_found("delivery", delivery_id)
        return report(found)

    def replay(self, delivery_id: str, principal_id: str) -> DeliveryReport:
        """Send a delivery that has ended once more, under its own `webhook-id`.

        The schedule goes on where it ended: after the last attempt of it there is
        this one alone.

        Raises:
            NotFound: This principal has none of this id.
            Conflict: It has not ended and is not late by an hour, or its endpoint is
                disabled or removed.
            JobsDisabled: Nothing is ever sent here.
            ServiceUnavailable: Nothing was changed; a retry may help.
        """
        if not self._sends:
            raise JobsDisabled(details="Nothing is sent later while jobs are off.")
        settled = self._rows.again(
            sane_id("delivery", delivery_id), principal_id, _again
        )
        if settled is None:
            raise not_found("delivery", delivery_id)
        return self.find(delivery_id, principal_id)

    def forget_expired(self) -> int:
        """Remove what has expired, at most 10,000 deliveries; return how many.

        Raises:
            ServiceUnavailable: Some may have been removed; a retry may help.
        """
        removed = 0
        for _ in range(_MOST_BATCHES):
            count = self._rows.remove_expired(_BATCH)
            removed += count
            if count < _BATCH:
                break
        return removed


def _is_next(sending: Sending, number: int) -> bool:
    delivery = sending.delivery
    return delivery.state == "pending" and number == delivery.attempts + 1


def _again(sending: Sending) -> Settled:
    delivery, endpoint, now = sending.delivery, sending.endpoint, sending.now
    if delivery.state == "pending" and not _is_overdue(delivery, now):
        raise Conflict(details="It has not ended: its next attempt is planned.")
    if endpoint is None or endpoint.state != ENABLED:
        raise Conflict(details="Its endpoint is removed or disabled; enable it first.")
    waiting = replace(delivery, state="pending", next_at=now, finished_at=None)
    start = next_attempt(waiting, 0.0)
    # The workflow of this number may have been started before it was cancelled.
    unlike = replace(start, id=f"{start.id}.{random_base62(8)}", delay_seconds=None)
    return Settled(waiting, (unlike,))


def _is_overdue(delivery: DeliveryRow, now: datetime) -> bool:
    """Tell whether its workflow must have been lost: nobody will attempt it."""
    return delivery.next_at is not None and delivery.next_at <= now - _OVERDUE


def _tell(
    settled: Settled, attempt: DeliveryAttempt, endpoint: EndpointRow, outcome: Outcome
) -> None:
    is_lost = settled.delivery.state == "failed"
    target = settled.delivery.target or endpoint.target
    host = host_of(target, endpoint.rendering)
    logs.event(
        _log,
        logging.WARNING if is_lost else logging.INFO,
        "delivery_given_up" if is_lost else "delivery_attempted",
        delivery=attempt.delivery_id,
        endpoint=endpoint.id,
        number=attempt.number,
        host=host,
        status=attempt.status,
        reason=outcome.reason,
        latency_ms=attempt.latency_ms,
    )
    change = settled.change
    if change is not None and change.row.state != ENABLED:
        logs.event(
            _log,
            logging.WARNING,
            "endpoint_disabled",
            endpoint=endpoint.id,
            principal=endpoint.principal_id,
            host=host,
            reason=change.row.disabled_reason,
        )
