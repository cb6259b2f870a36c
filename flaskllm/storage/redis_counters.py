"""Limits counted in Redis: for all the processes, and hosts, that share it.

A storage of `limits` with one hash for each key, of the numbers of `core.sliding`
and by its rules, which a script holds as well: a count is one step that nobody
comes between. The time is that of the host that counts.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from flaskllm.core.clock import Clock
from flaskllm.core.sliding import Window
from flaskllm.core.windows import Windows
from flaskllm.storage.redis_store import PREFIX, RedisStore, key_of
from flaskllm.storage.sliding_windows import SlidingWindows

if TYPE_CHECKING:
    from redis import Redis

# As `core.sliding.Window` has it: `moved_to`, `has_room`, `plus` and `less`. The
# amount of a hit must fit under the limit; a correction has a limit of -1.
_COUNT = """
local seconds, now = tonumber(ARGV[1]), tonumber(ARGV[2])
local amount, limit = tonumber(ARGV[3]), tonumber(ARGV[4])
local counted_at = tonumber(ARGV[5])
local start = math.floor(now / seconds) * seconds
local held = redis.call('HMGET', KEYS[1], 'started_at', 'present', 'previous')
local started = tonumber(held[1] or start)
local present, previous = tonumber(held[2] or 0), tonumber(held[3] or 0)
local ahead = started - start
if ahead > seconds then
  started = start
elseif ahead == -seconds then
  started, present, previous = start, 0, present
elseif ahead < 0 then
  started, present, previous = start, 0, 0
end
local has_room = 1
if limit >= 0 then
  local left = math.min(seconds, started + seconds - now)
  if math.floor(present + previous * left / seconds) + amount > limit then
    has_room = 0
  else
    present = present + amount
  end
elseif amount >= 0 then
  present = present + amount
else
  local behind = started - math.floor(counted_at / seconds) * seconds
  if behind <= 0 then
    present = math.max(0, present + amount)
  elseif behind == seconds then
    previous = math.max(0, previous + amount)
  end
end
redis.call('HSET', KEYS[1],
  'started_at', started, 'present', present, 'previous', previous)
redis.call('EXPIRE', KEYS[1], 2 * seconds)
return {has_room, started, present, previous}
"""
_ANY = -1
_FIELDS = ["started_at", "present", "previous"]
_SOME = 500


class RedisCounters(SlidingWindows):
    """Sliding windows in Redis, which forgets them by itself when they are over."""

    def __init__(self, store: RedisStore, clock: Clock, mirror: Windows) -> None:
        """Keep the collaborators; nothing is opened."""
        super().__init__(clock, mirror)
        self._store = store

    def acquire_sliding_window_entry(
        self, key: str, limit: int, expiry: int, amount: int = 1
    ) -> bool:
        """Count `amount` if `limit` in a window of `expiry` seconds has room for it.

        Raises:
            ServiceUnavailable: Redis does not work; it may have been counted.
        """
        if amount > limit:
            return False
        return self._count(key, expiry, amount, limit, self._now())

    def correct(self, key: str, expiry: int, amount: int, counted_at: float) -> None:
        """Count `amount` more, whatever the limit; less where it is negative.

        What is less is taken from the window in which `counted_at` lies.

        Raises:
            ServiceUnavailable: Redis does not work; it may have been counted.
        """
        self._count(key, expiry, amount, _ANY, counted_at)

    def get(self, key: str) -> int:
        """Return the count of the window that was seen last."""
        window = self._find(key)
        return window.present if window else 0

    def get_expiry(self, key: str) -> float:
        """Return when the key is forgotten, now if there is none."""
        left = self._store.run(lambda client: client.pttl(_place(key)))
        return self._now() + max(0, cast(int, left)) / 1000

    def reset(self) -> int:
        """Forget everything, and return how many keys there were."""
        return self._store.run(_forget_all)

    def forget_expired(self) -> int:
        """Remove nothing: Redis does that by itself."""
        return 0

    def _count(
        self, key: str, seconds: int, amount: int, limit: int, counted_at: float
    ) -> bool:
        numbers = (seconds, repr(self._now()), amount, limit, repr(counted_at))

        def count(client: "Redis") -> Any:
            return client.register_script(_COUNT)([_place(key)], numbers)

        has_room, *window = self._store.run(count)
        self._mirror.put(key, seconds, Window(*window))
        return bool(has_room)

    def _find(self, key: str) -> Window | None:
        found = self._store.run(lambda client: client.hmget(_place(key), _FIELDS))
        numbers = cast(Sequence[bytes | None], found)
        if None in numbers:
            return None
        return Window(*(int(each) for each in numbers if each is not None))

    def _check(self) -> None:
        self._store.check()

    def _forget(self, key: str) -> None:
        self._store.run(lambda client: client.delete(_place(key)))


def _place(key: str) -> str:
    return key_of("limits", key)


def _forget_all(client: "Redis") -> int:
    keys = list(client.scan_iter(match=f"{PREFIX}:limits:*", count=_SOME))
    return cast(int, client.delete(*keys)) if keys else 0
