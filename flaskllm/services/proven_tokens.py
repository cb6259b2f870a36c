"""What proved good a moment ago: a busy API token costs no look-up each time."""

import math

from flaskllm.core.clock import Clock
from flaskllm.storage.api_tokens import ApiTokenRecord

# Another worker's revocation so takes effect within a second.
_FRESH_SECONDS = 0.9
_MOST_KNOWN = 4096
_NOBODY: tuple[float, None] = (-math.inf, None)


class ProvenTokens:
    """API tokens that proved good within the last second, by their whole digest."""

    def __init__(self, clock: Clock) -> None:
        """Remember nobody yet."""
        self._clock = clock
        self._known: dict[bytes, tuple[float, ApiTokenRecord]] = {}

    def get(self, digest: bytes) -> ApiTokenRecord | None:
        """Return the record, or None when the API token has to be proven."""
        proven_seconds, record = self._known.get(digest, _NOBODY)
        is_fresh = self._clock.monotonic() - proven_seconds < _FRESH_SECONDS
        if record is None or not is_fresh:
            return None
        return record if record.state_at(self._clock.now()) == "active" else None

    def put(self, digest: bytes, record: ApiTokenRecord) -> None:
        """Remember a record; when there are too many, all others are forgotten."""
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[digest] = (self._clock.monotonic(), record)

    def forget(self) -> None:
        """Forget all: an API token was revoked here."""
        self._known.clear()
