"""The store of the cache as the rest sees it: one that fails or is slow is empty."""

import logging
from collections.abc import Callable, Mapping
from typing import Final, Protocol, TypeVar

from flaskllm.core import logs
from flaskllm.core.clock import Clock
from flaskllm.core.errors import APIError
from flaskllm.core.recovery import Recovery

SLOW_SECONDS: Final = 0.25
"""What takes longer several times in a row is left alone for a second."""

# One alone may have waited for its turn on this machine, and not for the store.
_MOST_SLOW: Final = 3

_Result = TypeVar("_Result")

_log = logging.getLogger(__name__)


class CacheStore(Protocol):
    """What keeps texts for a time: a back end of cachelib, and claims.

    A key is `OWNER/...`: a principal's id, or `-` for nobody's. Each raises APIError
    where it does not work.
    """

    is_shared: bool

    def get_dict(self, *keys: str) -> Mapping[str, str | None]:
        """Return the texts of these keys; None where there is none."""
        ...

    def set(self, key: str, value: str, timeout: int | None = None) -> bool | None:
        """Keep a text for so many seconds."""
        ...

    def add(self, key: str, value: str, timeout: int | None = None) -> bool:
        """Keep it unless there is one; tell whether it was kept."""
        ...

    def forget(self, owner: str) -> int:
        """Remove all whose key begins with this owner; return how many."""
        ...

    def clear(self) -> bool:
        """Remove everything."""
        ...

    def trim(self) -> int:
        """Remove what has expired, and the oldest of what is too much."""
        ...

    def claim(self, key: str, holder: str, seconds: float) -> str:
        """Take a place for so long unless somebody has it; return who has it then.

        Holders have at most 40 characters.
        """
        ...

    def held_by(self, key: str) -> str | None:
        """Return who has the place now."""
        ...

    def renew(self, places: Mapping[str, str], seconds: float) -> None:
        """Lengthen the claims of these holders, by their keys, as far as they hold."""
        ...

    def release(self, key: str, holder: str) -> None:
        """Free the place if this holder still has it."""
        ...


class Shelf:
    """Asks a store, unless it did not work a moment ago."""

    def __init__(
        self, store: CacheStore, clock: Clock, count_failure: Callable[[], None]
    ) -> None:
        """Take it to work; nothing is opened."""
        self.store = store
        self._clock = clock
        self._recovery = Recovery(clock)
        self._count_failure = count_failure
        self._slow_in_a_row = 0

    def use(self, ask: Callable[[CacheStore], _Result], otherwise: _Result) -> _Result:
        """Return what the store says, `otherwise` where it does not work."""
        if not self._recovery.may_ask():
            return otherwise
        began_seconds = self._clock.monotonic()
        try:
            found = ask(self.store)
        except Exception as error:  # whatever it is, an upstream can still be asked
            self._note_failure(_reason_of(error))
            return otherwise
        if self._clock.monotonic() - began_seconds > SLOW_SECONDS:
            self._slow_in_a_row += 1
        else:
            self._slow_in_a_row = 0
        if self._slow_in_a_row >= _MOST_SLOW:
            self._note_failure("slow")
        elif self._recovery.succeeded():
            logs.event(_log, logging.WARNING, "cache_works_again")
        return found

    def _note_failure(self, reason: str) -> None:
        self._count_failure()
        if self._recovery.failed():
            logs.event(_log, logging.WARNING, "cache_not_used", reason=reason)


def _reason_of(error: Exception) -> str:
    # Of an error that is not ours only the kind: its text may quote anything.
    return (
        error.details or error.code
        if isinstance(error, APIError)
        else (type(error).__name__)
    )
