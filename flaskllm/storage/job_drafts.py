"""Jobs before they are accepted, and the workflows that work on them. Pure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flaskllm.storage.job_rows import USUAL_PRIORITY, DocumentRow, JobKind, JobRow
from flaskllm.storage.workflows import Start

# Who asks for the answer of a job that ended in its last hour shall still get it.
ENDED_FOR_AT_LEAST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Event:
    """By what a repetition is known.

    Attributes:
        digest: 32 bytes.
        earlier: What it would be under the master secrets before.
        lives_seconds: Later it is no repetition.
        is_forced: No job that is there answers for this one.
        is_complete: The document came with it, or can be fetched: a job that found it
            could not be does not answer for this one.
    """

    digest: bytes = field(repr=False)
    lives_seconds: float
    earlier: tuple[bytes, ...] = field(default=(), repr=False)
    is_forced: bool = False
    is_complete: bool = False

    @property
    def digests(self) -> tuple[bytes, ...]:
        """Return all that a repetition may be known by."""
        return (self.digest, *self.earlier)


@dataclass(frozen=True, slots=True)
class Draft:
    """A job that is to be accepted. The table gives it its times.

    Attributes:
        deadline_seconds: After so long it is given up.
        keep_seconds: So long its document and its result are kept.
        document_id: What it is made from; None for a batch.
        document: The document, which is stored too; None where it is there already.
        event: None where nothing is a repetition of it.
    """

    id: str
    principal_id: str
    source: str
    request_id: str
    deadline_seconds: float
    keep_seconds: float
    kind: JobKind = "digest"
    priority: int = USUAL_PRIORITY
    batch_id: str | None = None
    number: int | None = None
    document_id: str | None = None
    document: bytes | None = field(default=None, repr=False)
    endpoint_id: str | None = None
    callback_url: bytes | None = field(default=None, repr=False)
    event: Event | None = None

    def expires_at(self, now: datetime) -> datetime:
        """Return until when it is kept: at least as long as it may wait."""
        return now + timedelta(seconds=max(self.keep_seconds, self.deadline_seconds))


def job_of(draft: Draft, now: datetime) -> JobRow:
    """Return the row of a job that is accepted at this moment."""
    event = draft.event
    return JobRow(
        id=draft.id,
        principal_id=draft.principal_id,
        kind=draft.kind,
        state="queued",
        source=draft.source,
        request_id=draft.request_id,
        created_at=now,
        expires_at=draft.expires_at(now),
        priority=draft.priority,
        batch_id=draft.batch_id,
        number=draft.number,
        document_id=draft.document_id,
        event_digest=event.digest if event else None,
        repeats_until=now + timedelta(seconds=event.lives_seconds) if event else None,
        deadline_at=now + timedelta(seconds=draft.deadline_seconds),
        endpoint_id=draft.endpoint_id,
        callback_url=draft.callback_url,
        cost_nanos=0,
    )


def document_of(draft: Draft, now: datetime) -> DocumentRow | None:
    """Return the row of the document that comes with a job, if one does."""
    if draft.document is None or draft.document_id is None:
        return None
    return DocumentRow(
        draft.document_id,
        draft.principal_id,
        now,
        draft.expires_at(now),
        draft.document,
    )


def start_of(job: JobRow, attempt: int, delay_seconds: float | None = None) -> Start:
    """Return the workflow of this attempt, from 1. Principals take their turns."""
    return Start(
        "digest",
        workflow_id(job.id, attempt),
        job.principal_id,
        (job.id, attempt),
        job.priority,
        delay_seconds,
    )


def workflow_id(job_id: str, attempt: int) -> str:
    """Return the id of an attempt's workflow; that of the first is the job's."""
    return job_id if attempt == 1 else f"{job_id}.{attempt}"


def present_workflow_id(job: JobRow) -> str:
    """Return the id of the workflow that an open digest waits for, or runs in."""
    is_waiting = job.state == "queued"
    return workflow_id(job.id, job.attempt + 1 if is_waiting else job.attempt)
