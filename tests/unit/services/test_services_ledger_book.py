"""A book: each gets its verdict, whatever becomes of the others and of the store."""

import threading

import pytest
from fakes import FakeClock
from ledger_scene import TODAY, reservation, settled
from log_lines import ours
from prometheus_client.parser import text_string_to_metric_families
from writer_scene import Store, make_book, told_lines

from flaskllm.core.errors import APIError, InternalError, ServiceUnavailable
from flaskllm.core.metrics import Metrics
from flaskllm.services import ledger_book
from flaskllm.services.ledger_ticket import Ticket
from flaskllm.storage.budgets import BudgetStanding
from flaskllm.storage.ledger import Admitted, Refused


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def book(store, clock):
    return make_book(store, clock)


def ticket(name):
    return Ticket(reservation(name))


def told(one):
    """Return the verdict on a ticket, or the error, without waiting."""
    try:
        return one.wait(0.0)
    except APIError as error:
        return error


def value(metrics, name):
    families = text_string_to_metric_families(metrics.render().decode())
    found = {each.name: each for family in families for each in family.samples}
    return found[name].value


def test_one_that_is_wrong_takes_nobody_with_it(book, store):
    store.broken |= {"b", "y"}
    tickets = [ticket(name) for name in "abcd"]
    book.kept.extend(settled(reservation(name), 1) for name in "xyz")

    book.commit(tickets)

    verdicts = [told(each) for each in tickets]
    assert isinstance(verdicts.pop(1), InternalError)
    assert verdicts == [Admitted()] * 3
    assert (store.reserved, store.closed) == (["a", "c", "d"], ["x", "z"])


def test_a_fault_is_told_by_its_kind_and_never_by_its_words(book, store):
    store.broken.add("a")
    one = ticket("a")

    book.commit([one])

    assert told(one).details == "KeyError"


def test_who_has_left_is_not_written(book, store):
    left = ticket("left")
    with pytest.raises(ServiceUnavailable):
        left.wait(0.0)

    book.commit([left, ticket("b")])

    assert store.reserved == ["b"]


def test_who_leaves_during_the_transaction_is_released_in_the_next(book, store):
    one, refused = ticket("one"), ticket("refused")
    store.verdicts["refused"] = Refused(None, None, 1)
    with store.hold() as held:
        writer = threading.Thread(target=book.commit, args=[[one, refused]])
        writer.start()
        held.wait_for_writer()
        assert isinstance(told(one), ServiceUnavailable)
        assert isinstance(told(refused), ServiceUnavailable)
    writer.join()

    book.commit(())

    assert store.reserved == ["one", "refused"]
    assert store.undone == ["one"]  # what was refused holds nothing


def test_what_may_have_been_written_when_the_connection_broke_is_released(book, store):
    store.is_down = True
    book.commit([ticket("a")])
    store.is_down = False

    book.commit(())

    assert store.undone == ["a"]
    assert not book.has_waiting


def test_each_who_is_refused_gets_an_error_of_its_own(book, store):
    store.is_down = True
    tickets = [ticket("a"), ticket("b")]

    book.commit(tickets)

    first, second = map(told, tickets)
    assert first is not second
    assert (first.details, second.details) == ("The store is down.",) * 2


def test_a_store_that_is_down_is_told_once_and_asked_again_after_a_second(
    book, store, clock, caplog
):
    store.is_down = True
    book.kept.extend(settled(reservation(f"{n}"), 1) for n in range(700))
    assert book.is_full

    for _ in range(3):
        book.commit([])

    assert (len(book.kept), book.is_full) == (700, False)
    assert book.again_seconds == clock.monotonic() + 1.0
    assert told_lines(caplog) == ["ledger_not_writable"]
    assert ours(caplog)[0].fields == {
        "code": "SERVICE_UNAVAILABLE",
        "reason": "The store is down.",
    }


def test_what_was_kept_is_written_in_its_order(book, store):
    names = [f"{number}" for number in range(700)]
    book.kept.extend(settled(reservation(name), 1) for name in names)
    store.is_down = True
    book.commit([])
    store.is_down = False

    book.commit([])
    book.commit([])

    assert store.closed == names
    assert book.again_seconds == 0.0


def test_of_too_much_the_oldest_is_given_up_to_the_sweep(store, clock, caplog):
    book = make_book(store, clock)
    most = ledger_book.MOST_KEPT
    book.kept.extend(settled(reservation(f"{n}"), 1) for n in range(most + 2))
    store.is_down = True

    book.commit([])

    assert len(book.kept) == most
    assert book.kept[0].attempt_id == "2"
    lost = [line for line in ours(caplog) if line.message == "usage_not_recorded"]
    assert [line.fields["attempt_id"] for line in lost] == ["0", "1"]
    assert lost[0].fields == {
        "attempt_id": "0",
        "request_id": "req_0",
        "principal": "ann",
        "deployment": "mini",
        "attempt": 1,
        "cost_nanos": 1,
        "code": "SERVICE_UNAVAILABLE",
        "reason": "The store is down.",
    }


def test_budgets_that_are_passed_are_told_after_the_commit(store, clock):
    passed = BudgetStanding(None, TODAY, 5, False)
    told = []
    book = make_book(store, clock, tell=told.append)
    store.told = (passed,)

    book.commit([ticket("a")])
    store.told = ()
    book.commit([ticket("b")])

    assert told == [(passed,)]


def test_whatever_goes_wrong_everybody_is_answered(store, clock, caplog):
    def fail(told):
        raise ZeroDivisionError

    book = make_book(store, clock, tell=fail)
    store.told = ("something",)
    first = ticket("a")

    book.commit([first])
    store.write = None  # nobody foresaw this
    broken = make_book(store, clock)
    second = ticket("b")
    broken.commit([second])

    assert told(first) == Admitted()
    assert isinstance(told(second), InternalError)
    assert told_lines(caplog) == ["ledger_failed"]


def test_the_batches_and_what_waits_can_be_seen(store, clock):
    metrics = Metrics()
    book = make_book(store, clock, metrics=metrics)

    book.kept.append(settled(reservation("x"), 1))
    book.commit([ticket("a"), ticket("b")])
    book.commit(())  # nothing is no batch
    store.is_down = True
    book.kept.append(settled(reservation("y"), 1))
    book.commit(())

    assert value(metrics, "flaskllm_ledger_batch_size_count") == 1
    assert value(metrics, "flaskllm_ledger_batch_size_sum") == 3
    assert value(metrics, "flaskllm_ledger_closings_waiting") == 1
