"""Ask a model for one typed answer: one question, at most one repair."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from flaskllm.core.errors import LLMAPIError, LLMProtocolError
from flaskllm.llm.parts import Message
from flaskllm.llm.prompts import Template
from flaskllm.llm.types import (
    Answer,
    CompletionRequest,
    Extraction,
    Usage,
)

Complete = Callable[[CompletionRequest], Answer]

_ECHOED_CHARACTERS = 20_000
_REPORTED_PROBLEMS = 8
_TOLD_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Objection:
    """What is wrong with an answer that can be read.

    `problem` tells the model what to mend. With a `warning` the answer is good
    enough when the repair brings nothing better; without one it is not.
    """

    problem: str
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and how an answer is read.

    `source` is untrusted. `object_to` looks at an answer of `answer_type`.
    """

    template: Template
    variables: Mapping[str, str]
    source: str
    answer_type: type[BaseModel]
    object_to: Callable[[Any], tuple[Objection, ...]]
    json_schema: Mapping[str, Any]
    model: str | None = None
    extraction: Extraction | None = None
    tokens_for_answer: int | None = None

    def request(self) -> CompletionRequest:
        """Return the request for the first answer."""
        return CompletionRequest(
            model=self.model,
            messages=self.template.render(self.variables, self.source),
            max_output_tokens=self.tokens_for_answer
            or self.template.front.tokens_kept_free,
            json_schema=self.json_schema,
            extraction=self.extraction,
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """A typed answer and where it came from; plain JSON between steps."""

    answer: dict[str, Any]
    warnings: tuple[str, ...]
    provider: str
    model: str
    degraded: bool
    usage: Usage
    failures: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        usage = {name: getattr(self.usage, name) for name in Usage.__slots__}
        kept = {name: getattr(self, name) for name in self.__slots__}
        lists = {name: list(kept[name]) for name in ("warnings", "failures")}
        return {**kept, **lists, "usage": usage}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Asked":
        """Read what `to_json` wrote."""
        tuples = {name: tuple(value[name]) for name in ("warnings", "failures")}
        return cls(**{**value, **tuples, "usage": Usage(**value["usage"])})


@dataclass(frozen=True, slots=True)
class _Reading:
    answer: BaseModel | None
    objections: tuple[Objection, ...]

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
        return _asked(reading, first, first.completion.usage)
    try:
        second = complete(_repair_request(request, first, reading, repair))
    except LLMAPIError:
        if reading.usable:
            return _asked(reading, first, first.completion.usage)
        raise
    mended = _read(second.completion.text, question)
    usable = [pair for pair in ((mended, second), (reading, first)) if pair[0].usable]
    if not usable:
        raise _malformed(second, mended)
    best = min(usable, key=lambda pair: len(pair[0].objections))
    return _asked(*best, first.completion.usage + second.completion.usage)


def take(answer_type: type[BaseModel], answer: Answer) -> Asked:
    """Return an answer that needs no repair: the extractive provider's."""
    said = answer_type.model_validate_json(answer.completion.text)
    return _asked(_Reading(said, ()), answer, answer.completion.usage)


def _read(text: str, question: Question) -> _Reading:
    try:
        answer = question.answer_type.model_validate(_parse_object(text))
    except ValidationError as error:
        return _Reading(None, _problems(error))
    except ValueError as error:
        return _Reading(None, (Objection(str(error)),))
    return _Reading(answer, question.object_to(answer))


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


def _asked(reading: _Reading, answer: Answer, usage: Usage) -> Asked:
    assert reading.answer is not None
    return Asked(
        answer=reading.answer.model_dump(mode="json"),
        warnings=tuple(o.warning for o in reading.objections if o.warning),
        provider=answer.deployment.provider,
        model=answer.completion.model,
        degraded=answer.deployment.degraded,
        usage=usage,
        failures=answer.failures,
    )


def _malformed(answer: Answer, reading: _Reading) -> LLMProtocolError:
    cut = answer.completion.finish_reason == "length"
    reason = "was cut off at its token limit" if cut else "does not fit its schema"
    return LLMProtocolError(
        details=f"The model's answer {reason}, also after one repair: "
        + "; ".join(o.problem[:_TOLD_CHARACTERS] for o in reading.objections[:3]),
        retry_after_seconds=1,
    )
