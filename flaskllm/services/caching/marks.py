"""Marks: what makes answers stale at once, wherever they lie.

Each answer carries the marks of its alias, its template, its principal, and of all,
as they stood before it was asked for. Who clears the cache for one of these gives it
another mark, and all that carry the old one are found no more. A mark that was lost
is drawn anew: then too nothing old is found.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from flaskllm.core.ids import random_base62
from flaskllm.services.caching.shelf import CacheStore

# Longer than any answer is kept.
_KEPT_SECONDS: Final = 40 * 86_400
_CHARACTERS: Final = 12
NOBODY: Final = "-"


@dataclass(frozen=True, slots=True)
class Labels:
    """What an answer is cleared by; None and empty are everything."""

    alias: str | None = None
    template: str | None = None
    principal_id: str | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the keys of the marks that an answer with these labels carries."""
        return tuple(self._keys())

    @property
    def cleared(self) -> str:
        """Return the key of the mark that is changed to clear what has this label."""
        return self.keys[-1]

    def _keys(self) -> Iterator[str]:
        yield f"{NOBODY}/mark/all"
        if self.alias is not None:
            yield f"{NOBODY}/mark/alias/{self.alias}"
        if self.template is not None:
            yield f"{NOBODY}/mark/template/{self.template}"
        if self.principal_id is not None:
            yield f"{NOBODY}/mark/token/{self.principal_id}"


def complete(store: CacheStore, found: Mapping[str, str | None]) -> dict[str, str]:
    """Return the marks that were found, and new ones for those that were not."""
    marks = {key: value for key, value in found.items() if value is not None}
    lost = tuple(found.keys() - marks.keys())
    for key in lost:
        store.add(key, random_base62(_CHARACTERS), _KEPT_SECONDS)
    if lost:
        drawn = store.get_dict(*lost)
        marks |= {key: value for key, value in drawn.items() if value is not None}
    return marks


def hold(
    store: CacheStore, carried: Mapping[str, str], known: Mapping[str, str]
) -> bool:
    """Tell whether the marks that an answer carries are those of now.

    Of an answer that principals share the one that it was given to is not yet `known`.
    """
    others = tuple(carried.keys() - known.keys())
    now = {**known, **(store.get_dict(*others) if others else {})}
    return all(now[key] == value for key, value in carried.items())


def change(store: CacheStore, key: str) -> None:
    """Let nothing be found any more that carries this mark."""
    store.set(key, random_base62(_CHARACTERS), _KEPT_SECONDS)
