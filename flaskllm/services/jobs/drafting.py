"""From what is wanted to the jobs that are stored. Pure, but for their new ids."""

from dataclasses import replace

from flaskllm.core.config_job_sections import JobSettings
from flaskllm.core.ids import new_ordered_id
from flaskllm.services.jobs import orders
from flaskllm.services.jobs.events import DAY_SECONDS
from flaskllm.services.jobs.orders import Ordered
from flaskllm.services.jobs.wanted import Wanted
from flaskllm.storage.job_drafts import Draft, Event
from flaskllm.storage.job_rows import JobKind, JobRow

_SOURCE_CHARACTERS = 40


def draft_of(
    wanted: Wanted,
    principal_id: str,
    settings: JobSettings,
    event: Event,
    kind: JobKind = "digest",
) -> Draft:
    """Return a new job as it is wanted, yet without a document."""
    url = wanted.callback_url
    return Draft(
        id=_new_id(),
        principal_id=principal_id,
        source=wanted.source[:_SOURCE_CHARACTERS],
        request_id=wanted.request_id,
        deadline_seconds=wanted.deadline_seconds or settings.deadline_seconds,
        keep_seconds=settings.keep_days * DAY_SECONDS,
        kind=kind,
        priority=wanted.priority,
        endpoint_id=wanted.endpoint_id,
        callback_url=url.encode() if url is not None else None,
        event=event,
    )


def item_of(batch: Draft, number: int, document_id: str | None = None) -> Draft:
    """Return a new item of a batch, from 0. Nobody is told of it alone."""
    return replace(
        batch,
        id=_new_id(),
        kind="digest",
        batch_id=batch.id,
        number=number,
        document_id=document_id,
        endpoint_id=None,
        callback_url=None,
        event=None,
    )


def with_document(draft: Draft, ordered: Ordered) -> Draft:
    """Return the job with a document of its own."""
    document_id = new_ordered_id("doc")
    return replace(draft, document_id=document_id, document=orders.to_json(ordered))


def replay_of(job: JobRow, request_id: str, settings: JobSettings) -> Draft:
    """Return a new job like this one. It answers for the same event from now on.

    What was kept for a shorter time than usual is so again.
    """
    event = None
    if job.event_digest is not None:
        event = Event(job.event_digest, _life_seconds(job), is_forced=True)
    return Draft(
        id=_new_id(),
        principal_id=job.principal_id,
        source=job.source,
        request_id=request_id,
        deadline_seconds=settings.deadline_seconds,
        keep_seconds=min(
            settings.keep_days * DAY_SECONDS,
            (job.expires_at - job.created_at).total_seconds(),
        ),
        kind=job.kind,
        priority=job.priority,
        document_id=job.document_id,
        endpoint_id=job.endpoint_id,
        callback_url=job.callback_url,
        event=event,
    )


def _life_seconds(job: JobRow) -> float:
    """Return for how long a job was to answer for its event: a day, or longer."""
    if job.repeats_until is None:
        return DAY_SECONDS
    return max(DAY_SECONDS, (job.repeats_until - job.created_at).total_seconds())


def _new_id() -> str:
    return new_ordered_id("job")
