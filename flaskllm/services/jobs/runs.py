"""One attempt of a job: taken, worked on, brought to its end."""

import json
import logging
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from flaskllm.core import logs
from flaskllm.core.auth import Actor, Principal
from flaskllm.core.clock import Clock
from flaskllm.core.errors import APIError, CallerGone, InternalError
from flaskllm.core.ids import new_id
from flaskllm.core.metrics import Metrics
from flaskllm.core.money import dollars
from flaskllm.llm.types import Attempt, Call, Outcome
from flaskllm.services.accounts import Account, Accounts
from flaskllm.services.attempt_notes import hearer_of, note_attempt
from flaskllm.services.budget_words import budget_warnings
from flaskllm.services.digests.pipeline import Digests
from flaskllm.services.digests.threads import Audience
from flaskllm.services.digests.types import DigestResult
from flaskllm.services.jobs import orders
from flaskllm.services.jobs.fetching import Fetching
from flaskllm.services.jobs.orders import Ordered
from flaskllm.services.jobs.owners import Owners
from flaskllm.services.jobs.patience import Arrival, PatientCompletions, time_left
from flaskllm.services.jobs.reports import error_json, not_in_time
from flaskllm.services.jobs.schedule import Again, after_failure
from flaskllm.services.jobs.steps import LeftToOthersError, Step, StepBook, plus_nanos
from flaskllm.services.privacy import recorder_of
from flaskllm.storage.job_endings import End, JobEndings
from flaskllm.storage.job_rows import DocumentRow
from flaskllm.storage.job_runs import Begun, RunRows

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JobRuns:
    """Does jobs. What the workflow of an attempt calls, and nobody else.

    Attributes:
        rows: Where a job is taken, and its steps are kept.
        endings: Where it ends.
        digests: Makes them.
        accounts: Who pays.
        owners: For whom.
        clock: Times the work.
        metrics: Count it.
        chances: Spread what comes back.
        deadline_seconds: How long one attempt may take in all.
        fetching: Gets what did not come with a job.
    """

    rows: RunRows
    endings: JobEndings
    digests: Digests
    accounts: Accounts
    owners: Owners
    clock: Clock
    metrics: Metrics
    chances: Random
    deadline_seconds: float
    fetching: Fetching

    def run(self, job_id: str, attempt: int, step: Step) -> None:
        """Do this attempt, unless it is done, left to others, or not the next one.

        It may be called again for the same attempt, by anybody, at any time: what
        was paid is not paid again, and of several runs only the last one that began
        writes. A failure ends the job or leads to another attempt; it is not raised.

        Args:
            job_id: Which job.
            attempt: Which one of it, from 1.
            step: Runs a recorded step.

        Raises:
            ServiceUnavailable: The store does not work. To be called again, until it
                does; what was paid is kept.
        """
        runner = new_id("run")
        begun = self.rows.begin(job_id, attempt, runner)
        if begun is None:
            logs.event(
                _log, logging.INFO, "job_left_out", job_id=job_id, attempt=attempt
            )
            return
        try:
            logs.bind(request_id=begun.job.request_id, principal=begun.job.principal_id)
            _Run(self, begun, runner, step).go()
        finally:
            logs.clear()

    def request_id(self, subject_id: str) -> str | None:
        """Return which request brought a job or a delivery; None: not known now."""
        try:
            return self.rows.request_id(subject_id)
        except APIError:
            return None


class _Run:
    """One run of one attempt."""

    def __init__(self, house: JobRuns, begun: Begun, runner: str, step: Step) -> None:
        """Keep what was begun; nothing is done."""
        self._house = house
        self._job = begun.job
        self._runner = runner
        self._started_seconds = house.clock.monotonic()
        self._left = time_left(house.clock, begun)
        self._account: Account | None = None
        self._book = StepBook(
            house.rows, begun.job.id, runner, step, self._spent, house.clock
        )

    def go(self) -> None:
        """Work, and write what came of it."""
        try:
            end = self._work()
        except (LeftToOthersError, CallerGone):
            self._house.accounts.flush()
            self._tell("job_left_to_others")
            return
        except APIError as error:
            self._fail(error)
            return
        except Exception as error:  # our own fault, and the same one again next time
            logs.event(
                _log, logging.ERROR, "job_broke", error=error, job_id=self._job.id
            )
            self._fail(InternalError(details="The log holds the cause."))
            return
        self._end(end)

    def _work(self) -> End:
        """Return the end of a job that is done.

        Raises:
            APIError: It is not; the class tells whether it may be later.
            LeftToOthersError: It is not ours any more.
        """
        house, job = self._house, self._job
        if self._left.passed():
            raise not_in_time()
        document = _there(house.rows.document(job.document_id or ""))
        told = orders.from_json(document.body)
        call = self._call(house.owners.find(job.principal_id))
        ordered = house.fetching.complete(told, self._book.step)
        # A budget may send a request to a route that has rules of its own.
        asks = house.digests.completions
        digests = replace(
            house.digests,
            completions=PatientCompletions(asks.router, asks.rules, asks.memory),
            clock=Arrival(document.created_at, house.clock),
        )
        wanted, book = ordered.order, self._book
        whose = Audience(job.principal_id, ordered.thread_target)
        result = digests.make(
            wanted,
            call,
            book.step,
            book.keep,
            threads_of=None if wanted.thread == "ignore" else whose,
        )
        answer = self._answer(result, ordered)
        return End("done", result=json.dumps(answer).encode("ascii"))

    def _call(self, principal: Principal) -> Call:
        """Return what travels down: nobody's socket, and an account."""
        house, job = self._house, self._job
        deadline = self._left.within(house.deadline_seconds)
        account = self._account = house.accounts.open(
            principal, request_id=job.request_id, source=job.source, deadline=deadline
        )

        def before(attempt: Attempt) -> None:
            # A model that was not asked yet need not be asked any more.
            if not house.rows.is_held(job.id, self._runner):
                raise CallerGone()
            account.before(attempt)

        def after(attempt: Attempt, outcome: Outcome) -> None:
            note_attempt(house.metrics, attempt, outcome)
            account.after(attempt, outcome)

        wait = house.clock.sleep
        actor = Actor(principal.id, request_id=job.request_id)
        confined = recorder_of(house.digests.privacy, actor)
        aliases = principal.aliases

        return Call(
            deadline,
            wait,
            before,
            after,
            aliases=aliases,
            confined=confined,
            principal_id=principal.id,
            cached=hearer_of(house.metrics, account),
        )

    def _answer(self, result: DigestResult, ordered: Ordered) -> dict[str, Any]:
        """Return what the webhook would have answered."""
        cost_nanos = plus_nanos(self._job.cost_nanos, self._spent())
        seconds = self._elapsed_seconds()
        answer = result.to_json(self._job.request_id, seconds, dollars(cost_nanos))
        notices = self._account.notices if self._account else ()
        answer["meta"]["warnings"] += [*ordered.warnings, *budget_warnings(notices)]
        if ordered.metadata is not None:
            answer["meta"]["metadata"] = ordered.metadata
        return answer

    def _fail(self, error: APIError) -> None:
        job, house = self._job, self._house
        verdict = after_failure(
            error,
            job.attempt,
            job.failures,
            self._left.remaining_seconds(),
            house.chances.random(),
        )
        if isinstance(verdict, Again):
            self._again(verdict, error)
            return
        self._end(End(verdict, error=error_json(error), error_code=error.code))

    def _again(self, again: Again, error: APIError) -> None:
        self._house.accounts.flush()
        was_ours = self._house.endings.again(
            self._job.id,
            self._runner,
            failures=again.failures,
            cost_nanos=self._book.loose_nanos(),
            delay_seconds=again.delay_seconds,
            error_code=error.code,
        )
        if not was_ours:
            self._tell("job_left_to_others", error.code)
            return
        delay_seconds = round(again.delay_seconds, 3)
        self._tell("job_put_off", error.code, next_in_seconds=delay_seconds)

    def _end(self, end: End) -> None:
        self._house.accounts.flush()
        paid = replace(end, cost_nanos=self._book.loose_nanos())
        was_ours = self._house.endings.finish(self._job.id, self._runner, paid)
        name = f"job_{end.state}" if was_ours else "job_left_to_others"
        self._tell(name, end.error_code)

    def _spent(self) -> int | None:
        return self._account.cost_nanos if self._account else 0

    def _elapsed_seconds(self) -> float:
        return self._house.clock.monotonic() - self._started_seconds

    def _tell(self, event: str, code: str | None = None, **more: float) -> None:
        is_bad = event in {"job_failed", "job_dead", "job_needs_fetch"}
        logs.event(
            _log,
            logging.WARNING if is_bad else logging.INFO,
            event,
            error=None,
            job_id=self._job.id,
            attempt=self._job.attempt,
            seconds=round(self._elapsed_seconds(), 3),
            **({"code": code} if code else {}),
            **more,
        )


def _there(document: DocumentRow | None) -> DocumentRow:
    if document is None:
        raise InternalError(details="The document of the job is not there any more.")
    return document
