"""A line: who waits for a place gets one in the order of arrival, or is told."""

import threading
from collections import deque

from flaskllm.storage.driver_errors import unavailable


class Line:
    """So many threads of this process at a time; the others stand in line.

    A lock or a pool gives what is free to whoever comes by at that moment: under
    load the same threads always win, and others wait until they give up.
    """

    def __init__(self, places: int, limit_seconds: float, refusal: str) -> None:
        """Begin with nobody in line.

        Args:
            places: How many may be inside at a time.
            limit_seconds: Who waits longer is told.
            refusal: What they are told.
        """
        self._free = places
        self._limit_seconds = limit_seconds
        self._refusal = refusal
        self._changing = threading.Lock()
        # A lock for each thread that waits; whoever leaves opens the first.
        self._waiting: deque[threading.Lock] = deque()

    def __enter__(self) -> None:
        """Return when this thread has a place.

        Raises:
            ServiceUnavailable: There was none within the limit; a retry helps.
        """
        mine = threading.Lock()
        mine.acquire()
        with self._changing:
            if self._free:
                self._free -= 1
                return
            self._waiting.append(mine)
        try:
            if not mine.acquire(timeout=self._limit_seconds):
                raise unavailable(self._refusal, 1.0)
        except BaseException:  # whatever it is, those behind must not wait for us
            self._give_up(mine)
            raise

    def __exit__(self, *_error: object) -> None:
        """Give the place to the first in line."""
        with self._changing:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1

    def _give_up(self, mine: threading.Lock) -> None:
        with self._changing:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return
        # The place came at the last moment.
        self.__exit__()
