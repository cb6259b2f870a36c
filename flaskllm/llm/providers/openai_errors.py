"""Error replies in OpenAI's dialect, told apart.

Sources: OpenAI's error codes (https://platform.openai.com/docs/guides/error-codes),
and the replies of Azure, Mistral, vLLM and llama.cpp's server, which word them their
own way. Nothing of an upstream's text goes into an error: it may quote the prompt.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from flaskllm.core.errors import LLMAPIError, LLMInvalidRequest, LLMRequestRejected
from flaskllm.core.json_text import read_object
from flaskllm.llm.providers.openai_error_fields import named_fields
from flaskllm.llm.providers.statuses import (
    KEY_REJECTED,
    REFUSED,
    TOO_LONG,
    UNPAID,
    Meaning,
    by_status,
)
from flaskllm.net.retry_after import retry_after_seconds
from flaskllm.net.transport import HttpReply

_NO_SUCH_MODEL = Meaning(LLMRequestRejected, "Check the deployment's model name.")

_BY_CODE: Mapping[str, Meaning] = {
    "context_length_exceeded": TOO_LONG,
    "string_above_max_length": TOO_LONG,
    "exceed_context_size_error": TOO_LONG,  # llama.cpp, with status 400, 500 or 200
    "content_filter": REFUSED,
    "content_policy_violation": REFUSED,
    "responsibleaipolicyviolation": REFUSED,  # Azure, in innererror
    "invalid_prompt": REFUSED,  # reasoning models, flagged input
    "insufficient_quota": UNPAID,  # a 429 that waiting does not mend
    "billing_not_active": UNPAID,
    "billing_hard_limit_reached": UNPAID,
    "credit_balance_exhausted": UNPAID,
    "invalid_api_key": KEY_REJECTED,  # also with status 400
    "model_not_found": _NO_SUCH_MODEL,  # also with status 400
    "invalid_model": _NO_SUCH_MODEL,  # Mistral, with status 400
    "operationnotsupported": _NO_SUCH_MODEL,  # Azure: the deployment holds another
}

# What an error within a stream or a reply of status 200 stands for, where it does
# not name a status itself.
_STATUS_BY_CODE: Mapping[str, int] = {
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "overloaded_error": 503,
    "invalid_request_error": 400,
    "authentication_error": 401,
    "not_found_error": 404,
}
_STATUS_WITHIN = 502

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
# xAI and Gemini's OpenAI route, with status 400.
_BAD_KEY_WORDS = re.compile(
    r"(incorrect|invalid) api key|api key (is )?(not valid|expired)", re.IGNORECASE
)
_LONGEST_TEXT = 4000


def explain(reply: HttpReply, now: datetime) -> LLMAPIError:
    """Return the error that the reply stands for.

    The code in the body goes first, then the wording for an input that is too
    long, then the status. A passing error says when to come back, if the
    upstream does; one about the caller's fields names them.

    Args:
        reply: With any status.
        now: Aware; to read a date in `Retry-After`.
    """
    body = read_object(reply.body) or {}
    error = _meaning(reply.status, tuple(_codes(body)), _text(body)).tell(reply.status)
    if isinstance(error, LLMInvalidRequest):
        error.fields = tuple(named_fields(body))
    if error.transient:
        error.retry_after_seconds = retry_after_seconds(reply.headers, now)
    return error


def status_within(error: Any) -> int:
    """Return the status that an error object names or means itself, else 502."""
    told = error if isinstance(error, dict) else {}
    code = told.get("code")
    if isinstance(code, int) and 400 <= code <= 599:
        return code
    words = (word for word in (code, told.get("type")) if isinstance(word, str))
    known = (_STATUS_BY_CODE[word] for word in words if word in _STATUS_BY_CODE)
    return next(known, _STATUS_WITHIN)


def _meaning(status: int, codes: tuple[str, ...], text: str) -> Meaning:
    for code in codes:
        if code in _BY_CODE:
            return _BY_CODE[code]
    if status in _TOO_LONG_STATUSES and _TOO_LONG_WORDS.search(text):
        return TOO_LONG
    if status == 400 and _BAD_KEY_WORDS.search(text):
        return KEY_REJECTED
    return by_status(status)


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
