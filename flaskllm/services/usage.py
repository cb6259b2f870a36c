"""Usage: what every attempt used is written down, and never in a request's way."""

import logging
from collections.abc import Sequence

from flaskllm.core import logs
from flaskllm.core.clock import Clock
from flaskllm.core.errors import APIError, InternalError, ServiceUnavailable
from flaskllm.core.ids import new_id
from flaskllm.llm.types import Attempt, Outcome
from flaskllm.services.usage_writer import UsageWriter
from flaskllm.storage.usage import UsageRow, UsageRows

_log = logging.getLogger(__name__)

_MOST_DECISION_CHARACTERS = 300


class UsageService:
    """Records attempts."""

    def __init__(self, rows: UsageRows, clock: Clock, *, threaded: bool) -> None:
        """Keep the collaborators; nothing is opened.

        Args:
            rows: The table.
            clock: Dates the rows.
            threaded: Whether a thread may write them; else each request does.
        """
        self._rows = rows
        self._clock = clock
        self._writer = UsageWriter(self._write) if threaded else None

    def record(
        self, attempt: Attempt, outcome: Outcome, *, principal_id: str, request_id: str
    ) -> None:
        """Write one attempt down; a failure to do so is logged and goes no further."""
        row = self._row(request_id, principal_id, attempt, outcome)
        if self._writer is None:
            self._write([row])
        else:
            self._writer.put(row)

    def flush(self) -> None:
        """Return once what was recorded so far is written, at the latest after 5 s."""
        if self._writer is not None:
            self._writer.flush()

    def _write(self, rows: Sequence[UsageRow]) -> None:
        """Store the rows; of rows that are wrong only these are lost.

        A table takes all rows or none. So where one is wrong each half is stored
        for itself, and of that each half, until the wrong one is alone: of 500 it
        takes 18 transactions and not 500.
        """
        try:
            self._rows.add(rows)
        except ServiceUnavailable as error:  # the database, and not the rows
            _tell_lost(rows, error)
        except Exception as error:  # the writer's one thread must live on
            if len(rows) > 1:
                middle = len(rows) // 2
                self._write(rows[:middle])
                self._write(rows[middle:])
                return
            _tell_lost(rows, _told(error))

    def _row(
        self, request_id: str, principal_id: str, attempt: Attempt, outcome: Outcome
    ) -> UsageRow:
        deployment, used = attempt.deployment, outcome.usage
        return UsageRow(
            id=new_id("use"),
            request_id=request_id,
            principal_id=principal_id,
            alias=attempt.alias,
            deployment=deployment.name,
            provider=deployment.provider,
            model=deployment.model,
            attempt=attempt.number,
            outcome=outcome.code,
            latency_ms=round(outcome.latency_seconds * 1000),
            input_uncached=used.input_uncached,
            input_cache_read=used.input_cache_read,
            input_cache_write=used.input_cache_write,
            output_text=used.output_text,
            output_reasoning=used.output_reasoning,
            usage_source=used.source,
            created_at=self._clock.now(),
            decision=attempt.decision[:_MOST_DECISION_CHARACTERS],
        )


def _told(error: Exception) -> APIError:
    if isinstance(error, APIError):
        return error
    return InternalError(details=type(error).__name__)


def _tell_lost(rows: Sequence[UsageRow], error: APIError) -> None:
    for row in rows:
        logs.event(
            _log,
            logging.WARNING,
            "usage_not_recorded",
            request_id=row.request_id,
            principal=row.principal_id,
            deployment=row.deployment,
            attempt=row.attempt,
            code=error.code,
            reason=error.details,
        )
