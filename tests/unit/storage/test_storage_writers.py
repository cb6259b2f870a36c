"""Writers of one SQLite file let other processes have their turn."""

import sqlite3

import pytest
from fakes import FakeClock

from flaskllm.storage.writers import WriterLine, begin_writing


class Moving(FakeClock):
    """A clock that does something whenever somebody sleeps on it."""

    def __init__(self, on_sleep=lambda: None):
        super().__init__()
        self._on_sleep = on_sleep

    def sleep(self, seconds):
        super().sleep(seconds)
        self._on_sleep()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.db"


@pytest.fixture
def connect(path):
    """Connect to the file as our store does, with any wait for locks."""
    opened = []

    def connect_it(busy_timeout_ms):
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute(f"PRAGMA busy_timeout = {busy_timeout_ms}")
        opened.append(connection)
        return connection

    yield connect_it
    for connection in opened:
        connection.close()


class TestStandingBack:
    def test_who_is_stopped_while_it_stands_back_holds_nobody_up(self):
        """As by Ctrl-C, or by a host that ends a request."""

        def stop():
            raise KeyboardInterrupt

        clock = Moving(stop)
        line = WriterLine(clock, 0.01)

        def write():
            for _ in range(100):
                with line:
                    clock.advance(0.001)

        with pytest.raises(KeyboardInterrupt):
            write()
        clock.advance(1)
        with line:
            pass

    @pytest.mark.parametrize(
        ("gap_seconds", "pauses"), [(0.0005, True), (0.004, False)]
    )
    def test_who_writes_without_a_gap_stands_back_for_others(self, gap_seconds, pauses):
        clock = FakeClock()
        line = WriterLine(clock, 60)

        for _ in range(100):
            with line:
                clock.advance(0.001)
            clock.advance(gap_seconds)

        assert bool(clock.slept) is pauses
        # A process that only now and then stands back still does most of its work.
        assert sum(clock.slept) <= 0.15 * 100 * (0.001 + gap_seconds)


class TestBeginning:
    def test_it_has_the_lock_and_others_read_on(self, connect):
        connect(0).execute("CREATE TABLE t (x)")
        writer, other = connect(0), connect(0)

        begin_writing(writer, FakeClock())

        assert other.execute("SELECT count(*) FROM t").fetchone() == (0,)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")

    def test_who_finds_the_lock_taken_looks_often(self, connect):
        holder, writer = connect(0), connect(5000)
        holder.execute("BEGIN IMMEDIATE")
        clock = Moving(lambda: len(clock.slept) == 20 and holder.execute("COMMIT"))

        begin_writing(writer, clock)

        assert len(clock.slept) == 20
        assert max(clock.slept) < 0.003  # as long as a process stands back
        assert writer.in_transaction

    def test_who_waits_as_long_as_for_any_lock_is_told(self, connect):
        holder, writer, clock = connect(0), connect(5000), FakeClock()
        holder.execute("BEGIN IMMEDIATE")

        with pytest.raises(sqlite3.OperationalError, match="locked"):
            begin_writing(writer, clock)

        assert 5 <= sum(clock.slept) < 5.1

    def test_another_error_is_not_waited_for(self, connect):
        writer, clock = connect(5000), FakeClock()
        writer.execute("BEGIN")

        with pytest.raises(sqlite3.OperationalError, match="within a transaction"):
            begin_writing(writer, clock)

        assert clock.slept == []

    @pytest.mark.parametrize("is_taken", [False, True])
    def test_other_statements_wait_for_locks_as_before(self, connect, is_taken):
        writer = connect(5000)
        if is_taken:
            connect(0).execute("BEGIN IMMEDIATE")
            with pytest.raises(sqlite3.OperationalError):
                begin_writing(writer, FakeClock())
        else:
            begin_writing(writer, FakeClock())

        assert writer.execute("PRAGMA busy_timeout").fetchone() == (5000,)
