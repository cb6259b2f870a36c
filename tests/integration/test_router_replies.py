"""Whole answers that are odd, over real sockets: what counts and what does not."""

import pytest
from fakes import (
    Upstream,
    big,
    chat,
    gzip_bomb,
    json_reply,
    raw,
    reset,
    status,
)
from socket_scene import REQUEST, Told, routing

from flaskllm.core.errors import LLMInvalidRequest


@pytest.fixture
def second():
    with Upstream() as server:
        server.always(chat("From the second."))
        yield server


@pytest.fixture
def route():
    with routing() as build:
        yield build


FAILING = {
    "503": (status(503), "LLM_UNAVAILABLE"),
    "504": (status(504), "LLM_TIMEOUT"),
    "404": (status(404), "LLM_REQUEST_REJECTED"),
    "reset in the body": (reset(150), "LLM_PROTOCOL_ERROR"),
    "a bomb": (gzip_bomb(80_000_000), "LLM_PROTOCOL_ERROR"),
    "an error's bomb": (
        raw(gzip_bomb(80_000_000).wire().replace(b" 200 ", b" 500 ", 1)),
        "LLM_PROTOCOL_ERROR",
    ),
    "a body beyond the cap": (big(40_000_000), "LLM_PROTOCOL_ERROR"),
    "no content": (chat(None), "LLM_PROTOCOL_ERROR"),
}


@pytest.mark.parametrize(("step", "code"), FAILING.values(), ids=FAILING)
def test_what_is_no_answer_falls_back(route, upstream, second, step, code):
    upstream.script(step)
    told = Told()

    result = route(upstream.url, second.url).complete(REQUEST, told.call())

    assert (result.completion.text, result.attempts) == ("From the second.", 2)
    assert told.codes == [code, "OK"]


SAME_PLACE = {"502": status(502), "reset at once": reset()}


@pytest.mark.parametrize("step", SAME_PLACE.values(), ids=SAME_PLACE)
def test_a_fault_at_one_request_is_tried_once_more_at_the_same_place(
    route, upstream, second, step
):
    upstream.script(step, chat("From the first."))
    told = Told()

    result = route(upstream.url, second.url).complete(REQUEST, told.call())

    assert (result.completion.text, result.attempts) == ("From the first.", 2)
    assert told.codes == ["LLM_SERVER_ERROR", "OK"]
    assert second.requests == []


def test_a_request_that_is_wrong_is_sent_nowhere_else(route, upstream, second):
    upstream.script(status(400))
    told = Told()

    with pytest.raises(LLMInvalidRequest):
        route(upstream.url, second.url).complete(REQUEST, told.call())

    assert told.codes == ["LLM_INVALID_REQUEST"]
    assert second.requests == []


def test_an_unknown_finish_reason_is_an_end_like_any_other(route, upstream):
    upstream.script(chat("On Friday.", finish_reason="weary"))

    completion = route(upstream.url).complete(REQUEST, Told().call()).completion

    assert (completion.text, completion.finish_reason) == ("On Friday.", "stop")


def test_a_call_of_a_tool_needs_no_words(route, upstream):
    call = {
        "id": "c1",
        "type": "function",
        "function": {"name": "f", "arguments": "{}"},
    }
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    upstream.script(json_reply({"choices": [choice], "model": "m"}))

    completion = route(upstream.url).complete(REQUEST, Told().call()).completion

    assert [each.name for each in completion.tool_calls] == ["f"]
    assert completion.usage.source == "estimated"


def test_an_idle_connection_that_the_upstream_closed_costs_no_attempt(route, upstream):
    upstream.script(raw(chat("First.").wire()), chat("Second."))
    router, told = route(upstream.url), Told()

    texts = [router.complete(REQUEST, told.call()).completion.text for _ in range(2)]

    assert texts == ["First.", "Second."]
    assert told.codes == ["OK", "OK"]


TRUE = {"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 14}
LIES = {
    "no object": "many",
    "negative": {**TRUE, "completion_tokens": -2},
    "text": {**TRUE, "prompt_tokens": "12"},
    "beyond belief": {**TRUE, "prompt_tokens": 10**18},
}


@pytest.mark.parametrize("usage", LIES.values(), ids=LIES)
def test_a_count_that_cannot_be_true_is_replaced_by_an_estimate(route, upstream, usage):
    upstream.script(chat("On Friday.", usage=usage))
    told = Told()

    route(upstream.url).complete(REQUEST, told.call())

    (outcome,) = told.outcomes
    assert outcome.usage.source == "estimated"
    assert 0 < outcome.usage.tokens_input < 100
