"""What did not come with a job: fetched once, read, or named as somebody else's."""

import json
from datetime import UTC, datetime

import pytest
from fetch_scene import FakeFetcher, fetched

from flaskllm.core.errors import FetchFailed, FetchRefused, NeedsFetch
from flaskllm.net.egress import EgressFailed, EgressRefused, Failure, Refusal
from flaskllm.services.digests.types import DigestOrder
from flaskllm.services.jobs import orders
from flaskllm.services.jobs.fetching import Fetching
from flaskllm.services.jobs.orders import FetchOrder, Ordered

URL = "https://zoom.us/rec/1"
TRANSCRIPT = {
    "title": "Offer",
    "date": 1767225600000,
    "meeting_attendees": [{"displayName": "Ada"}],
    "sentences": [{"speaker_name": "Ben", "text": "I will send it.", "start_time": 1}],
}


class Steps:
    """Records what was run, and keeps it as a job does."""

    def __init__(self):
        self.kept = {}

    def __call__(self, name, function):
        if name not in self.kept:
            self.kept[name] = json.loads(json.dumps(function()))
        return self.kept[name]


def ordered(reads="as_is", body=None):
    order = DigestOrder(b"", media_type="text/vtt", participants=("Ben",))
    fetch = FetchOrder(URL, {"Authorization": "Bearer x"}, body, reads)
    return Ordered(order, {"meeting_id": "m"}, ("w",), fetch)


def complete(*script, order=None, steps=None):
    fetching = Fetching(FakeFetcher(*script))
    return fetching.complete(order or ordered(), steps or Steps())


def test_what_came_with_it_is_left_as_it_is():
    whole = Ordered(DigestOrder(b"x"))

    assert complete(AssertionError(), order=whole) is whole


def test_what_was_fetched_is_the_document_and_is_fetched_once():
    steps, body = Steps(), b"WEBVTT \xff\x00"

    first = complete(fetched(body), steps=steps)
    again = complete(AssertionError("asked again"), steps=steps)

    assert first == again
    assert first.order.content == body
    assert (first.order.media_type, first.metadata) == ("text/vtt", {"meeting_id": "m"})
    assert first.has_document


def test_a_reader_finds_the_people_and_the_time_in_the_reply():
    reply = json.dumps({"data": {"transcript": TRANSCRIPT}}).encode()

    done = complete(fetched(reply), order=ordered("fireflies", b"query"))

    assert done.order.content == reply
    assert done.order.participants == ("Ben", "Ada")
    assert done.order.reference_time == datetime(2026, 1, 1, tzinfo=UTC)
    assert done.metadata == {"meeting_id": "m", "subject": "Offer"}
    assert done.warnings == ("w",)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ({"data": {"transcript": {"title": "x"}}}, FetchFailed),
        ({"errors": [{"code": "auth_failed"}]}, FetchRefused),
    ],
)
def test_a_reply_that_is_no_transcript_is_not_kept(reply, kind):
    steps = Steps()

    with pytest.raises(FetchFailed) as failed:
        complete(
            fetched(json.dumps(reply).encode()),
            order=ordered("fireflies", b"q"),
            steps=steps,
        )

    assert (type(failed.value), steps.kept) == (kind, {})


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (EgressRefused(Refusal.BLOCKED), FetchRefused),
        (EgressFailed(Failure.TOO_LARGE), FetchRefused),
        (EgressFailed(Failure.NAME_NOT_FOUND), FetchFailed),
        (fetched(b"", 302), FetchRefused),
        (fetched(b"", 429, 30.0), FetchFailed),
        (fetched(b"", 500), FetchFailed),
    ],
)
def test_what_may_pass_is_told_from_what_will_not(said, kind):
    with pytest.raises(FetchFailed) as failed:
        complete(said)

    assert type(failed.value) is kind
    assert failed.value.details
    assert URL not in failed.value.details


def test_a_place_that_asks_for_patience_is_given_it():
    with pytest.raises(FetchFailed) as failed:
        complete(fetched(b"", 429, 30.0))

    assert failed.value.retry_after_seconds == 30.0


@pytest.mark.parametrize("needs", [None, {"what": "mail", "ids": {"key": "k"}}])
def test_what_only_somebody_else_gets_is_named(needs):
    with pytest.raises(NeedsFetch) as needed:
        complete(order=Ordered(DigestOrder(b""), needs_fetch="Send it.", needs=needs))

    assert (needed.value.details, needed.value.needs) == ("Send it.", needs)


@pytest.mark.parametrize(
    "told", [ordered(), ordered("fireflies", b"\xff"), ordered("x", b"q")]
)
def test_what_is_to_be_fetched_is_kept_with_the_order(told):
    assert orders.from_json(orders.to_json(told)) == told


def test_a_remedy_is_kept_with_the_order():
    told = Ordered(DigestOrder(b""), None, (), None, "Send it.")

    assert orders.from_json(orders.to_json(told)) == told
