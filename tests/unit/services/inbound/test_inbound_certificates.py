"""Certificates are fetched once in hours, and only so many are kept."""

import pytest
from fakes import FakeClock
from fetch_scene import FakeFetcher, fetched

from flaskllm.inputs.senders.types import SenderRefusedError
from flaskllm.net.egress import EgressRefused, Refusal
from flaskllm.services.inbound.certificates import (
    KEPT_SECONDS,
    MOST_KEPT,
    Certificates,
)

URL = "https://sns.eu-west-1.amazonaws.com/a.pem"


def certificates(*script):
    return Certificates(FakeFetcher(*script), FakeClock())


def test_one_is_fetched_again_after_six_hours():
    shelf = certificates(fetched(b"one"), fetched(b"two"))

    first = [shelf.get(URL), shelf.get(URL)]
    shelf.clock.advance(KEPT_SECONDS)

    assert (first, shelf.get(URL)) == ([b"one", b"one"], b"two")


def test_the_oldest_makes_room():
    shelf = certificates(fetched(b"pem"))
    urls = [f"{URL}?{number}" for number in range(MOST_KEPT + 1)]

    for each in urls:
        shelf.get(each)

    assert shelf.known(urls[-1]) == b"pem"
    with pytest.raises(SenderRefusedError):
        shelf.known(urls[0])


@pytest.mark.parametrize("said", [fetched(b"", 404), EgressRefused(Refusal.BLOCKED)])
def test_one_that_cannot_be_had_proves_nothing_and_is_asked_for_again(said):
    shelf = certificates(said, fetched(b"pem"))

    with pytest.raises(SenderRefusedError) as refused:
        shelf.get(URL)

    assert refused.value.why == "unproven"
    assert shelf.get(URL) == b"pem"
