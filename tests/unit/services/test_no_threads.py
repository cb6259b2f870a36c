"""A system without a thread left fails what needs one, in words, and only for now."""

from queue import SimpleQueue
from random import Random

import pytest
from callback_scene import FakeWorkflows
from fakes import FakeClock
from idempotency_scene import keyed, make_idempotency
from ledger_scene import reservation
from log_lines import ours
from no_threads import no_threads

from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.services.background import Errand, Rounds, ThreadOfProcess
from flaskllm.services.claims import Claim
from flaskllm.services.jobs.warming import warm_up
from flaskllm.services.ledger_writer import LedgerWriter
from flaskllm.services.probes import Probed, Probes
from flaskllm.services.settings import LookOut


class Tick:
    def __init__(self):
        self.ticks = SimpleQueue()

    def tick(self):
        self.ticks.put(1)


def test_it_is_told_and_logged_and_the_next_call_tries_again(caplog):
    thread = ThreadOfProcess("tester", list, lambda state: None)

    with no_threads(), pytest.raises(ServiceUnavailable) as refused:
        thread.begin()

    assert refused.value.retry_after_seconds
    assert thread.state() is None
    (line,) = ours(caplog)
    assert (line.getMessage(), line.fields) == (
        "thread_not_begun",
        {"thread": "tester"},
    )
    assert thread.begin() == []


def test_an_errand_is_left_undone_and_done_when_asked_again():
    done = []
    errand = Errand(lambda: done.append(1), "errand-later")

    with no_threads():
        assert errand.ask(5.0) is False
    assert done == []

    assert errand.ask(5.0)


def test_rounds_begin_when_they_can():
    house = Tick()
    rounds = Rounds(house.tick, 0.001, "rounds-later")

    with no_threads(), pytest.raises(ServiceUnavailable):
        rounds.begin()
    rounds.begin()

    assert house.ticks.get(timeout=10)


def test_a_reservation_is_refused_and_its_attempt_never_made():
    writer = LedgerWriter(lambda: None, SystemClock())

    with no_threads(), pytest.raises(ServiceUnavailable):
        writer.reserve(reservation("att_1"), 1.0)


def test_a_key_is_not_claimed_that_nobody_could_hold():
    house = make_idempotency(SystemClock(), threaded=True)

    with no_threads(), pytest.raises(ServiceUnavailable) as refused:
        house.claim(keyed())

    assert "was not run" in refused.value.details
    assert house._running._running == {}
    claimed = house.claim(keyed())
    assert isinstance(claimed, Claim)
    house.release(claimed)


def test_no_request_waits_for_those_who_look_after_upstreams():
    unused = Probed(None, {}, {}, 0)
    clock = FakeClock()
    probes = Probes(lambda: unused, None, clock, Random(1), threaded=True)

    with no_threads():
        probes.begin()


def test_a_server_begins_without_its_look_out_and_unprepared():
    with no_threads():
        LookOut(None).start()

        assert warm_up(FakeWorkflows(), lambda _: None) is None
