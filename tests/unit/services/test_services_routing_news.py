"""What one process finds the others hear, and nobody waits long for it."""

import logging
import threading

import pytest
from fakes import FakeClock
from log_lines import ours

from flaskllm.core.errors import ServiceUnavailable
from flaskllm.core.findings import Finding, News
from flaskllm.services.routing_news import RoutingNews

OPEN = Finding("s", "breaker", 5.0, "LLM_UNAVAILABLE", 1)


class Store:
    """Findings in memory, by their versions."""

    def __init__(self):
        self.rows = []
        self.reads = 0
        self.error = None
        self.hangs = threading.Event()
        self.hangs.set()

    def tell(self, findings):
        if self.error:
            raise self.error
        self.rows += findings

    def read(self, seen):
        self.reads += 1
        self.hangs.wait(10)
        if self.error:
            raise self.error
        return News(len(self.rows), tuple(self.rows[seen:]))


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def clock():
    return FakeClock()


class Side:
    """One process: what it heard."""

    def __init__(self, store, clock, name, *, threaded=False):
        self.heard = []
        self.news = RoutingNews(
            store, self.heard.extend, clock, lambda: name, threaded=threaded
        )


@pytest.fixture
def here(store, clock):
    return Side(store, clock, "here")


@pytest.fixture
def there(store, clock):
    return Side(store, clock, "there")


def test_what_is_found_here_is_heard_there_and_not_here(here, there):
    here.news.tell(OPEN)
    there.news.keep_current()
    here.news.keep_current()

    assert [each.told_by for each in there.heard] == ["here"]
    assert here.heard == []


def test_it_is_heard_once(here, there, clock):
    here.news.tell(OPEN)
    for _ in range(3):
        there.news.keep_current()
        clock.advance(1.0)

    assert len(there.heard) == 1


def test_the_store_is_read_twice_a_second_and_only_when_asked(here, store, clock):
    for _ in range(100):
        here.news.keep_current()
    clock.advance(0.5)
    here.news.keep_current()

    assert store.reads == 2


def test_what_waits_to_be_told_grows_old(here, there, store, clock):
    store.error = ServiceUnavailable()
    here.news.tell(OPEN)
    here.news.tell(Finding("s", "credential", None))
    store.error = None
    clock.advance(2.0)
    here.news.keep_current()
    there.news.keep_current()

    assert [each.left_seconds for each in there.heard] == [3.0, None]


def test_of_what_waits_the_last_of_each_kind_is_told(here, there, store, clock):
    store.error = ServiceUnavailable()
    here.news.tell(OPEN)
    here.news.tell(Finding("s", "breaker", None))
    store.error = None
    clock.advance(1.0)
    here.news.keep_current()
    there.news.keep_current()

    assert [each.left_seconds for each in there.heard] == [None]


def test_what_waits_is_bounded(here, there, store, clock):
    store.error = ServiceUnavailable()
    for number in range(1200):
        here.news.tell(Finding(f"s{number}", "breaker", 5.0))
    store.error = None
    clock.advance(1.0)
    here.news.keep_current()

    assert [store.rows[0].subject, store.rows[-1].subject] == ["s200", "s1199"]


def test_a_store_that_fails_is_told_of_once_and_asked_once_a_second(
    here, store, clock, caplog
):
    caplog.set_level(logging.INFO)
    store.error = ServiceUnavailable(details="Its disk is full.")
    for _ in range(8):
        here.news.keep_current()
        clock.advance(0.5)
    store.error = None
    clock.advance(1.0)
    here.news.keep_current()

    assert store.reads == 5  # once a second, and when it was back
    lines = [each.message for each in ours(caplog)]
    assert lines == ["routing_not_shared", "routing_shared"]


def test_a_mistake_of_ours_does_not_end_the_thread(here, store, clock, caplog):
    store.error = ValueError("row")

    here.news.keep_current()

    assert ours(caplog)[0].fields["code"] == "ValueError"


def test_what_was_found_here_meanwhile_is_newer_than_what_is_read(store, clock):
    side = Side(store, clock, "here")
    store.rows.append(Finding("s", "breaker", 9.0, told_by="there"))
    read = store.read

    def read_slowly(seen):
        news = read(seen)
        store.read = read
        side.news._waiting["s", "breaker"] = None  # found while it was read
        return news

    store.read = read_slowly
    side.news.keep_current()

    assert side.heard == []


def test_who_comes_after_a_pause_waits_for_the_news(store, clock):
    side = Side(store, clock, "here", threaded=True)
    store.rows.append(Finding("s", "breaker", 5.0, told_by="there"))

    side.news.keep_current()

    assert len(side.heard) == 1


def test_who_comes_soon_after_another_does_not_wait(store, clock):
    side = Side(store, clock, "here", threaded=True)
    side.news.keep_current()
    store.hangs.clear()
    clock.advance(0.5)

    side.news.keep_current()  # would hang

    store.hangs.set()
