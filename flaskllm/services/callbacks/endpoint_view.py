"""An endpoint as its owner sees it."""

from dataclasses import dataclass, field
from datetime import datetime

from flaskllm.services.callbacks.targets import MAIL
from flaskllm.storage.job_rows import EndpointRow, EndpointState, Rendering


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as its owner sees it, without its secret. Times are aware.

    Attributes:
        url: None for mail, and for the one that signs what goes to `callback_url`.
        email: None for everything else than mail.
        disabled_reason: '' while it is enabled.
        failing_since: The first failed attempt since the last success.
        previous_until: Until when the secret before signs too; None when it does not.
    """

    id: str
    name: str
    url: str | None = field(repr=False)
    email: str | None = field(repr=False)
    events: tuple[str, ...]
    rendering: Rendering
    state: EndpointState
    disabled_reason: str
    failing_since: datetime | None
    previous_until: datetime | None
    created_at: datetime


def shown(row: EndpointRow, now: datetime) -> Endpoint:
    """Return a row as its owner sees it at this moment."""
    until = row.previous_until
    is_over = until is not None and until <= now
    target = None if row.target is None else row.target.decode()
    is_mail = row.rendering == MAIL
    return Endpoint(
        id=row.id,
        name=row.name,
        url=None if is_mail else target,
        email=target if is_mail else None,
        events=tuple(row.events.split()),
        rendering=row.rendering,
        state=row.state,
        disabled_reason=row.disabled_reason,
        failing_since=row.failing_since,
        previous_until=None if is_over else until,
        created_at=row.created_at,
    )
