"""Error replies of Google's services, told apart.

Sources: https://ai.google.dev/gemini-api/docs/troubleshooting and
https://google.aip.dev/193 (the shape, and what stands in `details`). Nothing of an
upstream's text goes into an error but the names of fields: it may quote the prompt.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from flaskllm.core import json_text
from flaskllm.core.errors import (
    Field,
    LLMAPIError,
    LLMCredentialRejected,
    LLMRateLimited,
)
from flaskllm.llm.providers import statuses
from flaskllm.llm.providers.statuses import Meaning, by_status
from flaskllm.net.retry_after import LONGEST_SECONDS, retry_after_seconds
from flaskllm.net.transport import HttpReply

_STATUSES: Mapping[str, int] = {
    "INVALID_ARGUMENT": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 503,
    "INTERNAL": 500,
    "UNKNOWN": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
_UNKNOWN_STATUS = 502

_NOT_HERE = Meaning(
    LLMCredentialRejected, "The account may not use the service: see its billing."
)
_SPENT = Meaning(LLMRateLimited, "The allowance of the day is spent.")

# A status that is a word of its own, a reason among the details, then the words.
_BY_NAME: Mapping[str, Meaning] = {
    "FAILED_PRECONDITION": _NOT_HERE,
    "API_KEY_INVALID": statuses.KEY_REJECTED,
    "API_KEY_EXPIRED": statuses.KEY_REJECTED,
    "BILLING_DISABLED": statuses.UNPAID,
}
_BY_WORDS: tuple[tuple[int, re.Pattern[str], Meaning], ...] = tuple(
    (status, re.compile(words, re.IGNORECASE), meaning)
    for status, words, meaning in (
        (400, r"api key (not valid|expired|not found)", statuses.KEY_REJECTED),
        (400, r"token count .{0,80}exceeds the maximum", statuses.TOO_LONG),
        (400, r"exceeds the maximum number of tokens", statuses.TOO_LONG),
        (429, r"credits are depleted|spending (cap|limit)", statuses.UNPAID),
    )
)
_LONGEST_TEXT = 4000

_DELAY = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")
_PER_DAY = re.compile(r"per_?day", re.IGNORECASE)
_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_.\[\]]{0,199}")


def explain(reply: HttpReply, now: datetime) -> LLMAPIError:
    """Return the error that the reply stands for.

    The status in words, a reason and the words for what is too long go first, then
    the reply's status. One that passes says when to come back: the upstream tells it
    in the body, hardly ever in a header.

    Args:
        reply: With any status.
        now: Aware; to read a date in `Retry-After`.
    """
    error = explain_object(_told(reply.body), reply.status)
    if error.transient and error.retry_after_seconds is None:
        error.retry_after_seconds = retry_after_seconds(reply.headers, now)
    return error


def explain_object(told: Any, status: int | None = None) -> LLMAPIError:
    """Return the error that the object under `error` stands for.

    Args:
        told: The object; anything else tells nothing.
        status: The reply's; None in a stream, where the object alone tells.
    """
    told = told if isinstance(told, dict) else {}
    code = told.get("code")
    if status is None:
        status = code if isinstance(code, int) and 400 <= code < 600 else None
    name = str(told.get("status", ""))
    told_status = _STATUSES.get(name) or status or _UNKNOWN_STATUS
    details = tuple(_details(told))
    error = _meaning(told_status, name, details, told).tell(status or told_status)
    if error.transient:
        error.retry_after_seconds = _delay_seconds(details)
    if not error.transient and told_status == 400:
        error.fields = tuple(_fields(details))
    return error


def _told(body: bytes) -> Any:
    """Return the error of a body; a stream's that is no event comes in a list."""
    try:
        value = json_text.load(body)
    except ValueError:
        return None
    if isinstance(value, list) and value:
        value = value[0]
    return value.get("error") if isinstance(value, dict) else None


def _meaning(
    status: int, name: str, details: tuple[dict[str, Any], ...], told: dict[str, Any]
) -> Meaning:
    reasons = (str(detail.get("reason", "")) for detail in details)
    for known in (name, *reasons):
        if known in _BY_NAME:
            return _BY_NAME[known]
    message = told.get("message")
    text = message[:_LONGEST_TEXT] if isinstance(message, str) else ""
    for for_status, words, meaning in _BY_WORDS:
        if status == for_status and words.search(text):
            return meaning
    if status == 429 and _is_spent_for_today(details):
        return _SPENT
    return by_status(status)


def _details(told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    details = told.get("details")
    if isinstance(details, list):
        yield from (detail for detail in details if isinstance(detail, dict))


def _is_spent_for_today(details: tuple[dict[str, Any], ...]) -> bool:
    """Tell whether a limit per day is named, in any place that Google uses."""
    for detail in details:
        metadata = detail.get("metadata")
        named = [*_objects(detail, "violations")]
        if isinstance(metadata, dict):
            named.append(metadata)
        for each in named:
            limits = (each.get(name) for name in ("quotaId", "quota_limit"))
            if any(
                _PER_DAY.search(limit) for limit in limits if isinstance(limit, str)
            ):
                return True
    return False


def _delay_seconds(details: tuple[dict[str, Any], ...]) -> float | None:
    """Return `RetryInfo.retryDelay`; for a limit per day the longest wait there is.

    Of such a limit the delay is short too, and not meant.
    """
    if _is_spent_for_today(details):
        return LONGEST_SECONDS
    for detail in details:
        found = _DELAY.fullmatch(str(detail.get("retryDelay", "")))
        if found:
            return min(LONGEST_SECONDS, float(found[1]))
    return None


def _fields(details: tuple[dict[str, Any], ...]) -> Iterator[Field]:
    for detail in details:
        for violation in _objects(detail, "fieldViolations"):
            path = violation.get("field")
            if isinstance(path, str) and _PATH.fullmatch(path):
                yield Field(path, "the upstream does not accept it")


def _objects(detail: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    values = detail.get(name)
    if isinstance(values, list):
        yield from (value for value in values if isinstance(value, dict))
