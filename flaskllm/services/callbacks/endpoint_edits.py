"""What becomes of an endpoint when its owner changes it; pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from flaskllm.core.auth import Actor
from flaskllm.core.errors import InvalidInputError
from flaskllm.services.callbacks.endpoint_checks import (
    TargetRules,
    check_events,
    check_name,
)
from flaskllm.services.callbacks.targets import host_of
from flaskllm.storage.api_tokens import Noted
from flaskllm.storage.endpoints import (
    DISABLED,
    ENABLED,
    EndpointChange,
    EndpointEdit,
)
from flaskllm.storage.job_rows import EndpointRow

BY_OWNER: Final = "its owner disabled it"


@dataclass(frozen=True, slots=True)
class Editing:
    """Who changes an endpoint, and where it may lead."""

    actor: Actor
    rules: TargetRules

    def noted(self, action: str, row: EndpointRow, at: datetime) -> Noted:
        """Return the audit row of what happened to an endpoint; no secret is in it."""
        return Noted(action, self.actor, at, described(row))


def described(row: EndpointRow) -> Mapping[str, Any]:
    """Return what an audit row tells of an endpoint: of its target only the host."""
    return {
        "name": row.name,
        "host": host_of(row.target, row.rendering),
        "events": row.events.split(),
        "rendering": row.rendering,
        "state": row.state,
    }


def change_by(changes: Mapping[str, Any], editing: Editing) -> EndpointEdit:
    """Return the edit that changes `name`, `url`, `email`, `events` or `state`.

    Its rendering stays: what waits for it was rendered already. It raises
    InvalidInputError for a value that is not allowed, or another field.
    """
    unknown = sorted(changes.keys() - _CHANGES.keys())
    if unknown:
        problem = "cannot be changed" if unknown[0] in _FIXED else "is unknown"
        raise InvalidInputError.of(unknown[0][:60], problem, ", ".join(_CHANGES))

    def edit(before: EndpointRow, now: datetime) -> EndpointChange | None:
        after = before
        for name, value in changes.items():
            after = _CHANGES[name](after, value, editing)
        if after == before:
            return None
        return EndpointChange(after, editing.noted("endpoint.update", after, now))

    return edit


def roll_by(secret: str, overlap_seconds: int, editing: Editing) -> EndpointEdit:
    """Return the edit that puts a new secret in the first place.

    The old one signs too while the overlap lasts; one that was old already ends.
    """

    def edit(before: EndpointRow, now: datetime) -> EndpointChange:
        until = now + timedelta(seconds=overlap_seconds)
        after = replace(
            before,
            secret=secret.encode(),
            previous_secret=before.secret if overlap_seconds else None,
            previous_until=until if overlap_seconds else None,
        )
        return EndpointChange(after, editing.noted("endpoint.roll", after, now))

    return edit


def _name(row: EndpointRow, value: Any, _editing: Editing) -> EndpointRow:
    return replace(row, name=check_name(value))


def _url(row: EndpointRow, value: Any, editing: Editing) -> EndpointRow:
    return _led_to(row, editing.rules.check(row.rendering, value, None), "url")


def _email(row: EndpointRow, value: Any, editing: Editing) -> EndpointRow:
    return _led_to(row, editing.rules.check(row.rendering, None, value), "email")


def _led_to(row: EndpointRow, target: bytes, path: str) -> EndpointRow:
    _check_own(row, path)
    if target == row.target:
        return row
    return replace(row, target=target, failing_since=None)


def _events(row: EndpointRow, value: Any, _editing: Editing) -> EndpointRow:
    _check_own(row, "events")
    return replace(row, events=check_events(value))


def _state(row: EndpointRow, value: Any, _editing: Editing) -> EndpointRow:
    if value not in (ENABLED, DISABLED):
        raise InvalidInputError.of("state", "is unknown", f"{ENABLED}, {DISABLED}")
    if value == row.state:
        return row
    if value == ENABLED:
        return replace(row, state=ENABLED, disabled_reason="", failing_since=None)
    return replace(row, state=DISABLED, disabled_reason=BY_OWNER)


def _check_own(row: EndpointRow, path: str) -> None:
    if row.target is None:
        problem = "cannot be set: this endpoint signs what goes to `callback_url`"
        raise InvalidInputError.of(path, problem, "an endpoint of your own")


_FIXED = frozenset({"rendering", "secret", "id"})
_CHANGES: Mapping[str, Callable[[EndpointRow, Any, Editing], EndpointRow]] = {
    "name": _name,
    "url": _url,
    "email": _email,
    "events": _events,
    "state": _state,
}
