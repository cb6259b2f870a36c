"""For whom a job is done: whoever sent it, as they stand when it is begun."""

from dataclasses import dataclass
from typing import Final

from flaskllm.core.auth import Principal
from flaskllm.core.clock import Clock
from flaskllm.core.errors import PermissionDenied
from flaskllm.storage.api_tokens import ApiTokens

_REASONS: Final = {"revoked": "was revoked", "expired": "has expired"}


@dataclass(frozen=True, slots=True)
class Owners:
    """Finds principals by their ids; `bootstrap` is that of the settings, if any."""

    tokens: ApiTokens
    clock: Clock
    bootstrap: Principal | None = None

    def find(self, principal_id: str) -> Principal:
        """Return who sent a job.

        Raises:
            PermissionDenied: Their API token was revoked, has expired, or is gone.
            ServiceUnavailable: Nobody can tell at the moment.
        """
        if self.bootstrap is not None and principal_id == self.bootstrap.id:
            return self.bootstrap
        record = self.tokens.find(principal_id)
        if record is None:
            raise _denied("is not there any more")
        state = record.state_at(self.clock.now())
        if state in _REASONS:
            raise _denied(_REASONS[state])
        return record.principal()


def _denied(why: str) -> PermissionDenied:
    return PermissionDenied(details=f"The API token that sent the job {why}.")
