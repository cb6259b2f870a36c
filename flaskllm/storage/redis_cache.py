"""The cache in Redis: a back end of cachelib, for all that share it.

Values lie sealed, each bound to its key. Redis forgets them by itself, also before
their time where its memory is full: what is not there is asked for again.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from cachelib import BaseCache

from flaskllm.core.errors import ServiceUnavailable
from flaskllm.storage.columns import Sealer
from flaskllm.storage.redis_store import RedisStore, key_of

if TYPE_CHECKING:
    from redis import Redis

_SOME = 500
# One after the other, so that nobody comes between: what this holder has, and no more.
_RENEW = """
for place, holder in ipairs(ARGV) do
  if place > 1 and redis.call('GET', KEYS[place - 1]) == holder then
    redis.call('PEXPIRE', KEYS[place - 1], ARGV[1])
  end
end
"""
# Whoever is behind learns in the same moment behind whom.
_CLAIM = """
local held = redis.call('GET', KEYS[1])
if held then return held end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
"""
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""


class RedisCache(BaseCache):
    """Keeps texts in Redis, and claims beside them.

    Each method raises ServiceUnavailable where Redis does not work.
    """

    is_shared = True

    def __init__(self, store: RedisStore, sealer: Sealer) -> None:
        """Keep the collaborators; nothing is opened."""
        super().__init__()
        self._store = store
        self._sealer = sealer

    def get(self, key: str) -> str | None:
        """Return the text of this key; None where there is none."""
        return self.get_dict(key)[key]

    def get_dict(self, *keys: str) -> dict[str, str | None]:
        """Return the texts of these keys; None where there is none."""
        places = [_place(key) for key in keys]
        found = self._store.run(lambda client: client.mget(places))
        values = cast(list[bytes | None], found)
        return {
            key: self._open(key, value) for key, value in zip(keys, values, strict=True)
        }

    def set(
        self, key: str, value: str, timeout: int | timedelta | None = None
    ) -> bool | None:
        """Keep a text for so many seconds."""
        self._put(key, value, timeout)
        return True

    def add(self, key: str, value: str, timeout: int | timedelta | None = None) -> bool:
        """Keep it unless there is one; tell whether it was kept."""
        return self._put(key, value, timeout, only_if_free=True)

    def has(self, key: str) -> bool:
        """Tell whether there is a text."""
        return bool(self._store.run(lambda client: client.exists(_place(key))))

    def delete(self, key: str) -> bool:
        """Forget one; tell whether it was there."""
        return bool(self._store.run(lambda client: client.delete(_place(key))))

    def clear(self) -> bool:
        """Forget everything."""
        self._forget_all("*")
        return True

    def forget(self, owner: str) -> int:
        """Forget all of one owner, some at a time; return how many."""
        return self._forget_all(f"{owner}/*")

    def trim(self) -> int:
        """Remove nothing: Redis does that by itself."""
        return 0

    def claim(self, key: str, holder: str, seconds: float) -> str:
        """Take a place for so long unless somebody has it; return who has it then."""
        told: list[str | int] = [holder, round(seconds * 1000)]
        held = self._store.run(
            lambda client: client.register_script(_CLAIM)([_claim(key)], told)
        )
        return cast(bytes, held).decode("ascii")

    def held_by(self, key: str) -> str | None:
        """Return who has the place now."""
        found = self._store.run(lambda client: client.get(_claim(key)))
        return None if found is None else cast(bytes, found).decode("ascii")

    def renew(self, places: Mapping[str, str], seconds: float) -> None:
        """Lengthen the claims of these holders, by their keys, as far as they hold."""
        keys = [_claim(key) for key in places]
        told: list[str | int] = [round(seconds * 1000), *places.values()]
        self._store.run(lambda client: client.register_script(_RENEW)(keys, told))

    def release(self, key: str, holder: str) -> None:
        """Free the place if this holder still has it."""
        keys = [_claim(key)]
        self._store.run(lambda client: client.register_script(_RELEASE)(keys, [holder]))

    def _put(
        self,
        key: str,
        value: str,
        timeout: int | timedelta | None,
        *,
        only_if_free: bool = False,
    ) -> bool:
        sealed = self._sealer.seal(value.encode("utf-8"), f"cache:{key}")
        seconds = self._normalize_timeout(timeout)

        def put(client: "Redis") -> Any:
            return client.set(_place(key), sealed, nx=only_if_free, ex=seconds)

        return bool(self._store.run(put))

    def _forget_all(self, match: str) -> int:
        """Look through all keys, some at a time: each time is one operation."""
        cursor, count = 0, 0
        while True:

            def some(client: "Redis", after: int = cursor) -> tuple[int, int]:
                pattern = key_of("cache", match)
                following, keys = cast(
                    tuple[int, list[bytes]],
                    client.scan(after, match=pattern, count=_SOME),
                )
                gone = cast(int, client.delete(*keys)) if keys else 0
                return int(following), gone

            cursor, gone = self._store.run(some)
            count += gone
            if not cursor:
                return count

    def _open(self, key: str, sealed: bytes | None) -> str | None:
        if sealed is None:
            return None
        try:
            return self._sealer.open(sealed, f"cache:{key}").decode("utf-8")
        except ServiceUnavailable:  # sealed under another master secret
            return None


def _place(key: str) -> str:
    return key_of("cache", key)


def _claim(key: str) -> str:
    return key_of("flights", key)
