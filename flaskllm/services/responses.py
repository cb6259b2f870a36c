"""Responses kept for the turns that follow, each for its own principal only."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flaskllm.core import logs
from flaskllm.core.clock import Clock
from flaskllm.core.errors import APIError, InvalidInputError
from flaskllm.services.own_ids import not_found, sane_id
from flaskllm.storage.responses import ResponseRow, ResponseRows

KEPT_FOR = timedelta(days=30)
"""How long, unless the settings say otherwise."""

MOST_TURNS = 1000
# As much as one request may bring; a chain of large ones must not fill the memory.
MOST_CONVERSATION_BYTES = 32 * 1024 * 1024
# Of those that expired: the lock is held for a batch, and a turn ends.
_BATCH = 200
_MOST_BATCHES = 50

Item = Mapping[str, Any]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KeptResponse:
    """A response as it was told, and the items of its own request: plain JSON."""

    id: str
    body: Mapping[str, Any] = field(repr=False)
    input_items: Sequence[Item] = field(repr=False)
    previous_id: str | None = None


class Responses:
    """Keeps responses. What another principal made reads as never made."""

    def __init__(
        self, rows: ResponseRows, clock: Clock, keep_for: timedelta = KEPT_FOR
    ) -> None:
        """Keep the collaborators; nothing is opened.

        Args:
            rows: The table.
            clock: Tells what has expired.
            keep_for: How long a response is kept at most.
        """
        self._rows = rows
        self._clock = clock
        self._keep_for = keep_for

    def keep(
        self,
        response: KeptResponse,
        principal_id: str,
        kept_for: timedelta | None = None,
    ) -> bool:
        """Store the response, and tell whether that worked.

        It is kept as long as all are, or shorter where `kept_for` says so.
        A failure is logged and goes no further: the answer is there and paid for.
        """
        now = self._clock.now()
        row = ResponseRow(
            id=response.id,
            principal_id=principal_id,
            previous_id=response.previous_id,
            created_at=now,
            expires_at=now + min(kept_for or self._keep_for, self._keep_for),
            body=_json(response.body),
            input_items=_json(response.input_items),
        )
        try:
            self._rows.add(row)
        except APIError as error:
            logs.event(
                _log,
                logging.WARNING,
                "response_not_kept",
                principal=principal_id,
                code=error.code,
                reason=error.details,
            )
            return False
        return True

    def find(self, response_id: str, principal_id: str) -> KeptResponse:
        """Return the response.

        Raises:
            NotFound: There is none of this id, or it is not this principal's.
            ServiceUnavailable: The database cannot be read.
        """
        wanted = sane_id("response", response_id)
        row = self._rows.find(wanted, principal_id, self._clock.now())
        if row is None:
            raise not_found("response", response_id)
        return _kept(row)

    def conversation(self, response_id: str, principal_id: str) -> list[Item]:
        """Return all items up to this response and its own, the oldest first.

        Raises:
            NotFound: It, or a turn before it, is not there (any more).
            InvalidInputError: The turns are more than 1,000, or those after the
                first hold more than 32 MiB as JSON.
            ServiceUnavailable: The database cannot be read.
        """
        wanted = sane_id("response", response_id)
        rows = self._rows.chain(
            wanted,
            principal_id,
            self._clock.now(),
            most=MOST_TURNS,
            most_bytes=MOST_CONVERSATION_BYTES,
        )
        if rows is None:
            raise not_found("response", response_id)
        if rows[0].previous_id is not None:
            raise too_long()
        items: list[Item] = []
        for turn in map(_kept, rows):
            items += [*turn.input_items, *turn.body["output"]]
        return items

    def remove(self, response_id: str, principal_id: str) -> None:
        """Forget the response.

        Raises:
            NotFound: There is none of this id, or it is not this principal's.
            ServiceUnavailable: Nothing was removed; a retry may help.
        """
        wanted = sane_id("response", response_id)
        if not self._rows.remove(wanted, principal_id, self._clock.now()):
            raise not_found("response", response_id)

    def forget_expired(self) -> int:
        """Remove what has expired, at most 10,000 responses; return how many.

        Raises:
            ServiceUnavailable: Some may have been removed; a retry may help.
        """
        now, removed = self._clock.now(), 0
        for _ in range(_MOST_BATCHES):
            count = self._rows.remove_expired(now, _BATCH)
            removed += count
            if count < _BATCH:
                break
        return removed


def too_long() -> InvalidInputError:
    """Return the refusal of a conversation that cannot be gone on with."""
    return InvalidInputError.of(
        "previous_response_id",
        "ends a conversation that is too long",
        f"{MOST_TURNS:,} turns, 32 MiB",
    )


def _kept(row: ResponseRow) -> KeptResponse:
    return KeptResponse(
        id=row.id,
        body=json.loads(row.body),
        input_items=json.loads(row.input_items),
        previous_id=row.previous_id,
    )


def _json(value: object) -> bytes:
    # Escaped: half a surrogate pair cannot be written as it is.
    return json.dumps(value).encode()
