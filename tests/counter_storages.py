"""Every storage that counts sliding windows, on the clock of a test."""

from fakes import FakeClock

from flaskllm.core.windows import Windows
from flaskllm.storage.counters import SqlCounters
from flaskllm.storage.database import Database


def sql_counters(database: Database, clock: FakeClock) -> tuple[SqlCounters, Windows]:
    """Return counters in a database, and the memory that mirrors them."""
    mirror = Windows(clock=clock)
    return SqlCounters(database, clock, mirror), mirror
