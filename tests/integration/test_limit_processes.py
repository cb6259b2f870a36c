"""Limits that several processes count together, in each kind of store."""

import subprocess
import sys

import pytest

TRIES = 333
LIMIT = 100

# An hour, so that the window hardly ever rolls while the test runs; should it have,
# it says so.
HIT = """
import sys
from limits import RateLimitItemPerHour
from limits.strategies import SlidingWindowCounterRateLimiter
from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.core.metrics import Metrics
from flaskllm.core.sliding import start_of
from flaskllm.core.windows import Windows
from flaskllm.storage.counters import SqlCounters
from flaskllm.storage.database import Database
from flaskllm.storage.redis_counters import RedisCounters
from flaskllm.storage.redis_store import RedisStore
clock, url = SystemClock(), sys.argv[1]
if url.startswith("redis"):
    store = RedisStore(url, clock, Metrics().stores, 10.0)
    counters = RedisCounters(store, clock, Windows(clock=clock))
else:
    store = Database(url, journal="wal", clock=clock)
    counters = SqlCounters(store, clock, Windows(clock=clock))
limiter, item = SlidingWindowCounterRateLimiter(counters), RateLimitItemPerHour(100)
counters.check()
print("ready", flush=True)
sys.stdin.readline()
admitted = refused = failed = 0
for _ in range(int(sys.argv[2])):
    try:
        if limiter.hit(item, "principal"):
            admitted += 1
        else:
            refused += 1
    except ServiceUnavailable:
        failed += 1
print(admitted, refused, failed, start_of(clock.now().timestamp(), 3600))
store.close()
"""


def start(url, tries):
    command = [sys.executable, "-W", "error", "-c", HIT, url, str(tries)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def hit_together(url):
    """Return how many hits were admitted, refused and failed, and the windows seen."""
    processes = [start(url, TRIES + (number == 0)) for number in range(3)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=100)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    counts = [[int(number) for number in output.split()] for output in outputs]
    admitted, refused, failed, windows = zip(*counts, strict=True)
    return sum(admitted), sum(refused), sum(failed), set(windows)


@pytest.fixture(params=["sqlite", "postgres", "redis"])
def store_url(request, make_database):
    """The address of an empty store of each kind."""
    if request.param == "redis":
        return request.getfixturevalue("redis_url")
    url = request.getfixturevalue(f"{request.param}_database_url")
    make_database(url).upgrade()
    return url


def test_three_processes_admit_the_limit_and_no_more(store_url, record_property):
    admitted, refused, failed, windows = hit_together(store_url)

    record_property("figure", f"{admitted} of 1,000 admitted, {failed} failed")
    assert len(windows) == 1, "an hour began while this ran: run it again"
    assert admitted + refused + failed == 1000
    assert admitted <= LIMIT if "sqlite" in store_url else admitted == LIMIT
    assert failed == 0
