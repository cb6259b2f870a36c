"""What the health of a process shares: places under names that tell nothing."""

import os

import pytest

from flaskllm.core.findings import Finding
from flaskllm.core.upstream_counts import Given, Refused, Taken, Wanted
from flaskllm.llm.health.sharing import Held
from flaskllm.llm.terms import Limits
from flaskllm.services.routing_state import ProcessName, RoutingState

KEY = b"k" * 32


class Counting:
    def __init__(self):
        self.answer = Taken(1_800_000_000, 0.5)
        self.wanted, self.given = [], []

    def take(self, key, wanted):
        self.wanted.append((key, wanted))
        return self.answer

    def give(self, key, given):
        self.given.append((key, given))


class News:
    def __init__(self):
        self.told, self.kept = [], 0

    def tell(self, finding):
        self.told.append(finding)

    def keep_current(self):
        self.kept += 1


@pytest.fixture
def counting():
    return Counting()


@pytest.fixture
def news():
    return News()


@pytest.fixture
def state(counting, news):
    return RoutingState(counting, news, lambda: "host:1:x", lambda: KEY, 300.0)


def test_a_name_is_the_same_everywhere_and_tells_nothing(state, counting, news):
    other = RoutingState(counting, news, lambda: "host:2:y", lambda: KEY, 300.0)
    foreign = RoutingState(counting, news, lambda: "host:2:y", lambda: b"z" * 32, 300.0)

    name = state.name_of("deployment sk-secret a")

    assert len(name) == 64
    assert "secret" not in name
    assert other.name_of("deployment sk-secret a") == name
    assert foreign.name_of("deployment sk-secret a") != name


def test_a_place_is_asked_for_as_the_limits_say(state, counting):
    held = state.take("place", Limits(1, 2, 3), 40, is_probe=True)

    assert counting.wanted == [
        ("place", Wanted("host:1:x:1", 40, 1, 2, 3, 330, probe_seconds=10))
    ]
    assert held == Held("place", "host:1:x:1", 1_800_000_000, 40, 0.5, is_awaited=True)


def test_no_two_attempts_have_the_same_seat(state, counting):
    for _ in range(3):
        state.take("place", Limits(1), 0, is_probe=False)

    assert len({wanted.seat for _, wanted in counting.wanted}) == 3


def test_only_what_has_to_be_is_given_back(state):
    held = state.take("place", Limits(requests_per_minute=9), 0, is_probe=False)

    assert not held.is_awaited


def test_a_refusal_is_passed_on(state, counting):
    counting.answer = Refused("busy", 1.0, 1.0)

    assert state.take("place", Limits(1), 0, is_probe=False) is counting.answer


@pytest.mark.parametrize(("used", "more"), [(None, 0), (15, -25), (60, 20)])
def test_the_tokens_that_were_used_take_the_place_of_those_reserved(
    state, counting, used, more
):
    held = Held("place", "seat", 7, 40, 1.0, is_awaited=True)

    state.give(held, used)

    assert counting.given == [("place", Given("seat", 7, more))]


def test_findings_are_told_and_heard(state, news):
    finding = Finding("s", "breaker", 5.0)

    state.tell(finding)
    state.keep_current()

    assert (news.told, news.kept) == ([finding], 1)


def test_a_process_has_a_name_of_its_own_and_so_has_its_fork():
    name = ProcessName()
    ours = name()

    name._found = (os.getpid() + 1, "the parent's")

    assert ours.split(":")[1] == str(os.getpid())
    assert name() not in (ours, "the parent's")
    assert name() == name()
