"""How the Redis that we use is doing, and what about it may surprise."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, get_args

from flaskllm.core.clock import Clock
from flaskllm.storage.redis_store import PREFIX, Purpose, RedisStore

if TYPE_CHECKING:
    from redis import Redis

OTHER: Final = "other"
"""Keys that are not ours."""

_PINGS = 50
_MOST_KEYS = 100_000
_KEYS_AT_ONCE = 1000
# Every attempt and every request may wait for it once or twice.
_SLOW_MS = 20.0
_OLDEST = (6, 2)
# Counts end within minutes, and answers after hours.
_BLIND = frozenset({"volatile-ttl", "volatile-random"})
_BETTER = "volatile-lru evicts what was not used for longest, which is seldom a count."


@dataclass(frozen=True, slots=True)
class RedisReport:
    """What a Redis tells of itself; memory in bytes, latency in milliseconds.

    Attributes:
        memory_most: Beyond it keys are evicted, or writes refused; None is unbounded.
        policy: What is evicted then, `noeviction` for nothing.
        evicted: Keys that were evicted since it started.
        hits: Reads that found their key since it started, of all its users.
        misses: Reads that did not.
        keys: How many lie there, by purpose.
        keys_are_all: Whether all were counted; beyond 100,000 the rest is not.
        latency_ms: Of an operation in the middle.
        latency_most_ms: Of the slowest of fifty.
    """

    version: str
    role: str
    uptime_seconds: int
    clients: int
    memory: int
    memory_most: int | None
    policy: str
    evicted: int
    hits: int
    misses: int
    keys: Mapping[str, int]
    keys_are_all: bool
    latency_ms: float
    latency_most_ms: float

    @property
    def hit_ratio(self) -> float | None:
        """Return which part of the reads found something; None before any."""
        reads = self.hits + self.misses
        return self.hits / reads if reads else None

    def findings(self) -> tuple[str, ...]:
        """Return what the operator should know, in sentences."""
        return tuple(say(self) for is_so, say in _FINDINGS if is_so(self))


def report_on(store: RedisStore, clock: Clock) -> RedisReport:
    """Return how it is doing; nothing is changed.

    Raises:
        ServiceUnavailable: It does not work; the details say why.
    """
    told = store.run(_info)
    latencies = sorted(_latency_ms(store, clock) for _ in range(_PINGS))
    keys, keys_are_all = _count_keys(store)
    return RedisReport(
        version=str(told["redis_version"]),
        role=str(told["role"]),
        uptime_seconds=int(told["uptime_in_seconds"]),
        clients=int(told["connected_clients"]),
        memory=int(told["used_memory"]),
        memory_most=int(told["maxmemory"]) or None,
        policy=str(told["maxmemory_policy"]),
        evicted=int(told["evicted_keys"]),
        hits=int(told["keyspace_hits"]),
        misses=int(told["keyspace_misses"]),
        keys=keys,
        keys_are_all=keys_are_all,
        latency_ms=latencies[_PINGS // 2],
        latency_most_ms=latencies[-1],
    )


def _info(client: "Redis") -> Any:
    return client.info()


def _latency_ms(store: RedisStore, clock: Clock) -> float:
    started = clock.monotonic()
    store.check()
    return (clock.monotonic() - started) * 1000


def _count_keys(store: RedisStore) -> tuple[dict[str, int], bool]:
    """Return how many keys lie there by purpose, and whether that is all of them."""
    counts: Counter[str] = Counter(dict.fromkeys((*get_args(Purpose), OTHER), 0))
    cursor, seen = 0, 0
    while seen < _MOST_KEYS:
        cursor, keys = store.run(_scan_from(cursor))
        counts.update(map(_purpose_of, keys))
        seen += len(keys)
        if cursor == 0:
            return dict(counts), True
    return dict(counts), False


def _scan_from(cursor: int) -> Callable[["Redis"], tuple[int, list[bytes]]]:
    def scan(client: "Redis") -> Any:
        return client.scan(cursor, count=_KEYS_AT_ONCE)

    return scan


def _purpose_of(key: bytes) -> str:
    prefix, _, rest = key.decode(errors="replace").partition(":")
    purpose = rest.partition(":")[0]
    is_ours = prefix == PREFIX and purpose in get_args(Purpose)
    return purpose if is_ours else OTHER


def _is_old(report: RedisReport) -> bool:
    numbers = report.version.split(".")[:2]
    return tuple(int(each) for each in numbers if each.isdecimal()) < _OLDEST


_Finding = tuple[Callable[[RedisReport], bool], Callable[[RedisReport], str]]
_FINDINGS: tuple[_Finding, ...] = (
    (
        _is_old,
        lambda report: f"{report.version} is older than 6.2, with which it is tried.",
    ),
    (
        lambda report: report.role != "master",
        lambda report: (
            f"It is a {report.role}: it takes no writes, and is left unused."
        ),
    ),
    (
        lambda report: report.memory_most is None,
        lambda report: (
            "maxmemory is not set: it grows until its machine has no memory left."
        ),
    ),
    (
        lambda report: report.policy == "noeviction" and report.memory_most is not None,
        lambda report: (
            "maxmemory-policy is noeviction: when it is full it takes no writes, and "
            f"every process counts by itself. {_BETTER}"
        ),
    ),
    (
        lambda report: (
            report.memory_most is not None and report.policy.startswith("allkeys-")
        ),
        lambda report: (
            f"maxmemory-policy is {report.policy}: when it is full any key may go, "
            f"whoever's it is, and counts of limits among them. {_BETTER}"
        ),
    ),
    (
        lambda report: report.memory_most is not None and report.policy in _BLIND,
        lambda report: (
            f"maxmemory-policy is {report.policy}: when it is full counts of limits "
            f"may go before answers. {_BETTER}"
        ),
    ),
    (
        lambda report: report.evicted > 0,
        lambda report: (
            f"{report.evicted} keys were evicted since it started: it has too little "
            "memory, and counts of limits may have gone with them."
        ),
    ),
    (
        lambda report: report.latency_ms > _SLOW_MS,
        lambda report: (
            f"An operation takes {report.latency_ms:.1f} ms: it is too far away to "
            "be asked in every request."
        ),
    ),
)
