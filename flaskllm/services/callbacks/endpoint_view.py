"""An endpoint as its owner sees it."""

import re
from dataclasses import dataclass, field
from datetime import datetime

from flaskllm.core.errors import NotFound
from flaskllm.services.callbacks.targets import MAIL
from flaskllm.storage.job_rows import EndpointRow

_SANE_ID = re.compile(r"end_[0-9A-Za-z]{1,36}")


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
    rendering: str
    state: str
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


def sane_id(endpoint_id: str) -> str:
    """Return the id if it may be one at all; no other text reaches the database.

    Raises:
        NotFound: It may not.
    """
    if _SANE_ID.fullmatch(endpoint_id) is None:
        raise not_found()
    return endpoint_id


def not_found() -> NotFound:
    """Return the one answer for what never was and for what is somebody else's."""
    return NotFound("There is no endpoint with this id.")
