"""Events: what happened, and what receivers are told of it; pure.

`data` is plain JSON, and what lies in it is told to programs as it is.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal, get_args

from flaskllm.storage.job_rows import JobRow, JobState

EventType = Literal[
    "job.done", "job.failed", "batch.done", "endpoint.disabled", "endpoint.test"
]
EVENT_TYPES: Final[tuple[EventType, ...]] = get_args(EventType)

MOST_RESULT_BYTES: Final = 20_000
"""Results of a batch that are longer than this in all are left out at once."""

_OF_JOBS: Mapping[JobState, EventType] = {
    "done": "job.done",
    "failed": "job.failed",
    "dead": "job.failed",
    "needs_fetch": "job.failed",
}
_TOLD_OF_ERRORS = ("code", "error", "details")
_TOLD_IF_THERE = ("needs",)


@dataclass(frozen=True, slots=True)
class Event:
    """What happened. `at` is aware; `data` is plain JSON."""

    type: EventType
    at: datetime
    data: Mapping[str, Any] = field(repr=False)


def type_of(job: JobRow) -> EventType | None:
    """Return the event that the end of a job is, None when nobody is told.

    Who cancelled a job knows it. One that was cancelled with an error was not
    cancelled by its owner, and failed. Items are told with their batch.
    """
    if job.batch_id is not None:
        return None
    if job.state == "cancelled":
        return "job.failed" if job.error_code is not None else None
    if job.kind == "batch":
        return "batch.done"
    return _OF_JOBS.get(job.state)


def of_job(job: JobRow, type: EventType, at: datetime) -> Event:
    """Return the event of a digest that ended.

    `data` holds `id`, `kind`, `state`, `location` (a path of this gateway's API),
    `created_at`, `finished_at`, `result` (the webhook's answer) and `error` (`code`,
    `error`, `details`, and `needs` of a job that needs a document); one of the last
    two is null.
    """
    return Event(type, at, _described(job) | _outcome(job))


def of_batch(batch: JobRow, items: Sequence[JobRow], at: datetime) -> Event:
    """Return the event of a batch that ended.

    `data` is as in `of_job`, with `counts` by state and `items` in order, each with
    `number`, `id`, `state`, `error_code` and `result`, in place of a result.
    """
    in_all = sum(len(item.result or b"") for item in items)
    is_short = in_all <= MOST_RESULT_BYTES
    data = _described(batch) | {
        "error": _read_error(batch.error),
        "counts": dict(Counter(item.state for item in items)),
        "items": [
            {
                "number": item.number,
                "id": item.id,
                "state": item.state,
                "error_code": item.error_code,
                "result": _read(item.result) if is_short else None,
            }
            for item in items
        ],
    }
    return Event("batch.done", at, data)


def of_disabled(endpoint_id: str, name: str, reason: str, at: datetime) -> Event:
    """Return the event of an endpoint that was disabled by its failures."""
    told = {"endpoint": {"id": endpoint_id, "name": name}, "reason": reason}
    return Event("endpoint.disabled", at, told)


def of_test(endpoint_id: str, name: str, at: datetime) -> Event:
    """Return the event with which an owner tries an endpoint."""
    return Event("endpoint.test", at, {"endpoint": {"id": endpoint_id, "name": name}})


def moment(at: datetime) -> str:
    """Return a moment as RFC 3339 has it, in UTC."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _described(job: JobRow) -> dict[str, Any]:
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "location": f"/api/v1/jobs/{job.id}",
        "created_at": moment(job.created_at),
        "finished_at": moment(job.finished_at) if job.finished_at else None,
    }


def _outcome(job: JobRow) -> dict[str, Any]:
    return {"result": _read(job.result), "error": _read_error(job.error)}


def _read(body: bytes | None) -> Any:
    return None if body is None else json.loads(body)


def _read_error(body: bytes | None) -> dict[str, Any] | None:
    error = _read(body)
    if error is None:
        return None
    more = {key: error[key] for key in _TOLD_IF_THERE if key in error}
    return {key: error.get(key) for key in _TOLD_OF_ERRORS} | more
