"""Streams that fail, over real sockets: before the first token and after it.

Every row of reliability.md 3.3 that concerns one deployment is in one of the tables
here, in test_router_replies.py (whole answers) or in the tests of the transport.
"""

import pytest
from fakes import (
    Upstream,
    chat,
    chunked_garbage,
    cut,
    drip,
    gzip_bomb,
    hang,
    html,
    json_reply,
    raw,
    redirect,
    reset,
    status,
)
from socket_scene import CLOCK, RAW, REQUEST, Told, closed_address, routing, text_of
from stream_steps import (
    DONE,
    big_line,
    bomb,
    chunk,
    cut_after_bytes,
    end_early,
    endless,
    error_at,
    event,
    fin_after,
    head,
    reset_after_bytes,
    sse,
    stall,
    tokens,
)

from flaskllm.core.errors import LLMProtocolError, LLMTimeout, LLMUnavailable

EVENTS = tokens("On ", "Friday.")
GOOD = tokens("From ", "the second.")
OVERLOADED = {"type": "overloaded_error", "message": "Overloaded"}


@pytest.fixture
def second():
    with Upstream() as server:
        server.always(sse(GOOD))
        yield server


@pytest.fixture
def route():
    with routing() as build:
        yield build


COMMENTS = chunk(b": wait\n\n" * 90)
BEFORE = {
    "429": (status(429), "LLM_RATE_LIMITED"),
    "503": (status(503), "LLM_UNAVAILABLE"),
    "504": (status(504), "LLM_TIMEOUT"),
    "529": (status(529), "LLM_UNAVAILABLE"),
    "401": (status(401), "LLM_CREDENTIAL_REJECTED"),
    "404": (status(404), "LLM_REQUEST_REJECTED"),
    "an error that hangs": (
        raw(b"HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\nx", close=False),
        "LLM_UNAVAILABLE",
    ),
    "html": (html(), "LLM_PROTOCOL_ERROR"),
    "no JSON": (sse([event(b"{")]), "LLM_PROTOCOL_ERROR"),
    "an empty body": (status(200, body=b""), "LLM_PROTOCOL_ERROR"),
    "an empty stream": (sse([]), "LLM_PROTOCOL_ERROR"),
    "empty choices": (sse([event({"choices": []}), DONE]), "LLM_PROTOCOL_ERROR"),
    "the end mark alone": (sse([DONE]), "LLM_PROTOCOL_ERROR"),
    "a role and no more": (end_early(EVENTS, 1), "LLM_PROTOCOL_ERROR"),
    "truncated head": (cut(chat("x"), 20), "LLM_PROTOCOL_ERROR"),
    "truncated body": (cut_after_bytes(EVENTS, 50), "LLM_PROTOCOL_ERROR"),
    "reset in the body": (reset_after_bytes(EVENTS, 50), "LLM_PROTOCOL_ERROR"),
    "an error event": (error_at(EVENTS, 1, OVERLOADED), "LLM_UNAVAILABLE"),
    "a named error event": (
        error_at(EVENTS, 0, OVERLOADED, "error"),
        "LLM_UNAVAILABLE",
    ),
    "an error object": (json_reply({"error": OVERLOADED}), "LLM_PROTOCOL_ERROR"),
    "broken chunks": (chunked_garbage(), "LLM_PROTOCOL_ERROR"),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH\r\n\r\n"), "LLM_PROTOCOL_ERROR"),
    "elsewhere": (redirect("http://127.0.0.1:1/"), "LLM_PROTOCOL_ERROR"),
    "a line without end": (big_line(2_000_000), "LLM_PROTOCOL_ERROR"),
    "a bomb": (bomb(40_000_000), "LLM_PROTOCOL_ERROR"),
    "hangs": (hang(), "LLM_TIMEOUT"),
    "a head that drips": (drip(head("x" * 500), 0.02), "LLM_TIMEOUT"),
    "a body that drips": (
        drip(head() + chunk(b": wait\n\n" * 90), 0.02),
        "LLM_TIMEOUT",
    ),
    "silence after the head": (stall(EVENTS, 0), "LLM_TIMEOUT"),
    "silence after the role": (stall(EVENTS, 1), "LLM_TIMEOUT"),
    "comments without end": (endless(b": wait\n\n", every_seconds=0.02), "LLM_TIMEOUT"),
}


@pytest.mark.parametrize(("step", "code"), BEFORE.values(), ids=BEFORE)
def test_what_fails_before_the_first_token_nobody_notices(
    route, upstream, second, step, code
):
    upstream.script(step)
    told = Told()
    patience = {"first_byte_seconds": 0.6, "first_token_seconds": 0.8}

    answer = route(upstream.url, second.url, **patience).stream(REQUEST, told.call())

    assert text_of(answer) == "From the second."
    assert (answer.deployment.name, answer.attempts) == ("b", 2)
    assert told.codes == [code, "OK"]
    assert told.waited == []
    assert told.outcomes[0].latency_seconds < 3.0


SAME_PLACE = {
    "500": (status(500), "LLM_SERVER_ERROR"),
    "502": (status(502), "LLM_SERVER_ERROR"),
    "an error's bomb": (
        raw(gzip_bomb(40_000_000).wire().replace(b" 200 ", b" 500 ", 1)),
        "LLM_SERVER_ERROR",
    ),
    "closed at once": (raw(b""), "LLM_SERVER_ERROR"),
    "reset at once": (reset(), "LLM_SERVER_ERROR"),
    "429 with a hint": (status(429, {"Retry-After": "2"}), "LLM_RATE_LIMITED"),
    "429 with nonsense": (status(429, {"Retry-After": "-1"}), "LLM_RATE_LIMITED"),
}


@pytest.mark.parametrize(("step", "code"), SAME_PLACE.values(), ids=SAME_PLACE)
def test_what_may_pass_at_the_same_place_is_tried_there_once_more(
    route, upstream, second, step, code
):
    upstream.script(step, step)
    told = Told()

    answer = route(upstream.url, second.url).stream(REQUEST, told.call())

    assert text_of(answer) == "From the second."
    assert (answer.deployment.name, answer.attempts) == ("b", 3)
    assert told.codes == [code, code, "OK"]
    assert len(told.waited) == 1
    assert told.waited[0] <= 2.0


UNREACHABLE = {
    "refused": closed_address,
    "no such name": lambda: "http://no-such-host.invalid",
    "no TLS": None,
}


@pytest.mark.parametrize("address", UNREACHABLE.values(), ids=UNREACHABLE)
def test_an_upstream_that_cannot_be_reached_is_skipped_at_once(
    route, upstream, second, address
):
    upstream.always(hang())
    url = address() if address else upstream.url.replace("http://", "https://")
    told = Told()

    answer = route(url, second.url).stream(REQUEST, told.call())

    assert text_of(answer) == "From the second."
    assert told.codes == ["LLM_UNAVAILABLE", "OK"]
    assert told.waited == []


ALONE = {
    "a truncated stream": (fin_after(EVENTS, 1), LLMProtocolError),
    "an error event": (error_at(EVENTS, 1, OVERLOADED), LLMUnavailable),
}


@pytest.mark.parametrize(("step", "error"), ALONE.values(), ids=ALONE)
def test_where_nothing_else_is_left_the_error_is_typed_and_says_when_to_come_back(
    route, upstream, step, error
):
    upstream.always(step)
    told = Told()

    with pytest.raises(error) as caught:
        route(upstream.url, first_byte_seconds=0.3).stream(REQUEST, told.call())

    assert told.codes == [error.code] * 3
    assert caught.value.retry_after_seconds >= 1


def test_who_is_silent_is_not_asked_again_where_nothing_else_is_left(route, upstream):
    upstream.always(stall(EVENTS, 1))
    told = Told()

    with pytest.raises(LLMTimeout) as caught:
        route(upstream.url, first_byte_seconds=0.3).stream(REQUEST, told.call())

    assert told.codes == ["LLM_TIMEOUT"]
    assert caught.value.retry_after_seconds >= 1


def test_a_first_token_that_is_late_is_waited_for_where_nothing_else_is_left(
    route, upstream
):
    def late(exchange):
        exchange.write(head() + chunk(EVENTS[0]))
        exchange.wait(0.4)
        exchange.write(b"".join(map(chunk, EVENTS[1:])) + b"0\r\n\r\n")

    upstream.script(late)
    told = Told()
    router = route(upstream.url, first_token_seconds=0.1)

    assert text_of(router.stream(REQUEST, told.call())) == "On Friday."
    assert told.outcomes[0].first_token_seconds >= 0.4


def then(*pieces, end=lambda exchange: exchange.close()):
    """Stream a first token and, once it was read, these pieces; then `end`."""

    def step(exchange):
        exchange.write(head() + b"".join(map(chunk, EVENTS[:2])))
        exchange.wait(0.1)
        for piece in pieces:
            exchange.write(piece)
        end(exchange)

    return step


AFTER = {
    "closed": (then(), LLMProtocolError),
    "closed in an event": (then(chunk(EVENTS[2][:40])), LLMProtocolError),
    "ended too early": (then(b"0\r\n\r\n"), LLMProtocolError),
    "reset": (then(end=lambda exchange: exchange.reset()), LLMProtocolError),
    "an error event": (then(chunk(event({"error": OVERLOADED}))), LLMUnavailable),
    "a stall": (then(end=lambda exchange: exchange.wait()), LLMTimeout),
    "broken chunks": (then(b"zz\r\nworld\r\n"), LLMProtocolError),
    "a line without end": (then(chunk(b"x" * 2_000_000)), LLMProtocolError),
}


@pytest.mark.parametrize("request_", [REQUEST, RAW], ids=["chunks", "bytes"])
@pytest.mark.parametrize(("step", "error"), AFTER.values(), ids=AFTER)
def test_what_fails_after_the_first_token_is_never_a_clean_end(
    route, upstream, second, step, error, request_
):
    upstream.script(step)
    told, heard = Told(), []
    router = route(upstream.url, second.url, chunk_gap_seconds=0.4)

    with pytest.raises(error):
        heard.extend(router.stream(request_, told.call()))

    # The second answers otherwise, so there is no rescue.
    assert told.codes[:2] == [error.code, "LLM_ANSWER_DIFFERS"]
    assert "OK" not in told.codes
    assert told.outcomes[0].usage.source == "estimated"
    assert all(b"[DONE]" not in each for each in heard if isinstance(each, bytes))
    assert not any(getattr(each, "finish_reason", None) for each in heard)


TOO_MUCH = {
    "the end mark before the finish": then(chunk(DONE)),
    "a million events": then(*[chunk(b"data: 0\n\n" * 100_000)] * 11),
}


@pytest.mark.parametrize("step", TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_cannot_be_turned_into_an_answer_breaks_off(route, upstream, step):
    upstream.script(step)
    patient = Told(deadline_seconds=60.0)  # a million events take a busy machine long
    answer = route(upstream.url).stream(REQUEST, patient.call())

    with pytest.raises(LLMProtocolError):
        list(answer)


def test_a_stall_ends_with_the_upstream_being_hung_up_on(route, upstream):
    upstream.script(stall(EVENTS, 2))

    with pytest.raises(LLMTimeout):
        list(route(upstream.url, chunk_gap_seconds=0.3).stream(REQUEST, Told().call()))

    assert upstream.wait_for_hang_up(seconds=1.0)


def test_the_deadline_holds_in_the_middle_of_a_stream(route, upstream):
    upstream.script(sse(tokens(*["word "] * 100), every_seconds=0.1))
    told = Told(deadline_seconds=0.5)
    begun_seconds = CLOCK.monotonic()
    answer = route(upstream.url).stream(REQUEST, told.call())

    with pytest.raises(LLMTimeout):
        list(answer)

    assert CLOCK.monotonic() - begun_seconds < 1.5
    assert told.codes == ["LLM_TIMEOUT"]


def test_the_deadline_holds_against_a_head_that_drips(route, upstream):
    upstream.script(drip(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 900, 0.02))
    told = Told(deadline_seconds=0.5)

    with pytest.raises(LLMTimeout):
        route(upstream.url).stream(REQUEST, told.call())

    assert told.outcomes[0].latency_seconds < 1.5
