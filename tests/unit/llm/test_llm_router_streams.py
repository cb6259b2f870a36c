"""Until the first token a stream goes elsewhere without its caller noticing."""

from dataclasses import replace
from random import Random

import pytest
from router_scene import FakeLocal
from stream_scene import RAW, REQUEST, FakeStream, Silence, stream_scene

from flaskllm.core.errors import (
    CallerGone,
    LLMInvalidRequest,
    LLMProtocolError,
    LLMTimeout,
    LLMUnavailable,
    NoModelConfigured,
)
from flaskllm.llm.catalog import Catalog, Route
from flaskllm.llm.patience import Policy
from flaskllm.llm.router import Router
from flaskllm.llm.types import Deployment, Timeouts
from flaskllm.net.transport import HttpReply

GOOD = [b"text:Friday.\nfinish:stop\n", b"done\n"]
ONCE = Policy(retries=0)

SILENT_FAILURES = {
    "no connection": (LLMUnavailable(), "LLM_UNAVAILABLE"),
    "a status": (503, "LLM_UNAVAILABLE"),
    "an error event": ([b": hello\n", b"error\n"], "LLM_UNAVAILABLE"),
    "nothing at all": ([], "LLM_PROTOCOL_ERROR"),
    "half an event": ([b"tex"], "LLM_PROTOCOL_ERROR"),
    "a broken connection": ([LLMProtocolError()], "LLM_PROTOCOL_ERROR"),
    "silence": ([Silence(60.0)], "LLM_TIMEOUT"),
    "comments alone": ([b": x\n", Silence(1.0)] * 20, "LLM_TIMEOUT"),
    "too much without a token": ([b":" + b"x" * 2**20], "LLM_PROTOCOL_ERROR"),
}


@pytest.mark.parametrize(
    ("failing", "code"), SILENT_FAILURES.values(), ids=SILENT_FAILURES
)
def test_what_fails_before_the_first_token_is_a_silent_fallback(failing, code):
    shown = stream_scene(a=[failing], b=[GOOD])
    opened = shown.senders["a"].script[0]

    answer = shown.stream()

    assert [piece.text for piece in answer if piece.text] == ["Friday."]
    assert (answer.alias, answer.attempts) == ("b", 2)
    assert answer.failures == (code,)
    assert shown.codes == [code, "OK"]
    assert not isinstance(opened, FakeStream) or opened.closed


def test_an_input_that_a_stream_says_is_too_long_goes_to_a_longer_window():
    windows = {"a": 8000, "b": 8000, "c": 32000}
    there = [Deployment(n, n, "vllm", "m", windows[n]) for n in windows]
    shown = stream_scene(deployments=there, a=[[b"overlong\n"]], b=[], c=[GOOD])

    answer = shown.stream()

    assert (answer.alias, answer.failures) == ("c", ("LLM_CONTEXT_TOO_LONG",))
    assert [attempt.deployment.name for attempt in shown.begun] == ["a", "c"]


@pytest.mark.parametrize("failing", [503, [], [b"error\n"]], ids=str)
def test_what_fails_before_the_first_token_is_tried_again_where_it_is_alone(failing):
    shown = stream_scene(a=[failing, GOOD])

    answer = shown.stream()

    assert [piece.text for piece in answer if piece.text] == ["Friday."]
    assert (answer.attempts, len(shown.clock.slept)) == (2, 1)


def test_who_was_silent_before_the_first_token_is_not_asked_again():
    shown = stream_scene(a=[[Silence(60.0)], GOOD])

    with pytest.raises(LLMTimeout):
        shown.stream()

    assert shown.codes == ["LLM_TIMEOUT"]


def test_when_every_stream_fails_the_error_says_when_to_come_back():
    shown = stream_scene(policy=ONCE, a=[[]], b=[503])

    with pytest.raises(LLMUnavailable) as caught:
        shown.stream()

    assert caught.value.retry_after_seconds == 5.0
    assert shown.codes == ["LLM_PROTOCOL_ERROR", "LLM_UNAVAILABLE"]


class TestSlowFirstToken:
    def test_ten_seconds_are_enough_where_there_is_elsewhere_to_go(self):
        shown = stream_scene(a=[[Silence(20.0), *GOOD]], b=[GOOD])

        answer = shown.stream()

        assert answer.deployment.name == "b"
        _, outcome = shown.ended[0]
        assert (outcome.code, outcome.latency_seconds) == ("LLM_TIMEOUT", 10.0)
        assert outcome.first_token_seconds is None

    def test_it_is_waited_for_where_it_is_the_last_to_ask(self):
        shown = stream_scene(a=[[Silence(20.0), *GOOD]])

        list(shown.stream())

        assert shown.codes == ["OK"]
        assert shown.outcome.first_token_seconds == 20.0

    def test_thirty_seconds_without_a_byte_are_enough_for_the_last_too(self):
        shown = stream_scene(policy=ONCE, a=[[Silence(60.0)]])

        with pytest.raises(LLMTimeout):
            shown.stream()

        assert shown.outcome.latency_seconds == 30.0

    def test_bytes_that_are_no_token_do_not_stop_the_clock(self):
        steps = [step for _ in range(20) for step in (Silence(1.0), b": x\n")]
        shown = stream_scene(a=[steps], b=[GOOD])

        shown.stream()

        _, outcome = shown.ended[0]
        assert (outcome.code, outcome.latency_seconds) == ("LLM_TIMEOUT", 10.0)

    def test_offline_is_no_place_to_go(self):
        route = Route(alias="main", weights={"a": 1, "offline": 1})
        shown = stream_scene(routes=(route,), a=[[Silence(20.0), *GOOD]])
        upstreams = shown.router._upstreams
        providers = {**upstreams.providers, "offline": FakeLocal()}
        shown.router = Router(
            shown.router._catalog, providers, shown.senders, ONCE, Random(3)
        )

        assert shown.stream().deployment.name == "a"

    def test_the_headers_must_come_before_the_first_token_has_to(self):
        slow = Deployment("a", "a", "vllm", "m", timeouts=Timeouts(7.0, 10.0))
        shown = stream_scene(deployments=[slow], a=[GOOD], b=[GOOD])

        shown.stream()

        limits = shown.senders["a"].opened[0][3]
        assert limits == {"first_byte_seconds": 7.0, "head_seconds": 10.0}

    def test_the_last_to_ask_has_its_first_byte_limit_for_the_headers(self):
        shown = stream_scene(a=[GOOD])

        shown.stream()

        limits = shown.senders["a"].opened[0][3]
        assert limits == {"first_byte_seconds": 30.0, "head_seconds": None}

    def test_a_routes_own_limits_win(self):
        routes = (
            Route(
                alias="main",
                weights={"a": 1},
                fallbacks=("b",),
                timeouts={"first_token_seconds": 3.0},
            ),
            Route(alias="b", weights={"b": 1}),
        )
        shown = stream_scene(routes=routes, a=[[Silence(20.0)]], b=[GOOD])

        answer = shown.stream()

        assert shown.ended[0][1].latency_seconds == 3.0
        assert answer.deployment.timeouts == Timeouts()


def test_a_caller_who_goes_before_the_first_token_ends_the_request():
    shown = stream_scene(a=[[b": x\n", CallerGone()]], b=[GOOD])

    with pytest.raises(CallerGone):
        shown.stream()

    assert shown.codes == ["CALLER_GONE"]


ERROR_BODIES = {
    "whole": ([b"bro", b"ken"], 0.0, "status 503: broken"),
    "cut off": ([b"bro", LLMUnavailable()], 0.0, "status 503: bro"),
    "that never ends": ([b"bro", Silence(60.0)], 5.0, "status 503: bro"),
    "that drips": ([b"b", Silence(2.0)] * 9, 5.0, "status 503: bbb"),
}


@pytest.mark.parametrize(
    ("steps", "seconds", "details"), ERROR_BODIES.values(), ids=ERROR_BODIES
)
def test_an_errors_status_counts_whatever_becomes_of_its_body(steps, seconds, details):
    shown = stream_scene(policy=ONCE, a=[steps])
    opened = shown.senders["a"].script[0]
    opened.status = 503

    with pytest.raises(LLMUnavailable):
        shown.stream()

    assert shown.outcome.details == details
    assert shown.outcome.latency_seconds == seconds
    assert opened.closed


def test_of_an_errors_body_no_more_is_read_than_tells_something():
    shown = stream_scene(policy=ONCE, a=[[b"x" * 40_000] * 9])
    opened = shown.senders["a"].script[0]
    opened.status = 503

    with pytest.raises(LLMUnavailable):
        shown.stream()

    assert len(opened.steps) == 7


def test_a_caller_who_goes_during_an_errors_body_ends_the_request():
    shown = stream_scene(a=[[CallerGone()]], b=[GOOD])
    shown.senders["a"].script[0].status = 503

    with pytest.raises(CallerGone):
        shown.stream()


def test_what_the_caller_has_to_mend_is_sent_nowhere_else():
    shown = stream_scene(a=[LLMInvalidRequest()], b=[GOOD])

    with pytest.raises(LLMInvalidRequest):
        shown.stream(RAW)

    assert shown.codes == ["LLM_INVALID_REQUEST"]


def test_a_provider_without_an_upstream_does_not_stream():
    shown = stream_scene(a=[])
    local = Deployment("a", "a", "extractive", "m")
    catalog = Catalog((Route(alias="main", weights={"a": 1}),), {"a": local})
    router = Router(catalog, {"a": FakeLocal()}, {}, ONCE, Random(1))

    with pytest.raises(NoModelConfigured):
        router.stream(REQUEST, shown.call)


def test_a_whole_answer_is_never_asked_for_as_a_stream():
    shown = stream_scene(a=[HttpReply(200, {}, b"Friday.")])

    answer = shown.router.complete(replace(RAW, stream=True), shown.call)

    assert shown.senders["a"].opened[0][0].body == b"m False"
    assert answer.completion.raw == b"Friday."
    assert answer.dropped == ()


@pytest.mark.parametrize("status", [200, 503])
def test_what_headers_tell_of_limits_is_heeded_whatever_the_status(status):
    shown = stream_scene(policy=ONCE, a=[list(GOOD)], b=[GOOD, GOOD])
    opened = shown.senders["a"].script[0]
    opened.status = status
    opened.headers = {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "20s",
    }
    list(shown.stream())

    assert shown.stream().deployment.name == "b"
