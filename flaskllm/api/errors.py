"""Errors as answers, in the dialect of the path that was asked.

Our own, of `/api/v1` and of all that is neither OpenAI's nor Anthropic's, is
`{"error": sentence, "details": string, "code": CODE}`, and for a request that was
not valid `"fields": [{"path", "problem", "allowed"}]`.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from flask import Flask, Response, request
from werkzeug import exceptions as http

from flaskllm.api import context
from flaskllm.api.anthropic import errors as anthropic
from flaskllm.api.dialects import Dialect, dialect_of, has_wrong_base
from flaskllm.api.openai import errors as openai
from flaskllm.api.replies import json_reply
from flaskllm.core.errors import (
    APIError,
    Conflict,
    InternalError,
    InvalidInputError,
    LLMRateLimited,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    RateLimitExceeded,
    ServiceUnavailable,
    UnsupportedMediaType,
)

CHALLENGE = 'Bearer realm="flaskllm"'
_WRONG_BASE = "OpenAI's base URL ends in /v1, Anthropic's does not."
_TELL_OPERATOR = "Give the X-Request-ID of this reply to the operator."
_NO_MEMORY = "This process has no memory left for the request."
_LONGEST_WAIT_SECONDS = 60.0
# Each ends by itself at a known time. After any other failure of a model a client's
# retries would only multiply our own, with all their time-outs and fallbacks.
_ENDS_BY_WAITING = (RateLimitExceeded, LLMRateLimited, ServiceUnavailable, Conflict)

# What Flask and Werkzeug raise, as what we raise; the nearest ancestor counts.
_OURS: dict[type[http.HTTPException], tuple[type[APIError], str]] = {
    http.NotFound: (NotFound, "GET /api/v1/openapi.json lists what there is."),
    http.MethodNotAllowed: (MethodNotAllowed, "The Allow header lists the methods."),
    http.RequestEntityTooLarge: (
        PayloadTooLarge,
        "The body, or the number of its parts, is over the cap of this route.",
    ),
    http.UnsupportedMediaType: (UnsupportedMediaType, ""),
    http.TooManyRequests: (RateLimitExceeded, ""),
    http.ServiceUnavailable: (ServiceUnavailable, ""),
    http.ClientDisconnected: (
        InvalidInputError,
        "The body ended before the length that Content-Length announced.",
    ),
    http.BadRequest: (InvalidInputError, "The request could not be read."),
}


def init(app: Flask) -> None:
    """Answer every error of `app` in our form, the unexpected ones too."""
    app.register_error_handler(APIError, answer)
    app.register_error_handler(http.HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_unexpected)


def answer(error: APIError) -> Response:
    """Return the reply for `error`, and leave it to the request's log line."""
    context.note_failure(error)
    dialect = dialect_of(request.path)
    wording = _WORDINGS[dialect]
    reply = json_reply(wording.body_of(error), wording.status_of(error))
    if error.status == 401:
        reply.headers["WWW-Authenticate"] = CHALLENGE
    if error.retry_after_seconds is not None:
        seconds = max(1, math.ceil(error.retry_after_seconds))
        reply.headers["Retry-After"] = str(seconds)
    if dialect != "native":
        reply.headers.update(retry_advice(error))
    return reply


def retry_advice(error: APIError) -> dict[str, str]:
    """Return the headers that tell the vendors' clients whether to try again.

    They would by themselves, after any 429 and 5xx. But all that could be asked was
    asked already: another try helps only against a limit or a pause of our own, when
    its end is known and within the minute that these clients wait at most.
    """
    seconds = error.retry_after_seconds
    if not isinstance(error, _ENDS_BY_WAITING) or seconds is None:
        return {"x-should-retry": "false"}
    if seconds > _LONGEST_WAIT_SECONDS:
        return {"x-should-retry": "false"}
    milliseconds = max(1, math.ceil(seconds * 1000))
    return {"x-should-retry": "true", "retry-after-ms": str(milliseconds)}


def body_of(error: APIError) -> dict[str, object]:
    """Return what a caller of `/api/v1` reads: never a stack, a secret or a prompt."""
    body: dict[str, object] = {
        "error": error.message,
        "details": error.details,
        "code": error.code,
    }
    if error.fields:
        body["fields"] = [asdict(field) for field in error.fields]
    return body


@dataclass(frozen=True, slots=True)
class _Wording:
    """How a dialect tells an error."""

    body_of: Callable[[APIError], dict[str, object]]
    status_of: Callable[[APIError], int]


def _own_status(error: APIError) -> int:
    return error.status


_WORDINGS: Mapping[Dialect, _Wording] = {
    "native": _Wording(body_of, _own_status),
    "openai": _Wording(openai.body_of, openai.status_of),
    "anthropic": _Wording(anthropic.body_of, anthropic.status_of),
}


def _answer_http(error: http.HTTPException) -> Response:
    reply = answer(_translate(error))
    if isinstance(error, http.MethodNotAllowed) and error.valid_methods:
        reply.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return reply


def _answer_unexpected(error: Exception) -> Response:
    ours: APIError = InternalError(details=_TELL_OPERATOR)
    if isinstance(error, MemoryError):
        ours = ServiceUnavailable(details=_NO_MEMORY, retry_after_seconds=5.0)
    ours.__cause__ = error
    return answer(ours)


def _translate(error: http.HTTPException) -> APIError:
    for ancestor in type(error).__mro__:
        if ancestor in _OURS:
            ours, details = _OURS[ancestor]
            break
    else:
        refused = (error.code or 500) < 500
        ours, details = (InvalidInputError if refused else InternalError), ""
    if isinstance(error, http.NotFound) and has_wrong_base(request.path):
        details = _WRONG_BASE
    translated = ours(details=details)
    translated.__cause__ = error
    return translated
