"""Jobs as they are shown. Pure."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from flaskllm.core.errors import APIError, NeedsFetch, ServiceUnavailable
from flaskllm.core.paging import Place
from flaskllm.storage.job_rows import ENDED, JobKind, JobRow, JobState


@dataclass(frozen=True, slots=True)
class JobReport:
    """How a job stands. Times are aware, in UTC.

    Attributes:
        batch_id: The batch that it is an item of, and `number` its place, from 0.
        attempt: How often it was begun as planned; None of a batch, whose items are.
        next_at: Of one that was put off: its next attempt begins then at the earliest.
        result: The webhook's answer, `data` and `meta`, once a digest is done. Lists
            leave it out.
        error: `error`, `details`, `code` and for a bad request `fields`, once it has
            failed. Lists have `error_code` alone, and so has a job that was put off:
            that of its last attempt.
        cost_nanos: What was paid so far; None where a price is not known.
        counts: Of a batch: how many items are in each state.
    """

    id: str
    kind: JobKind
    state: JobState
    source: str
    request_id: str
    priority: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    deadline_at: datetime | None
    expires_at: datetime
    attempt: int | None
    next_at: datetime | None
    batch_id: str | None
    number: int | None
    error_code: str | None
    cost_nanos: int | None
    result: Mapping[str, Any] | None = field(default=None, repr=False)
    error: Mapping[str, Any] | None = field(default=None, repr=False)
    counts: Mapping[JobState, int] | None = None

    @property
    def has_ended(self) -> bool:
        """Tell whether it will not change any more."""
        return self.state in ENDED

    def place(self) -> Place:
        """Return where the next page begins, when this is the last of its page."""
        return Place(self.created_at, self.id)


_SHOWN = tuple(
    name
    for name in JobReport.__dataclass_fields__
    if name not in {"result", "error", "counts"}
)


def report_of(job: JobRow, counts: Mapping[JobState, int] | None = None) -> JobReport:
    """Return what may be shown of a job; `counts` are of a batch's items."""
    shown = {name: getattr(job, name) for name in _SHOWN}
    if job.kind == "batch":
        shown["attempt"] = None
    return JobReport(
        **shown, result=_read(job.result), error=_read(job.error), counts=counts
    )


def error_json(error: APIError) -> bytes:
    """Return an error as it is kept: what every caller of `/api/v1` reads, as JSON."""
    told: dict[str, Any] = {
        "error": error.message,
        "details": error.details,
        "code": error.code,
    }
    if error.fields:
        told["fields"] = [asdict(each) for each in error.fields]
    if isinstance(error, NeedsFetch) and error.needs:
        told["needs"] = error.needs
    return json.dumps(told).encode("ascii")


def not_in_time() -> ServiceUnavailable:
    """Return the error of a job whose deadline has passed."""
    return ServiceUnavailable(
        "The job was not done in time.",
        details="Its deadline passed before a worker had done it. It can be replayed.",
    )


def _read(body: bytes | None) -> Mapping[str, Any] | None:
    return None if body is None else json.loads(body)
