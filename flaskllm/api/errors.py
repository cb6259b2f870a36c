"""Errors as answers: the only place that knows how `/api/v1` words a failure.

`{"error": sentence, "details": string, "code": CODE}`, and for a request that
was not valid `"fields": [{"path", "problem", "allowed"}]`.
"""

import math
from dataclasses import asdict

from flask import Flask, Response
from werkzeug import exceptions as http

from flaskllm.api import context
from flaskllm.api.replies import json_reply
from flaskllm.core.errors import (
    APIError,
    InternalError,
    InvalidInputError,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    RateLimitExceeded,
    ServiceUnavailable,
    UnsupportedMediaType,
)

CHALLENGE = 'Bearer realm="flaskllm"'

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
    reply = json_reply(body_of(error), error.status)
    if error.status == 401:
        reply.headers["WWW-Authenticate"] = CHALLENGE
    if error.retry_after_seconds is not None:
        seconds = max(1, math.ceil(error.retry_after_seconds))
        reply.headers["Retry-After"] = str(seconds)
    return reply


def body_of(error: APIError) -> dict[str, object]:
    """Return what a caller reads: never a stack, a secret or a prompt."""
    body: dict[str, object] = {
        "error": error.message,
        "details": error.details,
        "code": error.code,
    }
    if error.fields:
        body["fields"] = [asdict(field) for field in error.fields]
    return body


def _answer_http(error: http.HTTPException) -> Response:
    reply = answer(_translate(error))
    if isinstance(error, http.MethodNotAllowed) and error.valid_methods:
        reply.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return reply


def _answer_unexpected(error: Exception) -> Response:
    ours = InternalError(details="Give the X-Request-ID of this reply to the operator.")
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
    translated = ours(details=details)
    translated.__cause__ = error
    return translated
