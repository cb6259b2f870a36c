"""Under uWSGI there is no WebSocket: it says so, and SSE does the same."""

import pytest
import requests
import uwsgi_host
from processes import SCRIPTED, bearer
from stream_steps import sse, tokens
from websocket_client import handshake, read_head

pytestmark = pytest.mark.usefixtures("uwsgi_venv")


@pytest.fixture
def served(house, upstream):
    house.write_settings(SCRIPTED.format(url=upstream.url))
    token = house.make_token("--scope=chat")
    upstream.always(sse(tokens("Hel", "lo")))
    started, url = uwsgi_host.serve_uwsgi(house)
    return started, url, token


@pytest.mark.parametrize("signs_in", [True, False], ids=["by header", "by frame"])
def test_asking_for_a_websocket_is_a_426_that_points_to_sse(served, signs_in):
    started, url, token = served

    with handshake(url, token if signs_in else None) as connection:
        head = read_head(connection)

    assert head.startswith("HTTP/1.1 426 ")
    assert "upgrade: websocket" in head.lower()
    assert "Traceback" not in started.stderr


def test_the_same_events_come_by_sse(served):
    _, url, token = served

    reply = requests.post(
        f"{url}/api/v1/chat/stream",
        headers=bearer(token),
        json={"message": "Hi"},
        timeout=10,
    )

    assert reply.status_code == 200
    names = [line for line in reply.text.splitlines() if line.startswith("event: ")]
    assert names == ["event: token", "event: token", "event: done"]
