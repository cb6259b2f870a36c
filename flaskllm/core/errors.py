"""The one tree of errors that this package raises on purpose.

::

    APIError
    ├── InvalidInputError         400  INVALID_INPUT
    ├── AuthenticationError       401  AUTHENTICATION_ERROR
    ├── BudgetExceeded            402  BUDGET_EXCEEDED
    ├── PermissionDenied          403  PERMISSION_DENIED
    ├── NotFound                  404  NOT_FOUND
    │   └── ModelNotFound         404  MODEL_NOT_FOUND
    ├── MethodNotAllowed          405  METHOD_NOT_ALLOWED
    ├── Conflict                  409  CONFLICT
    ├── JobCancelled              410  JOB_CANCELLED
    ├── PayloadTooLarge           413  PAYLOAD_TOO_LARGE
    ├── UnsupportedMediaType      415  UNSUPPORTED_MEDIA_TYPE
    ├── IdempotencyKeyReused      422  IDEMPOTENCY_KEY_REUSED
    ├── NeedsFetch                424  NEEDS_FETCH
    ├── UpgradeRequired           426  UPGRADE_REQUIRED
    ├── RateLimitExceeded         429  RATE_LIMIT_EXCEEDED
    ├── FetchFailed               502  FETCH_FAILED
    │   └── FetchRefused          502  FETCH_REFUSED
    ├── LLMAPIError               502  LLM_API_ERROR
    │   ├── LLMProtocolError      502  LLM_PROTOCOL_ERROR
    │   ├── LLMRequestRejected    502  LLM_REQUEST_REJECTED
    │   ├── LLMInvalidRequest     400  LLM_INVALID_REQUEST
    │   ├── LLMCredentialRejected 502  LLM_CREDENTIAL_REJECTED
    │   ├── LLMRefused            502  LLM_REFUSED
    │   ├── LLMContextTooLong     413  LLM_CONTEXT_TOO_LONG
    │   ├── LLMAnswerDiffers      502  LLM_ANSWER_DIFFERS
    │   ├── LLMRateLimited        429  LLM_RATE_LIMITED
    │   ├── LLMUnavailable        503  LLM_UNAVAILABLE
    │   │   └── LLMServerError    502  LLM_SERVER_ERROR
    │   ├── NoModelConfigured     503  NO_MODEL_CONFIGURED
    │   └── LLMTimeout            504  LLM_TIMEOUT
    ├── CallerGone                499  CALLER_GONE
    ├── ServiceUnavailable        503  SERVICE_UNAVAILABLE
    │   └── InsufficientStorage   507  INSUFFICIENT_STORAGE
    ├── JobsDisabled              503  JOBS_DISABLED
    └── InternalError             500  INTERNAL_ERROR

The class says what is always true of it: the status, the stable code, whether the
same request may succeed later, and the sentence that a caller reads when nobody said
it better; an instance adds what is true of this case. Nothing in an error may hold a
secret, a prompt or the text of an upstream's reply.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Field:
    """One wrong field: its dotted path, what was found there, and what would do."""

    path: str
    problem: str
    allowed: str = ""


class APIError(Exception):
    """What a caller may be told."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "INTERNAL_ERROR"
    retryable: ClassVar[bool] = False
    sentence: ClassVar[str] = "The request failed."

    def __init__(
        self,
        message: str | None = None,
        *,
        details: str = "",
        fields: Iterable[Field] = (),
        retry_after_seconds: float | None = None,
    ) -> None:
        """Tell one case.

        Args:
            message: One sentence for the caller; the class's own when omitted.
            details: What was wrong, with which value, and what to do.
            fields: Each wrong field of the request.
            retry_after_seconds: When the same request may succeed.
        """
        super().__init__(message or self.sentence)
        self.message = message or self.sentence
        self.details = details
        self.fields = tuple(fields)
        self.retry_after_seconds = retry_after_seconds


class InvalidInputError(APIError):
    """The request cannot be read, or says something that is not allowed."""

    status = 400
    code = "INVALID_INPUT"
    sentence = "The request is not valid."

    @classmethod
    def of(cls, path: str, problem: str, allowed: str = "") -> "InvalidInputError":
        """Refuse one field, naming it, what was found and the mend."""
        details = f"{path}: {problem}" + (f"; allowed: {allowed}" if allowed else "")
        return cls(details=details, fields=[Field(path, problem, allowed)])


class AuthenticationError(APIError):
    """No API token, or one that is not good. All cases read alike."""

    status = 401
    code = "AUTHENTICATION_ERROR"
    sentence = "A valid API token is required."


class BudgetExceeded(APIError):
    """The principal's money for this period is spent.

    `alias` is the model name that takes over then; None where none does.
    """

    status = 402
    code = "BUDGET_EXCEEDED"
    sentence = "The budget is spent."
    alias: str | None = None


class PermissionDenied(APIError):
    """The API token is good but lacks the scope."""

    status = 403
    code = "PERMISSION_DENIED"
    sentence = "The API token may not do this."


class NotFound(APIError):
    """There is no such thing, or it belongs to another principal."""

    status = 404
    code = "NOT_FOUND"
    sentence = "There is nothing at this address."


class ModelNotFound(NotFound):
    """No route has this name."""

    code = "MODEL_NOT_FOUND"
    sentence = "There is no model of this name."


class MethodNotAllowed(APIError):
    """The address exists, but not for this method."""

    status = 405
    code = "METHOD_NOT_ALLOWED"
    sentence = "The method is not allowed here."


class Conflict(APIError):
    """The request contradicts the present state."""

    status = 409
    code = "CONFLICT"
    sentence = "The request conflicts with the present state."


class JobCancelled(APIError):
    """Somebody cancelled the job; there will be no answer."""

    status = 410
    code = "JOB_CANCELLED"
    sentence = "The job was cancelled."


class PayloadTooLarge(APIError):
    """The body is over the cap of its route."""

    status = 413
    code = "PAYLOAD_TOO_LARGE"
    sentence = "The body is too large."


class UnsupportedMediaType(APIError):
    """The content type or encoding is not read here."""

    status = 415
    code = "UNSUPPORTED_MEDIA_TYPE"
    sentence = "The content type is not supported."


class IdempotencyKeyReused(APIError):
    """The idempotency key was sent before, with another request."""

    status = 422
    code = "IDEMPOTENCY_KEY_REUSED"
    sentence = "The idempotency key belongs to another request."


class NeedsFetch(APIError):
    """Only the operator gets it: `details` says how, `needs` (plain JSON) what."""

    status = 424
    code = "NEEDS_FETCH"
    sentence = "The document has to be fetched by somebody else."
    needs: Mapping[str, Any] | None = None


class FetchFailed(APIError):
    """The place that has a job's document did not answer with it; it may later."""

    status = 502
    code = "FETCH_FAILED"
    retryable = True
    sentence = "The document could not be fetched."


class FetchRefused(FetchFailed):
    """The place that has a job's document will not give it; `details` says the mend."""

    code = "FETCH_REFUSED"
    retryable = False
    sentence = "The document was refused where it lies."


class UpgradeRequired(APIError):
    """This address speaks WebSocket, and the request or the host does not."""

    status = 426
    code = "UPGRADE_REQUIRED"
    sentence = "This address speaks WebSocket only."


class RateLimitExceeded(APIError):
    """Too many requests in the window; it says when to come back."""

    status = 429
    code = "RATE_LIMIT_EXCEEDED"
    retryable = True
    sentence = "Too many requests."


class LLMAPIError(APIError):
    """A model could not answer. The subclasses say why.

    `transient` tells the router whether the same deployment may succeed a
    moment later; `retryable` tells the caller whether the same request may.
    """

    status = 502
    code = "LLM_API_ERROR"
    retryable = True
    transient: ClassVar[bool] = False
    sentence = "The model could not answer."


class LLMProtocolError(LLMAPIError):
    """The upstream answered, but not with what its dialect promises."""

    code = "LLM_PROTOCOL_ERROR"
    transient = True
    sentence = "The model's answer could not be read."


class LLMRequestRejected(LLMAPIError):
    """The upstream says that the request is wrong; sending it again is vain."""

    code = "LLM_REQUEST_REJECTED"
    retryable = False
    sentence = "The model's service rejected the request."


class LLMInvalidRequest(LLMAPIError):
    """The upstream says that a field of the caller's is wrong: the caller's to mend."""

    status = 400
    code = "LLM_INVALID_REQUEST"
    retryable = False
    sentence = "The model's service says that the request is not valid."


class LLMCredentialRejected(LLMAPIError):
    """The upstream does not accept our credential: the operator must act.

    `is_for_model` tells that it is only not allowed what was asked for; else it
    is good for nothing at this upstream.
    """

    code = "LLM_CREDENTIAL_REJECTED"
    retryable = False
    sentence = "The model's service rejected this gateway's credential."
    is_for_model: bool = False


class LLMRefused(LLMAPIError):
    """The model or its content policy declined; never routed around."""

    code = "LLM_REFUSED"
    retryable = False
    sentence = "The model declined to answer."


class LLMContextTooLong(LLMAPIError):
    """The input does not fit the model's context window."""

    status = 413
    code = "LLM_CONTEXT_TOO_LONG"
    retryable = False
    sentence = "The input is longer than the model's context window."


class LLMAnswerDiffers(LLMAPIError):
    """Another deployment goes on differently: it ends a rescue, no caller sees it."""

    code = "LLM_ANSWER_DIFFERS"
    sentence = "The model answers differently from what was shown already."


class LLMRateLimited(LLMAPIError):
    """The upstream asks for patience, or its own limits here are used up."""

    status = 429
    code = "LLM_RATE_LIMITED"
    transient = True
    sentence = "The model's service is limiting requests."


class LLMUnavailable(LLMAPIError):
    """The upstream cannot be reached, or says that it is down or overloaded."""

    status = 503
    code = "LLM_UNAVAILABLE"
    transient = True
    sentence = "The model's service is not available."


class LLMServerError(LLMUnavailable):
    """The upstream failed at this one request: 500, 502, or a connection reset.

    The same deployment may well answer it when it is asked once more.
    """

    status = 502
    code = "LLM_SERVER_ERROR"
    sentence = "The model's service failed at this request."


class NoModelConfigured(LLMAPIError):
    """Only the built-in extractive provider is there, and it cannot do this."""

    status = 503
    code = "NO_MODEL_CONFIGURED"
    retryable = False
    sentence = "No language model is configured for this."


class LLMTimeout(LLMAPIError):
    """The upstream did not answer in time."""

    status = 504
    code = "LLM_TIMEOUT"
    transient = True
    sentence = "The model did not answer in time."


class CallerGone(APIError):
    """The caller hung up; nobody is left to answer."""

    status = 499
    code = "CALLER_GONE"
    sentence = "The caller closed the connection."


class ServiceUnavailable(APIError):
    """A part that we need ourselves, such as the database, does not answer."""

    status = 503
    code = "SERVICE_UNAVAILABLE"
    retryable = True
    sentence = "The service is not available at the moment."


class InsufficientStorage(ServiceUnavailable):
    """The disk of our database is full: nothing can be written until there is room."""

    status = 507
    code = "INSUFFICIENT_STORAGE"
    sentence = "There is no room left to store anything."


class JobsDisabled(APIError):
    """Work cannot be done later here; the same request may be answered at once."""

    status = 503
    code = "JOBS_DISABLED"
    sentence = "This gateway does not accept jobs."


class InternalError(APIError):
    """Our own fault; the log holds the cause under the request's id."""

    sentence = "Something went wrong on our side."
