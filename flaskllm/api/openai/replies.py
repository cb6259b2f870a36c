"""Whole answers as OpenAI tells them.

Source: https://platform.openai.com/docs/api-reference/chat/object
"""

import base64
import struct
from collections.abc import Mapping, Sequence
from secrets import token_hex
from typing import Any, Literal

from flask import Response

from flaskllm.api import context
from flaskllm.api.replies import answer_headers
from flaskllm.core import json_text
from flaskllm.core.errors import LLMProtocolError
from flaskllm.llm.types import Completion, Embeddings, Usage

EncodingFormat = Literal["float", "base64"]
_UNTOLD: Mapping[str, str] = {}


def json_bytes_reply(
    body: bytes,
    dropped: Sequence[str] = (),
    rate_limits: Mapping[str, str] = _UNTOLD,
) -> Response:
    """Return JSON that is bytes already.

    `dropped` names the fields not passed on; `rate_limits` are the upstream's.
    """
    return Response(
        body,
        content_type="application/json",
        headers=headers_of(dropped, rate_limits),
    )


def headers_of(
    dropped: Sequence[str], rate_limits: Mapping[str, str]
) -> dict[str, str]:
    """Return the headers of an answer to a caller who speaks OpenAI's dialect."""
    return answer_headers(dropped, rate_limits, "x-ratelimit-")


def now() -> int:
    """Return the present moment in Unix seconds."""
    return int(context.services().clock.now().timestamp())


def new_id(prefix: str) -> str:
    """Return an id such as `chatcmpl-4fZ…`."""
    return f"{prefix}-{token_hex(12)}"


def chat_completion(completion: Completion, created: int) -> bytes:
    """Return the body of a `chat.completion`; `created` is in Unix seconds."""
    choice = {
        "index": 0,
        "message": _message(completion),
        "logprobs": None,
        "finish_reason": completion.finish_reason,
    }
    return json_text.dump(
        {
            "id": new_id("chatcmpl"),
            "object": "chat.completion",
            "created": created,
            "model": completion.model,
            "choices": [choice],
            "usage": usage_of(completion.usage),
            "system_fingerprint": None,
        }
    )


def text_completion(completion: Completion, created: int) -> bytes:
    """Return the body of a `text_completion`; `created` is in Unix seconds."""
    choice = {
        "text": completion.text,
        "index": 0,
        "logprobs": None,
        "finish_reason": completion.finish_reason,
    }
    return json_text.dump(
        {
            "id": new_id("cmpl"),
            "object": "text_completion",
            "created": created,
            "model": completion.model,
            "choices": [choice],
            "usage": usage_of(completion.usage),
            "system_fingerprint": None,
        }
    )


def embedding_list(embeddings: Embeddings, encoding: EncodingFormat) -> bytes:
    """Return the body of a list of embeddings, in the order of the inputs.

    Raises:
        LLMProtocolError: A number is too large for the base64 of 32-bit floats.
    """
    used = embeddings.usage.tokens_input
    return json_text.dump(
        {
            "object": "list",
            "data": [
                {
                    "object": "embedding",
                    "index": index,
                    "embedding": _as_base64(vector)
                    if encoding == "base64"
                    else list(vector),
                }
                for index, vector in enumerate(embeddings.vectors)
            ],
            "model": embeddings.model,
            "usage": {"prompt_tokens": used, "total_tokens": used},
        }
    )


def usage_of(usage: Usage) -> dict[str, Any]:
    """Return the counts as OpenAI nests them: parts are counted in the whole."""
    return {
        "prompt_tokens": usage.tokens_input,
        "completion_tokens": usage.tokens_output,
        "total_tokens": usage.tokens_input + usage.tokens_output,
        "prompt_tokens_details": {
            "cached_tokens": usage.input_cache_read,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.output_reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _message(completion: Completion) -> dict[str, Any]:
    message: dict[str, Any] = {
        "role": "assistant",
        # Null says that there are only calls, or only a refusal.
        "content": completion.text
        or (None if completion.tool_calls or completion.refusal else ""),
        "refusal": completion.refusal,
        "annotations": [],
    }
    thoughts = "".join(thought.text for thought in completion.thinking)
    if thoughts:
        message["reasoning_content"] = thoughts
    if completion.tool_calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in completion.tool_calls
        ]
    return message


def _as_base64(vector: Sequence[float]) -> str:
    """Return the vector as little-endian floats of 32 bits.

    Raises:
        LLMProtocolError: One of its numbers is too large for them.
    """
    try:
        packed = struct.pack(f"<{len(vector)}f", *vector)
    except OverflowError as error:
        raise LLMProtocolError(details="A vector holds a number too large.") from error
    return base64.b64encode(packed).decode("ascii")
