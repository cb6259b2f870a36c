"""Whether an upstream accepts our credential, as far as its replies tell."""

from dataclasses import dataclass
from typing import Literal

Change = Literal["rejected", "accepted"]


@dataclass(slots=True)
class Credential:
    """A credential, at all of a provider's deployments or at one of them.

    Once rejected it is tried again by one attempt at a time, `credential_seconds`
    apart. Not for several threads at once.

    Attributes:
        era: Grows when it is rejected and when it is accepted again. What an
            attempt of an earlier era brings is no news.
    """

    era: int = 0
    _next_seconds: float | None = None

    @property
    def is_rejected(self) -> bool:
        """Tell whether it does not work."""
        return self._next_seconds is not None

    def left_seconds(self, now_seconds: float) -> float:
        """Return when it may be used; 0.0 is now."""
        if self._next_seconds is None:
            return 0.0
        return max(0.0, self._next_seconds - now_seconds)

    def use(self, now_seconds: float, every_seconds: float) -> None:
        """Take the turn of the one attempt that may try a rejected one."""
        if self._next_seconds is not None:
            self._next_seconds = now_seconds + every_seconds

    def come_up(self, now_seconds: float) -> None:
        """Let it be tried now, if it was rejected."""
        if self._next_seconds is not None:
            self._next_seconds = min(self._next_seconds, now_seconds)

    def reject(
        self, era: int, now_seconds: float, every_seconds: float
    ) -> Change | None:
        """Take an upstream's no; return `rejected` if that is news."""
        if era != self.era:
            return None
        is_news = self._next_seconds is None
        self._next_seconds = now_seconds + every_seconds
        if not is_news:
            return None
        self.era += 1
        return "rejected"

    def hear(
        self, left_seconds: float | None, now_seconds: float, every_seconds: float
    ) -> None:
        """Take what another process found.

        Args:
            left_seconds: How long nobody tries it; None is that it is accepted.
            now_seconds: The monotonic clock.
            every_seconds: How long at most.
        """
        was_rejected = self.is_rejected
        if left_seconds is None:
            self._next_seconds = None
        else:
            self._next_seconds = now_seconds + min(left_seconds, every_seconds)
        if was_rejected != self.is_rejected:
            self.era += 1

    def accept(self, era: int) -> Change | None:
        """Take an upstream's answer; return `accepted` if that is news."""
        if era != self.era or self._next_seconds is None:
            return None
        self._next_seconds = None
        self.era += 1
        return "accepted"
