"""Whole answers in OpenAI's dialect.

Source: https://platform.openai.com/docs/api-reference/chat/object
"""

from collections.abc import Mapping
from typing import Any

from flaskllm.core.errors import LLMProtocolError
from flaskllm.core.json_text import read_object
from flaskllm.llm.parts import Thinking
from flaskllm.llm.providers.openai_content import Words, read_finish, read_words
from flaskllm.llm.providers.openai_tools import read_call
from flaskllm.llm.providers.openai_usage import find_usage
from flaskllm.llm.types import Completion, Usage

LONGEST_NAME = 200


def parse_reply(body: bytes) -> dict[str, Any]:
    """Return the object that a body holds.

    Raises:
        LLMProtocolError: It is no JSON object.
    """
    parsed = read_object(body)
    if parsed is None:
        raise LLMProtocolError(details="The upstream's reply is no JSON object.")
    return parsed


def error_within(reply: Mapping[str, Any]) -> Any:
    """Return the error that a reply or an event holds, else something empty."""
    return reply.get("error") or (reply if reply.get("object") == "error" else None)


def read_model(reply: Mapping[str, Any]) -> str:
    """Return the name that the upstream gave itself, empty when it gave none."""
    model = reply.get("model")
    return model[:LONGEST_NAME] if isinstance(model, str) else ""


def read_completion(reply: Mapping[str, Any], raw: bytes | None) -> Completion:
    """Return the completion of the first choice; `raw` goes with it.

    Raises:
        LLMProtocolError: There is no choice, or it says nothing.
        LLMUnavailable: The upstream says that it broke the answer off.
    """
    choices = reply.get("choices")
    if not isinstance(choices, list) or not choices:
        raise LLMProtocolError(details="The upstream's reply holds no choice.")
    words, has_content = _read_choice(choices[0])
    reason = choices[0].get("finish_reason")
    calls = tuple(call for each in words.calls if (call := read_call(each)))
    finish_reason = read_finish(
        reason if isinstance(reason, str) else "stop",
        has_calls=bool(calls),
        has_refusal=bool(words.refusal),
    )
    # Without content the other reasons make sense: all tokens spent on reasoning,
    # a tool called, the content filtered away.
    says_something = has_content or words.thinking or (raw and words.is_other)
    if finish_reason == "stop" and not says_something:
        raise LLMProtocolError(details="The upstream's reply holds no content.")
    return Completion(
        text=words.text,
        finish_reason=finish_reason,
        usage=find_usage(reply) or Usage(),
        model=read_model(reply),
        tool_calls=calls,
        thinking=(Thinking(words.thinking),) if words.thinking else (),
        refusal=words.refusal or None,
        raw=raw,
    )


def _read_choice(choice: Any) -> tuple[Words, bool]:
    """Return what a choice says, and whether it has a content, maybe an empty one."""
    if isinstance(choice, dict):
        message, text = choice.get("message"), choice.get("text")
        if isinstance(message, dict):
            has_content = isinstance(message.get("content"), str | list)
            return read_words(message), has_content
        if isinstance(text, str):
            return Words("", text, "", (), False), True
    raise LLMProtocolError(details="The upstream's reply is not a completion.")
