"""Tokens, counted without a tokenizer: an estimate that errs upward.

The weights (`token_weights`) were fitted on texts of our own and of this project:
prose in 22 languages, mails, transcripts, captions, JSON, code, tables, HTML, logs.
Their true counts came from five tokenizers whose vocabularies can be had: OpenAI's
o200k and cl100k, that of Qwen 2 (as Voyage AI uses it), Mistral's tekken and its older
SentencePiece of 32,000 entries. For the texts in tests/recorded/tokens an estimate for
a text's own family is never more than 5 % below the true count, nor 30 % above. Of 637
other pieces of 700 characters nine in ten keep that too; the worst lie at 0.75 (names
and addresses in a row) and 1.6. Short texts of a few words may lie further off.

`careful` is for models of an unknown family: it keeps the bound against whichever
of the five takes most, so it may be twice what a new tokenizer takes, and four times
for a script that only new ones know well.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from json import dumps
from typing import Any

from flaskllm.llm.parts import (
    Image,
    Message,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from flaskllm.llm.token_text import weigh
from flaskllm.llm.token_weights import Family
from flaskllm.llm.types import CompletionRequest, Deployment, Tool

CAREFUL: Family = "careful"

# What the chat template adds around a message, and once for the answer.
_MESSAGE_OVERHEAD = 5
_ANSWER_OVERHEAD = 3
# Around a call of a tool, what came of it, and a tool that is offered.
_CALL_OVERHEAD = 8
_TOOL_OVERHEAD = 12

# OpenAI counts 85 for an image that is asked for in low detail and up to 1,445 for any
# other, Anthropic up to 1,600 (width x height / 750 of what it is scaled down to),
# Gemini 258 for each tile. The size is not known here.
_LOW_IMAGE = 85
_IMAGE = 1600

# Of thoughts that an upstream hid only their length is known: base64 in bytes.
_HIDDEN_CHARACTERS_PER_TOKEN = 4


def estimate(text: str, family: Family = CAREFUL) -> int:
    """Return about how many tokens the text takes, rather too many; at least one."""
    return max(1, math.ceil(weigh(text, family))) if text else 0


def estimate_messages(messages: Iterable[Message], family: Family = CAREFUL) -> int:
    """Return about how many tokens the messages take, with their template.

    The sum over their parts, 5 for each message, and 3 for the answer's start. An
    image takes 85 in low detail and 1600 otherwise; a call of a tool and what came
    of it take 8 besides their texts.
    """
    return _ANSWER_OVERHEAD + sum(
        _MESSAGE_OVERHEAD + _parts(message.parts, family) for message in messages
    )


def estimate_tools(tools: Iterable[Tool], family: Family = CAREFUL) -> int:
    """Return about how many tokens the offered tools take: 12 and their texts each."""
    return sum(
        _TOOL_OVERHEAD
        + estimate(f"{tool.name} {tool.description}", family)
        + _schema(tool.parameters, family)
        for tool in tools
    )


def estimate_request(request: CompletionRequest, family: Family = CAREFUL) -> int:
    """Return about how many tokens of input a request takes.

    These are its messages, the tools that it offers and the schema of its answer,
    which many upstreams write into the prompt.
    """
    schema = request.json_schema
    if schema is None and request.json_format is not None:
        schema = request.json_format.schema
    return (
        estimate_messages(request.messages, family)
        + estimate_tools(request.tools, family)
        + (_schema(schema, family) if schema else 0)
    )


def room_tokens(deployment: Deployment, request: CompletionRequest) -> int | None:
    """Return how many tokens of input fit; None when the window is unknown.

    The window less what is kept for the answer: the cap that the request sets,
    else the deployment's longest answer, but then at most a quarter.
    """
    window = deployment.context_window
    if window is None:
        return None
    cap = output_cap(request, deployment)
    if cap is None:
        cap = min(deployment.max_output_tokens or 0, window // 4)
    return max(0, window - cap)


def output_cap(request: CompletionRequest, deployment: Deployment) -> int | None:
    """Return the request's cap on the answer, no higher than the deployment's."""
    if request.max_output_tokens is None:
        return None
    return min(
        request.max_output_tokens,
        deployment.max_output_tokens or request.max_output_tokens,
    )


def _parts(parts: Sequence[Part], family: Family) -> int:
    return sum(_COUNTERS[type(part)](part, family) for part in parts)


def _text(part: Text, family: Family) -> int:
    return estimate(part.text, family)


def _image(part: Image, family: Family) -> int:
    return _LOW_IMAGE if part.detail == "low" else _IMAGE


def _call(part: ToolCall, family: Family) -> int:
    texts = estimate(part.name, family) + estimate(part.arguments, family)
    return _CALL_OVERHEAD + texts


def _result(part: ToolResult, family: Family) -> int:
    return _CALL_OVERHEAD + _parts(part.content, family)


def _thinking(part: Thinking, family: Family) -> int:
    hidden = len(part.redacted or "") // _HIDDEN_CHARACTERS_PER_TOKEN
    return estimate(part.text, family) + hidden


_COUNTERS: Mapping[type, Callable[[Any, Family], int]] = {
    Text: _text,
    Image: _image,
    ToolCall: _call,
    ToolResult: _result,
    Thinking: _thinking,
}


def _schema(schema: Mapping[str, Any], family: Family) -> int:
    text = dumps(schema, ensure_ascii=False, separators=(",", ":"))
    return estimate(text, family)
