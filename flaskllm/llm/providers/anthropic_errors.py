"""Error replies in Anthropic's dialect, told apart.

Source: https://platform.claude.com/docs/en/api/errors. Nothing of an upstream's text
goes into an error but the name of a field: it may quote the prompt.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flaskllm.core.errors import Field, LLMAPIError
from flaskllm.core.json_text import read_object
from flaskllm.llm.providers import statuses
from flaskllm.llm.providers.statuses import Meaning, by_status
from flaskllm.net.retry_after import retry_after_seconds
from flaskllm.net.transport import HttpReply

# The status that goes with a type, also where it stands in a reply with status 200.
_STATUSES: Mapping[str, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_UNKNOWN_STATUS = 502
# Proxies and gateways put this type on whatever goes wrong: beside any other
# status it says nothing. A stream has none.
_VAGUE_TYPE = "invalid_request_error"
_WHERE_VAGUE_IS_MEANT = (None, 400, 404, 413, 422)

# An invalid_request_error is many things; its words alone tell them apart.
_BY_WORDS: tuple[tuple[re.Pattern[str], Meaning], ...] = tuple(
    (re.compile(words, re.IGNORECASE), meaning)
    for words, meaning in (
        (r"(prompt|input) is too long", statuses.TOO_LONG),
        (r"exceeds? (the )?(context|model) (limit|window)", statuses.TOO_LONG),
        (r"credit balance is too low", statuses.UNPAID),
        (r"reached your specified (workspace )?api usage limit", statuses.UNPAID),
        (r"blocked by content filtering", statuses.REFUSED),
    )
)
_LONGEST_TEXT = 4000

# "messages.0.content: Field required". Only the dialect's own words, never others.
_PATH = re.compile(
    r"`?((?:max_tokens|messages|metadata|model|output_config|stop_sequences|stream"
    r"|system|temperature|thinking|tool_choice|tools|top_k|top_p)"
    r"(?:\.[a-z0-9_]{1,40}){0,8})`?(?::| )"
)


def explain(reply: HttpReply, now: datetime) -> LLMAPIError:
    """Return the error that the reply stands for.

    The type in the body goes first, then the status; but that a request is invalid
    is believed only where the status may mean it. One that passes says when to come
    back, if the upstream does.

    Args:
        reply: With any status.
        now: Aware; to read a date in `Retry-After`.
    """
    body = read_object(reply.body) or {}
    error = explain_object(body.get("error"), reply.status)
    if error.transient:
        error.retry_after_seconds = retry_after_seconds(reply.headers, now)
    return error


def explain_object(told: Any, status: int | None = None) -> LLMAPIError:
    """Return the error that the object under `error` stands for.

    Args:
        told: The object; anything else tells nothing.
        status: The reply's; None in a stream or a reply with status 200, where
            the type alone tells.
    """
    kind, text = ("", "")
    if isinstance(told, dict):
        kind, text = _text(told.get("type")), _text(told.get("message"))
    if kind == _VAGUE_TYPE and status not in _WHERE_VAGUE_IS_MEANT:
        kind = ""
    told_status = _STATUSES.get(kind, status or _UNKNOWN_STATUS)
    meaning = by_status(told_status)
    if meaning is statuses.INVALID:
        worded = (found for words, found in _BY_WORDS if words.search(text))
        meaning = next(worded, meaning)
    error = meaning.tell(status or told_status)
    if meaning is statuses.INVALID:
        error.fields = _fields(text)
    return error


def _text(value: Any) -> str:
    return value[:_LONGEST_TEXT] if isinstance(value, str) else ""


def _fields(text: str) -> tuple[Field, ...]:
    found = _PATH.match(text)
    if found is None:
        return ()
    return (Field(found[1], "the upstream does not accept it"),)
