"""What the status of an error reply stands for, when nothing more exact is known."""

from collections.abc import Mapping
from dataclasses import dataclass

from flaskllm.core.errors import (
    LLMAPIError,
    LLMContextTooLong,
    LLMCredentialRejected,
    LLMInvalidRequest,
    LLMProtocolError,
    LLMRateLimited,
    LLMRefused,
    LLMRequestRejected,
    LLMServerError,
    LLMTimeout,
    LLMUnavailable,
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an error reply stands for, and what the operator or caller can do.

    `is_for_model` is for a credential that is good for something else.
    """

    error: type[LLMAPIError]
    advice: str = ""
    is_for_model: bool = False

    def tell(self, status: int) -> LLMAPIError:
        """Return the error; its details name the status and the advice."""
        said = f"The upstream answered with status {status}."
        error = self.error(details=f"{said} {self.advice}".rstrip())
        if isinstance(error, LLMCredentialRejected):
            error.is_for_model = self.is_for_model
        return error


TOO_LONG = Meaning(LLMContextTooLong, "Shorten the input.")
REFUSED = Meaning(LLMRefused, "Its content policy does not allow the input.")
UNPAID = Meaning(LLMCredentialRejected, "The account has no money or allowance left.")
KEY_REJECTED = Meaning(LLMCredentialRejected, "Check the provider's api_key.")
FORBIDDEN = Meaning(
    LLMCredentialRejected, "The api_key may not use this model.", is_for_model=True
)
NOT_FOUND = Meaning(LLMRequestRejected, "Check the base_url and the model's name.")
INVALID = Meaning(LLMInvalidRequest)
LIMITED = Meaning(LLMRateLimited)
LATE = Meaning(LLMTimeout)
FAILED = Meaning(LLMServerError)
DOWN = Meaning(LLMUnavailable)

_REJECTED = Meaning(
    LLMRequestRejected, "Check the deployment's model name and capabilities."
)
_NOT_SPOKEN = Meaning(LLMRequestRejected, "Check the base_url.")
_REDIRECTS = Meaning(
    LLMRequestRejected, "It redirects, which is not followed: check the base_url."
)
_SENSELESS = Meaning(LLMProtocolError)

_BY_STATUS: Mapping[int, Meaning] = {
    400: INVALID,
    401: KEY_REJECTED,
    402: UNPAID,
    403: FORBIDDEN,
    404: NOT_FOUND,
    405: _NOT_SPOKEN,
    408: LATE,
    413: TOO_LONG,
    422: INVALID,
    429: LIMITED,
    500: FAILED,
    501: _NOT_SPOKEN,
    502: FAILED,
    504: LATE,
    505: _NOT_SPOKEN,
}
# For all others, by the first digit of the status.
_BY_CLASS: Mapping[int, Meaning] = {3: _REDIRECTS, 4: _REJECTED, 5: DOWN}


def by_status(status: int) -> Meaning:
    """Return what a status stands for; a senseless one is a broken promise."""
    return _BY_STATUS.get(status) or _BY_CLASS.get(status // 100, _SENSELESS)
