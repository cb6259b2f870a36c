"""Every storage that counts sliding windows, on the clock of a test."""

from fakes import FakeClock

from flaskllm.core.clock import SystemClock
from flaskllm.core.metrics import Metrics
from flaskllm.core.windows import Windows
from flaskllm.storage.counters import SqlCounters
from flaskllm.storage.database import Database
from flaskllm.storage.redis_counters import RedisCounters
from flaskllm.storage.redis_store import RedisStore


def sql_counters(database: Database, clock: FakeClock) -> tuple[SqlCounters, Windows]:
    """Return counters in a database, and the memory that mirrors them."""
    mirror = Windows(clock=clock)
    return SqlCounters(database, clock, mirror), mirror


def redis_counters(url: str, clock: FakeClock) -> tuple[RedisCounters, Windows]:
    """Return counters in Redis, and the memory that mirrors them."""
    mirror = Windows(clock=clock)
    store = RedisStore(url, SystemClock(), Metrics().stores)
    return RedisCounters(store, clock, mirror), mirror
