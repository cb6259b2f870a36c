"""PostgreSQL that is stopped, silent, cut off or locked, under a real gateway."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from away_scene import READY, Away, Told, away_scene, is_whole
from postgres_server import PostgresServer, running_postgres

CALLERS = 50
AT_ONCE_SECONDS = 2.0
# A server that says nothing is waited for, by those who came first: two seconds for
# an answer, or to connect; and a second may pass before somebody tries.
FIRST_SECONDS = 4.5
JOBS = "SELECT count(*) FROM jobs"
USAGE = "SELECT count(*) FROM usage"
# As it is sent; others commit as well, so something of the transaction goes before.
COMMIT = b"COMMIT\0"
END_SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE application_name = 'flaskllm'"
)


@pytest.fixture(scope="module")
def away(tmp_path_factory) -> Iterator[Away]:
    """One gateway that goes through all of it, and is never started again."""
    folder = tmp_path_factory.mktemp("away")
    with (
        running_postgres() as server,
        away_scene(folder, server, "?options=-c%20lock_timeout%3D1s") as scene,
    ):
        (worker,) = scene.started.workers()
        yield scene
        assert scene.started.workers() == [worker]
        assert "Traceback" not in scene.started.stderr


@contextmanager
def stopped(away: Away) -> Iterator[None]:
    away.server.stop("QUIT")
    try:
        yield
    finally:
        away.server.start()


@contextmanager
def suspended(away: Away) -> Iterator[None]:
    with away.server.suspended():
        yield


@contextmanager
def unreachable(away: Away) -> Iterator[None]:
    away.chaos.refuse()
    try:
        yield
    finally:
        away.chaos.heal()


@contextmanager
def swallowed(away: Away) -> Iterator[None]:
    away.chaos.hang()
    try:
        yield
    finally:
        away.chaos.heal()


@pytest.mark.parametrize(
    ("how", "first_seconds"),
    [
        (stopped, AT_ONCE_SECONDS),
        (suspended, FIRST_SECONDS),
        (unreachable, AT_ONCE_SECONDS),
        (swallowed, FIRST_SECONDS),
    ],
)
def test_while_it_is_away_nobody_waits_and_afterwards_nothing_is_missing(
    away: Away,
    how: Callable[[Away], AbstractContextManager[None]],
    first_seconds: float,
    record_property,
):
    jobs = away.query(JOBS)
    with away.stream_under_way() as streamed, how(away):
        first = away.at_once(CALLERS, away.ask)
        then = away.at_once(CALLERS, away.ask)
        accepted = away.at_once(
            5, lambda number: away.accept(f"{how.__name__}{number}")
        )
        admin = away.at_once(5, lambda _: away.get("/api/v1/tokens"))
        alive, metrics = away.get("/health"), away.get("/metrics")
        ready = away.wait_until_not_ready()
    back_seconds = away.wait_until_back()

    figure = f"{how.__name__}: the 1st of {CALLERS} told after {first[0].seconds:.2f} s"
    last = f"the last after {first[-1].seconds:.2f} s, later {then[-1].seconds:.2f} s"
    record_property("figure", f"{figure}, {last}; back after {back_seconds:.1f} s")
    refused = [*first, *then, *accepted, *admin]
    assert [each for each in refused if not each.is_typed_refusal] == []
    assert first[-1].seconds < first_seconds
    # One of them may be the one who tries whether it is back.
    assert then[-2].seconds < AT_ONCE_SECONDS
    assert (alive.status, metrics.status) == (200, 200)
    assert (ready.status, '"not_ready"' in ready.body) == (503, True)
    assert is_whole(streamed[0])
    assert away.query(JOBS) == jobs
    away.books_are_closed()
    assert away.query(USAGE) == asked_of_model(away)


def asked_of_model(away: Away) -> int:
    """Return how often the model answered: each has one row, and no other is there."""
    return sum(request.method == "POST" for request in away.upstream.requests)


def test_sessions_that_are_killed_all_the_time_lose_and_double_nothing(
    away: Away, record_property
):
    told: list[Told] = []
    with away.stream_under_way() as streamed, killing_sessions(away.server):
        for number in range(12):
            told += away.at_once(4, away.ask)
            told.append(away.accept(f"killed{number}"))

    away.wait_until_back()

    refused = [each for each in told if each.status > 202]
    record_property("figure", f"{len(told) - len(refused)} of {len(told)} answered")
    assert [each for each in refused if not each.is_typed_refusal] == []
    assert len(refused) < len(told) / 2  # of a few a connection is lost twice
    assert is_whole(streamed[0])
    away.books_are_closed()
    assert away.query(USAGE) == asked_of_model(away)


@contextmanager
def killing_sessions(server: PostgresServer) -> Iterator[None]:
    """Kill all sessions of the gateway ten times a second meanwhile."""
    is_over = threading.Event()

    def kill() -> None:
        with server.connect() as connection:
            while not is_over.wait(0.1):
                connection.execute(END_SESSIONS)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        is_over.set()
        killer.join()


@pytest.mark.parametrize(
    ("table", "statuses"), [("idempotency", [202, 202]), ("jobs", [503, 202])]
)
def test_a_commit_whose_answer_is_lost_is_found_by_its_key(
    away: Away, table: str, statuses: list[int]
):
    jobs = away.query(JOBS)
    away.chaos.cut_after(f"INSERT INTO {table} ".encode(), COMMIT)

    answers = [away.accept(f"lost {table}") for _ in statuses]

    assert [each.status for each in answers] == statuses
    assert away.query(JOBS) == jobs + 1


def test_a_reservation_whose_commit_is_not_answered_is_given_back(away: Away):
    for _ in range(2):
        away.chaos.cut_after(b"INSERT INTO reservations ", COMMIT)
        assert away.ask().is_typed_refusal

    away.wait_until_back()
    away.books_are_closed()
    assert away.query(USAGE) == asked_of_model(away)


def test_what_is_cut_before_its_commit_is_done_again_at_once(away: Away):
    jobs = away.query(JOBS)
    for table, what in (
        ("idempotency", lambda: away.accept("cut")),
        ("jobs", lambda: away.accept("cut later")),
        ("reservations", away.ask),
    ):
        away.chaos.cut_after(f"INSERT INTO {table} ".encode())
        assert what().status in (200, 202)

    assert away.query(JOBS) == jobs + 2
    away.books_are_closed()
    assert away.query(USAGE) == asked_of_model(away)


@pytest.mark.parametrize(
    ("table", "what"),
    [
        ("ledger", lambda away, _: away.ask()),
        ("jobs", lambda away, number: away.accept(f"locked{number}")),
    ],
)
def test_a_locked_table_is_told_and_takes_nothing_else_with_it(
    away: Away, table: str, what: Callable[[Away, int], Told]
):
    with away.server.connect("store") as other, other.transaction():
        other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        told = away.at_once(12, lambda number: what(away, number))
        others = [away.get("/api/v1/tokens"), away.get(READY)]

    assert [each for each in told if not each.is_typed_refusal] == []
    assert told[-1].seconds < 5
    assert {each.status for each in others} == {200}
    away.wait_until_back()
    assert what(away, 12).status in (200, 202)
    away.books_are_closed()
