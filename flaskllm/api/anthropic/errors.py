"""Errors as Anthropic words them.

`{"type": "error", "error": {"type", "message"}, "request_id"}`.
Source: https://docs.claude.com/en/api/errors
"""

from collections.abc import Mapping

from flaskllm.api import context
from flaskllm.core.errors import APIError

_OVERLOADED = 529

# Our codes as (status, type); of every other error its status tells the type.
_BY_CODE: Mapping[str, tuple[int, str]] = {
    "LLM_CONTEXT_TOO_LONG": (400, "invalid_request_error"),
    "LLM_REFUSED": (400, "invalid_request_error"),
    "LLM_UNAVAILABLE": (_OVERLOADED, "overloaded_error"),
    "LLM_TIMEOUT": (504, "timeout_error"),
}
_BY_STATUS: Mapping[int, str] = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
}
# Clients look for these words to know that they must shorten the conversation.
_TOO_LONG = "prompt is too long"


def status_of(error: APIError) -> int:
    """Return the HTTP status with which Anthropic would tell this error."""
    return _BY_CODE[error.code][0] if error.code in _BY_CODE else error.status


def body_of(error: APIError, request_id: str | None = None) -> dict[str, object]:
    """Return what a caller reads; also the data of an `error` event in a stream.

    `request_id` is that of the present request when it is not given; a stream runs
    after its request.
    """
    return {
        "type": "error",
        "error": {"type": _type_of(error), "message": _message_of(error)},
        "request_id": request_id or context.request_id(),
    }


def _type_of(error: APIError) -> str:
    if error.code in _BY_CODE:
        return _BY_CODE[error.code][1]
    other = "invalid_request_error" if error.status < 500 else "api_error"
    return _BY_STATUS.get(error.status, other)


def _message_of(error: APIError) -> str:
    """Return one text: the dialect has no place for details of their own."""
    told = " ".join(filter(None, (error.message, error.details)))
    return f"{_TOO_LONG}: {told}" if error.code == "LLM_CONTEXT_TOO_LONG" else told
