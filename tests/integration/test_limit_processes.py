"""Limits that several processes count together, in each kind of database."""

import subprocess
import sys

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
from flaskllm.core.sliding import start_of
from flaskllm.core.windows import Windows
from flaskllm.storage.counters import SqlCounters
from flaskllm.storage.database import Database
clock = SystemClock()
database = Database(sys.argv[1], journal="wal", clock=clock)
counters = SqlCounters(database, clock, Windows(clock=clock))
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
database.close()
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


def test_three_processes_admit_the_limit_and_no_more(
    database_url, make_database, record_property
):
    make_database(database_url).upgrade()

    admitted, refused, failed, windows = hit_together(database_url)

    record_property("figure", f"{admitted} of 1,000 admitted, {failed} failed")
    assert len(windows) == 1, "an hour began while this ran: run it again"
    assert admitted + refused + failed == 1000
    assert admitted == LIMIT if "postgresql" in database_url else admitted <= LIMIT
    assert failed == 0
