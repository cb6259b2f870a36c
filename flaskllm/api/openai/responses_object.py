"""A response as OpenAI words it.

Source: https://platform.openai.com/docs/api-reference/responses/object
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from flaskllm.api.openai.responses_order import ResponseOrder
from flaskllm.api.openai.responses_thoughts import thought_item
from flaskllm.core.errors import APIError
from flaskllm.core.ids import new_id
from flaskllm.llm.parts import ToolCall
from flaskllm.llm.types import Completion, FinishReason, Usage

Json = dict[str, Any]
Status = Literal["in_progress", "completed", "incomplete", "failed"]

_INCOMPLETE: Mapping[FinishReason | None, str] = {
    "length": "max_output_tokens",
    "content_filter": "content_filter",
}
_ERRORS: Mapping[str, str] = {
    "RATE_LIMIT_EXCEEDED": "rate_limit_exceeded",
    "LLM_RATE_LIMITED": "rate_limit_exceeded",
}


def new_response(order: ResponseOrder, model: str, created_at: int) -> Json:
    """Return a response that is still being made.

    Args:
        order: What was asked; most of it is told again.
        model: The name that the model gave itself.
        created_at: Seconds since 1970.
    """
    given = order.given
    reasoning = given.reasoning
    told = given.model_dump(by_alias=True, exclude_none=True, include={"text"})
    return {
        "id": new_id("resp"),
        "object": "response",
        "created_at": created_at,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": given.instructions,
        "max_output_tokens": given.max_output_tokens,
        "model": model,
        "output": [],
        "parallel_tool_calls": given.parallel_tool_calls is not False,
        "previous_response_id": given.previous_response_id,
        "reasoning": {
            "effort": reasoning.effort if reasoning else None,
            "summary": reasoning.summary if reasoning else None,
        },
        "store": given.stores,
        "temperature": given.temperature,
        "text": {"format": {"type": "text"}, **told.get("text", {})},
        "tool_choice": given.tool_choice or "auto",
        "tools": given.tools or [],
        "top_p": given.top_p,
        "truncation": "disabled",
        "usage": None,
        "user": given.user,
        "metadata": given.metadata or {},
    }


def ended(
    response: Json, output: Sequence[Json], reason: FinishReason | None, usage: Usage
) -> Json:
    """Return the response as it ended: complete, or cut short and why."""
    why = _INCOMPLETE.get(reason)
    return {
        **response,
        "status": status_of(reason),
        "incomplete_details": {"reason": why} if why else None,
        "output": list(output),
        "usage": usage_of(usage),
    }


def failed(response: Json, output: Sequence[Json], error: APIError) -> Json:
    """Return the response that broke off."""
    code = _ERRORS.get(error.code, "server_error")
    told = {"code": code, "message": error.message}
    return {**response, "status": "failed", "error": told, "output": list(output)}


def status_of(reason: FinishReason | None) -> Status:
    """Return whether an answer that ended so is complete."""
    return "incomplete" if reason in _INCOMPLETE else "completed"


def usage_of(usage: Usage) -> Json:
    """Return the counts; cached and reasoning tokens are inside the others."""
    return {
        "input_tokens": usage.tokens_input,
        "input_tokens_details": {"cached_tokens": usage.input_cache_read},
        "output_tokens": usage.tokens_output,
        "output_tokens_details": {"reasoning_tokens": usage.output_reasoning},
        "total_tokens": usage.tokens_input + usage.tokens_output,
    }


def output_of(completion: Completion) -> list[Json]:
    """Return the items of a whole answer."""
    status = status_of(completion.finish_reason)
    items = [thought_item(thought) for thought in completion.thinking]
    if completion.refusal:
        items.append(message_item(refusal_part(completion.refusal), status))
    elif completion.text or not completion.tool_calls:
        items.append(message_item(text_part(completion.text), status))
    return items + [call_item(call) for call in completion.tool_calls]


def message_item(part: Json | None, status: str) -> Json:
    """Return a message of the assistant's; None is nothing yet."""
    return {
        "id": new_id("msg"),
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": [part] if part else [],
    }


def text_part(text: str) -> Json:
    """Return words."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def refusal_part(refusal: str) -> Json:
    """Return the words with which the model declined."""
    return {"type": "refusal", "refusal": refusal}


def call_item(call: ToolCall, status: str = "completed") -> Json:
    """Return a call; what proves its thoughts goes with it and comes back so."""
    item = {
        "id": new_id("fc"),
        "type": "function_call",
        "status": status,
        "call_id": call.id or new_id("call"),
        "name": call.name,
        "arguments": call.arguments,
    }
    if call.signature is not None:
        item["thought_signature"] = call.signature
    return item
