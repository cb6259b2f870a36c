"""What the end of an attempt says about its deployment, and what it does not."""

from typing import Literal

from flaskllm.core.errors import (
    LLMAnswerDiffers,
    LLMAPIError,
    LLMContextTooLong,
    LLMCredentialRejected,
    LLMInvalidRequest,
    LLMRateLimited,
    LLMRefused,
    LLMRequestRejected,
    LLMServerError,
    LLMTimeout,
    LLMUnavailable,
    NoModelConfigured,
)

Verdict = Literal["succeeded", "failed", "limited", "rejected", "unanswered", "nothing"]
"""`limited` asks for patience and `rejected` is about our credential: neither is a
failure. `unanswered` is our mistake with this deployment, such as a model that is
not there: it works, but a route learns that it does not answer. `nothing` was the
caller's doing, or ours."""

# The deployment did what it should, with what it was given.
_NOTHING = (
    LLMInvalidRequest,
    LLMContextTooLong,
    LLMRefused,
    LLMAnswerDiffers,
    NoModelConfigured,
)


def judge(error: BaseException | None, is_callers_fault: bool = False) -> Verdict:
    """Return what an attempt's end says; None is a whole answer.

    Args:
        error: How it ended.
        is_callers_fault: The caller ended it, or gave it too little time. What an
            upstream says about limits and credentials holds all the same.
    """
    if error is None:
        return "succeeded"
    if isinstance(error, LLMRateLimited):
        return "limited"
    if isinstance(error, LLMCredentialRejected):
        return "rejected"
    if is_callers_fault or not isinstance(error, LLMAPIError):
        return "nothing"
    if isinstance(error, _NOTHING):
        return "nothing"
    return "unanswered" if isinstance(error, LLMRequestRejected) else "failed"


def is_down(error: LLMAPIError) -> bool:
    """Tell whether the upstream is down or silent, whatever it was asked."""
    if isinstance(error, LLMServerError):
        return False  # at this one request
    return isinstance(error, LLMUnavailable | LLMTimeout)


def code_of(verdict: Verdict, error: BaseException | None) -> str:
    """Return the code of an end that says something against the deployment, or ""."""
    if verdict == "nothing" or not isinstance(error, LLMAPIError):
        return ""
    return error.code
