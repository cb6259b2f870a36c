"""The cache in the memory of one process: a back end of cachelib."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from cachelib import BaseCache

from flaskllm.core.clock import Clock


@dataclass(frozen=True, slots=True)
class _Kept:
    value: str
    expires_seconds: float


class MemoryCache(BaseCache):
    """Keeps texts; the one that was not asked for longest goes first.

    Any number of threads may share it. Claims are for processes that share a store:
    here everybody has theirs.
    """

    is_shared = False

    def __init__(self, clock: Clock, most_entries: int, most_bytes: int) -> None:
        """Start empty.

        Args:
            clock: Times what expires.
            most_entries: Texts that are kept at most.
            most_bytes: What they and their keys take at most, in characters.
        """
        super().__init__()
        self._clock = clock
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> str | None:
        """Return the text of this key; None where there is none."""
        with self._lock:
            return self._get(key)

    def get_dict(self, *keys: str) -> dict[str, str | None]:
        """Return the texts of these keys; None where there is none."""
        with self._lock:
            return {key: self._get(key) for key in keys}

    def set(
        self, key: str, value: str, timeout: int | timedelta | None = None
    ) -> bool | None:
        """Keep a text for so many seconds; tell whether it is short enough."""
        with self._lock:
            return self._set(key, value, timeout)

    def add(self, key: str, value: str, timeout: int | timedelta | None = None) -> bool:
        """Keep it unless there is one; tell whether it was kept."""
        with self._lock:
            return self._get(key) is None and self._set(key, value, timeout)

    def has(self, key: str) -> bool:
        """Tell whether there is a text."""
        return self.get(key) is not None

    def delete(self, key: str) -> bool:
        """Forget one; tell whether it was there."""
        with self._lock:
            return self._drop(key)

    def clear(self) -> bool:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0
        return True

    def forget(self, owner: str) -> int:
        """Forget all of one owner; return how many."""
        with self._lock:
            own = [key for key in self._kept if key.startswith(f"{owner}/")]
            return sum(map(self._drop, own))

    def trim(self) -> int:
        """Forget what has expired; return how many. What is too much never stays."""
        now_seconds = self._clock.monotonic()
        with self._lock:
            over = [
                key
                for key, kept in self._kept.items()
                if kept.expires_seconds <= now_seconds
            ]
            return sum(map(self._drop, over))

    def claim(self, key: str, holder: str, seconds: float) -> str:
        """Let everybody in."""
        return holder

    def held_by(self, key: str) -> str | None:
        """Return nobody."""
        return None

    def renew(self, places: Mapping[str, str], seconds: float) -> None:
        """Do nothing."""

    def release(self, key: str, holder: str) -> None:
        """Do nothing."""

    def _get(self, key: str) -> str | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.expires_seconds <= self._clock.monotonic():
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return kept.value

    def _set(self, key: str, value: str, timeout: int | timedelta | None) -> bool:
        self._drop(key)
        size = len(key) + len(value)
        if size > self._most_bytes:
            return False
        seconds = self._normalize_timeout(timeout)
        self._kept[key] = _Kept(value, self._clock.monotonic() + seconds)
        self._bytes += size
        while self._bytes > self._most_bytes or len(self._kept) > self._most_entries:
            self._drop(next(iter(self._kept)))
        return True

    def _drop(self, key: str) -> bool:
        kept = self._kept.pop(key, None)
        if kept is None:
            return False
        self._bytes -= len(key) + len(kept.value)
        return True
