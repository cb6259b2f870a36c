"""The answers that are kept: found, stored, cleared."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from flaskllm.core.metrics_cache import CacheMetrics
from flaskllm.services.caching import marks
from flaskllm.services.caching.entries import Entry
from flaskllm.services.caching.marks import Labels
from flaskllm.services.caching.others import Others
from flaskllm.services.caching.shelf import CacheStore, Shelf


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
        metrics: CacheMetrics,
        most_bytes: int,
        others: Others | None = None,
    ) -> None:
        """Keep the collaborators; nothing is opened.

        Args:
            shelf: The store.
            metrics: Count what is stored.
            most_bytes: The longest answer that is stored.
            others: Heeds what other processes cleared; None where all see the same
                store.
        """
        self.shelf = shelf
        self._metrics = metrics
        self._most_bytes = most_bytes
        self._others = others

    def find(self, place: Place) -> Look:
        """Return the answer that lies there and is not stale."""
        if self._others is not None:
            self._others.heed()
        return self.shelf.use(lambda store: _find(store, place), Look())

    def store(self, place: Place, look: Look, entry: Entry) -> bool:
        """Keep an answer that was asked for after this look; tell whether it is kept.

        It is not where it is too long, nor where it was cleared meanwhile.
        """
        if len(look.marks) < len(place.labels.keys):
            return False  # the store did not work then: nobody knows what was cleared
        try:
            text = replace(entry, marks=look.marks).to_text()
        except ValueError:  # events that are no text
            return False
        if len(text) > self._most_bytes:
            return False
        kept = self.shelf.use(lambda store: _store(store, place, look, text), False)
        if kept:
            self._metrics.count_store()
        return kept

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


def _store(store: CacheStore, place: Place, look: Look, text: str) -> bool:
    # With marks of before a clearing nobody would find it, and it would lie there.
    if store.get_dict(*look.marks) != look.marks:
        return False
    return store.set(place.key, text, place.ttl_seconds) is not False
