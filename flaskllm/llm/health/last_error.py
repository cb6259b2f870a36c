"""What last spoke against a deployment, and when."""

from dataclasses import dataclass


@dataclass(slots=True)
class LastError:
    """A code, empty before any, and when it was told on the monotonic clock."""

    code: str = ""
    at_seconds: float = 0.0

    def take(self, code: str, now_seconds: float) -> None:
        """Keep this code; an empty one changes nothing."""
        if code:
            self.code, self.at_seconds = code, now_seconds

    def age_seconds(self, now_seconds: float) -> float | None:
        """Return how long ago it was; None before any."""
        return now_seconds - self.at_seconds if self.code else None
