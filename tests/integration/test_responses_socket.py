"""`/v1/responses` as a WebSocket: real frames, a real server, a scripted upstream."""

import contextlib
import json
import threading
import time

import pytest
from dialect_scene import Caller, claude_events, settings
from fakes import status
from simple_websocket import Client, ConnectionClosed
from stream_steps import fin_after, sse, stall, tokens
from werkzeug.serving import WSGIRequestHandler, make_server

from flaskllm.core.auth import Scope

ANSWER = tokens("Hi ", "there.")
ENDS = {"response.completed", "response.incomplete", "response.failed", "error"}


class Quiet(WSGIRequestHandler):
    """Writes no lines of its own."""

    def log(self, *arguments):
        """Say nothing."""


class Talker:
    """One connection."""

    def __init__(self, url, token):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = Client(f"{url}/v1/responses", headers=headers)

    def send(self, **frame):
        self._client.send(json.dumps(frame))

    def create(self, **fields):
        """Send `response.create`, and return all events of the turn."""
        self.send(**{"type": "response.create", "model": "open"} | fields)
        return self.rest()

    def next(self):
        message = self._client.receive(timeout=10)
        assert message is not None, "no event came in time"
        return json.loads(message)

    def rest(self):
        events = [self.next()]
        while events[-1]["type"] not in ENDS:
            events.append(self.next())
        return events

    def close(self):
        with contextlib.suppress(ConnectionClosed, OSError):
            self._client.close()
        self._client.thread.join(10)


@pytest.fixture
def caller(make_gateway, upstream):
    upstream.always(sse(ANSWER))
    return Caller(make_gateway(settings(upstream)))


@pytest.fixture
def connect(caller):
    """Opens connections to a server that ends with the test."""
    server = make_server(
        "127.0.0.1", 0, caller.gateway.app, threaded=True, request_handler=Quiet
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    talkers = []

    def open_one(token=caller.token):
        talkers.append(Talker(f"http://127.0.0.1:{server.port}", token))
        return talkers[-1]

    yield open_one
    for talker in talkers:
        talker.close()
    server.shutdown()
    thread.join()
    server.server_close()


def roles_of(request):
    return [turn["role"] for turn in request.json["messages"]]


def test_a_turn_is_told_in_the_events_of_a_stream(connect):
    events = connect().create(input="Hello")

    assert [each["type"].removeprefix("response.") for each in events] == [
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
    assert [each["sequence_number"] for each in events] == list(range(10))


@pytest.mark.parametrize("store", [True, False])
def test_later_turns_send_only_what_is_new(connect, upstream, store):
    talker = connect()
    first = talker.create(input="One?", store=store)[-1]["response"]
    second = talker.create(input="Two?", store=store, previous_response_id=first["id"])[
        -1
    ]["response"]

    talker.create(input="Three?", previous_response_id=second["id"])

    assert second["store"] is store
    expected = ["user", "assistant"] * 2 + ["user"]
    assert roles_of(upstream.requests[2]) == expected


def test_what_is_not_stored_is_known_on_its_connection_alone(connect):
    first = connect().create(input="One?", store=False)[-1]["response"]

    (refused,) = connect().create(input="Two?", previous_response_id=first["id"])

    assert (refused["type"], refused["status"]) == ("error", 404)


def test_a_stored_turn_holds_what_was_said_before_it_unstored(
    connect, caller, upstream
):
    talker = connect()
    first = talker.create(input="One?", store=False)[-1]["response"]
    second = talker.create(input="Two?", previous_response_id=first["id"])[-1]

    caller.respond(
        input="Three?", previous_response_id=second["response"]["id"], stream=True
    ).get_data()

    assert roles_of(upstream.requests[2]) == ["user", "assistant"] * 2 + ["user"]


def test_a_response_made_over_http_can_be_gone_on_with(connect, caller, upstream):
    made = caller.respond(stream=True)
    made.get_data()
    stored = caller.gateway.services.responses
    (response_id,) = [
        json.loads(line[6:])["response"]["id"]
        for line in made.text.splitlines()
        if line.startswith("data: ") and '"response.completed"' in line
    ]

    connect().create(input="Two?", previous_response_id=response_id)

    assert len(stored.conversation(response_id, caller_id(caller))) == 2
    assert roles_of(upstream.requests[1]) == ["user", "assistant", "user"]


def caller_id(caller):
    return caller.gateway.services.api_tokens.authenticate(caller.token).id


def test_anothers_response_is_not_there(connect, caller):
    made = connect().create(input="One?")[-1]["response"]
    other = connect(caller.gateway.make_token(Scope.CHAT))

    (theirs,) = other.create(input="x", previous_response_id=made["id"])
    (never,) = other.create(input="x", previous_response_id="resp_never")

    assert json.dumps(never).replace("resp_never", made["id"]) == json.dumps(theirs)
    assert theirs["status"] == 404


def test_a_warm_up_asks_nobody_and_is_remembered(connect, upstream):
    talker = connect()
    item = {"role": "developer", "content": "Be kind."}

    created, completed = talker.create(input=[item], generate=False)
    warm = completed["response"]

    assert created["type"] == "response.created"
    assert (warm["status"], warm["output"], warm["store"]) == ("completed", [], False)
    assert upstream.requests == []
    talker.create(input="Hello", previous_response_id=warm["id"])
    assert roles_of(upstream.requests[0]) == ["system", "user"]


def test_a_connection_remembers_no_more_than_a_request_may_bring(connect):
    talker, before = connect(), None
    frame = {"input": "x" * 1_000_000, "generate": False}

    for _ in range(34):
        end = talker.create(**frame, previous_response_id=before)[-1]
        assert end["type"] == "response.completed"
        before = end["response"]["id"]
    (refused,) = talker.create(**frame, previous_response_id=before)

    assert refused["error"]["param"] == "previous_response_id"
    assert talker.create(**frame)[-1]["type"] == "response.completed"


def test_a_warm_up_may_say_nothing_and_name_no_model(connect):
    events = connect().create(generate=False, model=None)

    assert events[-1]["type"] == "response.completed"


@pytest.mark.parametrize(
    ("frame", "param", "code"),
    [
        ({"type": "session.update"}, "type", 400),
        (
            {"type": "response.create", "input": "x", "background": True},
            "background",
            400,
        ),
        ({"type": "response.create", "input": "x", "api_base": "y"}, "api_base", 400),
        ({"type": "response.create", "input": 1}, "input", 400),
        ({"type": "response.create", "input": "x", "model": "claud"}, "model", 404),
        ({"type": "response.create", "generate": False, "model": "x"}, "model", 404),
        ({}, "type", 400),
    ],
)
def test_a_bad_frame_is_an_error_and_the_connection_lives_on(
    connect, upstream, frame, param, code
):
    talker = connect()

    talker.send(**frame)
    (refused,) = talker.rest()

    assert (refused["type"], refused["status"]) == ("error", code)
    assert refused["error"]["param"] == param
    assert upstream.requests == []
    assert talker.create(input="Hello")[-1]["type"] == "response.completed"


def test_an_upstream_that_fails_at_once_is_an_error(connect, upstream):
    upstream.script(status(401))

    (refused,) = connect().create(input="Hello")

    assert refused["error"]["code"] == "upstream_credential"


def test_a_stream_that_breaks_ends_with_a_failed_response(connect, upstream):
    upstream.script(fin_after(ANSWER, 2), sse(tokens("Another answer.")))
    talker = connect()

    last = talker.create(input="Hello")[-1]

    assert last["type"] == "response.failed"
    assert last["response"]["error"]["code"] == "server_error"
    assert talker.create(input="Hello")[-1]["type"] == "response.completed"


def test_a_stream_that_another_goes_on_with_is_one_response(connect, upstream):
    upstream.script(fin_after(ANSWER, 2), sse(claude_events("Hi ", "there.")))

    *events, last = connect().create(input="Hello", model="both")

    assert last["type"] == "response.completed"
    assert last["response"]["output"][0]["content"][0]["text"] == "Hi there."
    rescue = last["flaskllm"]["rescue"]
    assert (rescue["from"], rescue["to"], rescue["at_character"]) == (
        "small",
        "haiku",
        3,
    )
    assert not any("flaskllm" in each for each in events)


def test_a_cancel_hangs_up_on_the_upstream(connect, upstream):
    upstream.script(stall(ANSWER, 2))
    talker = connect()
    talker.send(type="response.create", model="open", input="Hello")
    while talker.next()["type"] != "response.output_text.delta":
        pass

    began = time.monotonic()
    talker.send(type="response.cancel")
    (cancelled,) = talker.rest()

    assert cancelled["type"] == "error"
    assert upstream.wait_for_hang_up(1, seconds=3)
    assert upstream.closed_by_peer[0] - began < 1
    assert talker.create(input="Hello")[-1]["type"] == "response.completed"


@pytest.mark.parametrize("header", ["", "Bearer fllm_api_wrong"])
def test_the_handshake_needs_a_good_api_token(caller, header):
    asked = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec_WebSocket_Version": "13",
        "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }

    refused = caller.open("GET", "/v1/responses", Authorization=header, **asked)

    assert refused.status_code == 401


def test_without_a_websocket_the_address_says_so_in_openais_words(caller):
    response = caller.open("GET", "/v1/responses")

    assert response.status_code == 426
    assert response.json["error"]["type"] == "invalid_request_error"
