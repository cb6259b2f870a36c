"""What is asked for a digest: facts of the document or of its pieces, then prose.

`step(name, function)` runs what costs money and returns its plain JSON: a plain call
here, a recorded step in a worker. `keep(name, function)` does so for a piece of the
step of the facts, from any thread.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from flaskllm.core.config import OFFLINE
from flaskllm.core.errors import InvalidInputError, ModelNotFound
from flaskllm.llm.outlook import Prospect
from flaskllm.llm.types import Answer, Call, CompletionRequest
from flaskllm.services.completions import Completions
from flaskllm.services.digests import answers, pieces
from flaskllm.services.digests.asking import Asked, ask, take
from flaskllm.services.digests.case_questions import Questions
from flaskllm.services.digests.mapping import run_all
from flaskllm.services.digests.pieces import Piece
from flaskllm.services.digests.planning import fit_prose, make_plan
from flaskllm.services.digests.question import Question
from flaskllm.services.digests.sizes import Plan

Step = Callable[[str, Callable[[], Any]], Any]

_LEFT_OUT = "left_out"


class TooManyCallsError(Exception):
    """A digest takes more calls than whoever waits for it allows; none was made."""


def run_inline(name: str, function: Callable[[], Any]) -> Any:
    """Run a step here and now."""
    return function()


@dataclass(frozen=True, slots=True)
class Steps:
    """How a digest is carried out.

    Attributes:
        step: Runs what costs money.
        keep: Runs a piece of a step.
        at_once: How many pieces may run at a time.
        most_calls: How many calls to models it may take; None is any number.
    """

    step: Step = run_inline
    keep: Step = run_inline
    at_once: int = 1
    most_calls: int | None = None


@dataclass(frozen=True, slots=True)
class Gathering:
    """Asks what a digest needs. `call` is for several threads."""

    questions: Questions
    completions: Completions
    call: Call
    steps: Steps

    def plan(self) -> Plan:
        """Return what it takes; no model is asked.

        Raises:
            InvalidInputError: The order cannot be carried out; the field is named.
        """
        question = self.questions.about(self.questions.all_of_it)
        return make_plan(self.questions, self._outlook(question.request()))

    def facts(self) -> list[tuple[Piece, Asked]]:
        """Return what was answered about each piece, in their order.

        Raises:
            LLMAPIError: A piece could not be asked about.
            TooManyCallsError: It takes too many calls.
        """
        told = self.steps.step("facts", self._ask_all)
        if "pieces" not in told:
            return [(self.questions.all_of_it, Asked.from_json(told))]
        asked = map(Asked.from_json, told["asked"])
        return list(zip(pieces.from_json(told["pieces"]), asked, strict=True))

    def prose(self, fields: Mapping[str, Any]) -> tuple[Asked, int]:
        """Return the prose of facts as far as they fit, and how many did not."""

        def run() -> dict[str, Any]:
            question = self.questions.prose(fields)
            prospects = self._outlook(question.request())
            written = fit_prose(self.questions, question, fields, prospects)
            return {**self._answer(written.question), _LEFT_OUT: written.left_out}

        told = dict(self.steps.step("prose", run))
        left_out = told.pop(_LEFT_OUT, 0)
        return Asked.from_json(told), left_out

    def extract(self) -> Asked:
        """Return a summary in sentences of the source, made without a model."""
        extraction = self.questions.extraction("summary")
        request = CompletionRequest(OFFLINE, messages=(), extraction=extraction)

        def run() -> dict[str, Any]:
            return take(answers.SummaryAnswer, self._complete(request)).to_json()

        return Asked.from_json(self.steps.step("extract", run))

    def _ask_all(self) -> dict[str, Any]:
        """Ask about the whole document or all pieces; return plain JSON."""
        plan, most = self.plan(), self.steps.most_calls
        if most is not None and plan.calls > most:
            raise TooManyCallsError
        if not plan.is_split:
            return self._ask_about(plan.pieces[0], plan.tokens_for_answer)
        # What was asked about once stays the same, whatever becomes of the settings.
        cut = self.steps.keep("plan", lambda: _cut_of(plan))
        asking = [
            partial(
                self.steps.keep,
                f"facts.{number}",
                partial(self._ask_about, piece, cut["tokens_for_answer"]),
            )
            for number, piece in enumerate(pieces.from_json(cut["pieces"]), 1)
        ]
        at_once = min(self.steps.at_once, plan.at_once or self.steps.at_once)
        return {"pieces": cut["pieces"], "asked": run_all(asking, at_once, self.call)}

    def _ask_about(self, piece: Piece, tokens: int | None) -> dict[str, Any]:
        return self._answer(self.questions.about(piece, tokens))

    def _answer(self, question: Question) -> dict[str, Any]:
        repair = self.questions.library.get("repair")
        return ask(question, repair, self._complete).to_json()

    def _complete(self, request: CompletionRequest) -> Answer:
        with _model_told():
            return self.completions.complete(request, self.call)

    def _outlook(self, request: CompletionRequest) -> tuple[Prospect, ...]:
        with _model_told():
            return self.completions.outlook(request, self.call)


@contextmanager
def _model_told() -> Iterator[None]:
    """Tell of a model that is not there as of a wrong field of the order."""
    try:
        yield
    except ModelNotFound as error:
        raise InvalidInputError(details=error.details, fields=error.fields) from error


def _cut_of(plan: Plan) -> dict[str, Any]:
    return {
        "pieces": pieces.to_json(plan.pieces),
        "tokens_for_answer": plan.tokens_for_answer,
    }
