"""Something fails all the time: callers have their answers, and the books are right."""

from collections import Counter
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from chaos_scene import (
    ANSWERED,
    WRONG,
    Callers,
    Chaos,
    PostgresFaults,
    SqliteFaults,
    key_of,
    open_gateway,
    open_world,
)
from fakes import FakeClock
from job_crash_scene import Books, wait_for
from ledger_scene import (
    disagreements,
    open_attempts,
    open_ledger,
    reserved_by_id,
    usage_by_id,
)
from postgres_server import running_postgres
from redis_server import RedisServer, find_redis
from rounds import IS_FULL, rounds
from stores import open_database
from tcp_chaos import tcp_chaos

from flaskllm.storage.usage import ABANDONED

SEED = 8
SECONDS = rounds(8, 600)
EVERY_SECONDS = rounds(1, 10)
SPAN = (5.0, 15.0) if IS_FULL else (0.5, 2.0)  # how long an upstream's mood lasts
LEAST_ANSWERED = 0.995
# Of however few there are: a process that is killed takes along what it was doing.
MOST_UNANSWERED_OF_FEW = 2


@contextmanager
def sqlite(tmp_path):
    """Give a file, where it can be looked at, and its faults."""
    url = f"sqlite:///{tmp_path}/chaos.db"
    yield SqliteFaults(url), url


@contextmanager
def postgres(tmp_path):
    """Give a server behind a proxy, the way past that, and their faults."""
    with running_postgres() as server, tcp_chaos(server.port) as proxy:
        server.run(
            "CREATE DATABASE chaos",
            # Or it forgets what it committed last, when it is stopped at once.
            "ALTER SYSTEM SET synchronous_commit = on",
            "SELECT pg_reload_conf()",
        )
        direct = server.url("chaos")
        behind = direct.replace(f":{server.port}/", f":{proxy.port}/")
        yield PostgresFaults(behind, server, proxy, "chaos"), direct


STORES = (sqlite, postgres) if IS_FULL else (postgres,)


def sweep_all(database):
    """Settle what killed processes have left, as if an hour had passed."""
    clock = FakeClock(datetime.now(UTC) + timedelta(hours=1))
    ledger, swept = open_ledger(database, clock), 0
    while count := ledger.sweep(100):
        swept += count
    return swept


@pytest.mark.timeout(rounds(180, 1500))
@pytest.mark.parametrize("store", STORES, ids=lambda each: each.__name__)
def test_callers_have_their_answers_whatever_fails(
    store, tmp_path, house, record_property
):
    random = Random(SEED)
    with ExitStack() as everything:
        redis = RedisServer(find_redis())
        everything.callback(redis.close)
        world = everything.enter_context(open_world(random, redis, SPAN))
        faults, direct_url = everything.enter_context(store(tmp_path))
        gateway = open_gateway(house, world, faults)
        callers = Callers(gateway.url, world.receiver_url)
        chaos = Chaos(gateway, world, faults, random)
        with callers.calling():
            chaos.play(SECONDS, EVERY_SECONDS)
        database = open_database(direct_url)
        everything.callback(database.close)
        books = Books(database)
        wait_for(books.is_idle, lambda: unended(books, gateway))
        gateway.stop()
        left, swept = len(open_attempts(database)), sweep_all(database)

        record_property("figure", figure(callers, chaos, swept))
        check_answers(callers, gateway)
        check_jobs(callers, books, world)
        check_ledger(database, callers, left, swept)


def unended(books, gateway):
    """Return what is known of the jobs that have not ended."""
    lines = gateway.stderr.splitlines()
    told = [line for key in books.open_keys() for line in lines if key in line]
    return "\n".join([books.summary(), *told[-40:]])


def figure(callers, chaos, swept):
    told = callers.told
    answered = sum(each.verdict == ANSWERED for each in told)
    at_once = sum(each.verdict == ANSWERED and each.tries == 1 for each in told)
    faults = ", ".join(f"{name} {n}" for name, n in sorted(chaos.played.items()))
    return (
        f"seed {SEED}: {len(told)} requests, {answered / len(told):.3%} answered, "
        f"{at_once / len(told):.3%} at the first try; {len(callers.accepted)} jobs; "
        f"{swept} attempts swept; faults of one upstream "
        f"{chaos.world.moody.played.total()}, of the rest: {faults}"
    )


def check_answers(callers, gateway):
    """Nothing is wrong, nearly all is answered, and nothing of ours broke."""
    told = callers.told
    assert [each for each in told if each.verdict == WRONG] == []
    assert tracebacks(gateway) == []
    unanswered = [each for each in told if each.verdict != ANSWERED]
    most = max(MOST_UNANSWERED_OF_FEW, (1 - LEAST_ANSWERED) * len(told))
    assert len(unanswered) <= most, unanswered


def tracebacks(gateway):
    """Return the lines of the log that hold one."""
    return [line for line in gateway.stderr.splitlines() if "Traceback" in line]


def check_jobs(callers, books, world):
    """Every job that was accepted is done, and told once."""
    jobs = books.jobs()
    ids = {key: job_id for key, job_id, _ in jobs}
    assert {state for _, _, state in jobs} <= {"done"}
    assert callers.accepted <= ids.keys()
    assert len(jobs) == len(ids)
    assert world.receiver.effects == Counter(ids.values())


def check_ledger(database, callers, left, swept):
    """All tables agree, nothing stays reserved, and each answer was paid for."""
    assert swept == left
    assert open_attempts(database) == set()
    assert disagreements(database) == []
    assert database.examine().faults == ()
    rows, reserved = usage_by_id(database), reserved_by_id(database)
    assert all(
        row.is_estimated and row.cost_nanos <= reserved[row.id]
        for row in rows.values()
        if row.outcome == ABANDONED and row.cost_nanos is not None
    )
    paid = {r.request_id for r in rows.values() if r.outcome in ("OK", ABANDONED)}
    answered = {
        key_of(each.number)
        for each in callers.told
        if each.verdict == ANSWERED and each.kind != "job"
    }
    assert answered <= paid
