"""What stands before a WebSocket."""

from socket import socketpair

import pytest
from face_fakes import build, token_for
from model_fakes import CHAT
from no_threads import no_threads
from websocket_client import ADDRESS

from flaskllm.api import websocket_door
from flaskllm.core.config import LimitSettings, ServerSettings

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


class TestDoor:
    def test_a_host_without_websockets_is_a_426_that_points_to_sse(self, client):
        reply = client.get(ADDRESS, headers={**UPGRADE, **CHAT})

        assert reply.status_code == 426
        assert reply.headers["Upgrade"] == "websocket"
        assert reply.json["code"] == "UPGRADE_REQUIRED"
        assert "/api/v1/chat/stream" in reply.json["details"]

    def test_so_is_a_plain_get(self, client):
        reply = client.get(ADDRESS, headers=CHAT)

        assert reply.status_code == 426
        assert reply.headers["Upgrade"] == "websocket"

    def test_a_plain_get_of_a_stranger_is_a_401(self, client):
        assert client.get(ADDRESS).status_code == 401

    @pytest.mark.parametrize(
        ("changed", "status"),
        [
            ({"Sec-WebSocket-Version": "12"}, 426),
            ({"Sec-WebSocket-Key": "short"}, 400),
            ({"Sec-WebSocket-Key": "AAAA"}, 400),
            ({"Origin": "https://evil.example"}, 403),
            ({"Origin": "null"}, 403),
            ({"Origin": "http://["}, 403),
            ({"Authorization": "Bearer wrong"}, 401),
            ({"Authorization": f"Bearer {token_for('read')}"}, 403),
        ],
    )
    def test_a_wrong_handshake_is_refused_before_it_is_one(
        self, client, changed, status
    ):
        ours, theirs = socketpair()
        with ours, theirs:
            reply = client.get(
                ADDRESS,
                headers={**UPGRADE, **CHAT, **changed},
                environ_overrides={"gunicorn.socket": ours},
            )

        assert reply.status_code == status
        assert reply.json["code"]

    @pytest.mark.parametrize(
        "origin",
        ["https://APP.example.org/", "http://localhost", "https://localhost"],
        ids=["allowed", "our own", "our own, behind a proxy that ends TLS"],
    )
    def test_an_allowed_origin_may_open_one(self, services, origin):
        server = ServerSettings(allowed_origins=("https://app.example.org",))
        client = build(services, server=server).test_client()
        ours, theirs = socketpair()
        with ours, theirs:
            theirs.shutdown(1)
            client.get(
                ADDRESS,
                headers={**UPGRADE, **CHAT, "Origin": origin},
                environ_overrides={"werkzeug.socket": ours},
            )
            head = theirs.recv(4096)

        assert head.startswith(b"HTTP/1.1 101 ")

    def test_without_a_thread_it_is_a_503_before_anything_is_opened(self, client, app):
        headers = {**UPGRADE, **CHAT}
        ours, theirs = socketpair()
        with ours, theirs:
            theirs.shutdown(1)
            sockets = {"werkzeug.socket": ours}
            with no_threads():
                reply = client.get(ADDRESS, headers=headers, environ_overrides=sockets)
            client.get(ADDRESS, headers=headers, environ_overrides=sockets)
            head = theirs.recv(4096)

        assert (reply.status_code, reply.headers["Retry-After"]) == (503, "5")
        assert reply.json["code"] == "SERVICE_UNAVAILABLE"
        assert head.startswith(b"HTTP/1.1 101 ")
        assert head.count(b"HTTP/1.1") == 1

    def test_one_thread_is_kept_free_for_other_requests(self, services, serve, app):
        door = websocket_door.Door(
            ServerSettings(threads=2), app.extensions[websocket_door.EXTENSION].limits
        )
        seats = door._seats
        first = seats.take(is_proven=True)

        with pytest.raises(Exception, match="Too many WebSockets") as refused:
            seats.take(is_proven=True)
        first.leave()

        assert refused.value.retry_after_seconds == 5.0
        assert seats.take(is_proven=True)

    def test_most_threads_are_kept_free_of_strangers(self, services):
        door = websocket_door.Door(
            ServerSettings(threads=8), websocket_door.WebSocketLimits()
        )
        seats = door._seats
        first, second = (seats.take(is_proven=False) for _ in range(2))

        with pytest.raises(Exception, match="Too many WebSockets"):
            seats.take(is_proven=False)
        second.leave()
        first.prove()
        first.prove()

        assert seats.take(is_proven=False)
        assert seats.take(is_proven=False)

    def test_strangers_open_a_limited_number_a_minute(self, services):
        limits = LimitSettings(unauthenticated_per_minute=1)
        client = build(services, limits=limits).test_client()

        replies = [client.get(ADDRESS, headers=UPGRADE) for _ in range(2)]

        assert [each.status_code for each in replies] == [426, 429]
