"""The counter of changes, read from Redis: the database stays the truth.

Redis holds a copy of the number. Whoever is about to change something first marks
that a change is under way; while the mark is there, everybody reads the database.
So a change is seen as soon as without Redis, also where its process dies right after
the commit. The one case in which it is not: Redis cannot be reached by the process
that changes, and can by the others. They read the database every ten seconds at least.
"""

from collections.abc import Callable, Sequence
from typing import Final, cast

from flaskllm.core.clock import Clock
from flaskllm.core.errors import APIError
from flaskllm.storage.changes import PRINCIPALS
from flaskllm.storage.redis_store import RedisStore, key_of

TRUSTED_SECONDS: Final = 10.0
"""After so long the database is read again, whatever Redis says."""

# Longer than any commit may take.
_UNDER_WAY_SECONDS = 60


class RedisChanges:
    """One of the counters. One thread at a time reads it."""

    def __init__(
        self,
        store: RedisStore,
        read: Callable[[], int],
        clock: Clock,
        name: str = PRINCIPALS,
    ) -> None:
        """Keep the collaborators; nothing is opened.

        Args:
            store: Where the copy lies.
            read: Returns the number that the database has.
            clock: Tells when to read it again.
            name: Which counter.
        """
        self._store = store
        self._read = read
        self._clock = clock
        self._count = key_of("changes", name)
        self._mark = key_of("changes", f"{name}/under-way")
        self._trusted_until = float("-inf")

    def read(self) -> int:
        """Return how many changes were committed so far.

        Raises:
            ServiceUnavailable: The database had to be read, and could not be.
        """
        if self._clock.monotonic() < self._trusted_until:
            copied = self._copied()
            if copied is not None:
                return copied
        count = self._read()
        self._copy(count)
        return count

    def announce(self) -> None:
        """Mark that a change is under way, before it is made; never raises."""
        try:
            self._store.run(
                lambda client: client.set(self._mark, 1, ex=_UNDER_WAY_SECONDS)
            )
        except APIError:
            return  # they will see it in the database

    def _copied(self) -> int | None:
        """Return the copy; None where it must not be used, or is not there."""
        places = self._count, self._mark
        try:
            found = self._store.run(lambda client: client.mget(*places))
            count, mark = cast(Sequence[bytes | None], found)
        except APIError:
            return None
        return None if mark is not None or count is None else int(count)

    def _copy(self, count: int) -> None:
        self._trusted_until = self._clock.monotonic() + TRUSTED_SECONDS
        try:
            self._store.run(
                lambda client: client.set(self._count, count, ex=_UNDER_WAY_SECONDS)
            )
        except APIError:
            return  # then everybody reads the database
