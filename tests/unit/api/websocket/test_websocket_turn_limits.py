"""Turns of a WebSocket count as requests do."""

import pytest
from face_fakes import token_for
from no_threads import no_threads
from websocket_client import Talker

from flaskllm.core.auth import PrincipalLimits

TOKEN = token_for("chat")


@pytest.fixture(autouse=True)
def _limited(services):
    services.api_tokens.given["limits"] = PrincipalLimits(requests_per_minute=3)


def ends(talker, turns):
    """Return the codes with which so many turns end; `done` has none."""
    return [talker.turn(message="Hi")[-1].get("code") for _ in range(turns)]


def test_a_turn_too_many_is_refused_and_the_connection_stays(serve, services):
    with Talker(serve(), TOKEN) as talker:  # the first request
        codes = ends(talker, 3)
        refused = talker.turn(message="Hi")

    assert codes == [None, None, "RATE_LIMIT_EXCEEDED"]
    assert len(refused) == 1
    assert "3 requests a minute" in refused[0]["details"]
    assert len(services.completions.asked) == 2


def test_to_sign_in_by_a_frame_is_a_request_as_well(serve, services):
    with Talker(serve()) as talker:
        talker.send(auth=TOKEN)

        assert ends(talker, 3) == [None, None, "RATE_LIMIT_EXCEEDED"]


def test_who_has_none_left_does_not_get_in(serve, services):
    url = serve()
    with Talker(url, TOKEN) as talker:
        ends(talker, 2)

    with Talker(url) as talker:
        talker.send(auth=TOKEN)

        assert talker.next()["code"] == "RATE_LIMIT_EXCEEDED"
        assert talker.closed() == 1013


def test_without_a_thread_a_turn_is_refused_and_the_connection_stays(serve):
    with Talker(serve(), TOKEN) as talker:
        ends(talker, 1)
        with no_threads():
            (refused,) = talker.turn(message="Hi")

        assert refused["code"] == "SERVICE_UNAVAILABLE"
        assert ends(talker, 1) == ["RATE_LIMIT_EXCEEDED"]
