"""What is accepted as a job, and what is said of it before it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from flaskllm.core.auth import Principal
from flaskllm.core.clock import Clock
from flaskllm.core.config_job_sections import JobSettings
from flaskllm.core.errors import (
    Conflict,
    InvalidInputError,
    JobsDisabled,
    RateLimitExceeded,
    ServiceUnavailable,
)
from flaskllm.core.secrets import KeyRing, Purpose
from flaskllm.inputs.document import Document
from flaskllm.llm.prompts import Library
from flaskllm.services.digests.case import read_case
from flaskllm.services.digests.order import (
    choose_template,
    fill_variables,
    read_ground,
)
from flaskllm.services.digests.shielding import hold
from flaskllm.services.jobs.drafting import draft_of, item_of, with_document
from flaskllm.services.jobs.events import (
    DAY_SECONDS,
    Given,
    Knowing,
    event_of,
    knowing,
    knowing_batch,
)
from flaskllm.services.jobs.orders import Ordered
from flaskllm.services.jobs.reports import report_of
from flaskllm.services.jobs.wanted import NO_WORKER_SEEN, Accepted, Wanted
from flaskllm.services.privacy import Privacy
from flaskllm.storage.job_drafts import Draft, Event
from flaskllm.storage.job_intake import JobIntake

MOST_ITEMS: Final = 500
"""Of a batch."""

LONGEST_DEADLINE_SECONDS: Final = 30 * 86_400

_PRIORITIES = range(1, 10)
_FULL_RETRY_SECONDS = 60.0
_CONTENDED_RETRY_SECONDS = 1.0
_SYNCHRONOUS = (
    "One document in a webhook without `Prefer`, `async`, `callback_url` and "
    "`endpoint` is answered at once."
)


@dataclass(frozen=True, slots=True)
class Accepting:
    """Takes jobs in. What it returned once is not lost any more.

    Attributes:
        intake: Where they are stored.
        keys: Under which events are known.
        templates: Gives the prompt templates as they stand now.
        clock: Tells when a document arrived.
        settings: What the operator allows.
        is_lasting: Whether the database outlives the process.
        privacy: What is kept from upstreams, and how long; None keeps nothing.
    """

    intake: JobIntake
    keys: KeyRing
    templates: Callable[[], Library]
    clock: Clock
    settings: JobSettings
    is_lasting: bool
    privacy: Privacy | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether jobs are accepted here at all."""
        return self.settings.enabled and self.is_lasting

    def accept(
        self, ordered: Ordered, wanted: Wanted, principal: Principal
    ) -> Accepted:
        """Accept one digest, see `Jobs.accept`."""
        self.check(wanted)
        # What lies elsewhere is read once it is there.
        document = self._read(ordered) if ordered.has_document else None
        known = knowing(ordered, document, _given(wanted))
        is_complete = ordered.needs_fetch is None
        event = self._event(known, wanted, is_complete=is_complete)
        draft = draft_of(wanted, principal.id, self.settings, event)
        told = replace(ordered, thread_target=wanted.thread_target)
        return self.add([self._stored(draft, told, document, principal)])

    def accept_batch(
        self, items: Sequence[Ordered], wanted: Wanted, principal: Principal
    ) -> Accepted:
        """Accept many digests as one job, see `Jobs.accept_batch`."""
        self.check(wanted)
        # The batch itself waits too; one that never fits is not put off.
        most = min(MOST_ITEMS, self.settings.most_waiting - 1)
        if not 1 <= len(items) <= most:
            problem = f"holds {len(items)}"
            raise InvalidInputError.of("items", problem, f"1 to {most}")
        event = self._event(knowing_batch(items, _given(wanted)), wanted)
        batch = draft_of(wanted, principal.id, self.settings, event, kind="batch")
        target = wanted.thread_target
        told = (replace(each, thread_target=target) for each in items)
        drafts = (
            self._stored(item_of(batch, n), each, None, principal)
            for n, each in enumerate(told)
        )
        return self.add([batch, *drafts])

    def check(self, wanted: Wanted) -> None:
        """Return when a job may be accepted that is wanted so.

        Raises:
            JobsDisabled: No job may be.
            InvalidInputError: The priority or the deadline is none.
        """
        if not self.settings.enabled:
            raise JobsDisabled(details=f"`jobs.enabled` is false. {_SYNCHRONOUS}")
        if not self.is_lasting:
            raise JobsDisabled(
                details="The database is in memory, so that jobs would be lost: set "
                f"`database_url` to a file or to PostgreSQL. {_SYNCHRONOUS}"
            )
        if wanted.priority not in _PRIORITIES:
            raise InvalidInputError.of("priority", str(wanted.priority), "1 to 9")
        seconds = wanted.deadline_seconds
        if seconds is not None and not 1 <= seconds <= LONGEST_DEADLINE_SECONDS:
            allowed = f"1 to {LONGEST_DEADLINE_SECONDS}"
            raise InvalidInputError.of("deadline_seconds", f"{seconds:g}", allowed)

    def add(self, drafts: Sequence[Draft]) -> Accepted:
        """Store drafts of one principal, see `JobIntake.add`.

        Raises:
            RateLimitExceeded: Too many of its jobs wait.
            Conflict: What a replay is made from is not kept any more.
            ServiceUnavailable: Nothing was stored; a retry may help.
        """
        most = self.settings.most_waiting
        added = self.intake.add(drafts, most)
        if added == "too_many":
            raise RateLimitExceeded(
                "Too many jobs wait.",
                details=f"At most {most:,} jobs of one API token may wait at once.",
                retry_after_seconds=_FULL_RETRY_SECONDS,
            )
        if added == "document_gone":
            raise Conflict(details="What the job was made from is not kept any more.")
        if added == "contended":
            raise ServiceUnavailable(
                details="The same event came several times at once.",
                retry_after_seconds=_CONTENDED_RETRY_SECONDS,
            )
        warnings = () if added.is_worker_seen else (NO_WORKER_SEEN,)
        return Accepted(report_of(added.job), added.is_new, warnings)

    def _read(self, ordered: Ordered) -> Document:
        """Return the document of an order that can be carried out as far as we see."""
        wanted = ordered.order
        ground = read_ground(wanted, self.clock.now())
        read_case(wanted, ground)
        fill_variables(wanted, choose_template(wanted, self.templates()), ground)
        return ground.document

    def _stored(
        self,
        draft: Draft,
        ordered: Ordered,
        document: Document | None,
        principal: Principal,
    ) -> Draft:
        """Return the job with its document, and with what holds for it from now on.

        Changed settings do not loosen what was wanted when it was accepted.
        """
        if self.privacy is None:
            return with_document(draft, ordered)
        held = hold(ordered.order, document, self.privacy, principal.aliases)
        days = min(self.settings.keep_days, held.keep_days or self.settings.keep_days)
        kept = replace(draft, keep_seconds=days * DAY_SECONDS)
        return with_document(kept, replace(ordered, order=held.order))

    def _event(
        self, known: Knowing, wanted: Wanted, *, is_complete: bool = True
    ) -> Event:
        secrets = self.keys.keys(Purpose.EVENTS)
        return event_of(known, secrets, is_forced=wanted.force, is_complete=is_complete)


def _given(wanted: Wanted) -> Given:
    target = wanted.callback_url or wanted.endpoint_id
    return Given(wanted.event_key, wanted.idempotency_key, target, wanted.inbound_id)
