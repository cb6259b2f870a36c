"""What other processes cleared, where answers lie in the memory of each."""

import logging
from collections.abc import Callable
from typing import Final

from flaskllm.core import logs
from flaskllm.core.clock import Clock
from flaskllm.core.errors import APIError
from flaskllm.services.background import Errand

_LOOK_EVERY_SECONDS: Final = 1.0
_PATIENCE_SECONDS: Final = 0.25

_log = logging.getLogger(__name__)


class Others:
    """Has everything forgotten when some process cleared something."""

    def __init__(
        self,
        read: Callable[[], int],
        forget: Callable[[], object],
        clock: Clock,
        *,
        threaded: bool,
    ) -> None:
        """Keep the collaborators; nothing is read yet.

        Args:
            read: Counts how often any process cleared something.
            forget: Forgets what lies in the memory of this one.
            clock: Tells when to read again.
            threaded: Whether a thread may read; else a request does.
        """
        self._read = read
        self._forget = forget
        self._clock = clock
        self._errand = Errand(self._look, "cache-clears") if threaded else None
        self._known: int | None = None
        self._looked_seconds = float("-inf")
        self._is_readable = self._is_prompt = True

    def heed(self) -> None:
        """Forget what was cleared more than a second ago; it never raises.

        One request of each second waits for that, a quarter of a second at most; none
        while the database does not answer. Where the system gives no thread, that one
        reads itself.
        """
        now_seconds = self._clock.monotonic()
        if now_seconds - self._looked_seconds < _LOOK_EVERY_SECONDS:
            return
        self._looked_seconds = now_seconds
        if self._errand is not None:
            self._have_looked(self._errand)
        if self._errand is None or not self._errand.has_begun:
            self._look()

    def _have_looked(self, errand: Errand) -> None:
        if not self._is_prompt:
            errand.ask()
        elif not errand.ask(_PATIENCE_SECONDS):
            self._is_prompt = False

    def _look(self) -> None:
        try:
            count = self._read()
        except APIError as error:
            if self._is_readable:  # a line a second would tell no more
                logs.event(
                    _log, logging.WARNING, "cache_clears_not_read", code=error.code
                )
            self._is_readable = False
            return
        self._is_readable = self._is_prompt = True
        # Ours may be among them: to clear once too often is cheap, and to tell them
        # apart might swallow another's.
        if self._known not in (None, count):
            self._forget()
        self._known = count
