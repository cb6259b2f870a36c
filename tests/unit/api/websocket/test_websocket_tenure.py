"""A WebSocket ends with its API token, between turns and within one."""

import time

import pytest
from face_fakes import token_for
from websocket_client import Talker, handshake, read_head
from websocket_fakes import wait_for

TOKEN = token_for("chat")


@pytest.fixture
def revoke(services):
    def revoke():
        services.api_tokens.are_good = False

    return revoke


def test_an_idle_one_of_a_revoked_api_token_is_closed(serve, revoke):
    with Talker(serve(), TOKEN) as talker:
        revoke()
        refused = talker.next(seconds=3)
        assert (refused["event"], refused["code"]) == ("error", "AUTHENTICATION_ERROR")
        assert talker.closed() == 4401


def test_so_is_one_that_signed_in_by_a_frame(serve, services, revoke):
    with Talker(serve()) as talker:
        talker.send(auth=TOKEN)
        wait_for(lambda: services.api_tokens.looks)
        revoke()
        assert talker.next(seconds=3)["code"] == "AUTHENTICATION_ERROR"
        assert talker.closed() == 4401


def test_who_has_not_signed_in_is_not_asked_about(serve, services):
    with Talker(serve(sign_in_seconds=1.5)) as talker:
        assert talker.next()["code"] == "AUTHENTICATION_ERROR"
        assert talker.closed() == 4401

    assert services.api_tokens.looks == 0


def test_a_turn_that_runs_ends_with_the_error_once(serve, hanging, revoke, lines):
    with Talker(serve(), TOKEN) as talker:
        talker.send(message="Hi")
        assert talker.next()["event"] == "token"
        revoke()
        (refused,) = talker.rest()
        assert refused["code"] == "AUTHENTICATION_ERROR"
        assert talker.closed() == 4401

    assert hanging.stream_answer.closed == 1
    (turn,) = [fields for _, name, fields in lines() if name == "turn_ended"]
    assert turn["code"] == "AUTHENTICATION_ERROR"


def test_who_goes_on_talking_gains_no_time(serve, hanging, revoke):
    with Talker(serve(frames=10_000), TOKEN) as talker:
        talker.send(message="Hi")
        talker.next()
        revoke()
        begun_at = time.monotonic()
        events = []
        while not any(each["code"] == "AUTHENTICATION_ERROR" for each in events):
            talker.send(message="And again")
            events.append(talker.next())

        assert time.monotonic() - begun_at < 3
        assert {each["code"] for each in events} == {"CONFLICT", "AUTHENTICATION_ERROR"}
        assert talker.closed() == 4401


def test_a_good_one_goes_on(serve, services):
    with Talker(serve(), TOKEN) as talker:
        wait_for(lambda: services.api_tokens.looks >= 2)
        assert talker.turn(message="Hi")[-1]["event"] == "done"


@pytest.mark.parametrize("how", ["header", "frame"])
def test_who_may_not_come_from_here_is_refused_either_way(serve, services, lines, how):
    services.api_tokens.given["networks"] = ("203.0.113.0/24",)
    url = serve()

    if how == "frame":
        with Talker(url) as talker:
            talker.send(auth=TOKEN)
            refused = talker.next()
            assert talker.closed() == 4403
        assert refused["code"] == "PERMISSION_DENIED"
        assert "server.proxy_hops" in refused["details"]
    else:
        with handshake(url, TOKEN) as connection:
            assert read_head(connection).startswith("HTTP/1.1 403 ")

    (fields,) = [each for _, name, each in lines() if name == "address_refused"]
    assert fields == {"peer": "127.0.0.1", "api_token_id": "chat-id"}
