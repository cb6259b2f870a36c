"""The answers that are kept: found, stored, cleared."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from flaskllm.core import logs
from flaskllm.core.clock import Clock
from flaskllm.core.errors import APIError
from flaskllm.core.metrics_cache import CacheMetrics
from flaskllm.services.caching import marks
from flaskllm.services.caching.entries import Entry
from flaskllm.services.caching.marks import Labels
from flaskllm.services.caching.shelf import CacheStore, Shelf

_LOOK_EVERY_SECONDS: Final = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer lies, and what it is cleared by."""

    key: str
    labels: Labels
    ttl_seconds: int


@dataclass(frozen=True, slots=True)
class Look:
    """What was found at a place, and the marks as they stood then; both may be none."""

    entry: Entry | None = None
    marks: Mapping[str, str] = field(default_factory=dict)


class Answers:
    """Finds and stores answers; a store that does not work finds nothing."""

    def __init__(
        self,
        shelf: Shelf,
        clock: Clock,
        metrics: CacheMetrics,
        most_bytes: int,
        changes: Callable[[], int] | None = None,
    ) -> None:
        """Keep the collaborators; nothing is opened.

        Args:
            shelf: The store.
            clock: Dates what is stored.
            metrics: Count it.
            most_bytes: The longest answer that is stored.
            changes: Counts how often other processes cleared what only this one
                sees; None where all see the same store.
        """
        self.shelf = shelf
        self._clock = clock
        self._metrics = metrics
        self._most_bytes = most_bytes
        self._changes = changes
        self._known_changes: int | None = None
        self._looked_seconds = float("-inf")

    def find(self, place: Place) -> Look:
        """Return the answer that lies there and is not stale."""
        self._heed_others()
        return self.shelf.use(lambda store: _find(store, place), Look())

    def store(self, place: Place, look: Look, entry: Entry) -> None:
        """Keep an answer that was asked for after this look, if it is short enough."""
        if len(look.marks) < len(place.labels.keys):
            return  # the store did not work then: nobody knows what was cleared since
        try:
            text = replace(entry, marks=look.marks).to_text()
        except ValueError:  # events that are no text
            return
        if len(text) > self._most_bytes:
            return
        kept = self.shelf.use(
            lambda store: store.set(place.key, text, place.ttl_seconds) is not False,
            otherwise=False,
        )
        if kept:
            self._metrics.count_store()

    def clear(self, labels: Labels) -> None:
        """Let nothing be found any more that has this label; at most one is given.

        Raises:
            ServiceUnavailable: The store does not work; a retry may help.
        """
        marks.change(self.shelf.store, labels.cleared)

    def forget(self, principal_id: str) -> int:
        """Remove all that one principal was answered; return how many.

        Raises:
            ServiceUnavailable: Some may be left, which nobody finds; a retry may help.
        """
        self.clear(Labels(principal_id=principal_id))
        return self.shelf.store.forget(principal_id)

    def trim(self) -> int:
        """Remove what has expired and what is too much; return how many.

        Raises:
            ServiceUnavailable: Some may be left; a retry may help.
        """
        return self.shelf.store.trim()

    def _heed_others(self) -> None:
        """Forget everything when some process cleared something."""
        now_seconds = self._clock.monotonic()
        if self._changes is None:
            return
        if now_seconds - self._looked_seconds < _LOOK_EVERY_SECONDS:
            return
        self._looked_seconds = now_seconds
        try:
            count = self._changes()
        except APIError as error:
            logs.event(_log, logging.WARNING, "cache_clears_not_read", code=error.code)
            return
        # Ours may be among them: to clear once too often is cheap, and to tell them
        # apart might swallow another's.
        if self._known_changes not in (None, count):
            self.shelf.store.clear()
        self._known_changes = count


def _find(store: CacheStore, place: Place) -> Look:
    keys = place.labels.keys
    found = store.get_dict(place.key, *keys)
    text = found[place.key]
    now = {key: found[key] for key in keys}
    entry = None if text is None else Entry.from_text(text)
    drawn = marks.complete(store, now)
    if entry is None or not marks.hold(store, entry.marks, drawn):
        return Look(None, drawn)
    return Look(entry, drawn)
