"""Answers that are kept, where there is no thread, and over the WebSocket."""

import pytest
import requests
import uwsgi_host
from fakes import chat
from processes import SCRIPTED, bearer
from stream_steps import sse, tokens
from websocket_client import Talker, text_of

KEPT = SCRIPTED.replace("{{small: 1}}", "{{small: 1}}, cache_ttl_seconds: 600")
QUESTION = {"messages": [{"role": "user", "content": "Hi"}], "temperature": 0}


def test_a_turn_that_was_answered_is_told_again(house, upstream):
    house.write_settings(KEPT.format(url=upstream.url))
    token = house.make_token("--scope=chat")
    _, url = house.serve()
    upstream.always(sse(tokens("Hel", "lo")))

    with Talker(url, token) as talker:
        first, second = talker.turn(**QUESTION), talker.turn(**QUESTION)

    assert text_of(first) == text_of(second) == "Hello"
    assert second[-1]["cached"] is True
    assert len(upstream.requests) == 1


@pytest.mark.usefixtures("uwsgi_venv")
def test_processes_of_uwsgi_share_what_lies_in_the_database(house, upstream):
    settings = f"{KEPT}cache: {{{{store: database}}}}\n"
    house.write_settings(settings.format(url=upstream.url))
    token = house.make_token("--scope=chat")
    urls = [uwsgi_host.serve_uwsgi(house)[1] for _ in range(2)]
    upstream.always(chat("Hello"))

    told = [
        requests.post(
            f"{url}/v1/chat/completions",
            json=QUESTION | {"model": "scripted"},
            headers=bearer(token),
            timeout=30,
        )
        for url in urls * 2
    ]

    assert [each.headers["X-Flaskllm-Cache"] for each in told] == ["miss", *["hit"] * 3]
    assert {each.content for each in told} == {told[0].content}
    assert len(upstream.requests) == 1
