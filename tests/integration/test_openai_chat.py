"""`/v1/chat/completions` against upstreams of its own and of another dialect."""

import json
import threading

import pytest
from dialect_scene import (
    KEY,
    Caller,
    chat_message,
    claude_events,
    message,
    settings,
)
from fakes import chat, json_reply, status
from stream_steps import (
    DONE,
    LAST_CHUNK,
    chunk,
    event,
    head,
    sse,
    stall,
    tokens,
)

from flaskllm.core.sse import SSEParser

HELLO = [{"role": "user", "content": "Hello"}]
SCHEMA = {"type": "object", "properties": {"place": {"type": "string"}}}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}


class ChatCaller(Caller):
    def chat(self, headers=(), **fields):
        """Return the response of `/v1/chat/completions`."""
        body = {"model": "open", "messages": HELLO} | fields
        return self.post("/v1/chat/completions", body, **dict(headers))


@pytest.fixture
def caller(make_gateway, upstream):
    return ChatCaller(make_gateway(settings(upstream)))


def told(response):
    """Return the JSON of each event; the end mark stays a text."""
    assert response.data.endswith(b"\n\n")
    texts = [each.data.decode() for each in SSEParser().feed(response.data)]
    return [text if text == "[DONE]" else json.loads(text) for text in texts]


def text_of(events):
    choices = [c for e in events if e != "[DONE]" for c in e.get("choices", ())]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def test_a_chat_of_the_same_dialect_passes_as_it_is(caller, upstream):
    upstream.always(chat("Hi.", model="their-name"))
    fields = {"logit_bias": {"1": 2}, "metadata": {"host": "h"}, "future": {"a": [1]}}

    response = caller.chat(**fields)

    assert response.status_code == 200
    assert response.json == json.loads(chat("Hi.", model="their-name").body)
    (sent,) = upstream.requests
    assert sent.path == "/chat/completions"
    assert sent.json == {"model": "scripted-1", "messages": HELLO, **fields}
    assert "X-Flaskllm-Dropped" not in response.headers


def test_nothing_of_the_caller_s_headers_goes_along(caller, upstream):
    upstream.always(chat("Hi."))
    sent_along = {"X_Canary": "c", "OpenAI_Organization": "org", "X_Api_Key": "k"}

    caller.chat(sent_along)

    (sent,) = upstream.requests
    assert caller.token not in repr(sent.headers)
    assert not {"x-canary", "openai-organization", "x-api-key"} & set(sent.headers)


def test_a_chat_of_another_dialect_is_translated(caller, upstream):
    upstream.always(message())

    response = caller.chat(
        model="claude", temperature=0.5, logprobs=True, presence_penalty=1
    )

    assert response.json["object"] == "chat.completion"
    (choice,) = response.json["choices"]
    assert choice["message"]["content"] == "Hi there."
    assert choice["finish_reason"] == "stop"
    assert response.json["usage"]["prompt_tokens"] == 11
    dropped = set(response.headers["X-Flaskllm-Dropped"].split(", "))
    assert {"logprobs", "presence_penalty"} <= dropped
    (sent,) = upstream.requests
    assert (sent.path, sent.json["messages"]) == (
        "/v1/messages",
        [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
    )
    assert sent.headers["x-api-key"] == KEY


def test_calls_of_tools_survive_both_ways(caller, upstream):
    block = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"p": 1}}
    upstream.always(message(content=[block], stop_reason="tool_use"))

    response = caller.chat(model="claude", tools=[WEATHER], tool_choice="required")

    (choice,) = response.json["choices"]
    assert choice["finish_reason"] == "tool_calls"
    (call,) = choice["message"]["tool_calls"]
    assert (call["id"], call["function"]["name"]) == ("toolu_1", "weather")
    assert json.loads(call["function"]["arguments"]) == {"p": 1}
    (sent,) = upstream.requests
    assert sent.json["tools"][0]["input_schema"] == SCHEMA
    result = {"role": "tool", "tool_call_id": "toolu_1", "content": "sun"}
    history = [*HELLO, choice["message"], result]
    upstream.always(message())
    again = caller.chat(model="claude", tools=[WEATHER], messages=history)
    assert again.status_code == 200
    last = upstream.requests[-1].json["messages"][-1]
    assert last["content"][0]["tool_use_id"] == "toolu_1"


def test_a_call_of_a_tool_of_the_same_dialect_passes(caller, upstream):
    call = {
        "id": "c",
        "type": "function",
        "function": {"name": "weather", "arguments": "{}"},
    }
    upstream.always(chat_message("tool_calls", tool_calls=[call]))

    (choice,) = caller.chat(tools=[WEATHER]).json["choices"]

    assert choice["message"]["tool_calls"] == [call]


def test_several_choices_pass_where_the_dialect_is_shared(caller, upstream):
    choices = [
        {
            "index": index,
            "message": {"role": "assistant", "content": text},
            "finish_reason": "stop",
        }
        for index, text in enumerate("ab")
    ]
    upstream.always(json_reply({"choices": choices, "model": "m"}))

    response = caller.chat(n=2)

    assert [each["message"]["content"] for each in response.json["choices"]] == [
        "a",
        "b",
    ]
    assert upstream.requests[0].json["n"] == 2


def test_several_choices_are_refused_where_it_is_not(caller, upstream):
    response = caller.chat(model="claude", n=2)

    assert (response.status_code, response.json["error"]["param"]) == (400, "n")
    assert upstream.requests == []


EVENTS = tokens("Hel", "lo")


def test_a_stream_of_the_same_dialect_passes_without_the_usage(caller, upstream):
    upstream.always(sse(EVENTS))

    response = caller.chat(stream=True)

    assert response.content_type == "text/event-stream"
    assert response.data == b"".join(e for e in EVENTS if b'"usage"' not in e)
    (sent,) = upstream.requests
    assert sent.json["stream_options"] == {"include_usage": True}


def test_who_asks_for_the_usage_gets_it(caller, upstream):
    upstream.always(sse(EVENTS))

    response = caller.chat(stream=True, stream_options={"include_usage": True})

    assert response.data == b"".join(EVENTS)


def test_a_stream_of_another_dialect_is_told_anew(caller, upstream):
    upstream.always(sse(claude_events("Hel", "lo")))

    response = caller.chat(
        model="claude", stream=True, stream_options={"include_usage": True}
    )

    events = told(response)
    assert text_of(events) == "Hello"
    assert events[0]["choices"][0]["delta"]["role"] == "assistant"
    *_, finish, usage, done = events
    assert finish["choices"][0]["finish_reason"] == "stop"
    assert usage["usage"]["prompt_tokens"] == 11
    assert (usage["choices"], done) == ([], "[DONE]")
    assert all(each["usage"] is None for each in events[:-2])


@pytest.mark.parametrize("model", ["open", "claude"])
def test_the_line_of_a_stream_s_end_names_its_request(caller, upstream, model):
    upstream.always(sse(EVENTS if model == "open" else claude_events("Hello")))

    response = caller.chat(model=model, stream=True)
    assert response.data

    (line,) = caller.gateway.events("stream_ended")
    assert line["request_id"] == response.headers["X-Request-ID"]
    assert (line["level"], line["code"], line["status"]) == ("INFO", "OK", 200)
    (answered,) = caller.gateway.events("request_answered")
    assert line["principal"] == answered["principal"]
    (attempt,) = caller.gateway.events("attempt_ended")
    assert attempt["request_id"] == line["request_id"]


def begun_then(*after):
    """Stream two events; then, once the caller has read, what comes after."""
    has_read = threading.Event()

    def step(exchange):
        exchange.write(head() + b"".join(map(chunk, EVENTS[:2])))
        assert has_read.wait(5)
        for data in after:
            exchange.write(data)
        exchange.close()

    return step, has_read


ERROR = event({"error": {"message": "secret-of-upstream", "type": "server_error"}})
BROKEN = {
    "fin": (),
    "last chunk": (LAST_CHUNK,),
    "half an event": (chunk(EVENTS[2][:20]),),
    "half a chunk": (chunk(EVENTS[2])[:20],),
    "garbage": (b"no-length\r\n",),
    "error": (chunk(ERROR), LAST_CHUNK),
}


@pytest.mark.parametrize("after", BROKEN.values(), ids=BROKEN)
def test_a_stream_that_breaks_ends_with_an_error_and_no_end_mark(
    caller, upstream, after
):
    step, has_read = begun_then(*after)
    upstream.always(step)

    response = caller.chat(stream=True)
    has_read.set()

    assert response.status_code == 200
    events = told(response)
    assert text_of(events[:-1]) == "Hel"
    assert events[-1]["error"]["type"] == "server_error"
    assert set(events[-1]["error"]) == {"message", "type", "param", "code"}
    assert DONE not in response.data
    assert b"secret-of-upstream" not in response.data
    (line,) = caller.gateway.events("stream_ended")
    assert (line["level"], line["code"] == "OK") == ("WARNING", False)
    assert line["rule"] == "/v1/chat/completions"


def test_what_fails_before_the_first_token_has_its_status(caller, upstream):
    upstream.always(status(401, body=b'{"error": {"message": "sk-their-secret"}}'))

    response = caller.chat(stream=True)

    assert (response.status_code, response.json["error"]["code"]) == (
        502,
        "upstream_credential",
    )
    assert response.headers["x-should-retry"] == "false"
    assert b"sk-their-secret" not in response.data


def test_a_failed_upstream_is_followed_by_its_fallback(caller, upstream):
    upstream.script(status(401), message())

    response = caller.chat(model="both")

    assert response.json["choices"][0]["message"]["content"] == "Hi there."


def test_an_upstream_that_limits_is_429_with_when_to_come_back(caller, upstream):
    upstream.always(status(429, {"Retry-After": "3600"}))

    response = caller.chat()

    assert response.status_code == 429
    assert response.json["error"]["code"] == "rate_limit_exceeded"
    assert response.headers["retry-after"] == "3600"
    assert response.headers["x-should-retry"] == "false"


def test_a_hang_up_in_a_stream_closes_the_upstream(caller, upstream):
    upstream.always(stall(EVENTS, 2))
    response = caller.chat(stream=True)

    response.close()

    assert upstream.wait_for_hang_up()
    (line,) = caller.gateway.events("stream_ended")
    assert (line["level"], line["code"]) == ("WARNING", "CALLER_GONE")
    (attempt,) = caller.gateway.events("attempt_ended")
    assert attempt["code"] == "CALLER_GONE"


NASTY = "x\n\ndata: [DONE]\n\n\r\u2028y"


def test_what_a_model_writes_never_ends_a_stream(caller, upstream):
    upstream.always(sse(claude_events(NASTY)))

    response = caller.chat(model="claude", stream=True)

    assert text_of(told(response)) == NASTY
    assert response.data.count(DONE) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_an_upstream_s_name_for_itself_never_becomes_a_header(caller, upstream, stream):
    name = "m\r\nSet-Cookie: a=b"
    whole, streamed = chat("Hi.", model=name), sse(tokens("Hi", model=name))
    upstream.always(streamed if stream else whole)

    response = caller.chat(stream=stream)

    assert response.status_code == 200
    assert b"Set-Cookie" in response.data
    assert "Set-Cookie" not in response.headers


def test_n_choices_of_a_stream_keep_their_order(caller, upstream):
    pieces = [
        event({"choices": [{"index": i, "delta": {"content": t}}]})
        for i, t in ((1, "b"), (0, "a"))
    ]
    ends = [
        event({"choices": [{"index": i, "delta": {}, "finish_reason": "stop"}]})
        for i in (0, 1)
    ]
    upstream.always(sse([*pieces, *ends, DONE]))

    response = caller.chat(stream=True, n=2)

    assert response.data == b"".join([*pieces, *ends, DONE])
