"""After a fallback every face names who really answered, and why it was asked."""

import json

import pytest
from dialect_scene import Caller, claude_events, events_in, message
from fakes import chat, json_reply, status
from stream_steps import sse, tokens

from flaskllm.core.auth import Scope
from flaskllm.core.sse import SSEParser

SETTINGS = """
providers:
  claude: {{kind: anthropic, base_url: {url}, api_key: upstream-credential}}
  box: {{kind: openai_compatible, base_url: {url}}}
deployments:
  haiku: {{provider: claude, model: claude-haiku-4-5}}
  small: {{provider: box, model: scripted-1}}
  embedder: {{provider: box, model: vectors-1}}
  other: {{provider: box, model: vectors-1}}
routes:
  - {{alias: open, deployments: {{small: 1}}, fallbacks: [claude-only]}}
  - {{alias: claude, deployments: {{haiku: 1}}, fallbacks: [open-only]}}
  - {{alias: open-only, deployments: {{small: 1}}}}
  - {{alias: claude-only, deployments: {{haiku: 1}}}}
default_route: open
"""
HELLO = [{"role": "user", "content": "Hello"}]
HAIKU, SCRIPTED = "claude-haiku-4-5-20251001", "fake-model-1"
REFUSED = status(503)
REASON = "X-Flaskllm-Decision"


@pytest.fixture
def caller(make_gateway, upstream):
    return Caller(make_gateway(SETTINGS.format(url=upstream.url)))


def lines_of(reply):
    texts = [each.data.decode() for each in SSEParser().feed(reply.data)]
    return [json.loads(text) for text in texts if text != "[DONE]"]


def test_a_chat_of_ours(caller, upstream):
    upstream.script(REFUSED, message())

    reply = caller.post("/api/v1/chat", {"message": "Hello"})

    meta = reply.json["meta"]
    assert (meta["provider"], meta["model"]) == ("claude", HAIKU)
    assert reply.json["data"]["model"] == HAIKU
    assert "haiku" in reply.headers[REASON]


def test_a_stream_of_ours(caller, upstream):
    upstream.script(REFUSED, sse(claude_events("Hi.")))

    reply = caller.post("/api/v1/chat/stream", {"message": "Hello"})

    assert lines_of(reply)[-1]["model"] == HAIKU
    assert "haiku" in reply.headers[REASON]


def test_a_digest(caller, upstream):
    upstream.script(REFUSED, message(content=[{"type": "text", "text": DIGEST}]))
    token = caller.gateway.make_token(Scope.WEBHOOK)

    reply = caller.post(
        "/api/v1/webhook",
        {"prompt": "Call Ann.", "type": "keywords"},
        Authorization=f"Bearer {token}",
    )

    meta = reply.json["meta"]
    assert (meta["provider"], meta["model"]) == ("claude", HAIKU)
    assert "haiku" in reply.headers[REASON]


DIGEST = '{"keywords": ["call"]}'


@pytest.mark.parametrize("path", ["chat/completions", "completions", "responses"])
def test_openai_s_dialect(caller, upstream, path):
    upstream.script(REFUSED, message())
    asked = {"chat/completions": {"messages": HELLO}, "completions": {"prompt": "Hi"}}

    reply = caller.post(
        f"/v1/{path}", {"model": "open", **asked.get(path, {"input": "Hi"})}
    )

    assert reply.json["model"] == HAIKU
    assert "haiku" in reply.headers[REASON]


def test_a_stream_in_openai_s_dialect(caller, upstream):
    upstream.script(REFUSED, sse(claude_events("Hi.")))

    reply = caller.post(
        "/v1/chat/completions", {"model": "open", "messages": HELLO, "stream": True}
    )

    assert {each["model"] for each in lines_of(reply)} == {HAIKU}


def test_a_streamed_response(caller, upstream):
    upstream.script(REFUSED, sse(claude_events("Hi.")))

    told = events_in(caller.respond(stream=True))

    models = {each["response"]["model"] for each in told if "response" in each}
    assert models == {HAIKU}


def test_anthropic_s_dialect(caller, upstream):
    upstream.script(REFUSED, chat("Hi.", model=SCRIPTED))

    reply = caller.ask(model="claude")

    assert reply.json["model"] == SCRIPTED
    assert "small" in reply.headers[REASON]


def test_a_stream_in_anthropic_s_dialect(caller, upstream):
    upstream.script(REFUSED, sse(tokens("Hi.")))

    start, *_ = events_in(caller.ask(model="claude", stream=True))

    assert start["message"]["model"] == SCRIPTED


LIMITED = status(429, {"Retry-After": "40"})
FACES = {
    "chat": ("/api/v1/chat", {"message": "Hello"}),
    "stream": ("/api/v1/chat/stream", {"message": "Hello"}),
    "openai": ("/v1/chat/completions", {"model": "open", "messages": HELLO}),
    "responses": ("/v1/responses", {"model": "open", "input": "Hello"}),
    "anthropic": (
        "/v1/messages",
        {"model": "open", "messages": HELLO, "max_tokens": 9},
    ),
}
WORDS = {
    "chat": lambda told: told["code"] == "LLM_RATE_LIMITED",
    "stream": lambda told: told["code"] == "LLM_RATE_LIMITED",
    "openai": lambda told: told["error"]["code"] == "rate_limit_exceeded",
    "responses": lambda told: told["error"]["code"] == "rate_limit_exceeded",
    "anthropic": lambda told: told["error"]["type"] == "rate_limit_error",
}


@pytest.mark.parametrize("face", FACES)
def test_where_all_ask_for_patience_the_caller_hears_429_and_how_long(
    caller, upstream, face
):
    upstream.always(LIMITED)
    path, body = FACES[face]

    reply = caller.post(path, body)

    assert reply.status_code == 429
    assert 1 <= int(reply.headers["Retry-After"]) <= 40
    assert WORDS[face](reply.json)
    assert "haiku" in reply.headers[REASON]


def test_an_embedding(make_gateway, upstream):
    vectors = """
  - {{alias: vectors, deployments: {{embedder: 1}}, fallbacks: [others]}}
  - {{alias: others, deployments: {{other: 1}}}}
"""
    text = SETTINGS.replace("default_route", vectors.lstrip("\n") + "default_route")
    caller = Caller(make_gateway(text.format(url=upstream.url)))
    data = [{"index": 0, "embedding": [0.5, 1.0]}]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    good = json_reply({"model": "vectors-1-a", "data": data, "usage": usage})
    upstream.script(REFUSED, good)

    reply = caller.post("/v1/embeddings", {"model": "vectors", "input": "Hi"})

    assert reply.json["model"] == "vectors-1-a"
    assert "other" in reply.headers[REASON]
