"""Limits of deployments hold for all processes together."""

import pytest
from fleet_scene import FEW, PROVIDERS, SEATS, TOKENS, A, Member, Shared
from health_scene import UNKNOWN

from flaskllm.llm.health import Obstacle, Visit
from flaskllm.llm.types import Usage


@pytest.fixture
def shared():
    return Shared()


@pytest.fixture
def here(shared):
    return Member(shared)


@pytest.fixture
def there(shared):
    return Member(shared)


def test_requests_per_minute_hold_for_all_together(shared, here, there):
    for member in (here, there, here):
        member.ask(FEW)

    refused = there.enter(FEW)

    assert (refused.reason, refused.seconds) == ("limited", 62.0)


def test_who_was_refused_does_not_ask_again_before_it_is_time(shared, here, there):
    for _ in range(3):
        here.ask(FEW)
    for _ in range(9):
        assert isinstance(there.enter(FEW), Obstacle)
    assert shared.asked.total() == 4
    assert there.stands(FEW)[1:] == ("limited", 62.0)

    shared.clock.advance(62.0)

    assert isinstance(there.enter(FEW), Visit)


def test_who_was_turned_away_was_not_counted_here(shared, here, there):
    for _ in range(3):
        here.ask(FEW)
    there.enter(FEW)

    assert there.health.look(FEW).in_flight == 0
    shared.clock.advance(62.0)
    for _ in range(3):
        there.ask(FEW)


def test_who_is_turned_away_uses_up_nothing_that_its_upstream_told(shared, here, there):
    last_one = {
        "x-ratelimit-limit-requests": "9",
        "x-ratelimit-remaining-requests": "1",
        "x-ratelimit-reset-requests": "600s",
    }
    there.enter(SEATS).heed(last_one)
    seat = here.enter(SEATS)
    assert there.enter(SEATS).reason == "busy"
    seat.end(None, UNKNOWN, 1.0)
    shared.clock.advance(0.1)

    assert isinstance(there.enter(SEATS), Visit)


def test_tokens_per_minute_hold_for_all_together(here, there):
    here.ask(TOKENS, tokens=60)

    refused = there.enter(TOKENS, tokens=60)

    assert refused.reason == "limited"
    assert isinstance(there.enter(TOKENS, tokens=40), Visit)


def test_tokens_that_were_not_used_are_given_back(shared, here, there):
    here.ask(TOKENS, tokens=100, usage=Usage(input_uncached=10, source="provider"))

    assert shared.given == [-90]
    assert isinstance(there.enter(TOKENS, tokens=90), Visit)


def test_seats_hold_for_all_together(here, there):
    first = here.enter(SEATS)
    there.enter(SEATS)

    refused = there.enter(SEATS)
    assert (refused.reason, refused.seconds) == ("busy", 1.0)

    first.end(None, UNKNOWN, 1.0)
    assert isinstance(here.enter(SEATS), Visit)


def test_who_found_all_seats_taken_asks_again_soon(shared, here, there):
    seats = [here.enter(SEATS), here.enter(SEATS)]
    there.enter(SEATS)
    there.enter(SEATS)
    asked = shared.asked.total()
    seats[0].end(None, UNKNOWN, 1.0)
    shared.clock.advance(0.1)

    assert asked == 3
    assert isinstance(there.enter(SEATS), Visit)


def test_headroom_is_that_of_all(shared, here, there):
    here.ask(FEW)
    there.ask(FEW)

    assert there.health.look(FEW).headroom == pytest.approx(1 / 3)
    shared.clock.advance(30.0)
    assert there.health.look(FEW).headroom == pytest.approx(2 / 3, abs=0.1)


def test_what_has_no_limits_costs_nothing(shared, here):
    here.ask(A)

    assert shared.asked.total() == 0
    assert shared.given == []


def test_a_new_price_does_not_bring_back_what_was_used(shared, here):
    other = Member(shared, {"a": "another price"}, PROVIDERS)
    for _ in range(3):
        here.ask(FEW)

    assert isinstance(other.enter(FEW), Obstacle)
