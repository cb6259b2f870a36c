"""What all processes ask of a deployment never exceeds its limits."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.upstream_counts import (
    Counts,
    Given,
    Order,
    Refused,
    Taken,
    Wanted,
    dump,
    give,
    load,
    settle,
    take,
)

NOW = 1_800_000_000.0
REQUESTS = Wanted("a", requests_per_minute=3)
TOKENS = Wanted("a", tokens=100, tokens_per_minute=250)
SEATS = Wanted("a", concurrent_requests=2, seat_seconds=40)
PROBE = Wanted("a", probe_seconds=10)


def taken(counts, wanted, now=NOW, times=1):
    """Return the counts after attempts that must all be let through."""
    for _ in range(times):
        counts, answer = take(counts, wanted, now)
        assert isinstance(answer, Taken)
    return counts


def refused(counts, wanted, now=NOW):
    _, answer = take(counts, wanted, now)
    assert isinstance(answer, Refused)
    return answer.reason, answer.seconds


moments = st.floats(0, 12) | st.sampled_from([0.0, 0.5, 30.0, 59.5, 60.0, 61.0])
wishes = st.lists(st.tuples(moments, st.integers(0, 60)), max_size=60)


@given(wishes, st.integers(1, 8), st.integers(60, 150))
def test_no_sixty_seconds_and_one_hold_more_than_the_limits(wishes, requests, tokens):
    wanted = Wanted("a", 0, requests, tokens)
    counts, now, admitted = Counts(), NOW, []
    for seconds, count in wishes:
        now += seconds
        counts, answer = take(load(dump(counts)), replace(wanted, tokens=count), now)
        if isinstance(answer, Taken):
            admitted.append((now, count))

    for at, _ in admitted:
        within = [tokens for then, tokens in admitted if at <= then < at + 61]
        assert len(within) <= requests
        assert sum(within) <= tokens


@given(wishes, st.integers(1, 8), st.integers(60, 150))
def test_who_is_refused_fits_when_it_is_told_and_not_a_second_before(
    wishes, requests, tokens
):
    wanted = Wanted("a", 0, requests, tokens)
    counts, now = Counts(), NOW
    for seconds, count in wishes:
        now += seconds
        wish = replace(wanted, tokens=count)
        counts, answer = take(counts, wish, now)
        if isinstance(answer, Refused):
            due = now + answer.seconds
            assert isinstance(take(counts, wish, due + 1e-3)[1], Taken)
            assert isinstance(take(counts, wish, due - 0.01)[1], Refused)
            assert answer.any_seconds <= answer.seconds <= 62


@pytest.mark.parametrize(
    ("wanted", "times", "reason", "seconds"),
    [
        (REQUESTS, 3, "limited", 62.0),
        (TOKENS, 2, "limited", 62.0),
        (SEATS, 2, "busy", 40.0),
        (PROBE, 1, "probed", 10.0),
        (Wanted("a", tokens=9, tokens_per_minute=8), 0, "limited", 62.0),
    ],
)
def test_a_refusal_tells_why_and_until_when(wanted, times, reason, seconds):
    counts = Counts()
    for number in range(times):
        counts = taken(counts, replace(wanted, seat=f"{number}"))

    assert refused(counts, wanted) == (reason, seconds)


def test_an_attempt_of_fewer_tokens_may_fit_before():
    counts = taken(Counts(), TOKENS, times=2)

    answer = take(counts, TOKENS, NOW)[1]

    assert (answer.seconds, answer.any_seconds) == (62.0, 0.0)


def test_a_refused_attempt_counts_nothing():
    counts = taken(Counts(), REQUESTS, times=3)

    assert take(counts, REQUESTS, NOW)[0] == counts


def test_only_what_is_limited_is_counted():
    counts = taken(Counts(), Wanted("a", tokens=5))

    assert counts == Counts()


def test_headroom_is_the_free_part_of_the_scarcer_limit():
    wanted = Wanted("a", 30, requests_per_minute=10, tokens_per_minute=100)

    answer = take(Counts(), wanted, NOW)[1]

    assert answer.headroom == pytest.approx(0.7)


def test_a_seat_that_is_given_back_is_free_for_the_next():
    counts = taken(taken(Counts(), SEATS), replace(SEATS, seat="b"))

    counts = give(counts, Given("a", int(NOW)), NOW)

    assert refused(taken(counts, replace(SEATS, seat="c")), SEATS)[0] == "busy"


def test_a_seat_of_a_killed_process_ends_by_itself():
    counts = taken(taken(Counts(), SEATS), replace(SEATS, seat="b"))

    assert taken(counts, replace(SEATS, seat="c"), NOW + 40.0).seats.keys() == {"c"}


def test_the_turn_to_probe_comes_back():
    counts = taken(Counts(), PROBE)

    assert give(counts, Given("a", int(NOW)), NOW) == Counts()
    taken(counts, replace(PROBE, seat="b"), NOW + 10.0)


@pytest.mark.parametrize(
    ("more", "then", "left"),
    [
        (-60, 0.0, 210),  # what was not used is free at once
        (-500, 0.0, 250),  # never more than was reserved
        (40, 30.0, 110),  # what was used beyond counts as of now
        (-60, 90.0, 250),  # and nothing is given back twice
    ],
)
def test_tokens_are_put_right(more, then, left):
    counts = taken(Counts(), TOKENS)

    counts = give(counts, Given("a", int(NOW), more), NOW + then)

    wanted = replace(TOKENS, tokens=left)
    assert isinstance(take(counts, wanted, NOW + then)[1], Taken)
    more_than_left = replace(TOKENS, tokens=left + 1)
    assert isinstance(take(counts, more_than_left, NOW + then)[1], Refused)


def test_a_clock_that_is_put_back_by_an_hour_keeps_nobody_out_for_an_hour():
    wanted = Wanted("a", 0, 1, None, 1, seat_seconds=40)
    counts = taken(Counts(), wanted, NOW + 3600.0)

    assert refused(counts, wanted) == ("limited", 62.0)
    counts, _ = take(counts, wanted, NOW)
    taken(counts, wanted, NOW + 62.0)


def test_a_clock_that_is_a_second_behind_counts_with_the_last_one():
    counts = taken(Counts(), REQUESTS, NOW + 1.0)

    assert taken(counts, REQUESTS, NOW).requests == {int(NOW) + 1: 2}


def test_counts_end_with_the_last_of_them():
    wanted = Wanted("a", 5, 9, 99, 9, seat_seconds=400)

    assert taken(Counts(), wanted).ends_at == NOW + 400
    assert taken(Counts(), REQUESTS).ends_at == NOW + 62
    assert Counts().ends_at == 0


def test_counts_come_back_as_they_were_written():
    counts = taken(Counts(), Wanted("a", 5, 9, 99, 9, probe_seconds=10))

    assert load(dump(counts)) == counts


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"requests": 3}', "null"])
def test_what_cannot_be_read_counts_nothing(text):
    assert load(text) == Counts()


def test_an_order_is_settled_by_what_it_says():
    wanted = settle(Counts(), REQUESTS, NOW)
    given = settle(wanted.counts, Given("a", int(NOW)), NOW)

    assert Order("k", REQUESTS).what is REQUESTS
    assert isinstance(wanted.answer, Taken)
    assert (given.answer, given.at) == (None, NOW)
