"""Whatever is asked for, only what is expected stays, and it goes when it is old.

A real server is asked for all kinds of things, then its house is kept by somebody
whose clock is far ahead, then it is asked again: the file has room for that.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from fakes import FakeClock
from growth_scene import (
    KINDS,
    SETTINGS,
    Callers,
    ask_file,
    memory_bytes,
    open_files,
    rows_of,
    scripted,
    wait_until,
)
from rounds import rounds

from flaskllm.core.config import load
from flaskllm.core.log_sinks import ROTATE_AT_BYTES, ROTATED_FILES
from flaskllm.wiring import build_services

pytestmark = pytest.mark.timeout(rounds(300, 3600))

# A whole number of pairs of keys.
REQUESTS = rounds(300, 100_000)
WARM = rounds(100, 10_000)
OPEN_JOBS = "SELECT count(*) FROM jobs WHERE state IN ('queued', 'working')"
PAGES = "PRAGMA page_count"
STAYS = {"api_tokens": 1, "marks": 1, "alembic_version": 1}
# What was begun in another process may end after it was counted.
MORE_FILES = 40
MORE_MEMORY_BYTES = 96 * 1024 * 1024


@pytest.fixture
def gateway(house, upstream):
    """A server with a worker beside it, asked by nobody yet."""
    scripted(upstream)
    house.write_settings(
        SETTINGS.format(url=upstream.url, log=house.folder / "gateway.log")
    )
    house.accept_jobs(worker=True)
    token = house.make_token("--scope=chat", "--scope=webhook")
    server, url = house.serve()
    return server, Callers(url, token)


def keep_house_in(house, days):
    """Do all duties as if it were so many days later, until nothing is left."""
    later = FakeClock(datetime.now(UTC) + timedelta(days=days))
    services = build_services(load(house.environ, house.folder), later)
    try:
        while any(services.housekeeping.run_due().values()):
            later.advance(3601)
    finally:
        services.workflows.close()
        services.database.close()


def expected_rows(asked: Counter) -> dict[str, int]:
    """Return how many rows these requests leave, where that is known exactly."""
    new_keys = asked["idempotent"] // 2
    attempts = new_keys + sum(
        asked[kind] for kind in ("job", "digest", "stream", "error", "stored", "chat")
    )
    return STAYS | {
        "usage": attempts,
        "ledger": 2 * attempts,
        "reservations": 0,
        "responses": asked["stored"],
        "idempotency": new_keys,
        "jobs": asked["job"],
        "documents": asked["job"],
        "workflow_status": asked["job"],
        "audit": 1,
        "deliveries": 0,
        "delivery_attempts": 0,
        "endpoints": 0,
        "digest_threads": 0,
        "budgets": 0,
        "overrides": 0,
    }


def settle(house):
    """Return once all jobs have ended and all that was spent is written."""
    store = house.data / "flaskllm.db"
    wait_until(lambda: not ask_file(store, OPEN_JOBS), rounds(120, 1800))
    wait_until(lambda: not rows_of(store)["reservations"], 30)


def test_only_what_is_expected_stays_and_goes_when_it_is_old(
    house, gateway, record_property
):
    server, callers = gateway
    store = house.data / "flaskllm.db"
    callers.ask(range(WARM))
    settle(house)
    processes = everybody(server)
    files, memory = open_files(processes), memory_bytes(processes)

    callers.ask(range(WARM, REQUESTS))
    settle(house)

    more_files = open_files(processes) - files
    more_memory = memory_bytes(processes) - memory
    asked = Counter(KINDS[number % len(KINDS)] for number in range(REQUESTS))
    rows, size = rows_of(store), ask_file(store, PAGES)
    logs = [each.stat().st_size for each in house.folder.glob("gateway.log*")]
    record_property("figure", f"{REQUESTS} requests: {dict(callers.told)}")
    record_property("figure", f"{more_files} files, {more_memory >> 20} MiB more")
    record_property("figure", f"store {size * 4} KiB, logs {sum(logs) >> 10} KiB")
    assert callers.told == {
        (kind, STATUS.get(kind, 200)): count for kind, count in asked.items()
    }
    expected = expected_rows(asked)
    assert {name: rows[name] for name in expected} == expected
    assert more_files <= MORE_FILES
    assert more_memory <= MORE_MEMORY_BYTES
    assert 0 < sum(logs) <= (ROTATED_FILES + 1) * ROTATE_AT_BYTES

    keep_house_in(house, 4000)

    left = {name: count for name, count in rows_of(store).items() if count}
    record_property("figure", f"left: {left}")
    assert set(left) <= set(STAYS) | SMALL
    assert {name: left[name] for name in STAYS} == STAYS

    callers.ask(range(REQUESTS, REQUESTS + REQUESTS // 2))
    settle(house)
    grown = ask_file(store, PAGES) / size
    record_property("figure", f"asked for half as much again: {grown:.2f} of the size")
    assert grown <= 1.1


STATUS = {"job": 202, "error": 400, "bad_token": 401, "not_found": 404}
# One row for each duty, process, queue, counter and zone of the house.
SMALL = {
    "application_versions",
    "changes",
    "counters",
    "dbos_migrations",
    "leases",
    "queues",
    "upstream_counts",
    "usage_zones",
    "workers",
}


def everybody(server):
    """Return the ids of the server's processes, its workers' too."""
    found, new = set(), [server.process.pid]
    while new:
        pid = new.pop()
        found.add(pid)
        told = f"/proc/{pid}/task/{pid}/children"
        with open(told) as file:
            new += [int(child) for child in file.read().split()]
    return found
