"""Of equal requests one is asked; who it is, and when another one is."""

import os
import socket
import threading

import pytest

from flaskllm.core.clock import Deadline, SystemClock
from flaskllm.core.errors import CallerGone, LLMTimeout, ServiceUnavailable
from flaskllm.llm.types import Call
from flaskllm.services.caching.flights import CLAIM_SECONDS, Flights, Landed, Seat
from flaskllm.services.caching.shelf import Shelf

KEY = "ann/1234"


class FakeStore:
    """What several processes share: texts and claims."""

    is_shared = True

    def __init__(self):
        self.texts, self.claims, self.renewed = {}, {}, []
        self.is_away = False

    def get_dict(self, *keys):
        self._check()
        return {key: self.texts.get(key) for key in keys}

    def set(self, key, value, timeout=None):
        self._check()
        self.texts[key] = value
        return True

    def claim(self, key, holder, seconds):
        self._check()
        return self.claims.setdefault(key, holder)

    def held_by(self, key):
        self._check()
        return self.claims.get(key)

    def renew(self, places, seconds):
        self.renewed.append((dict(places), seconds))

    def release(self, key, holder):
        if self.claims.get(key) == holder:
            del self.claims[key]

    def _check(self):
        if self.is_away:
            raise ServiceUnavailable


@pytest.fixture
def store():
    return FakeStore()


def flights_on(store, threaded=False):
    clock = SystemClock()
    shelf = Shelf(store, clock, lambda: None)
    return Flights(shelf, clock, threaded=threaded, deadline_seconds=60)


@pytest.fixture
def flights(store):
    return flights_on(store)


class WatchedClock(SystemClock):
    """Lets somebody wait until it was looked at so often."""

    def __init__(self):
        self._looks = threading.Semaphore(0)

    def monotonic(self):
        self._looks.release()
        return super().monotonic()

    def wait_for_looks(self, count):
        assert all(self._looks.acquire(timeout=10) for _ in range(count))


def call_of(seconds=20.0, caller=None, wait=None, clock=None):
    clock = clock or SystemClock()
    return Call(
        Deadline.after(seconds, clock),
        wait or clock.sleep,
        before=lambda attempt: None,
        after=lambda attempt, outcome: None,
        caller=caller,
    )


def nothing():
    """Find nothing that is kept."""


def waiting(board):
    """Let a thread board and wait; return what gives what it got."""
    found, clock = [], WatchedClock()
    call = call_of(clock=clock)
    thread = threading.Thread(target=lambda: found.append(board(call)))
    thread.start()
    clock.wait_for_looks(2)  # for its deadline, and for how long it may wait

    def result():
        thread.join(10)
        return found[0]

    return result


def test_the_first_has_the_seat_and_the_others_get_what_it_brings(flights):
    seat = flights.board(KEY, call_of())
    assert isinstance(seat, Seat)
    others = [waiting(lambda call: flights.board(KEY, call)) for _ in range(3)]

    seat.land("text")

    assert [each() for each in others] == [Landed("text")] * 3
    assert isinstance(flights.board(KEY, call_of()), Seat)  # it is over


def test_other_keys_have_seats_of_their_own(flights):
    flights.board(KEY, call_of())

    assert isinstance(flights.board("bob/1234", call_of()), Seat)


def test_who_leaves_lets_one_of_the_others_ask(flights):
    def ask(call):
        got = flights.board(KEY, call)
        if isinstance(got, Seat):
            got.land("from the next")
            return "asked"
        return got.text

    seat = flights.board(KEY, call_of())
    others = [waiting(ask) for _ in range(3)]
    seat.leave()
    seat.land("too late")  # it ended already

    results = [each() for each in others]
    assert "asked" in results
    assert {"asked", "from the next"} >= set(results)


def test_who_waits_too_long_hears_of_the_deadline(flights):
    flights.board(KEY, call_of())

    with pytest.raises(LLMTimeout):
        flights.board(KEY, call_of(seconds=0.0))


def test_who_hangs_up_is_waited_for_no_more(flights):
    flights.board(KEY, call_of())
    ours, theirs = socket.socketpair()
    theirs.close()

    with ours, pytest.raises(CallerGone):
        flights.board(KEY, call_of(caller=ours))


def test_the_turn_of_a_parent_process_is_nobodys(flights):
    flights.board(KEY, call_of())
    flights._turns[KEY].pid = os.getpid() + 1

    assert isinstance(flights.board(KEY, call_of()), Seat)


class TestBetweenProcesses:
    def test_one_of_them_claims_it_and_hands_over(self, store):
        one, other = flights_on(store), flights_on(store)
        seat = one.board(KEY, call_of())
        assert seat.claim(call_of(), nothing) is None

        behind = other.board(KEY, call_of())
        call = call_of(wait=lambda _: seat.land("text"))

        assert behind.claim(call, nothing) == Landed("text")
        assert store.claims == {}

    def test_what_is_kept_is_found_where_it_lies_and_not_handed_over(self, store):
        one, other = flights_on(store), flights_on(store)
        seat = one.board(KEY, call_of())
        seat.claim(call_of(), nothing)
        behind = other.board(KEY, call_of())
        call = call_of(wait=lambda _: seat.land("text", is_kept=True))

        assert behind.claim(call, lambda: "what is kept") == Landed("what is kept")
        assert (store.claims, store.texts) == ({}, {})

    def test_who_comes_in_the_last_moment_is_given_it_as_well(self, store, monkeypatch):
        """The one that asks has ended before anybody could look who it is."""
        seat = flights_on(store).board(KEY, call_of())
        seat.claim(call_of(), nothing)
        late, claim = flights_on(store).board(KEY, call_of()), store.claim

        def claim_at_last(key, holder, seconds):
            held = claim(key, holder, seconds)
            seat.land("text")
            return held

        monkeypatch.setattr(store, "claim", claim_at_last)

        assert late.claim(call_of(), nothing) == Landed("text")

    def test_one_that_leaves_gives_the_claim_back(self, store):
        one, other = flights_on(store), flights_on(store)
        seat = one.board(KEY, call_of())
        seat.claim(call_of(), nothing)
        seat.leave()

        assert other.board(KEY, call_of()).claim(call_of(), nothing) is None

    def test_a_claim_that_ends_without_an_answer_is_taken(self, store):
        store.claims["ann/claim/1234"] = "fly_dead"

        def die(seconds):
            store.claims.pop("ann/claim/1234", None)

        seat = flights_on(store).board(KEY, call_of())

        assert seat.claim(call_of(wait=die), nothing) is None
        assert store.claims == {"ann/claim/1234": seat.holder}

    def test_who_was_faster_than_we_look_after_a_death_has_handed_over(self, store):
        store.claims["ann/claim/1234"] = "fly_dead"
        one, other = flights_on(store), flights_on(store)

        def ask(seconds):
            store.claims.pop("ann/claim/1234", None)
            seat = one.board(KEY, call_of())
            seat.claim(call_of(), nothing)
            seat.land("text")

        waiting = other.board(KEY, call_of())

        assert waiting.claim(call_of(wait=ask), nothing) == Landed("text")

    def test_what_was_brought_before_one_came_is_not_handed_over(self, store):
        early = flights_on(store).board(KEY, call_of())
        early.claim(call_of(), nothing)
        early.land("old")
        store.claims["ann/claim/1234"] = "fly_dead"
        seat = flights_on(store).board(KEY, call_of())

        assert seat.claim(call_of(wait=lambda _: store.claims.clear()), nothing) is None

    def test_who_waits_for_another_process_has_a_deadline_too(self, store):
        store.claims["ann/claim/1234"] = "fly_1"
        seat = flights_on(store).board(KEY, call_of())

        with pytest.raises(LLMTimeout):
            seat.claim(call_of(seconds=0.0), nothing)

    def test_a_store_that_is_away_keeps_nobody_from_asking(self, store):
        store.is_away = True

        assert flights_on(store).board(KEY, call_of()).claim(call_of(), nothing) is None

    def test_what_is_very_long_is_not_handed_over(self, store):
        seat = flights_on(store).board(KEY, call_of())
        seat.claim(call_of(), nothing)

        seat.land("x" * (8 * 1024 * 1024 + 1))

        assert store.texts == {}

    def test_claims_are_lengthened_as_long_as_they_are_held(self, store):
        flights = flights_on(store, threaded=True)
        flights.renew()
        seat = flights.board(KEY, call_of())
        seat.claim(call_of(), nothing)

        flights.renew()
        seat.leave()
        flights.renew()

        assert store.renewed == [({"ann/claim/1234": seat.holder}, CLAIM_SECONDS)]

    def test_where_there_is_no_thread_the_claim_is_not_lengthened(
        self, store, monkeypatch
    ):
        def fail(thread):
            raise RuntimeError

        monkeypatch.setattr(threading.Thread, "start", fail)
        seat = flights_on(store, threaded=True).board(KEY, call_of())

        assert seat.claim(call_of(), nothing) is None
        assert store.claims == {"ann/claim/1234": seat.holder}

    def test_in_memory_there_is_nobody_else(self, store):
        store.is_shared = False
        seat = flights_on(store).board(KEY, call_of())

        assert seat.claim(call_of(), nothing) is None
        seat.land("text")
        assert (store.claims, store.texts) == ({}, {})
