"""B3: where an API token may stand, and that the decision is the same at each place.

The header `Authorization`, on Anthropic's routes `x-api-key` too, and the first frame
of a WebSocket. Nowhere else: not the query, not a cookie, not a sub-protocol.
"""

import contextlib
import threading
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from api_tokens import TESTER, make_token
from fakes import answer_with, chat
from simple_websocket import ConnectionClosed
from stream_steps import sse, tokens
from websocket_client import Talker, close_code, frame, handshake, read_head
from werkzeug.serving import WSGIRequestHandler, make_server
from wsproto.frame_protocol import Opcode

from flaskllm.core.auth import Scope

SETTINGS = """
limits:
  authentication_failures_per_minute: 1000000
providers:
  box: {{kind: openai_compatible, base_url: {url}}}
deployments:
  small: {{provider: box, model: scripted-1}}
routes:
  - {{alias: fast, deployments: {{small: 1}}}}
  - {{alias: slow, deployments: {{small: 1}}}}
default_route: fast
"""
MESSAGES = "/v1/messages"
ASK = {
    "model": "fast",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "Hello?"}],
}


class Quiet(WSGIRequestHandler):
    """Writes no lines of its own."""

    def log(self, *arguments):
        """Say nothing."""


def answer(received):
    return sse(tokens("Hi")) if received.json.get("stream") else chat("Hi")


@pytest.fixture
def gateway(make_gateway, upstream):
    upstream.always(answer_with(answer))
    return make_gateway(SETTINGS.format(url=upstream.url))


@pytest.fixture
def url(gateway):
    """Where the gateway listens on a real socket."""
    server = make_server(
        "127.0.0.1", 0, gateway.app, threaded=True, request_handler=Quiet
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def revoked(service):
    made = make_token(service, Scope.CHAT)
    service.revoke(made.id, actor=TESTER)
    return made.text


def rolled(service):
    made = make_token(service, Scope.CHAT)
    service.roll(made.id, 0, actor=TESTER)
    return made.text


def granted(*scopes, **given):
    return lambda service: make_token(service, *(scopes or [Scope.CHAT]), **given).text


NEVER = datetime.now(UTC) + timedelta(days=1)
# What is made of an API token: the status over HTTP, and how a WebSocket ends.
DECISIONS = {
    "good": (granted(expires_at=NEVER), 200, "done"),
    "from here only": (granted(networks=("127.0.0.0/8",)), 200, "done"),
    "one name only": (granted(aliases=frozenset({"fast"})), 200, "done"),
    "another name only": (
        granted(aliases=frozenset({"slow"})),
        404,
        "MODEL_NOT_FOUND",
    ),
    "from elsewhere only": (granted(networks=("192.0.2.0/24",)), 403, 4403),
    "another scope": (granted(Scope.WEBHOOK), 403, 4403),
    "revoked": (revoked, 401, 4401),
    "rolled away": (rolled, 401, 4401),
    "mistyped": (lambda service: granted()(service)[:-1] + "!", 401, 4401),
}


@pytest.mark.parametrize(("make", "status", "end"), DECISIONS.values(), ids=DECISIONS)
def test_the_decision_is_the_same_wherever_the_api_token_stands(
    gateway, url, make, status, end
):
    text = make(gateway.services.api_tokens)

    def ask(header):
        reply = gateway.client.post(MESSAGES, json=ASK, headers=header)
        return reply.status_code, reply.json.get("error")

    by_bearer = ask({"Authorization": f"Bearer {text}"})

    assert by_bearer[0] == status
    assert ask({"X-Api-Key": text}) == by_bearer
    assert by_frame(url, text) == end
    assert by_upgrade(url, text) == end


def by_frame(url, text):
    """Return how a WebSocket ends that brings it in its first frame."""
    with Talker(url) as talker:
        talker.send(auth=text)
        return end_of(talker)


def by_upgrade(url, text):
    """Return how one ends that brings it as a header; a refusal as a frame's code."""
    with handshake(url, text) as connection:
        status = int(read_head(connection).split()[1])
    if status != 101:
        return 4000 + status
    with Talker(url, text) as talker:
        return end_of(talker)


def end_of(talker):
    with contextlib.suppress(ConnectionClosed):  # refused already: it says so
        talker.send(message="Hello?", model="fast")
    *_, last = talker.rest()
    if last["event"] == "done":
        return "done"
    if last["code"] in ("AUTHENTICATION_ERROR", "PERMISSION_DENIED"):
        return talker.closed()
    return last["code"]


NAMES = ("token", "access_token", "api_key", "key", "x-api-key", "Authorization")
PATHS = ("/v1/models", "/v1/chat/completions", MESSAGES, "/api/v1/templates")


@pytest.mark.parametrize("place", ["query", "cookie", "body"])
def test_anywhere_else_it_counts_for_nothing(gateway, place):
    text = granted()(gateway.services.api_tokens)
    for path, name in product(PATHS, NAMES):
        client, query, body = gateway.app.test_client(), {}, dict(ASK)
        if place == "query":
            query = {name: text}
        elif place == "cookie":
            client.set_cookie(name, text)
        else:
            body |= {name: text}

        method = "GET" if path.endswith(("models", "templates")) else "POST"
        reply = client.open(path, method=method, query_string=query, json=body)

        assert reply.status_code == 401, (path, name)
        assert text not in reply.text


def test_x_api_key_counts_on_anthropic_s_routes_only(gateway):
    header = {"X-Api-Key": granted()(gateway.services.api_tokens)}

    def status(path):
        return gateway.client.post(path, json=ASK, headers=header).status_code

    assert status(MESSAGES) == 200
    assert status("/v1/chat/completions") == 401


# Where a browser, which sets no headers on a WebSocket, could put it instead.
ELSEWHERE = {
    "query": lambda name, text: {"query": f"?{name}={text}"},
    "cookie": lambda name, text: {"Cookie": f"{name}={text}"},
    "sub-protocol": lambda name, text: {"Sec_WebSocket_Protocol": f"{name}, {text}"},
}


@pytest.mark.parametrize("given", ELSEWHERE.values(), ids=ELSEWHERE)
def test_anywhere_else_it_opens_no_conversation(gateway, url, given):
    text = granted()(gateway.services.api_tokens)
    for name in NAMES:
        with handshake(url, **given(name, text)) as connection:
            head = read_head(connection)
            assert head.startswith("HTTP/1.1 101"), name
            assert text not in head
            connection.sendall(frame(Opcode.TEXT, b'{"message": "Hello?"}'))
            assert close_code(connection) == 4401
        at_once = {"path": "/v1/responses", **given(name, text)}
        with handshake(url, **at_once) as connection:
            assert read_head(connection).startswith("HTTP/1.1 401"), name
