"""What a caller wants of the cache, and what it is told of it.

A request says so in the header `Cache-Control` (RFC 9111, section 5.2.1): `no-store`
to have nothing kept, `no-cache` for an answer of its own; or by `cache: false` in its
body, which is as `no-store`. `sensitive: true` says so too.
"""

from collections.abc import Sequence
from typing import Any, Final

from flask import g, request

from flaskllm.core.errors import InvalidInputError
from flaskllm.llm.cached import USUAL, CacheNote, CacheWish

HEADER: Final = "X-Flaskllm-Cache"
CACHE: Final = "cache"
SENSITIVE: Final = "sensitive"

_HIT: Final = frozenset({"hit", "joined"})
_NOT_KEPT: Final = CacheWish(reads=False, stores=False)
_FRESH: Final = CacheWish(reads=False)


def take_wishes(fields: dict[str, Any]) -> CacheWish:
    """Take out of a body what it says about the cache, and return it.

    An object under that name is the upstream's own, and is left where it is.

    Raises:
        InvalidInputError: It says neither true nor false: passed on, it would have
            kept what was to be kept nowhere.
    """
    said = {
        name: _told(name, fields.pop(name))
        for name in (CACHE, SENSITIVE)
        if name in fields and not isinstance(fields[name], dict)
    }
    return CacheWish.of(said.get(CACHE), said.get(SENSITIVE))


def _told(name: str, value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise InvalidInputError.of(name, "is neither true nor false", "true or false")


def heed(wish: CacheWish) -> None:
    """Let every question of this request heed what its body says."""
    g.cache_wish = wish


def wish_here() -> CacheWish:
    """Return what the header and the body of this request say."""
    wish: CacheWish = g.get("cache_wish", USUAL)
    directives = request.cache_control
    if "no-store" in directives:
        return wish.also(_NOT_KEPT)
    return wish.also(_FRESH) if "no-cache" in directives else wish


def cache_headers(notes: Sequence[CacheNote]) -> dict[str, str]:
    """Return the headers that tell what became of all questions of one request.

    `hit` only where no upstream was asked; `Age` is that of the oldest answer, and not
    there where an error was shared.
    """
    if not notes:
        return {}
    outcomes = {note.outcome for note in notes}
    if outcomes <= _HIT:
        ages = [note.source.age_seconds for note in notes if note.source is not None]
        return {HEADER: "hit"} | ({"Age": str(int(max(ages)))} if ages else {})
    return {HEADER: "bypass" if outcomes == {"bypass"} else "miss"}
