"""The router over the real transport and real sockets."""

import socket

import pytest
from fakes import (
    Upstream,
    chat,
    cut,
    delayed,
    drip,
    hang,
    html,
    json_reply,
    reset,
    status,
)
from socket_scene import CLOCK, REQUEST, Told, closed_address, routing

from flaskllm.core.errors import (
    CallerGone,
    LLMAPIError,
    LLMContextTooLong,
    LLMProtocolError,
    LLMRateLimited,
    LLMTimeout,
    LLMUnavailable,
)


@pytest.fixture
def second():
    with Upstream() as server:
        yield server


@pytest.fixture
def route():
    with routing() as build:
        yield build


@pytest.fixture
def closed_port():
    return closed_address()


def test_a_question_goes_out_and_its_answer_comes_back(route, upstream):
    upstream.script(chat("On Friday."))

    result = route(upstream.url).complete(REQUEST, Told().call())

    (received,) = upstream.requests
    assert (received.method, received.path) == ("POST", "/v1/chat/completions")
    assert received.json == {
        "model": "m-a",
        "messages": [{"role": "user", "content": "When is the launch?"}],
    }
    assert result.completion.text == "On Friday."
    assert result.completion.usage.tokens_input == 12


FAILURES = {
    "429": (status(429), "LLM_RATE_LIMITED"),
    "503": (status(503), "LLM_UNAVAILABLE"),
    "401": (status(401), "LLM_CREDENTIAL_REJECTED"),
    "html": (html(), "LLM_PROTOCOL_ERROR"),
    "empty choices": (json_reply({"choices": []}), "LLM_PROTOCOL_ERROR"),
    "truncated": (cut(chat("On Friday."), 120), "LLM_PROTOCOL_ERROR"),
}


@pytest.mark.parametrize(("step", "code"), FAILURES.values(), ids=FAILURES)
def test_a_failing_upstream_is_not_the_callers_problem(
    route, upstream, second, step, code
):
    upstream.script(step)
    second.script(chat("From the second."))
    told = Told()

    result = route(upstream.url, second.url).complete(REQUEST, told.call())

    assert (result.completion.text, result.attempts) == ("From the second.", 2)
    assert told.codes == [code, "OK"]
    assert told.waited == []


def test_a_refused_connection_falls_back_at_once(route, upstream, closed_port):
    upstream.script(chat("On Friday."))
    told = Told()

    result = route(closed_port, upstream.url).complete(REQUEST, told.call())

    assert result.deployment.name == "b"
    assert told.codes == ["LLM_UNAVAILABLE", "OK"]
    assert told.waited == []


def test_a_refused_connection_alone_is_retried_twice_then_told_with_a_hint(
    route, closed_port
):
    told = Told()

    with pytest.raises(LLMUnavailable) as caught:
        route(closed_port).complete(REQUEST, told.call())

    assert told.codes == ["LLM_UNAVAILABLE"] * 3
    assert len(told.waited) == 2
    assert caught.value.retry_after_seconds >= 1


def test_an_upstream_that_recovers_is_heard_after_the_time_it_asked_for(
    route, upstream
):
    upstream.script(status(429, {"Retry-After": "2"}), chat("On Friday."))
    told = Told()

    result = route(upstream.url).complete(REQUEST, told.call())

    assert (result.completion.text, result.attempts) == ("On Friday.", 2)
    assert told.waited == [pytest.approx(2.0, abs=0.1)]


ENDINGS = {
    "429": (status(429, {"Retry-After": "60"}), LLMRateLimited),
    "html": (html(), LLMProtocolError),
    "too long": (
        json_reply(
            {"error": {"message": "x", "code": "context_length_exceeded"}}, status=400
        ),
        LLMContextTooLong,
    ),
}


@pytest.mark.parametrize(("step", "error"), ENDINGS.values(), ids=ENDINGS)
def test_when_nobody_answers_the_error_is_typed(route, upstream, step, error):
    upstream.always(step)

    with pytest.raises(error) as caught:
        route(upstream.url).complete(REQUEST, Told().call())

    assert len(upstream.requests) <= 3
    assert caught.value.retryable is (caught.value.retry_after_seconds is not None)


SLOW = {
    "hangs": hang(),
    "drips": drip(chat("On Friday.").wire(), 0.02),
    "is late": delayed(5.0, chat("On Friday.")),
}


@pytest.mark.parametrize("step", SLOW.values(), ids=SLOW)
def test_the_deadline_holds_against_an_upstream_that(route, upstream, second, step):
    upstream.script(step)
    told = Told(deadline_seconds=0.4)
    begun_seconds = CLOCK.monotonic()

    with pytest.raises(LLMTimeout):
        route(upstream.url, second.url).complete(REQUEST, told.call())

    assert CLOCK.monotonic() - begun_seconds < 2.0
    assert told.codes == ["LLM_TIMEOUT"]
    assert second.requests == []
    assert upstream.wait_for_hang_up()


@pytest.mark.parametrize("step", SLOW.values(), ids=SLOW)
def test_a_whole_answer_is_waited_for_so_long_where_another_may_give_it(
    route, upstream, second, step
):
    upstream.always(step)
    second.script(chat("On Friday."))
    told = Told()

    router = route(upstream.url, second.url, answer_seconds=0.4)
    answer = router.complete(REQUEST, told.call())

    assert answer.completion.text == "On Friday."
    assert (answer.deployment.name, answer.failures) == ("b", ("LLM_TIMEOUT",))
    assert len(upstream.requests) == 1
    assert upstream.wait_for_hang_up()


def test_a_whole_answer_has_the_whole_deadline_where_nobody_else_may_give_it(
    route, upstream
):
    upstream.script(delayed(0.6, chat("On Friday.")))

    answer = route(upstream.url, answer_seconds=0.2).complete(REQUEST, Told().call())

    assert (answer.completion.text, answer.failures) == ("On Friday.", ())


def test_a_caller_who_hangs_up_ends_the_attempt(route, upstream):
    upstream.script(hang())
    ours, theirs = socket.socketpair()
    told = Told(caller=ours)
    theirs.close()

    with ours, pytest.raises(CallerGone):
        route(upstream.url).complete(REQUEST, told.call())

    assert told.codes == ["CALLER_GONE"]


def test_a_connection_that_is_reset_ends_in_a_typed_error(route, upstream):
    upstream.always(reset())

    with pytest.raises(LLMAPIError):
        route(upstream.url).complete(REQUEST, Told().call())
