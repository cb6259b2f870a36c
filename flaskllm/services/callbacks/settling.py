"""What becomes of a delivery and its endpoint after an attempt; pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flaskllm.core.auth import Actor
from flaskllm.services.callbacks import events
from flaskllm.services.callbacks.planning import (
    Belonging,
    listening,
    next_attempt,
    plan,
)
from flaskllm.services.callbacks.schedule import Outcome, next_wait_seconds
from flaskllm.services.callbacks.targets import host_of
from flaskllm.storage.api_tokens import Noted
from flaskllm.storage.delivery_changes import New, Settled, Situation
from flaskllm.storage.endpoints import DISABLED, EndpointChange
from flaskllm.storage.job_rows import DeliveryRow, DeliveryState, EndpointRow

GONE = "the receiver answered 410 and wants no more messages"
DEAD = "no delivery succeeded from a first attempt to the last one"

_ACTOR = Actor("callbacks")


@dataclass(frozen=True, slots=True)
class _Attempted:
    """An attempt: what came of it, and when it began and ended, aware."""

    outcome: Outcome
    began_at: datetime
    ended_at: datetime
    chance: float


def settle_by(
    outcome: Outcome, began_at: datetime, ended_at: datetime, chance: float
) -> Callable[[Situation], Settled]:
    """Return what settles an attempt that had this outcome.

    Args:
        outcome: What came of it.
        began_at: When it was begun, aware: its time in the log.
        ended_at: When it had ended, aware.
        chance: From 0 to 1, evenly spread.
    """
    attempted = _Attempted(outcome, began_at, ended_at, chance)

    def settle(situation: Situation) -> Settled:
        if outcome.is_success:
            return _delivered(situation, ended_at)
        if situation.sending.endpoint is None:
            return Settled(_ended(situation.sending.delivery, "cancelled", ended_at))
        return _failed(situation, situation.sending.endpoint, attempted)

    return settle


def _delivered(situation: Situation, at: datetime) -> Settled:
    endpoint = situation.sending.endpoint
    change = None
    if endpoint is not None and endpoint.failing_since is not None:
        change = EndpointChange(replace(endpoint, failing_since=None))
    delivery = _ended(situation.sending.delivery, "delivered", at)
    return Settled(delivery, change=change)


def _failed(
    situation: Situation, endpoint: EndpointRow, attempted: _Attempted
) -> Settled:
    delivery, outcome = situation.sending.delivery, attempted.outcome
    # Behind the endpoint without a URL stand many receivers: none speaks for it.
    is_own = endpoint.target is not None
    since = endpoint.failing_since or attempted.began_at
    wait_seconds = next_wait_seconds(
        delivery.attempts + 1, attempted.chance, outcome.wait_at_least_seconds
    )
    if outcome.is_gone or wait_seconds is None:
        if is_own and (outcome.is_gone or since <= situation.first_at):
            return _disabled(situation, endpoint, attempted)
        ended = _ended(delivery, "failed", attempted.ended_at)
        return Settled(ended, change=_failing(endpoint, since) if is_own else None)
    next_at = attempted.ended_at + timedelta(seconds=wait_seconds)
    waiting = replace(delivery, next_at=next_at)
    return Settled(
        waiting,
        (next_attempt(waiting, wait_seconds),),
        _failing(endpoint, since) if is_own else None,
    )


def _disabled(
    situation: Situation, endpoint: EndpointRow, attempted: _Attempted
) -> Settled:
    reason, at = GONE if attempted.outcome.is_gone else DEAD, attempted.ended_at
    told = _told_others(situation, endpoint, reason, at)
    row = replace(
        endpoint,
        state=DISABLED,
        disabled_reason=reason,
        failing_since=endpoint.failing_since or attempted.began_at,
    )
    details = {"reason": reason, "host": host_of(endpoint.target, endpoint.rendering)}
    noted = Noted("endpoint.disable", _ACTOR, at, details)
    ended = _ended(situation.sending.delivery, "failed", at)
    return Settled(ended, told.starts, EndpointChange(row, noted), told.deliveries)


def _told_others(
    situation: Situation, endpoint: EndpointRow, reason: str, at: datetime
) -> New:
    event = events.of_disabled(endpoint.id, endpoint.name, reason, at)
    others = listening(event.type, situation.listeners, but=endpoint.id)
    expires_at = situation.sending.delivery.expires_at
    return plan(event, others, Belonging(endpoint.principal_id, expires_at))


def _failing(endpoint: EndpointRow, since: datetime) -> EndpointChange | None:
    if endpoint.failing_since is not None:
        return None
    return EndpointChange(replace(endpoint, failing_since=since))


def _ended(delivery: DeliveryRow, state: DeliveryState, at: datetime) -> DeliveryRow:
    return replace(delivery, state=state, next_at=None, finished_at=at)
