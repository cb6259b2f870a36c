"""The writer: who waits shares a commit, what ended is written soon, none is lost."""

import os
import subprocess
import sys
import threading

import pytest
from fakes import FakeClock
from ledger_scene import reservation, settled
from writer_scene import Store, make_book, told_lines

from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import InternalError, ServiceUnavailable
from flaskllm.services.ledger_writer import DirectWriter, LedgerWriter
from flaskllm.storage.ledger import Admitted, Busy

AT_EXIT = """
from fakes import FakeClock
from ledger_scene import reservation, settled
from writer_scene import Store, make_book
from flaskllm.services import ledger_writer

class Printing(Store):
    def write(self, reservations, closings):
        print(*(each.attempt_id for each in closings))
        return super().write(reservations, closings)

store, clock = Printing(), FakeClock()
writer = ledger_writer.{kind}(lambda: make_book(store, clock), clock)
store.is_down = {is_down}
writer.close(settled(reservation("last"), 1))
store.is_down = False
"""


@pytest.fixture
def store():
    return Store()


@pytest.fixture(params=[LedgerWriter, DirectWriter])
def writer(request, store):
    """A writer with a thread, then one without."""
    return request.param(lambda: make_book(store, FakeClock()), FakeClock())


@pytest.fixture
def threaded(store):
    return LedgerWriter(lambda: make_book(store, SystemClock()), SystemClock())


def closing(name):
    return settled(reservation(name), 1)


def test_a_reservation_is_written_when_the_verdict_is_there(writer, store):
    verdict = writer.reserve(reservation("a"), 5.0)

    assert verdict == Admitted()
    assert store.reserved == ["a"]


def test_each_gets_its_own_verdict(writer, store):
    store.verdicts["b"] = Busy(1)

    verdicts = [writer.reserve(reservation(name), 5.0) for name in "abc"]

    assert verdicts == [Admitted(), Busy(1), Admitted()]


def test_what_ended_is_written_in_the_order_in_which_it_came(writer, store):
    for number in range(1200):
        writer.close(closing(f"{number}"))

    assert writer.flush()
    assert store.closed == [f"{number}" for number in range(1200)]
    assert max(store.sizes) <= 500


def test_a_writer_that_was_never_used_has_nothing_to_flush(writer, store):
    assert writer.flush()
    assert store.sizes == []


def test_a_store_that_is_down_admits_nobody_and_says_when_to_come_back(writer, store):
    store.is_down = True

    with pytest.raises(ServiceUnavailable) as refused:
        writer.reserve(reservation("a"), 5.0)

    assert refused.value.retry_after_seconds == 1.0
    assert refused.value.details == "The store is down."


def test_what_ended_meanwhile_is_written_once_the_store_is_back(writer, store, caplog):
    store.is_down = True
    writer.close(closing("a"))
    assert not writer.flush(0.01)

    store.is_down = False

    assert writer.flush()
    assert store.closed == ["a"]
    lines = told_lines(caplog)
    assert lines == ["ledger_not_writable", "ledger_writable"]


def test_a_fault_of_one_reservation_is_told_to_it_alone(writer, store):
    store.broken.add("bad")

    with pytest.raises(InternalError):
        writer.reserve(reservation("bad"), 5.0)

    assert writer.reserve(reservation("good"), 5.0) == Admitted()


@pytest.mark.parametrize("wrong", [{"1"}, {"250"}, {"500"}, {"3", "4", "401"}])
def test_of_what_ended_only_what_is_wrong_is_lost(store, threaded, caplog, wrong):
    names = [f"{number}" for number in range(1, 501)]
    store.broken |= wrong
    with store.hold():
        for name in names:
            threaded.close(closing(name))

    assert threaded.flush()
    assert store.closed == [name for name in names if name not in wrong]
    assert len(store.sizes) <= 60
    assert told_lines(caplog) == ["usage_not_recorded"] * len(wrong)


def test_those_who_come_while_a_batch_is_written_share_the_next(store, threaded):
    def ask(name):
        verdicts.append(threaded.reserve(reservation(name), 30.0))

    verdicts = []
    threads = [threading.Thread(target=ask, args=(f"{n}",)) for n in range(40)]
    with store.hold() as held:
        threads[0].start()
        held.wait_for_writer()
        for thread in threads[1:]:
            thread.start()
        held.wait_until(lambda: threaded.waiting == 39)

    for thread in threads:
        thread.join()
    assert verdicts == [Admitted()] * 40
    assert store.sizes == [1, 39]


def test_what_ended_rides_along_with_what_begins(store, threaded):
    with store.hold() as held:
        threaded.close(closing("first"))
        held.wait_for_writer()
        threaded.close(closing("ended"))
        asker = threading.Thread(target=threaded.reserve, args=(reservation("b"), 30.0))
        asker.start()
        held.wait_until(lambda: threaded.waiting == 2)

    asker.join()
    assert store.sizes == [1, 2]
    assert store.closed == ["first", "ended"]


def test_one_who_waits_for_too_long_is_refused_and_nothing_is_kept(store, threaded):
    with store.hold() as held:
        threaded.close(closing("first"))
        held.wait_for_writer()
        with pytest.raises(ServiceUnavailable) as refused:
            threaded.reserve(reservation("late"), 0.01)

    assert threaded.flush()
    assert refused.value.retry_after_seconds == 1.0
    assert store.reserved == []


def test_nobody_waits_for_what_ended(store, threaded):
    with store.hold() as held:
        threaded.close(closing("a"))
        held.wait_for_writer()
        threaded.close(closing("b"))

        assert not threaded.flush(0.01)

    assert threaded.flush()
    assert store.closed == ["a", "b"]


@pytest.mark.parametrize(
    ("kind", "is_down"), [("LedgerWriter", False), ("DirectWriter", True)]
)
def test_the_end_of_the_process_writes_what_waits(kind, is_down):
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run(
        [sys.executable, "-c", AT_EXIT.format(kind=kind, is_down=is_down)],
        capture_output=True,
        text=True,
        timeout=60,
        env=environ,
    )

    assert result.stdout.split()[-1] == "last", result.stderr
    assert result.returncode == 0


def test_a_forked_process_has_a_writer_of_its_own(tmp_path, writer, store):
    """What waits in the parent is the parent's to write."""
    assert writer.reserve(reservation("parent"), 5.0) == Admitted()
    store.path = tmp_path / "written"
    child = os.fork()
    if child == 0:
        writer.close(closing("child"))
        os._exit(0 if writer.flush() else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.path.read_text().split() == ["child"]
