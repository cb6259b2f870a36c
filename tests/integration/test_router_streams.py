"""Streams over real sockets: whole ones, forgotten ends, hang-ups and counts."""

import socket

import pytest
from fakes import (
    Upstream,
    raw,
)
from socket_scene import CLOCK, RAW, REQUEST, Told, routing, text_of
from stream_steps import (
    DONE,
    chunk,
    endless,
    event,
    fin_after,
    forgotten_end,
    head,
    packed,
    sse,
    stall,
    tokens,
)

from flaskllm.core.errors import (
    CallerGone,
)

EVENTS = tokens("On ", "Friday.")
GOOD = tokens("From ", "the second.")


@pytest.fixture
def second():
    with Upstream() as server:
        server.always(sse(GOOD))
        yield server


@pytest.fixture
def route():
    with routing() as build:
        yield build


class TestWhole:
    def test_a_stream_comes_with_its_usage_and_its_connection_is_used_again(
        self, route, upstream
    ):
        upstream.always(sse(EVENTS))
        router, told = route(upstream.url), Told()

        for _ in range(2):
            answer = router.stream(REQUEST, told.call())
            assert text_of(answer) == "On Friday."
            answer.close()

        assert told.codes == ["OK", "OK"]
        assert told.outcomes[0].usage.tokens_input == 12
        assert upstream.connections == 1
        assert upstream.requests[0].json["stream_options"] == {"include_usage": True}

    def test_a_caller_of_the_same_dialect_gets_the_bytes_but_for_the_usage(
        self, route, upstream
    ):
        upstream.script(sse(EVENTS))

        answer = route(upstream.url).stream(RAW, Told().call())

        assert b"".join(answer) == b"".join([*EVENTS[:-2], DONE])
        assert answer.usage.tokens_input == 12

    @pytest.mark.parametrize(
        "step", [packed(EVENTS), sse(EVENTS, every_seconds=0.01)], ids=["gzip", "slow"]
    )
    def test_it_comes_whole_however_it_is_carried(self, route, upstream, step):
        upstream.script(step)

        assert text_of(route(upstream.url).stream(REQUEST, Told().call())) == (
            "On Friday."
        )

    def test_a_body_without_a_length_ends_with_its_connection(self, route, upstream):
        upstream.script(raw(b"HTTP/1.1 200 OK\r\n\r\n" + b"".join(EVENTS)))

        assert text_of(route(upstream.url).stream(REQUEST, Told().call())) == (
            "On Friday."
        )

    def test_interim_replies_are_passed_over(self, route, upstream):
        early = b"HTTP/1.1 100 Continue\r\nX-Wait: x\r\n\r\n"
        whole = head() + b"".join(map(chunk, EVENTS)) + b"0\r\n\r\n"
        upstream.script(raw(early + whole))

        assert text_of(route(upstream.url).stream(REQUEST, Told().call())) == (
            "On Friday."
        )

    def test_an_idle_connection_that_the_upstream_closed_costs_no_attempt(
        self, route, upstream
    ):
        whole = head() + b"".join(map(chunk, EVENTS)) + b"0\r\n\r\n"
        upstream.script(raw(whole), sse(EVENTS))
        router, told = route(upstream.url), Told()

        first = router.stream(REQUEST, told.call())
        assert text_of(first) == "On Friday."
        again = router.stream(REQUEST, told.call())

        assert (text_of(again), again.attempts) == ("On Friday.", 1)
        assert upstream.connections == 2


class TestForgottenEnd:
    @pytest.mark.parametrize("request_", [REQUEST, RAW], ids=["chunks", "bytes"])
    def test_an_answer_is_complete_a_second_after_its_finish(
        self, route, upstream, request_
    ):
        upstream.script(forgotten_end(EVENTS[:-2]))
        told = Told()
        begun_seconds = CLOCK.monotonic()

        answer = route(upstream.url).stream(request_, told.call())
        pieces = list(answer)

        assert CLOCK.monotonic() - begun_seconds < 2.0
        assert answer.finish_reason == "stop"
        assert told.codes == ["OK"]
        assert upstream.wait_for_hang_up(seconds=1.0)
        if answer.is_raw:
            assert pieces[-1].endswith(DONE)

    def test_a_connection_that_breaks_after_the_finish_breaks_nothing(
        self, route, upstream
    ):
        upstream.script(fin_after(EVENTS, 4))
        told = Told()

        answer = route(upstream.url).stream(REQUEST, told.call())

        assert text_of(answer) == "On Friday."
        assert told.codes == ["OK"]


class TestHangUps:
    def test_a_caller_who_goes_before_the_first_token_ends_the_attempt(
        self, route, upstream, second
    ):
        upstream.script(stall(EVENTS, 1))
        ours, theirs = socket.socketpair()
        told = Told(caller=ours)
        theirs.close()

        with ours, pytest.raises(CallerGone):
            route(upstream.url, second.url).stream(REQUEST, told.call())

        assert told.codes == ["CALLER_GONE"]
        assert second.requests == []

    def test_a_caller_who_goes_in_the_middle_ends_the_stream(self, route, upstream):
        upstream.script(stall(EVENTS, 2))
        ours, theirs = socket.socketpair()
        told = Told(caller=ours)
        answer = iter(route(upstream.url).stream(REQUEST, told.call()))
        while not getattr(next(answer), "text", ""):
            pass
        theirs.close()

        with ours, pytest.raises(CallerGone):
            list(answer)

        assert told.codes == ["CALLER_GONE"]
        assert told.outcomes[0].usage.source == "estimated"
        assert upstream.wait_for_hang_up(seconds=1.0)

    def test_closing_hangs_up_on_the_upstream_within_a_second(self, route, upstream):
        upstream.script(endless(EVENTS[1], every_seconds=0.02))
        told = Told()
        answer = route(upstream.url).stream(REQUEST, told.call())

        next(iter(answer))
        answer.close()

        assert upstream.wait_for_hang_up(seconds=1.0)
        assert told.codes == ["CALLER_GONE"]


def counted(*usages):
    """Return the events of an answer whose upstream counts like this."""
    kept = [each for each in EVENTS if each != DONE][:-1]
    return [*kept, *(event({"choices": [], "usage": each}) for each in usages), DONE]


TRUE = {"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 14}
LIES = {
    "missing": (),
    "null": (None,),
    "no object": ("many",),
    "negative": ({**TRUE, "completion_tokens": -2},),
    "text": ({**TRUE, "prompt_tokens": "12"},),
    "beyond belief": ({**TRUE, "prompt_tokens": 10**18},),
}


@pytest.mark.parametrize("usages", LIES.values(), ids=LIES)
def test_a_count_that_cannot_be_true_is_replaced_by_an_estimate(
    route, upstream, usages
):
    upstream.script(sse(counted(*usages)))
    told = Told()

    assert text_of(route(upstream.url).stream(REQUEST, told.call())) == "On Friday."

    (outcome,) = told.outcomes
    assert outcome.usage.source == "estimated"
    assert 0 < outcome.usage.tokens_input < 100


def test_a_count_that_comes_twice_is_taken_once(route, upstream):
    upstream.script(sse(counted(TRUE, TRUE)))
    told = Told()

    list(route(upstream.url).stream(REQUEST, told.call()))

    assert told.outcomes[0].usage.tokens_input == 12
    assert told.outcomes[0].usage.tokens_output == 2
