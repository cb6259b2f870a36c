"""What is known of a provider as a whole: its credential, and whether it is there."""

from dataclasses import replace
from threading import Lock

from flaskllm.core.errors import APIError
from flaskllm.core.findings import Finding
from flaskllm.llm.health.breaker import CLOSED, Breaker
from flaskllm.llm.health.changes import Change
from flaskllm.llm.health.credentials import Credential
from flaskllm.llm.health.policy import Policy

# So long a healthy upstream is rarely silent, and an impatient caller waits.
_LONG_SECONDS = 10.0


class ProviderHealth:
    """One provider's. Any number of threads may share it.

    Its lock is taken last, while a deployment's is held, and never the other way.

    Attributes:
        last_seconds: When one of its deployments was last asked, on the monotonic
            clock; None is never.
        breaker: What a deployment starts with that was not asked before.
        told_by: The other process that found its credential rejected; empty where
            this one did, or where it is not.
        is_silent: An attempt ended after a while in which nothing came, and nothing
            was heard since. Its end need not say so: most callers only hang up.
    """

    def __init__(self, policy: Policy) -> None:
        """Start with a credential that nobody has tried."""
        self.last_seconds: float | None = None
        self.breaker: Breaker = CLOSED
        self.is_silent = False
        self.told_by = ""
        self._every_seconds = policy.credential_seconds
        self._longest_seconds = policy.longest_cool_down_seconds
        self._credential = Credential()
        self._lock = Lock()

    @property
    def is_troubled(self) -> bool:
        """Tell whether anything keeps requests away from all of its deployments."""
        is_closed = self.breaker.until_seconds is None
        return self.is_silent or self._credential.is_rejected or not is_closed

    @property
    def era(self) -> int:
        """Return the credential's, for `accept` and `reject`."""
        return self._credential.era

    def left_seconds(self, now_seconds: float) -> float:
        """Return when the credential may be used; 0.0 is now."""
        return self._credential.left_seconds(now_seconds)

    def use(self, now_seconds: float) -> float:
        """Use the credential; return 0.0, or how long somebody else tries it."""
        if not self._credential.is_rejected:
            return 0.0
        with self._lock:
            left_seconds = self._credential.left_seconds(now_seconds)
            if left_seconds == 0.0:
                self._credential.use(now_seconds, self._every_seconds)
            return left_seconds

    def reject(
        self, error: APIError, now_seconds: float, era: int | None = None
    ) -> list[Change]:
        """Take an upstream's no, for an attempt of this era or for one without."""
        with self._lock:
            credential = self._credential
            change = credential.reject(
                credential.era if era is None else era, now_seconds, self._every_seconds
            )
            if change is not None:
                self.told_by = ""
        if change is None:
            return []
        return [Change(change, error.code, self._every_seconds, provider_wide=True)]

    def accept(self, era: int) -> list[Change]:
        """Take an upstream's answer to an attempt of this era."""
        if not self._credential.is_rejected:
            return []
        with self._lock:
            change = self._credential.accept(era)
        return [] if change is None else [Change(change, provider_wide=True)]

    def hear_down(self, finding: Finding, now_seconds: float) -> None:
        """Take in that another process could not reach it."""
        left_seconds = min(finding.left_seconds or 0.0, self._longest_seconds)
        until = max(now_seconds + left_seconds, self.breaker.until_seconds or 0.0)
        self.breaker = replace(
            self.breaker, until_seconds=until, era=self.breaker.era + 1
        )

    def hear(
        self, left_seconds: float | None, told_by: str, now_seconds: float
    ) -> None:
        """Take in what another process found of its credential."""
        with self._lock:
            self._credential.hear(left_seconds, now_seconds, self._every_seconds)
            self.told_by = told_by if left_seconds is not None else ""

    def listen(self, has_heard: bool, seconds: float) -> None:
        """Take in whether an attempt that took so long heard anything at all."""
        if has_heard:
            self.is_silent = False
        elif seconds >= _LONG_SECONDS:
            self.is_silent = True

    def come_up(self, now_seconds: float) -> None:
        """Let the next attempt try a credential that was rejected."""
        self.is_silent = False
        with self._lock:
            self._credential.come_up(now_seconds)

    def renew_credential(self) -> None:
        """Start anew: there is another one now."""
        with self._lock:
            self._credential = Credential(self._credential.era + 1)
