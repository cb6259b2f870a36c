"""Usage: what every attempt used is written down, and never in a request's way."""

import logging
from collections.abc import Sequence

from flaskllm.core import logs
from flaskllm.core.clock import Clock
from flaskllm.core.errors import APIError, InternalError
from flaskllm.core.ids import new_id
from flaskllm.llm.types import Attempt, Outcome
from flaskllm.services.usage_writer import UsageWriter
from flaskllm.storage.usage import UsageRow, UsageRows

_log = logging.getLogger(__name__)


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
        try:
            self._rows.add(rows)
        except APIError as error:
            _tell_lost(rows, error)
        except Exception as error:  # the writer's one thread must live on
            _tell_lost(rows, InternalError(details=type(error).__name__))

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
        )


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
