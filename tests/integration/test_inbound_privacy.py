"""What senders bring is kept from models by the same rules, fetched or not."""

import json
from datetime import datetime

import pytest
from fakes import chat
from fetch_scene import fetched
from inbound_deliveries import GOOD, MAIL, from_postmark
from inbound_scene import InboundCalls

CARD = "4111 1111 1111 1111"
TALK = f"""WEBVTT

00:00:01.000 --> 00:00:04.000
Ben Ito: I will send the offer by Friday; my card is {CARD}.
""".encode()
KEYWORDS = {"type": "keywords", "model": "scripted"}


@pytest.fixture
def desk(gateway, upstream):
    calls = InboundCalls(gateway)
    calls.fetches(fetched(TALK))
    upstream.always(chat(json.dumps({"keywords": ["offer"]})))
    return calls


def delivered(desk, sender, **digest):
    """Return how a job with a card number in its document ended."""
    desk.open(sender, digest={**KEYWORDS, **digest})
    mail = from_postmark(RawEmail=f"{MAIL}\nMy card is {CARD}.\n")
    delivery = mail if sender == "postmark" else GOOD[sender]
    job_id = desk.deliver(delivery).json["data"]["job"]
    desk.worker.work()
    return desk.state(job_id)


def kept_days(job):
    created, expires = (
        datetime.fromisoformat(job[name]) for name in ("created_at", "expires_at")
    )
    return (expires - created).days


@pytest.mark.parametrize("sender", ["postmark", "zoom"])
def test_what_must_stay_local_is_shown_to_no_model_and_kept_for_a_day(
    desk, upstream, sender
):
    job = delivered(desk, sender, on_sensitive="local")

    assert job["state"] == "failed"
    assert upstream.requests == []
    assert kept_days(job) == 1


@pytest.mark.parametrize("sender", ["postmark", "zoom"])
def test_what_is_redacted_reaches_the_model_without_it(desk, upstream, sender):
    job = delivered(desk, sender, redact=True)

    assert job["state"] == "done"
    assert upstream.requests
    assert not any(CARD in each.body.decode() for each in upstream.requests)


def test_without_either_the_model_reads_it_and_it_is_kept_as_long_as_usual(
    desk, upstream
):
    job = delivered(desk, "zoom")

    assert (job["state"], kept_days(job)) == ("done", 30)
    assert any(CARD in each.body.decode() for each in upstream.requests)
