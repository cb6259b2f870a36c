"""A stream that breaks after text was shown goes on elsewhere, over real sockets."""

from dataclasses import replace

import pytest
from dialect_scene import claude_events
from fakes import Upstream, answer_with, status
from socket_scene import RAW, REQUEST, Told, routing
from stream_steps import chunk, event, head, sse, tokens

from flaskllm.core.errors import LLMProtocolError, LLMTimeout, LLMUnavailable
from flaskllm.llm.providers import build_provider
from flaskllm.llm.streams import Chunk, Seam
from flaskllm.llm.types import CallerBody

WORDS = ["The ", "launch ", "is ", "on ", "Friday ", "at ", "noon ", "sharp."]
SHOWN, TEXT = "".join(WORDS[:5]), "".join(WORDS)
EVENTS = tokens(*WORDS)
TWO_THIRDS = 6  # the role and five words
OVERLOADED = {"type": "overloaded_error", "message": "Overloaded"}
PLACES = pytest.mark.parametrize("request_", [REQUEST, RAW], ids=["chunks", "bytes"])


@pytest.fixture
def second():
    with Upstream() as server:
        yield server


@pytest.fixture
def route():
    with routing() as build:
        yield build


def broken(end, events=EVENTS[:TWO_THIRDS]):
    """Stream these events, the last of them once the others were read; then end."""

    def step(exchange):
        exchange.write(head() + b"".join(map(chunk, events[:-1])))
        exchange.wait(0.05)
        exchange.write(chunk(events[-1]))
        exchange.wait(0.05)
        end(exchange)

    return step


def heard_from(pieces):
    """Return the pieces that were heard, and the error that ended them."""
    heard = []
    try:
        for piece in pieces:
            heard.append(piece)
    except (LLMProtocolError, LLMTimeout, LLMUnavailable) as error:
        return heard, error
    return heard, None


def text_of(heard):
    """Return the words that were heard, in bytes first and then in chunks."""
    said = b"".join(each for each in heard if isinstance(each, bytes))
    provider = build_provider("vllm", None, None, None)
    reader = provider.read_stream(REQUEST)
    chunks = [each for each in heard if isinstance(each, Chunk)]
    return "".join(each.text for each in [*reader.feed(said), *chunks])


BREAKS = {
    "closed": (broken(lambda exchange: exchange.close()), "LLM_PROTOCOL_ERROR"),
    "reset": (broken(lambda exchange: exchange.reset()), "LLM_PROTOCOL_ERROR"),
    "ended too early": (
        broken(lambda exchange: exchange.write(b"0\r\n\r\n")),
        "LLM_PROTOCOL_ERROR",
    ),
    "an error event": (
        broken(lambda exchange: exchange.write(chunk(event({"error": OVERLOADED})))),
        "LLM_UNAVAILABLE",
    ),
    "an error with the last word": (
        broken(
            lambda exchange: exchange.wait(),
            [*EVENTS[: TWO_THIRDS - 1], EVENTS[5] + event({"error": OVERLOADED})],
        ),
        "LLM_UNAVAILABLE",
    ),
    "a stall": (broken(lambda exchange: exchange.wait()), "LLM_TIMEOUT"),
}


@PLACES
@pytest.mark.parametrize(("step", "code"), BREAKS.values(), ids=BREAKS)
def test_however_it_breaks_after_two_thirds_the_caller_has_the_whole_answer(
    route, upstream, second, step, code, request_
):
    upstream.script(step)
    second.script(sse(tokens("The launch is on Fri", "day at ", "noon sharp.")))
    told = Told()
    router = route(upstream.url, second.url, chunk_gap_seconds=0.4)

    answer = router.stream(request_, told.call())
    heard, error = heard_from(answer)

    assert error is None
    assert text_of(heard) == TEXT
    assert told.codes == [code, "OK"]
    assert (answer.deployment.name, answer.attempts) == ("b", 2)
    seam = next(each for each in heard if isinstance(each, Seam))
    assert seam == replace(
        Seam("a", "b", len(SHOWN), code, "match"), opening=_opening(request_)
    )
    assert len(upstream.requests) == len(second.requests) == 1
    assert code != "LLM_TIMEOUT" or upstream.wait_for_hang_up()


def _opening(request):
    """Return how the first answer began, where its bytes were passed on."""
    provider = build_provider("vllm", None, None, None)
    reader = provider.read_stream(request)
    reader.feed(b"".join(EVENTS[:2]))
    return reader.opening


def test_what_an_attempt_at_a_rescue_is_for_is_told(route, upstream, second):
    upstream.script(BREAKS["closed"][0])
    second.script(sse(EVENTS))
    told, begun = Told(), []
    call = replace(told.call(), before=begun.append)

    list(route(upstream.url, second.url).stream(REQUEST, call))

    assert [each.number for each in begun] == [1, 2]
    assert begun[1].decision == f"rescue of attempt 1 after {len(SHOWN)} characters"


def test_the_usage_is_that_of_both_attempts(route, upstream, second):
    upstream.script(BREAKS["closed"][0])
    second.script(sse(EVENTS))
    told = Told()

    answer = route(upstream.url, second.url).stream(REQUEST, told.call())
    list(answer)

    first, last = told.outcomes
    assert first.usage.source == "estimated"
    assert last.usage.tokens_input == 12
    assert answer.usage == first.usage + last.usage


@PLACES
def test_another_answer_is_hung_up_on_at_once_and_the_first_failure_told(
    route, upstream, second, request_
):
    upstream.script(BREAKS["a stall"][0])
    second.script(sse(tokens("The launch ", *["was "] * 400), every_seconds=0.02))
    told = Told()
    router = route(upstream.url, second.url, chunk_gap_seconds=0.4)

    heard, error = heard_from(router.stream(request_, told.call()))

    assert isinstance(error, LLMTimeout)
    assert text_of(heard) == SHOWN
    assert not any(isinstance(each, Seam) for each in heard)
    assert told.codes == ["LLM_TIMEOUT", "LLM_ANSWER_DIFFERS"]
    assert second.wait_for_hang_up(seconds=1.0)
    assert told.outcomes[1].usage.tokens_output < 10
    assert len(second.requests) == 1


def test_an_answer_in_another_dialect_goes_on_too(route, upstream, second):
    upstream.script(BREAKS["closed"][0])
    second.script(sse(claude_events("The launch is ", "on Friday at ", "noon sharp.")))
    told = Told()
    router = route(upstream.url, second.url, kinds=["vllm", "anthropic"])

    answer = router.stream(RAW, told.call())
    heard, error = heard_from(answer)

    assert error is None
    assert text_of(heard) == TEXT
    assert told.codes == ["LLM_PROTOCOL_ERROR", "OK"]
    assert not answer.is_raw


class TestContinue:
    def test_the_rest_is_asked_for_and_what_overlaps_is_cut_off(
        self, route, upstream, second
    ):
        upstream.script(BREAKS["a stall"][0])
        second.script(
            sse(tokens("Friday it is."), every_seconds=0.02),
            sse(tokens("is on Fri", "day at ", "noon sharp.")),
        )
        told = Told()
        router = route(
            upstream.url, second.url, rescue="continue", chunk_gap_seconds=0.4
        )

        heard, error = heard_from(router.stream(RAW, told.call()))

        assert error is None
        assert text_of(heard) == TEXT
        assert told.codes == ["LLM_TIMEOUT", "LLM_ANSWER_DIFFERS", "OK"]
        seam = next(each for each in heard if isinstance(each, Seam))
        assert (seam.mode, seam.to_deployment) == ("continue", "b")

    @pytest.mark.parametrize("kind", ["vllm", "anthropic"])
    def test_a_deployment_that_refuses_prefill_goes_on_all_the_same(
        self, route, upstream, second, kind
    ):
        events = claude_events if kind == "anthropic" else tokens

        def answer(received):
            messages = received.json["messages"]
            if messages[-1]["role"] == "assistant":
                return status(400, body=b'{"error": {"message": "no prefill"}}')
            if len(messages) == 1:
                return sse(events("On Friday."), every_seconds=0.02)
            return sse(events("at noon sharp."))

        upstream.script(BREAKS["closed"][0])
        second.always(answer_with(answer))
        told = Told()
        router = route(
            upstream.url, second.url, rescue="continue", kinds=["vllm", kind]
        )

        heard, error = heard_from(router.stream(REQUEST, told.call()))

        assert error is None
        assert text_of(heard) == TEXT
        assert told.codes == ["LLM_PROTOCOL_ERROR", "LLM_ANSWER_DIFFERS", "OK"]
        roles = [each["role"] for each in second.requests[1].json["messages"]]
        assert roles == ["user", "assistant", "user"]


class TestNoRescue:
    def test_off_leaves_the_others_alone(self, route, upstream, second):
        upstream.script(BREAKS["closed"][0])
        told = Told()
        router = route(upstream.url, second.url, rescue="off")

        heard, error = heard_from(router.stream(REQUEST, told.call()))

        assert isinstance(error, LLMProtocolError)
        assert text_of(heard) == SHOWN
        assert told.codes == ["LLM_PROTOCOL_ERROR"]
        assert second.requests == []

    @PLACES
    def test_nobody_goes_on_with_the_call_of_a_tool(
        self, route, upstream, second, request_
    ):
        function = {"name": "look", "arguments": '{"at": '}
        call = {"index": 0, "id": "call-1", "type": "function", "function": function}
        delta = {"tool_calls": [call]}
        calls = event({"choices": [{"index": 0, "delta": delta}]})
        upstream.script(broken(lambda exchange: exchange.close(), [*EVENTS[:3], calls]))
        told = Told()

        _, error = heard_from(
            route(upstream.url, second.url).stream(request_, told.call())
        )

        assert isinstance(error, LLMProtocolError)
        assert told.codes == ["LLM_PROTOCOL_ERROR"]
        assert second.requests == []

    def test_nor_with_several_answers(self, route, upstream, second):
        body = CallerBody("openai.chat", {**RAW.body.fields, "n": 2})
        upstream.script(BREAKS["closed"][0])
        told = Told()
        router = route(upstream.url, second.url)

        _, error = heard_from(
            router.stream(replace(RAW, body=body, choices=2), told.call())
        )

        assert isinstance(error, LLMProtocolError)
        assert second.requests == []

    def test_after_the_finish_there_is_nothing_to_rescue(self, route, upstream, second):
        upstream.script(broken(lambda exchange: exchange.reset(), EVENTS[:-2]))
        told = Told()

        heard, error = heard_from(
            route(upstream.url, second.url).stream(RAW, told.call())
        )

        assert error is None
        assert text_of(heard) == TEXT
        assert told.codes == ["OK"]
