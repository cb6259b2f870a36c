"""What an upstream tells of its rate limits reaches callers of its own dialect."""

import json

import pytest
from dialect_scene import ASK, MESSAGE, Caller, claude_events, settings
from fakes import Reply, chat, json_reply, status
from stream_steps import DONE, event, tokens

OPENAI = {
    "x-ratelimit-remaining-requests": "59",
    "x-ratelimit-reset-tokens": "6m0.5s",
}
ANTHROPIC = {
    "anthropic-ratelimit-input-tokens-remaining": "9",
    "anthropic-ratelimit-requests-reset": "2026-01-27T12:00:00Z",
}
OTHERS = {
    "x-ratelimit-limit-tokens": "not a limit",
    "x-ratelimit-policy": "60",
    "set-cookie": "a=b",
}
BOTH = {**OPENAI, **ANTHROPIC, **OTHERS}
VECTORS = {
    "object": "list",
    "model": "m",
    "data": [{"object": "embedding", "index": 0, "embedding": [1.0]}],
    "usage": {"prompt_tokens": 1, "total_tokens": 1},
}
CHOICE = {"index": 0, "text": "Hi", "finish_reason": "stop"}
TEXT = {"choices": [CHOICE], "usage": VECTORS["usage"]}
# The limits that a caller sees, the model that is asked, a whole answer and a stream.
ROUTES = {
    "/v1/chat/completions": (OPENAI, "open", chat("Hi").body, tokens("Hi")),
    "/v1/completions": (OPENAI, "open", json.dumps(TEXT).encode(), [event(TEXT), DONE]),
    "/v1/messages": (
        ANTHROPIC,
        "claude",
        json.dumps(MESSAGE).encode(),
        claude_events("Hi"),
    ),
}


@pytest.fixture
def caller(make_gateway, upstream):
    return Caller(make_gateway(settings(upstream)))


def told(body, kind="application/json"):
    """Answer 200 with every header above."""
    return Reply(200, {"Content-Type": kind, **BOTH}, body)


def limits_in(response):
    assert response.status_code == 200
    assert response.data
    return {
        name.lower(): value
        for name, value in response.headers.items()
        if "ratelimit" in name.lower()
    }


@pytest.mark.parametrize("path", ROUTES)
def test_the_limits_of_ones_own_dialect_are_passed_on(caller, upstream, path):
    own, model, body, events = ROUTES[path]
    upstream.script(told(body), told(b"".join(events), "text/event-stream"))
    ask = {**ASK, "model": model, "prompt": "Hi"}

    assert limits_in(caller.post(path, ask)) == own
    assert limits_in(caller.post(path, {**ask, "stream": True})) == own


def test_those_of_the_vectors_are_passed_on(caller, upstream):
    upstream.always(told(json.dumps(VECTORS).encode()))

    response = caller.post("/v1/embeddings", {"model": "open", "input": "Hi"})

    assert limits_in(response) == OPENAI


def test_those_of_another_dialect_are_kept_back(caller, upstream):
    upstream.always(Reply(200, OPENAI, chat("Hi.").body))

    assert limits_in(caller.ask()) == {}


def test_those_of_an_attempt_that_failed_are_forgotten(caller, upstream):
    upstream.script(status(401, OPENAI), json_reply(MESSAGE))

    response = caller.post("/v1/chat/completions", {**ASK, "model": "both"})

    assert limits_in(response) == {}
