"""An order comes out as it went in; what is not understood is refused."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.errors import InternalError
from flaskllm.services.digests.types import DigestOrder
from flaskllm.services.jobs.orders import Ordered, from_json, to_json

WHOLE = DigestOrder(
    content=b"\xff\x00 caf\xc3\xa9",
    media_type="text/plain",
    charset="latin-1",
    file_name="a\ud800.txt",
    source="email",
    type="custom",
    language="de",
    model="fast",
    template="mine",
    variables={"schema": {"type": "object"}, "labels": ["a"]},
    response_format="json",
    reference_time=datetime(2026, 1, 5, 9, tzinfo=timezone(timedelta(hours=2))),
    timezone="Europe/Berlin",
    participants=("Ada", "Ben"),
)


@pytest.mark.parametrize(
    "ordered",
    [
        Ordered(WHOLE, {"ticket": [1, None]}, ("`x` is unknown",)),
        Ordered(DigestOrder(b"Hello")),
        Ordered(DigestOrder(b"Hello"), metadata={}),
        Ordered(DigestOrder(b"Hello", cache=False, fresh=True)),
        Ordered(DigestOrder(b"Hello"), thread_target="inbound:in_a"),
    ],
)
def test_an_order_comes_out_as_it_went_in(ordered):
    found = from_json(to_json(ordered))

    assert found == ordered
    assert found.order.reference_time == ordered.order.reference_time


@given(st.binary(max_size=200))
def test_any_content_comes_out_as_it_went_in(content):
    assert from_json(to_json(Ordered(DigestOrder(content)))).order.content == content


@pytest.mark.parametrize("content", ["café".encode(), b"\xff"])
def test_content_that_is_text_stays_text(content):
    told = json.loads(to_json(Ordered(DigestOrder(content))))

    expected = {"text": "café"} if content != b"\xff" else {"base64": "/w=="}
    assert told["order"]["content"] == expected


def test_the_moment_keeps_its_offset():
    at = datetime(2026, 1, 5, 9, tzinfo=UTC)

    found = from_json(to_json(Ordered(DigestOrder(b"x", reference_time=at))))

    assert found.order.reference_time.utcoffset() == timedelta(0)


def test_a_field_of_a_later_version_is_named():
    told = json.loads(to_json(Ordered(DigestOrder(b"Hello"))))
    told["order"]["tone"] = "kind"

    with pytest.raises(InternalError) as caught:
        from_json(json.dumps(told).encode())

    assert "'tone'" in caught.value.details
    assert "newer version" in caught.value.details


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"order": {"content": {}}, "metadata": 1}']
)
def test_what_is_no_order_is_told(body):
    with pytest.raises(InternalError):
        from_json(body)
