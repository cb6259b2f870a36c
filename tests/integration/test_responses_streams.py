"""`/v1/responses` as a stream of typed events."""

import pytest
from dialect_scene import Caller, claude_events, events_in, settings
from fakes import status
from stream_steps import fin_after, sse, tokens


@pytest.fixture
def caller(make_gateway, upstream):
    return Caller(make_gateway(settings(upstream)))


@pytest.mark.parametrize(
    ("model", "events"),
    [("open", tokens("Hi ", "there.")), ("claude", claude_events("Hi ", "there."))],
)
def test_an_answer_is_told_in_typed_events(caller, upstream, model, events):
    upstream.always(sse(events))

    response = caller.respond(model=model, stream=True, service_tier="auto")

    told = events_in(response)
    assert [each["type"].removeprefix("response.") for each in told] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert [each["sequence_number"] for each in told] == list(range(10))
    assert b"[DONE]" not in response.data
    assert "service_tier" in response.headers["X-Flaskllm-Dropped"]
    assert told[-1]["response"]["usage"]["output_tokens"] > 0


def test_a_streamed_response_is_kept_when_it_is_whole(caller, upstream):
    upstream.always(sse(tokens("Hi ", "there.")))
    made = events_in(caller.respond(stream=True))[-1]["response"]

    read = caller.open("GET", f"/v1/responses/{made['id']}")
    events_in(caller.respond(stream=True, previous_response_id=made["id"]))

    assert read.json == made
    sent = upstream.requests[1].json["messages"]
    assert [turn["role"] for turn in sent] == ["user", "assistant", "user"]


def test_a_stream_that_breaks_fails_and_is_not_kept(caller, upstream):
    upstream.always(fin_after(tokens("Hi ", "there."), 2))

    told = events_in(caller.respond(stream=True))

    assert told[-1]["type"] == "response.failed"
    made = told[-1]["response"]
    assert (made["status"], made["error"]["code"]) == ("failed", "server_error")
    assert "response.completed" not in [each["type"] for each in told]
    assert caller.open("GET", f"/v1/responses/{made['id']}").status_code == 404


def test_what_fails_before_the_first_token_is_a_plain_error(caller, upstream):
    upstream.always(status(401))

    response = caller.respond(stream=True)

    assert response.status_code == 502
    assert response.json["error"]["type"] == "server_error"
