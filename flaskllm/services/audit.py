"""The audit: who changed what, when, from where."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flaskllm.core.paging import Place
from flaskllm.storage.audit import AuditRow, AuditRows, WantedRows

__all__ = ["Audit", "AuditEntry", "WantedRows"]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change.

    Attributes:
        id: Its own.
        at: When, aware, in UTC.
        principal_id: Who; `cli:NAME` is a user of the command line.
        action: Such as `token.create`.
        object_id: What was changed.
        details: The fields that changed; never a secret.
        peer: The address that it came from; empty for this machine.
        request_id: That of the request; empty for the command line.
    """

    id: str
    at: datetime
    principal_id: str
    action: str
    object_id: str
    details: Mapping[str, Any]
    peer: str
    request_id: str

    def place(self) -> Place:
        """Return where the next page begins, when this is the last of its page."""
        return Place(self.at, self.id)


class Audit:
    """Shows the audit. Rows are written by those who change things, never here."""

    def __init__(self, rows: AuditRows) -> None:
        """Keep the table; nothing is opened."""
        self._rows = rows

    def page(
        self, most: int, wanted: WantedRows | None = None, after: Place | None = None
    ) -> tuple[AuditEntry, ...]:
        """Return at most so many entries behind this place, the latest first.

        Raises:
            ServiceUnavailable: The database cannot be read; a retry may help.
        """
        return tuple(_entry(row) for row in self._rows.page(most, wanted, after))


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(
        row.id,
        row.at,
        row.principal_id,
        row.action,
        row.object_id,
        json.loads(row.details),
        row.peer,
        row.request_id,
    )
