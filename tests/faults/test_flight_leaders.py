"""Whoever asks for all may die or leave: one of those who wait asks instead."""

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from fakes import chat, hang
from flight_scene import open_flock, told
from processes import bearer

from flaskllm.services.caching.flights import CLAIM_SECONDS


@pytest.fixture(params=["sqlite", "redis"])
def flock(request, house, upstream):
    if request.param == "redis":
        url = request.getfixturevalue("redis_url")
    else:
        url = request.getfixturevalue(f"{request.param}_database_url")
    flock = open_flock(house, upstream, url)
    upstream.script(hang(), chat("from the next"))
    return flock


def test_a_process_that_dies_frees_the_others_within_the_time_of_a_claim(
    flock, record_property
):
    with ThreadPoolExecutor(3) as pool:
        leader = pool.submit(_suppressed, flock, 0)
        assert flock.upstream.wait_for_requests(1)
        others = [pool.submit(flock.ask, number, "Hi", "flown") for number in (1, 2)]
        # Both have begun to wait: nobody asks while they do.
        assert not flock.upstream.wait_for_requests(2, seconds=1.0)

        flock.gateways[0][0].kill()
        began = time.monotonic()
        answers = [told(each.result()) for each in others]
        seconds = time.monotonic() - began
        leader.result()

    record_property("figure", f"the others had their answer after {seconds:.1f} s")
    assert answers == ["from the next"] * 2
    assert seconds < CLAIM_SECONDS + 2
    assert len(flock.upstream.requests) == 2


def test_a_caller_who_hangs_up_lets_another_ask_at_once(flock):
    with ThreadPoolExecutor(2) as pool:
        leader = pool.submit(_suppressed, flock, 0, seconds=1.5)
        assert flock.upstream.wait_for_requests(1)
        other = pool.submit(flock.ask, 1, "Hi", "flown")
        assert not flock.upstream.wait_for_requests(2, seconds=0.5)

        leader.result()
        began = time.monotonic()

        assert told(other.result()) == "from the next"
        assert time.monotonic() - began < 2
    assert len(flock.upstream.requests) == 2


def _suppressed(flock, number, seconds=30.0):
    """Ask, and hang up after so long; what comes of it does not matter."""
    _, url = flock.gateways[number]
    body = {"model": "flown", "messages": [{"role": "user", "content": "Hi"}]}
    with contextlib.suppress(requests.RequestException):
        requests.post(
            f"{url}/v1/chat/completions",
            json=body | {"temperature": 0},
            headers=bearer(flock.token),
            timeout=seconds,
        )
