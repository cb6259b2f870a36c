"""Error replies in OpenAI's dialect, told apart.

Sources: OpenAI's error codes (https://platform.openai.com/docs/guides/error-codes),
and the replies of vLLM, llama.cpp's server and Ollama, which word them their own
way. Nothing of an upstream's text goes into an error: it may quote the prompt.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flaskllm.core.errors import (
    LLMAPIError,
    LLMContextTooLong,
    LLMCredentialRejected,
    LLMProtocolError,
    LLMRateLimited,
    LLMRefused,
    LLMRequestRejected,
    LLMTimeout,
    LLMUnavailable,
)
from flaskllm.llm.providers.retry_after import retry_after_seconds
from flaskllm.net.transport import HttpReply


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What an error reply stands for, and what the operator or caller can do."""

    error: type[LLMAPIError]
    advice: str = ""


_TOO_LONG = _Meaning(LLMContextTooLong, "Shorten the input.")
_REFUSED = _Meaning(LLMRefused, "Its content policy does not allow the input.")
_UNPAID = _Meaning(LLMCredentialRejected, "The account has no money or allowance left.")
_REJECTED = _Meaning(
    LLMRequestRejected, "Check the deployment's model name and capabilities."
)
_NOT_SPOKEN = _Meaning(LLMRequestRejected, "Check the base_url.")
_DOWN = _Meaning(LLMUnavailable)

_BY_CODE: Mapping[str, _Meaning] = {
    "context_length_exceeded": _TOO_LONG,
    "string_above_max_length": _TOO_LONG,
    "exceed_context_size_error": _TOO_LONG,  # llama.cpp, with status 400, 500 or 200
    "content_filter": _REFUSED,
    "content_policy_violation": _REFUSED,
    "responsibleaipolicyviolation": _REFUSED,  # Azure, in innererror
    "invalid_prompt": _REFUSED,  # reasoning models, flagged input
    "insufficient_quota": _UNPAID,  # a 429 that waiting does not mend
    "billing_not_active": _UNPAID,
    "billing_hard_limit_reached": _UNPAID,
    "credit_balance_exhausted": _UNPAID,
}

_BY_STATUS: Mapping[int, _Meaning] = {
    401: _Meaning(LLMCredentialRejected, "Check the provider's api_key."),
    402: _UNPAID,
    403: _Meaning(LLMCredentialRejected, "The api_key may not use this model."),
    404: _Meaning(LLMRequestRejected, "Check the base_url and the model's name."),
    405: _NOT_SPOKEN,
    408: _Meaning(LLMTimeout),
    413: _TOO_LONG,
    429: _Meaning(LLMRateLimited),
    501: _NOT_SPOKEN,
    505: _NOT_SPOKEN,
}
# For all others, by the first digit of the status.
_BY_CLASS: Mapping[int, _Meaning] = {
    2: _Meaning(LLMProtocolError),
    3: _Meaning(
        LLMRequestRejected, "It redirects, which is not followed: check the base_url."
    ),
    4: _REJECTED,
    5: _DOWN,
}
_SENSELESS = _Meaning(LLMProtocolError)

# vLLM, Ollama, SGLang, llama.cpp, Mistral and OpenAI itself, in their own words.
_TOO_LONG_STATUSES = frozenset({400, 413, 422, 500})
_TOO_LONG_WORDS = re.compile(
    r"maximum context length"
    r"|(context|input) (length|size|window).{0,80}exceed"
    r"|exceed.{0,80}context"
    r"|(longer|larger) than the (maximum model|model's context)"
    r"|(prompt|input) is too long"
    r"|reduce the length of"
    r"|max_tokens must be at least 1, got -",
    re.IGNORECASE | re.DOTALL,
)
_LONGEST_TEXT = 4000


def explain(reply: HttpReply, now: datetime) -> LLMAPIError:
    """Return the error that the reply stands for.

    The code in the body goes first, then the wording for an input that is too
    long, then the status. A passing error says when to come back, if the
    upstream does.

    Args:
        reply: With any status.
        now: Aware; to read a date in `Retry-After`.
    """
    body = _parse(reply.body)
    meaning = _meaning(reply.status, tuple(_codes(body)), _text(body))
    details = f"The upstream answered with status {reply.status}. {meaning.advice}"
    error = meaning.error(details=details.rstrip())
    if error.transient:
        error.retry_after_seconds = retry_after_seconds(reply.headers, now)
    return error


def status_within(error: Any) -> int:
    """Return the status that an error object names itself, else 502."""
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and 400 <= code <= 599 else 502


def _meaning(status: int, codes: tuple[str, ...], text: str) -> _Meaning:
    for code in codes:
        if code in _BY_CODE:
            return _BY_CODE[code]
    if status in _TOO_LONG_STATUSES and _TOO_LONG_WORDS.search(text):
        return _TOO_LONG
    return _BY_STATUS.get(status) or _BY_CLASS.get(status // 100, _SENSELESS)


def _parse(body: bytes) -> dict[str, Any]:
    """Return the body's JSON object, or an empty one: an error page is no surprise."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _codes(body: dict[str, Any]) -> Iterator[str]:
    """Yield the codes and types of an error body, lower case, the exact first."""
    error = body.get("error")
    for source in (error, body):
        if isinstance(source, dict):
            inner = source.get("innererror")
            within = inner.get("code") if isinstance(inner, dict) else None
            for code in (source.get("code"), within, source.get("type")):
                if isinstance(code, str):
                    yield code.lower()


def _text(body: dict[str, Any]) -> str:
    """Return the human text of an error body, to look for known wordings."""
    error = body.get("error")
    within = error.get("message") if isinstance(error, dict) else None
    for text in (within, error, body.get("message"), body.get("detail")):
        if isinstance(text, str):
            return text[:_LONGEST_TEXT]
    return ""
