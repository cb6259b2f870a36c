"""Errors as OpenAI words them: `{"error": {"message", "type", "param", "code"}}`.

Source: https://platform.openai.com/docs/guides/error-codes
"""

from collections.abc import Mapping
from dataclasses import dataclass

from werkzeug.exceptions import NotFound as NoSuchAddress

from flaskllm.core.errors import APIError

_INVALID = "invalid_request_error"
_FAULT = "server_error"


@dataclass(frozen=True, slots=True)
class _Wording:
    """How one of our codes is told; a `status` of None is our own."""

    type: str
    code: str | None
    status: int | None = None
    param: str | None = None


_BY_CODE: Mapping[str, _Wording] = {
    "AUTHENTICATION_ERROR": _Wording(_INVALID, "invalid_api_key"),
    "BUDGET_EXCEEDED": _Wording("insufficient_quota", "insufficient_quota", 429),
    "PERMISSION_DENIED": _Wording(_INVALID, "insufficient_permissions"),
    "MODEL_NOT_FOUND": _Wording(_INVALID, "model_not_found", param="model"),
    "IDEMPOTENCY_KEY_REUSED": _Wording(_INVALID, "idempotency_key_reused"),
    "METHOD_NOT_ALLOWED": _Wording(_INVALID, "method_not_supported"),
    "PAYLOAD_TOO_LARGE": _Wording(_INVALID, "request_too_large"),
    "UNSUPPORTED_MEDIA_TYPE": _Wording(_INVALID, "unsupported_content_type"),
    "RATE_LIMIT_EXCEEDED": _Wording("requests", "rate_limit_exceeded"),
    "LLM_RATE_LIMITED": _Wording("requests", "rate_limit_exceeded"),
    "LLM_CONTEXT_TOO_LONG": _Wording(
        _INVALID, "context_length_exceeded", 400, "messages"
    ),
    "LLM_REFUSED": _Wording(_INVALID, "content_filter", 400),
    "LLM_PROTOCOL_ERROR": _Wording(_FAULT, "upstream_protocol"),
    "LLM_REQUEST_REJECTED": _Wording(_FAULT, "upstream_rejected"),
    "LLM_CREDENTIAL_REJECTED": _Wording(_FAULT, "upstream_credential"),
    "LLM_API_ERROR": _Wording(_FAULT, "upstream_error"),
    "LLM_ANSWER_DIFFERS": _Wording(_FAULT, "upstream_error"),
    "LLM_SERVER_ERROR": _Wording(_FAULT, "upstream_error"),
    "LLM_UNAVAILABLE": _Wording(_FAULT, "overloaded"),
    "LLM_TIMEOUT": _Wording(_FAULT, "upstream_timeout"),
    "NO_MODEL_CONFIGURED": _Wording(_FAULT, "no_model_configured"),
    "SERVICE_UNAVAILABLE": _Wording(_FAULT, "service_unavailable"),
    "INSUFFICIENT_STORAGE": _Wording(_FAULT, "insufficient_storage"),
    "INTERNAL_ERROR": _Wording(_FAULT, "internal_error"),
}
_OTHER = _Wording(_INVALID, None)


def status_of(error: APIError) -> int:
    """Return the HTTP status with which OpenAI would tell this error."""
    return _wording_of(error).status or error.status


def body_of(error: APIError) -> dict[str, object]:
    """Return what a caller reads, in a reply and as the last event of a stream."""
    wording = _wording_of(error)
    param = error.fields[0].path if error.fields else wording.param
    return {
        "error": {
            # The dialect has no place for details of their own.
            "message": " ".join(filter(None, (error.message, error.details))),
            "type": wording.type,
            "param": param,
            "code": _code_of(error, wording),
        }
    }


def _wording_of(error: APIError) -> _Wording:
    return _BY_CODE.get(error.code, _OTHER)


def _code_of(error: APIError, wording: _Wording) -> str | None:
    if isinstance(error.__cause__, NoSuchAddress):
        return "unknown_url"
    return wording.code
