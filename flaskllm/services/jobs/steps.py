"""The steps of a job: what a step brought is paid once, whoever goes on with it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any

from flaskllm.core.clock import Clock
from flaskllm.services.jobs.patience import insist
from flaskllm.storage.job_runs import RunRows

Step = Callable[[str, Callable[[], str]], str]
"""Runs a function as a recorded step of this name, and returns what it returned; when
the workflow was taken over after the step it does not run it again. The function
returns the name of the step alone: no content lies in the record."""


class LeftToOthersError(Exception):
    """The job was cancelled, or another run has it: nothing is written any more."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of a step: a value that is plain JSON, or why there is none."""

    value: Any = None
    error: Exception | None = None


@dataclass(slots=True)
class StepBook:
    """The steps of one run of a job.

    Attributes:
        rows: Where outcomes are kept.
        job_id: Which job.
        runner: This run.
        record: Runs steps.
        spent: Returns what this run has paid so far, in nano-dollars; None where a
            price is not known.
        clock: Times waiting for the store.
        saved_nanos: How much of that is in the job's row; None as `spent`.
    """

    rows: RunRows
    job_id: str
    runner: str
    record: Step
    spent: Callable[[], int | None]
    clock: Clock
    saved_nanos: int | None = field(default=0)
    _saving: Lock = field(default_factory=Lock)

    def step(self, name: str, function: Callable[[], Any]) -> Any:
        """Return what the function returned, now or in an earlier run.

        Raises:
            LeftToOthersError: The job is not ours any more.
            Exception: What the function raises; then nothing was kept.
        """
        outcomes: list[_Outcome] = []

        def run() -> str:
            # Called again where it could not be recorded: that is no reason to pay
            # for it again, nor for the failure of it.
            if not outcomes:
                outcomes.append(self._outcome(name, function))
            return name

        self.record(name, run)
        if not outcomes:
            # The record tells that it was run; what came of it we know better.
            run()
        outcome = outcomes[-1]
        if outcome.error is not None:
            raise outcome.error
        return outcome.value

    def keep(self, name: str, function: Callable[[], Any]) -> Any:
        """Return what a piece of a step returned, now or in an earlier run.

        Only we know of it: the workflow's record has the whole step. Several threads
        may keep pieces of one step at once.

        Raises:
            LeftToOthersError: The job is not ours any more.
            Exception: What the function raises; then nothing was kept.
        """
        return self._value(name, function)

    def loose_nanos(self) -> int | None:
        """Return what this run has paid and no step has kept; None is not known."""
        return minus_nanos(self.spent(), self.saved_nanos)

    def _outcome(self, name: str, function: Callable[[], Any]) -> _Outcome:
        # A step that raised would be a failure of the workflow.
        try:
            return _Outcome(self._value(name, function))
        except Exception as error:
            return _Outcome(error=error)

    def _value(self, name: str, function: Callable[[], Any]) -> Any:
        recall = partial(self.rows.recall, self.job_id, self.runner, name)
        known = insist(self.clock, recall)
        if not known.is_held:
            raise LeftToOthersError
        if known.outcome is not None:
            return json.loads(known.outcome)
        value = function()
        body = json.dumps(value).encode("ascii")
        # What others have paid meanwhile is kept with it, once: whoever is first does.
        with self._saving:
            paid = self.loose_nanos()
            save = partial(
                self.rows.save_step, self.job_id, self.runner, name, body, paid
            )
            if not insist(self.clock, save):
                raise LeftToOthersError
            self.saved_nanos = plus_nanos(self.saved_nanos, paid)
        return value


def minus_nanos(one: int | None, other: int | None) -> int | None:
    """Return the difference of two costs; None, not known, stays so."""
    return None if one is None or other is None else one - other


def plus_nanos(one: int | None, other: int | None) -> int | None:
    """Return the sum of two costs; None, not known, stays so."""
    return None if one is None or other is None else one + other
