"""`/v1/messages` as a stream, passed on and translated, whole and broken."""

import pytest
from dialect_scene import Caller, claude_events, events_in, settings
from fakes import status
from stream_steps import end_early, event, fin_after, sse, tokens

OVERLOADED = {"type": "overloaded_error", "message": "Overloaded"}


@pytest.fixture
def caller(make_gateway, upstream):
    return Caller(make_gateway(settings(upstream)))


def text_in(events):
    deltas = [
        event["delta"]
        for event in events
        if "content_block" in event["type"][:13] and "delta" in event
    ]
    return "".join(delta.get("text", "") for delta in deltas)


def test_a_stream_of_the_same_dialect_passes_byte_by_byte(caller, upstream):
    events = claude_events("Hi ", "there.")
    upstream.always(sse(events))

    response = caller.ask(model="claude", stream=True)

    assert response.content_type == "text/event-stream"
    assert response.data == b"".join(events)
    assert response.headers["request-id"] == response.headers["X-Request-ID"]
    assert upstream.requests[0].json["stream"] is True


def test_a_stream_of_another_dialect_is_told_anew(caller, upstream):
    upstream.always(sse(tokens("Hi ", "there.")))

    response = caller.ask(stream=True, service_tier="auto")

    events = events_in(response)
    assert [event["type"] for event in events] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert text_in(events) == "Hi there."
    assert events[0]["message"]["usage"]["input_tokens"] > 0
    assert events[-2]["delta"]["stop_reason"] == "end_turn"
    assert events[-2]["usage"]["input_tokens"] == 12
    assert events[-2]["usage"]["output_tokens"] == 2
    assert response.headers["X-Flaskllm-Dropped"] == "service_tier"


@pytest.mark.parametrize(
    ("model", "events"),
    [("open", tokens("Hi ", "there.")), ("claude", claude_events("Hi ", "there."))],
)
@pytest.mark.parametrize("break_it", [end_early, fin_after])
def test_a_stream_that_breaks_ends_with_an_error_and_no_clean_end(
    caller, upstream, model, events, break_it
):
    upstream.always(break_it(events, 4 if model == "claude" else 2))

    told = events_in(caller.ask(model=model, stream=True))

    kinds = [event["type"] for event in told]
    assert kinds[0] == "message_start"
    assert kinds[-1] == "error"
    assert "message_stop" not in kinds
    assert "message_delta" not in kinds
    assert told[-1]["error"]["type"] in ("api_error", "overloaded_error")
    assert told[-1]["request_id"].startswith("req_")
    assert "Hi there.".startswith(text_in(told))


def test_an_error_in_mid_stream_is_told_once(caller, upstream):
    broken = event({"type": "error", "error": OVERLOADED}, "error")
    # Apart, so that the first words are on their way before it comes.
    upstream.always(sse([*claude_events("Hi")[:4], broken], every_seconds=0.1))

    told = events_in(caller.ask(model="claude", stream=True))

    assert [each["type"] for each in told].count("error") == 1
    assert told[-1]["error"]["type"] == "overloaded_error"


def test_what_fails_before_the_first_token_falls_back_unseen(caller, upstream):
    upstream.script(status(503), sse(claude_events("Hi")))

    told = events_in(caller.ask(model="both", stream=True))

    assert text_in(told) == "Hi"
    assert [request.path for request in upstream.requests] == [
        "/chat/completions",
        "/v1/messages",
    ]


def test_what_fails_before_the_first_token_with_nowhere_to_go_is_a_plain_error(
    caller, upstream
):
    upstream.always(status(400, body=b'{"error": {"message": "x"}}'))

    response = caller.ask(stream=True)

    assert response.status_code >= 400
    assert response.json["type"] == "error"


def test_a_call_of_a_tool_is_streamed_in_pieces(caller, upstream):
    def chunk(delta, reason=None):
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return event({"model": "m", "choices": [choice]})

    def call(**function):
        return {"tool_calls": [{"index": 0, "function": function}]}

    first = call(name="add", arguments="")
    first["tool_calls"][0] |= {"id": "call_1", "type": "function"}
    upstream.always(
        sse(
            [
                chunk(first),
                chunk(call(arguments='{"a"')),
                chunk(call(arguments=": 1}")),
                chunk({}, "tool_calls"),
                b"data: [DONE]\n\n",
            ]
        )
    )
    tool = {"name": "add", "input_schema": {"type": "object"}}

    told = events_in(caller.ask(stream=True, tools=[tool]))

    block = told[1]["content_block"]
    assert block == {"type": "tool_use", "id": "call_1", "name": "add", "input": {}}
    pieces = [e["delta"]["partial_json"] for e in told if "partial_json" in str(e)]
    assert "".join(pieces) == '{"a": 1}'
    assert told[-2]["delta"]["stop_reason"] == "tool_use"


def test_a_stream_is_recorded_with_its_usage(caller, upstream):
    upstream.always(sse(tokens("Hi")))

    caller.ask(stream=True).get_data()

    (ended,) = caller.gateway.events("attempt_ended")
    assert (ended["code"], ended["tokens_input"], ended["tokens_output"]) == (
        "OK",
        12,
        1,
    )
