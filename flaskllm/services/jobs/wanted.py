"""What is said of a job when it is accepted, and what comes back."""

from dataclasses import dataclass, field
from typing import Final

from flaskllm.services.digests.threads import target_of
from flaskllm.services.jobs.reports import JobReport
from flaskllm.storage.job_rows import USUAL_PRIORITY

NO_WORKER_SEEN: Final = "no_worker_seen"
"""The warning that a job was accepted, and nobody is there to do it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a job is to be done, and by what a repetition of it is known.

    Attributes:
        source: Through which door it came, such as `webhook:email`.
        request_id: Of the request that brought it.
        priority: From 1 to 9; lower goes first among those of one principal.
        deadline_seconds: After so long it is given up; the settings' when omitted.
        callback_url: Where its end is told. It was checked by whoever gives it.
        endpoint_id: An endpoint of the same principal that is told.
        event_key: The sender's own id of the event.
        idempotency_key: The caller's key.
        force: Do it anew, though it was done before.
        inbound_id: Of the endpoint at which a sender delivered it.
    """

    source: str
    request_id: str
    priority: int = USUAL_PRIORITY
    deadline_seconds: float | None = None
    callback_url: str | None = field(default=None, repr=False)
    endpoint_id: str | None = None
    event_key: str | None = field(default=None, repr=False)
    idempotency_key: str | None = field(default=None, repr=False)
    force: bool = False
    inbound_id: str | None = None

    @property
    def thread_target(self) -> str | None:
        """Return who is told of it, by the name that threads have for them."""
        return target_of(
            inbound_id=self.inbound_id,
            callback_url=self.callback_url,
            endpoint_id=self.endpoint_id,
        )


@dataclass(frozen=True, slots=True)
class Accepted:
    """A job that was accepted, now or when the same event came first.

    `warnings` are about this acceptance, such as `no_worker_seen`.
    """

    job: JobReport
    is_new: bool
    warnings: tuple[str, ...] = ()
