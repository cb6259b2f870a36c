"""Principals that proved good are remembered until the counter of changes moves."""

import logging
import threading
from datetime import timedelta

import pytest
from fakes import FakeClock
from log_lines import ours

from flaskllm.core.auth import Principal, Scope
from flaskllm.core.errors import PermissionDenied, ServiceUnavailable
from flaskllm.services.principals import MOST_KNOWN, Principals, Proven

DIGEST = b"d" * 32
ANNA = Principal("anna", "Anna", frozenset({Scope.CHAT}), "api")
DOWN = ServiceUnavailable("No.", details="Gone.", retry_after_seconds=2.0)


class Store:
    """A counter and a look at the rows; both are counted and may fail."""

    def __init__(self):
        self.counter = 0
        self.reads = 0
        self.looks = 0
        self.down = None
        self.until = None
        self.meanwhile = lambda: None

    def read_counter(self):
        self.reads += 1
        counter = self.counter
        self.meanwhile()
        if self.down:
            raise self.down
        return counter

    def prove(self):
        self.looks += 1
        if self.down:
            raise self.down
        proven = Proven(ANNA, self.until)
        self.meanwhile()
        return proven


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def principals(store, clock):
    return Principals(store.read_counter, clock)


@pytest.fixture
def find(principals, store):
    """Returns who has the digest."""
    return lambda digest=DIGEST: principals.find(digest, store.prove).principal


class TestWarm:
    def test_nothing_is_read_within_a_second(self, find, store):
        for _ in range(100):
            assert find() is ANNA

        assert (store.reads, store.looks) == (1, 1)

    def test_the_counter_alone_is_read_once_a_second(self, find, store, clock):
        for _ in range(100):
            find()
            clock.advance(0.1)

        assert store.reads == 10
        assert store.looks == 1

    def test_another_digest_is_another_api_token(self, find, store):
        find(b"a" * 32)
        find(b"a" * 31 + b"b")

        assert store.looks == 2

    def test_who_was_refused_is_looked_up_each_time(self, principals, store):
        def refuse():
            store.looks += 1
            raise PermissionDenied

        for _ in range(3):
            with pytest.raises(PermissionDenied):
                principals.find(DIGEST, refuse)

        assert store.looks == 3

    def test_a_flood_of_them_takes_no_memory_without_end(self, find, store):
        for number in range(MOST_KNOWN + 1):
            find(number.to_bytes(32, "big"))
        looks = store.looks

        find(MOST_KNOWN.to_bytes(32, "big"))  # the last one is known
        assert store.looks == looks
        find((0).to_bytes(32, "big"))  # the others were dropped
        assert store.looks == looks + 1


class TestChanges:
    def test_a_change_elsewhere_is_noticed_after_a_second(self, find, store, clock):
        find()

        store.counter += 1
        clock.advance(0.99)
        find()
        assert store.looks == 1
        clock.advance(0.01)
        find()

        assert store.looks == 2

    def test_a_change_here_is_noticed_at_once(self, find, store, principals):
        find()

        principals.forget()
        find()

        assert (store.looks, store.reads) == (2, 1)

    def test_to_forget_before_anything_was_known_is_fine(self, find, principals):
        principals.forget()

        assert find() is ANNA

    def test_what_was_read_before_a_change_here_is_not_kept(
        self, find, store, principals
    ):
        """A thread that read the row just before another one revoked it."""
        store.meanwhile = principals.forget
        find()
        store.meanwhile = lambda: None

        find()

        assert store.looks == 2

    def test_what_was_read_before_a_change_elsewhere_is_not_kept(
        self, find, principals, store, clock
    ):
        find(b"x" * 32)

        def change_and_notice():
            store.meanwhile = lambda: None
            store.counter += 1
            clock.advance(1)
            principals.find(b"y" * 32, store.prove)

        store.meanwhile = change_and_notice
        find()
        looks = store.looks
        find()

        assert store.looks == looks + 1

    def test_a_proof_ends_by_the_wall_clock(self, find, store, clock):
        store.until = clock.now() + timedelta(milliseconds=100)
        find()

        clock.advance(0.099)
        find()
        assert store.looks == 1
        clock.advance(0.001)
        find()

        assert store.looks == 2


class TestStoreDown:
    def test_who_is_known_goes_on_for_a_minute(self, find, store, clock):
        find()
        store.down = DOWN

        clock.advance(60)
        assert find() is ANNA
        clock.advance(0.5)
        with pytest.raises(ServiceUnavailable) as refused:
            find()

        assert refused.value is not DOWN
        assert (refused.value.message, refused.value.details) == ("No.", "Gone.")
        assert refused.value.retry_after_seconds == 2.0
        assert store.looks == 1

    def test_who_is_not_known_is_told_at_once(self, find, store):
        find()
        store.down = DOWN

        with pytest.raises(ServiceUnavailable):
            find(b"o" * 32)

    def test_it_is_asked_once_a_second_at_most(self, find, store, clock):
        store.down = DOWN
        for _ in range(100):
            with pytest.raises(ServiceUnavailable):
                find()
            clock.advance(0.1)

        assert store.reads == 10

    def test_a_slow_failure_has_its_pause_behind_it(self, find, store, clock):
        store.down = DOWN
        store.meanwhile = lambda: clock.advance(5)
        with pytest.raises(ServiceUnavailable):
            find()

        with pytest.raises(ServiceUnavailable):
            find()

        assert store.reads == 1

    def test_it_recovers_by_itself(self, find, store, clock):
        find()
        store.down = DOWN
        clock.advance(90)
        with pytest.raises(ServiceUnavailable):
            find()

        store.down = None
        clock.advance(1)

        assert find() is ANNA
        assert store.looks == 1  # nothing was changed meanwhile

    def test_a_failure_that_is_none_of_ours_is_not_hidden(self, find, store):
        store.down = KeyError("x")

        with pytest.raises(KeyError):
            find()
        with pytest.raises(ServiceUnavailable):
            find()

    def test_one_line_tells_of_it(self, find, store, clock, caplog):
        find()
        store.down = DOWN
        with caplog.at_level(logging.WARNING):
            for _ in range(5):
                clock.advance(1)
                find()

        (line,) = ours(caplog)
        assert line.message == "api_tokens_not_read"
        assert line.fields == {"reason": "Gone.", "holds_seconds": 60.0}


class TestThreads:
    def test_one_thread_reads_and_the_others_do_not_wait(
        self, find, store, clock, principals
    ):
        find()
        clock.advance(1)
        others = []

        def meanwhile():
            other = threading.Thread(target=lambda: others.append(find()))
            other.start()
            other.join(10)

        store.meanwhile = meanwhile
        find()

        assert others == [ANNA]
        assert store.reads == 2

    def test_who_knows_nothing_waits_for_the_one_who_reads(self, store, clock):
        principals = Principals(store.read_counter, clock)
        begun, go, found = threading.Event(), threading.Event(), []

        def wait():
            begun.set()
            assert go.wait(10)

        def find():
            found.append(principals.find(DIGEST, lambda: Proven(ANNA)).principal)

        store.meanwhile = wait
        threads = [threading.Thread(target=find) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert begun.wait(10)
        go.set()
        for thread in threads:
            thread.join(10)

        assert found == [ANNA] * 4
        assert store.reads == 1
