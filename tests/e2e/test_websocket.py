"""The WebSocket of the native API under gunicorn, with a real client."""

import time

import pytest
import requests
from fakes import Upstream
from processes import CHECKOUT, GUNICORN, SCRIPTED, bearer, free_port, open_house
from stream_steps import sse, stall, tokens
from websocket_client import Talker, close_code, frame, handshake, read_head, text_of
from wsproto.frame_protocol import Opcode

HELLO = tokens("Hel", "lo")


def serve(house, upstream):
    """Return a gateway before the scripted upstream: process, address, API token."""
    house.write_settings(SCRIPTED.format(url=upstream.url))
    token = house.make_token("--scope=chat")
    started, url = house.serve()
    upstream.always(sse(HELLO))
    return started, url, token


@pytest.fixture
def served(house, upstream):
    return serve(house, upstream)


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    """One for all tests that leave it as it was: its address and an API token."""
    with Upstream() as upstream, open_house(tmp_path_factory.mktemp("door")) as house:
        yield serve(house, upstream)[1:]


def metric(url, name):
    """Return the value of a metric without labels."""
    lines = requests.get(f"{url}/metrics", timeout=5).text.splitlines()
    return float(next(each for each in lines if each.startswith(f"{name} ")).split()[1])


def test_several_turns_one_after_the_other(served):
    started, url, token = served

    with Talker(url, token) as talker:
        first = talker.turn(message="Hi")
        second = talker.turn(messages=[{"role": "user", "content": "Again"}])

    for events in (first, second):
        assert text_of(events) == "Hello"
        assert events[-1]["event"] == "done"
        assert events[-1]["finish_reason"] == "stop"
        assert events[-1]["usage"]["tokens_input"] == 12
        assert events[-1]["conversation_id"] is None
    assert [each["id"] for each in first + second] == [1, 2, 3, 4, 5, 6]
    assert first[-1]["message_id"] != second[-1]["message_id"]
    started.wait_for(lambda: started.events("websocket_ended"))
    (line,) = started.events("websocket_ended")
    assert line["turns"] == 2
    assert line["close_code"] == 1000
    assert line["rule"] == "/api/v1/chat/ws"
    assert [each["turn"] for each in started.events("turn_ended")] == [1, 2]


def test_the_api_token_may_come_as_the_first_frame(standing):
    url, token = standing

    with Talker(url) as talker:
        talker.send(auth=token)
        assert text_of(talker.turn(message="Hi")) == "Hello"


@pytest.mark.parametrize("first", [{"auth": "fllm_api_wrong"}, {"message": "Hi"}])
def test_without_a_good_api_token_it_is_closed(served, upstream, first):
    _, url, _ = served

    with Talker(url) as talker:
        (refused,) = talker.turn(**first)
        assert refused["code"] == "AUTHENTICATION_ERROR"
        assert talker.closed() == 4401
    assert upstream.requests == []


def test_cancel_closes_the_upstream_within_a_second_and_the_next_turn_works(
    served, upstream
):
    started, url, token = served
    upstream.script(stall(HELLO, 2))

    with Talker(url, token) as talker:
        talker.send(message="Hi")
        assert talker.next()["text"] == "Hel"
        began = time.monotonic()
        talker.send(cancel=True)
        (cancelled,) = talker.rest()
        assert upstream.wait_for_hang_up(1, seconds=3)
        assert upstream.closed_by_peer[0] - began < 1
        assert cancelled["event"] == "error"
        assert cancelled["code"] == "CALLER_GONE"
        assert text_of(talker.turn(message="Hi")) == "Hello"
    started.wait_for(lambda: len(started.events("attempt_ended")) == 2)
    codes = [each["code"] for each in started.events("attempt_ended")]
    assert codes == ["CALLER_GONE", "OK"]


@pytest.mark.parametrize("after", [0, 2], ids=["before the first token", "mid-stream"])
def test_an_abrupt_end_closes_the_upstream_within_a_second(served, upstream, after):
    started, url, token = served
    upstream.script(stall(HELLO, after))

    with Talker(url, token) as talker:
        talker.send(message="Hi")
        assert upstream.wait_for_requests(1)
        if after:
            talker.next()
        began = time.monotonic()
        talker.hang_up()

    assert upstream.wait_for_hang_up(1, seconds=3)
    assert upstream.closed_by_peer[0] - began < 1
    started.wait_for(lambda: started.events("websocket_ended"))
    assert "Traceback" not in started.stderr
    assert "Bad file descriptor" not in started.stderr
    assert metric(url, "flaskllm_streams_in_flight") == 0
    assert metric(url, "flaskllm_websockets_open") == 0


def test_after_many_hang_ups_every_thread_serves_again(served, upstream):
    started, url, token = served
    upstream.always(stall(HELLO, 2))

    for _ in range(20):
        with Talker(url, token) as talker:
            talker.send(message="Hi")
            talker.next()
            talker.hang_up()

    started.wait_for(lambda: len(started.events("websocket_ended")) == 20)
    upstream.always(sse(HELLO))
    talkers = [Talker(url, token) for _ in range(7)]
    try:
        assert [text_of(each.turn(message="Hi")) for each in talkers] == ["Hello"] * 7
        assert requests.get(f"{url}/health", timeout=5).status_code == 200
    finally:
        for each in talkers:
            each.close()


def test_a_connection_ends_with_its_api_token(served, house):
    _, url, token = served

    with Talker(url, token) as talker:
        talker.turn(message="Hi")
        revoked = house.run("tokens", "revoke", token[9:21])
        assert revoked.returncode == 0, revoked.stderr
        # Nothing is sent: it is looked at again while the connection is idle.
        assert talker.closed() == 4401


def test_a_message_over_the_cap_closes_with_1009(standing):
    url, token = standing

    with Talker(url, token) as talker:
        talker.send_raw("x" * (1024 * 1024 + 1))
        assert talker.closed() == 1009


def test_too_many_pings_close_with_1008(served):
    started, url, token = served

    with handshake(url, token) as connection:
        assert " 101 " in read_head(connection)
        connection.sendall(frame(Opcode.PING, b"") * 1000)
        assert close_code(connection) == 1008
    started.wait_for(lambda: started.events("websocket_ended"))
    assert "Traceback" not in started.stderr


def test_compression_is_not_agreed_on(standing):
    url, token = standing

    with handshake(
        url, token, Sec_WebSocket_Extensions="permessage-deflate"
    ) as connection:
        head = read_head(connection).lower()
    assert " 101 " in head
    assert "sec-websocket-extensions" not in head


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://{host}", 101), ("https://evil.example", 403), ("null", 403)],
)
def test_only_pages_of_our_own_origin_may_open_one(standing, origin, status):
    url, token = standing
    said = origin.format(host=url.removeprefix("http://"))

    with handshake(url, token, Origin=said) as connection:
        assert f" {status} " in read_head(connection)


def test_sigterm_closes_idle_connections_at_once(served):
    started, url, token = served

    with Talker(url, token) as talker:
        talker.turn(message="Hi")
        began = time.monotonic()
        started.process.terminate()
        assert talker.closed() == 1001
    assert started.wait() == 0
    assert time.monotonic() - began < 10


def test_who_signs_in_too_late_is_closed(house, served):
    """The limit of ten seconds is made short, as a setting of the app."""
    (house.folder / "impatient.py").write_text(
        "from dataclasses import replace\n"
        "from flaskllm import create_app\n"
        "application = create_app()\n"
        "door = application.extensions['flaskllm.websocket']\n"
        "door.limits = replace(door.limits, sign_in_seconds=0.2)\n"
    )
    port = free_port()
    command = [*GUNICORN, "-c", str(CHECKOUT / "gunicorn.conf.py")]
    started = house.start(
        [*command, "--pythonpath", str(house.folder), "impatient:application"],
        FLASKLLM_SERVER__PORT=str(port),
    )
    url = f"http://127.0.0.1:{port}"
    started.wait_until_ready(url)

    with Talker(url) as talker:
        assert talker.next()["code"] == "AUTHENTICATION_ERROR"
        assert talker.closed() == 4401


def test_a_plain_get_is_told_what_to_do(standing):
    url, token = standing

    reply = requests.get(f"{url}/api/v1/chat/ws", headers=bearer(token), timeout=5)

    assert reply.status_code == 426
    assert reply.headers["Upgrade"] == "websocket"
    assert reply.json()["code"] == "UPGRADE_REQUIRED"
    assert "/api/v1/chat/stream" in reply.json()["details"]
