"""OpenAI's chat dialect, for OpenAI and for everything that speaks it.

Source: https://platform.openai.com/docs/api-reference/chat
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel, ValidationError

from flaskllm.core.clock import Clock
from flaskllm.core.errors import LLMAPIError, LLMProtocolError, LLMUnavailable
from flaskllm.llm.providers.compatible import Dialect
from flaskllm.llm.providers.openai_errors import explain, status_within
from flaskllm.llm.providers.strict_schema import tighten
from flaskllm.llm.tokens import output_cap
from flaskllm.llm.types import (
    Completion,
    CompletionRequest,
    Deployment,
    FinishReason,
    Usage,
)
from flaskllm.net.transport import HttpReply, HttpRequest

# Any other finish reason is a way to say "stop" that we do not know.
_FINISH_REASONS: Mapping[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
# OpenRouter, vLLM and DeepSeek: the answer ends here because something broke.
_BROKEN_OFF = frozenset({"error", "abort", "insufficient_system_resource"})

# Twice the longest context window on the market; more is a counting error.
_MOST_TOKENS = 20_000_000
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class OpenAI:
    """A provider for one base URL and credential, in one service's dialect."""

    dialect: Dialect
    base_url: str
    api_key: str | None = field(repr=False)
    clock: Clock

    def encode(self, request: CompletionRequest, deployment: Deployment) -> HttpRequest:
        """Return the POST to `/chat/completions`."""
        body = {
            "model": deployment.model,
            "messages": [
                {"role": message.role, "content": message.content}
                for message in request.messages
            ],
            **self._options(request, deployment),
        }
        # A lone surrogate cannot be sent; it becomes a question mark.
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        return HttpRequest(
            method="POST",
            url=f"{self.base_url}/chat/completions",
            headers=self._headers(),
            body=text.encode("utf-8", "replace"),
        )

    def decode(self, reply: HttpReply) -> Completion:
        """Return the completion of the first choice.

        Usage that is missing or cannot be true has the source `none`. A refusal
        and a filtered answer have the finish reason `content_filter`.

        Raises:
            LLMProtocolError: It is not JSON, or has no choice or no content.
            LLMUnavailable: The upstream says that it broke the answer off.
            LLMAPIError: The body is an error object; some services send one with
                status 200.
        """
        try:
            parsed = _Reply.model_validate_json(reply.body)
        except ValidationError:
            # From None: pydantic's text quotes the upstream's.
            raise LLMProtocolError(
                details="The upstream's reply is not a chat completion.",
            ) from None
        if parsed.error:
            status = status_within(parsed.error)
            raise self.explain(replace(reply, status=status))
        if not parsed.choices:
            raise LLMProtocolError(details="The upstream's reply holds no choice.")
        return _completion(parsed.choices[0], parsed)

    def explain(self, reply: HttpReply) -> LLMAPIError:
        """Return the error that this reply stands for."""
        return explain(reply, self.clock.now())

    def _headers(self) -> dict[str, str]:
        headers = {"content-type": "application/json", "accept": "application/json"}
        if self.api_key:
            headers["authorization"] = f"Bearer {self.api_key}"
        return headers

    def _options(
        self, request: CompletionRequest, deployment: Deployment
    ) -> dict[str, Any]:
        """Return the fields that are sent only when the request sets them."""
        options = {
            self.dialect.output_cap: output_cap(request, deployment),
            "temperature": request.temperature,
            "response_format": self._response_format(request, deployment),
        }
        return {name: value for name, value in options.items() if value is not None}

    def _response_format(
        self, request: CompletionRequest, deployment: Deployment
    ) -> dict[str, Any] | None:
        offered = deployment.capabilities
        if request.json_schema is None or (
            offered is not None and "json" not in offered
        ):
            return None
        if self.dialect.json_mode == "json_object":
            return {"type": "json_object"}
        strict = tighten(request.json_schema)
        return {
            "type": "json_schema",
            "json_schema": {
                "name": "answer",
                "strict": strict is not None,
                "schema": strict or dict(request.json_schema),
            },
        }


class _Piece(BaseModel):
    text: str | None = None


class _Message(BaseModel):
    # Mistral sends a list of pieces, of which the thinking ones have no text.
    content: str | list[_Piece] | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Reply(BaseModel):
    choices: list[_Choice] | None = None
    model: str | None = None
    usage: Any = None
    error: Any = None


def _completion(choice: _Choice, reply: _Reply) -> Completion:
    """Return what a choice says, or raise what is wrong with it."""
    if choice.finish_reason in _BROKEN_OFF:
        raise LLMUnavailable(details="The upstream broke the answer off.")
    reason = _FINISH_REASONS.get(choice.finish_reason or "stop", "stop")
    if choice.message.refusal:
        reason = "content_filter"
    text = _text(choice.message.content)
    # Without content the other reasons make sense: all tokens spent on reasoning,
    # a tool called, the content filtered away.
    if text is None and reason == "stop":
        raise LLMProtocolError(details="The upstream's reply holds no content.")
    return Completion(
        text=text or "",
        finish_reason=reason,
        usage=read_usage(reply.usage),
        model=(reply.model or "")[:_LONGEST_NAME],
    )


def _text(content: str | list[_Piece] | None) -> str | None:
    if isinstance(content, list):
        return "".join(piece.text or "" for piece in content)
    return content


def read_usage(usage: Any) -> Usage:
    """Return the counts in their normal form, or none when they cannot be true.

    OpenAI counts cached tokens inside the prompt and reasoning tokens inside the
    completion: both are taken out. Gemini's OpenAI route leaves the reasoning
    out of the completion, so what `total_tokens` has beyond the two is reasoning.
    """
    if not isinstance(usage, dict):
        return Usage()
    prompt = _count(usage.get("prompt_tokens"))
    completion = _count(usage.get("completion_tokens"))
    cached = _detail(usage, "prompt_tokens_details", "cached_tokens")
    reasoning = _detail(usage, "completion_tokens_details", "reasoning_tokens")
    total = _count(usage.get("total_tokens", prompt + completion))
    beyond = total - prompt - completion
    # A prompt of nothing was never sent: such servers do not count.
    if min(prompt - 1, completion, cached, reasoning, beyond) < 0:
        return Usage()
    if cached > prompt or reasoning > completion:
        return Usage()
    return Usage(
        input_uncached=prompt - cached,
        input_cache_read=cached,
        output_text=completion - reasoning,
        output_reasoning=reasoning + beyond,
        source="provider",
    )


def _detail(usage: dict[str, Any], group: str, name: str) -> int:
    """Return a count inside another; most services leave the group out."""
    details = usage.get(group)
    if not isinstance(details, dict) or details.get(name) is None:
        return 0
    return _count(details[name])


def _count(value: Any) -> int:
    """Return a count that can be true, else a number far below zero."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value <= _MOST_TOKENS else -10 * _MOST_TOKENS
    return -10 * _MOST_TOKENS
