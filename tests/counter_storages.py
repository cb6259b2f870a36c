"""Every storage that counts sliding windows, on the clock of a test."""

from fakes import FakeClock
from redis_server import patient_store

from flaskllm.core.windows import Windows
from flaskllm.storage.counters import SqlCounters
from flaskllm.storage.database import Database
from flaskllm.storage.redis_counters import RedisCounters


def sql_counters(database: Database, clock: FakeClock) -> tuple[SqlCounters, Windows]:
    """Return counters in a database, and the memory that mirrors them."""
    mirror = Windows(clock=clock)
    return SqlCounters(database, clock, mirror), mirror


def redis_counters(url: str, clock: FakeClock) -> tuple[RedisCounters, Windows]:
    """Return counters in Redis, and the memory that mirrors them."""
    mirror = Windows(clock=clock)
    store = patient_store(url)
    return RedisCounters(store, clock, mirror), mirror
