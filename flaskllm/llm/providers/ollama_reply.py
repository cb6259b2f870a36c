"""What Ollama answers: one object, or a line of the stream that it would be.

Source: https://docs.ollama.com/api/chat and https://docs.ollama.com/api/usage.
"""

from collections.abc import Iterator, Mapping
from json import dumps
from typing import Any

from pydantic import BaseModel, ValidationError

from flaskllm.core.errors import LLMContextTooLong, LLMProtocolError
from flaskllm.llm import known_models
from flaskllm.llm.parts import ToolCall
from flaskllm.llm.providers.counts import MOST_TOKENS
from flaskllm.llm.tokens import estimate, estimate_request
from flaskllm.llm.types import CompletionRequest, FinishReason, Usage

_FINISH_REASONS: Mapping[str, FinishReason] = {"stop": "stop", "length": "length"}
# The server only loaded or unloaded the model: no answer.
_NO_ANSWER = frozenset({"load", "unload"})

# How far the estimate of a whole prompt may lie above its true count.
_MOST_OVER: Mapping[bool, float] = {True: 1.5, False: 3.0}
# A server before 0.12.6 cuts a prompt to its context (a multiple of 1024 tokens, or
# one less), a later one to half of that and up to eight tokens more.
_CUT_STEP = 512
_CUT_SPREAD = 9


class _Function(BaseModel):
    name: str
    arguments: dict[str, Any] | str | None = None


class _Call(BaseModel):
    id: str | None = None
    function: _Function


class Said(BaseModel):
    """The message in a reply or a line."""

    content: str | None = None
    thinking: str | None = None
    tool_calls: list[_Call] | None = None


class Reply(BaseModel):
    """A reply, or a line of a stream; the last one is `done` and has the counts."""

    model: str | None = None
    message: Said | None = None
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: Any = None
    prompt_eval_cached_count: Any = None
    eval_count: Any = None
    error: Any = None


def read_reply(data: bytes) -> Reply:
    """Return what a body or a line says.

    Raises:
        LLMProtocolError: It is no such object.
    """
    try:
        return Reply.model_validate_json(data)
    except ValidationError:
        # From None: pydantic's text quotes the upstream's.
        raise LLMProtocolError(
            details="The upstream's reply is not an answer of Ollama's.",
        ) from None


def read_calls(said: Said, first: int) -> Iterator[ToolCall]:
    """Yield the calls of tools. `first` is the number of the first call without id."""
    for number, call in enumerate(said.tool_calls or (), first):
        arguments = call.function.arguments
        if not isinstance(arguments, str):
            arguments = dumps(arguments or {}, ensure_ascii=False)
        yield ToolCall(call.id or f"call_{number}", call.function.name, arguments)


def first_number(request: CompletionRequest) -> int:
    """Return the number of the answer's first call: each within a talk has its own."""
    return sum(
        isinstance(part, ToolCall)
        for message in request.messages
        for part in message.parts
    )


def read_finish(reply: Reply, has_calls: bool) -> FinishReason:
    """Return why the answer ended; an unknown reason is a way to say `stop`.

    Raises:
        LLMProtocolError: There is no answer.
    """
    reason = reply.done_reason or "stop"
    if reason in _NO_ANSWER:
        raise LLMProtocolError(
            details="The upstream loaded the model and said nothing."
        )
    finish = _FINISH_REASONS.get(reason, "stop")
    return "tool_calls" if has_calls and finish == "stop" else finish


def read_usage(reply: Reply, request: CompletionRequest, output: str) -> Usage:
    """Return the counts; what is missing is estimated, and then all is marked so.

    `prompt_eval_count` is missing when the whole prompt was in the cache; a count
    of 0 is left out. Without any count the source is `none`.

    Args:
        reply: The last line, or the only one.
        request: What was asked, to estimate it.
        output: All that the model wrote.
    """
    prompt = _count(reply.prompt_eval_count)
    answer = _count(reply.eval_count)
    if answer is None and not output and prompt is not None:
        answer = 0
    if prompt is None and answer is None:
        return Usage()
    family = known_models.family_of(reply.model or "")
    cached = _count(reply.prompt_eval_cached_count) or 0
    counted = prompt or estimate_request(request, family)
    if cached > counted:
        cached = 0
    return Usage(
        input_uncached=counted - cached,
        input_cache_read=cached,
        output_text=estimate(output, family) if answer is None else answer,
        source="estimated" if not prompt or answer is None else "provider",
    )


def refuse_cut_prompt(reply: Reply, request: CompletionRequest) -> None:
    """Return when the model has read the whole prompt, as far as can be told.

    A server that knows `truncate` refuses what is too long. An older one whose
    model has a smaller context than was asked for cuts it and says nothing. Its
    count gives it away: a fraction of the estimate, and just what a cut leaves.
    A small count alone proves nothing, old servers leave out what was cached.

    Raises:
        LLMContextTooLong: The prompt was cut; the answer is of a part of it only.
    """
    count = _count(reply.prompt_eval_count)
    if count is None or count < _CUT_STEP:
        return
    family = known_models.family_of(reply.model or "")
    most_over = _MOST_OVER[family != known_models.CAREFUL]
    is_cut = (count + 1) % _CUT_STEP <= _CUT_SPREAD
    too_few = count * most_over < estimate_request(request, family)
    if is_cut and too_few:
        raise LLMContextTooLong(
            details="The upstream cut the input to its context; the answer is of a "
            "part of it only. Shorten the input, or raise the server's context."
        )


def _count(value: Any) -> int | None:
    """Return a count that can be true, else None."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= MOST_TOKENS else None
