"""Ask a model for one typed answer: one question, at most one repair."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from flaskllm.core.errors import (
    LLMAPIError,
    LLMContextTooLong,
    LLMProtocolError,
)
from flaskllm.llm.parts import Message
from flaskllm.llm.prompts import Template
from flaskllm.llm.types import (
    Answer,
    CompletionRequest,
    Usage,
)
from flaskllm.services.digests.question import Objection, Question

Complete = Callable[[CompletionRequest], Answer]

_ECHOED_CHARACTERS = 20_000
_TUPLES = ("warnings", "failures", "deployments")
_MADE_UP = "placeholder_unknown"
_REPORTED_PROBLEMS = 8
_TOLD_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """A typed answer and where it came from; plain JSON between steps.

    `deployments` are the names of those who said something for it, in order.
    """

    answer: dict[str, Any]
    warnings: tuple[str, ...]
    provider: str
    model: str
    degraded: bool
    usage: Usage
    failures: tuple[str, ...] = ()
    deployments: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        usage = {name: getattr(self.usage, name) for name in Usage.__slots__}
        kept = {name: getattr(self, name) for name in self.__slots__}
        lists = {name: list(kept[name]) for name in _TUPLES}
        return {**kept, **lists, "usage": usage}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Asked":
        """Read what `to_json` wrote."""
        # An older program kept no deployments.
        tuples = {name: tuple(value.get(name, ())) for name in _TUPLES}
        return cls(**{**value, **tuples, "usage": Usage(**value["usage"])})


@dataclass(frozen=True, slots=True)
class _Reading:
    answer: BaseModel | None
    objections: tuple[Objection, ...]
    warnings: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        return self.answer is not None and all(o.warning for o in self.objections)


def ask(question: Question, repair: Template, complete: Complete) -> Asked:
    """Return the model's typed answer, after one repair when it needs one.

    Of two answers that are good enough, the one with fewer objections wins; one
    that is good enough is not lost with a repair that fails.

    Raises:
        LLMProtocolError: The repaired answer is malformed too. The same request
            may succeed later.
        LLMAPIError: The model could not be reached or refused.
    """
    request = question.request()
    first = complete(request)
    reading = _read(first.completion.text, question)
    if not reading.objections:
        return _asked(reading, first, (first,))
    try:
        second = _mend(request, first, _hidden(reading, question), repair, complete)
    except LLMAPIError:
        if reading.usable:
            return _asked(reading, first, (first,))
        raise
    mended = _read(second.completion.text, question)
    usable = [pair for pair in ((mended, second), (reading, first)) if pair[0].usable]
    if not usable:
        raise _malformed(second, mended)
    best = min(usable, key=lambda pair: len(pair[0].objections))
    return _asked(*best, (first, second))


def _mend(
    request: CompletionRequest,
    first: Answer,
    reading: _Reading,
    repair: Template,
    complete: Complete,
) -> Answer:
    """Ask for a repair; where there is no room to repeat the answer, ask anew.

    One that is good enough is not asked for anew.
    """
    try:
        return complete(_repair_request(request, first, reading, repair))
    except LLMContextTooLong:
        if reading.usable:
            raise
        return complete(request)


def take(answer_type: type[BaseModel], answer: Answer) -> Asked:
    """Return an answer that needs no repair: the extractive provider's."""
    said = answer_type.model_validate_json(answer.completion.text)
    return _asked(_Reading(said, ()), answer, (answer,))


def _read(text: str, question: Question) -> _Reading:
    try:
        said = question.shield.answer(_parse_object(text))
        answer = question.answer_type.model_validate(said.value)
    except ValidationError as error:
        return _Reading(None, _problems(error))
    except ValueError as error:
        return _Reading(None, (Objection(str(error)),))
    made_up = (_MADE_UP,) if said.unknown else ()
    return _Reading(answer, question.object_to(answer), made_up)


def _hidden(reading: _Reading, question: Question) -> _Reading:
    """Return a reading whose problems hold nothing that the model may not see."""
    told = tuple(
        replace(each, problem=question.shield.text(each.problem))
        for each in reading.objections
    )
    return replace(reading, objections=told)


def _parse_object(text: str) -> Any:
    """Read the JSON object in an answer, whatever a model wrote around it.

    Refused too is what could not be written again: half surrogates, nesting
    beyond 200 levels, and numbers like 1e999, which are read as infinite.
    """
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        raise ValueError("the answer holds no JSON object")
    try:
        value = from_json(text[start : end + 1], allow_inf_nan=False)
        json.dumps(value, allow_nan=False)
    except ValueError as error:
        raise ValueError("the answer is not valid JSON") from error
    return value


def _problems(error: ValidationError) -> tuple[Objection, ...]:
    # The input stays out: it would carry the source's words into the prompt.
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return tuple(
        Objection(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}")
        for problem in found[:_REPORTED_PROBLEMS]
    )


def _repair_request(
    request: CompletionRequest, first: Answer, reading: _Reading, repair: Template
) -> CompletionRequest:
    problems = "\n".join(f"- {objection.problem}" for objection in reading.objections)
    limit = repair.front.variables["problems"].limit_characters
    told = repair.render({"problems": problems[:limit]}, "")[1]
    said = Message("assistant", first.completion.text[:_ECHOED_CHARACTERS])
    return replace(request, messages=(*request.messages, said, told))


def _asked(reading: _Reading, answer: Answer, said: Sequence[Answer]) -> Asked:
    """Return what was read of one of the answers that were given."""
    assert reading.answer is not None
    objected = (o.warning for o in reading.objections if o.warning)
    return Asked(
        answer=reading.answer.model_dump(mode="json"),
        warnings=(*objected, *reading.warnings),
        provider=answer.deployment.provider,
        model=answer.completion.model,
        degraded=answer.deployment.degraded,
        usage=sum((each.completion.usage for each in said), Usage()),
        failures=answer.failures,
        deployments=tuple(each.deployment.name for each in said),
    )


def _malformed(answer: Answer, reading: _Reading) -> LLMProtocolError:
    cut = answer.completion.finish_reason == "length"
    reason = "was cut off at its token limit" if cut else "does not fit its schema"
    return LLMProtocolError(
        details=f"The model's answer {reason}, also after one repair: "
        + "; ".join(o.problem[:_TOLD_CHARACTERS] for o in reading.objections[:3]),
        retry_after_seconds=1,
    )
