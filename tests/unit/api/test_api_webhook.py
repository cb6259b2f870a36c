"""The webhook: three forms in, one order down, one answer back."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from face_fakes import EVERY_FIELD, ORDERED
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.api.v1.webhook_fields import WebhookJson
from flaskllm.core.errors import (
    InvalidInputError,
    LLMContextTooLong,
    LLMRateLimited,
    LLMTimeout,
    NoModelConfigured,
)
from flaskllm.services.digests.types import DigestOrder


def test_a_prompt_becomes_an_order_with_the_defaults(post, services):
    assert post(json={"prompt": "Grüße"}).status_code == 200
    assert services.digests.orders == [
        DigestOrder(content="Grüße".encode(), charset="utf-8")
    ]


def test_every_field_of_json_reaches_the_order(post, services):
    post(json={"prompt": "x", **EVERY_FIELD})

    assert services.digests.orders == [
        DigestOrder(content=b"x", charset="utf-8", **ORDERED)
    ]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("no-store", {"cache": False}),
        ("no-cache", {"fresh": True}),
        ("no-cache, no-store", {"cache": False}),
        ("max-age=0", {}),
    ],
)
def test_what_the_header_says_of_the_cache_goes_with_the_order(
    post, services, bearer, said, told
):
    headers = bearer("webhook") | {"Cache-Control": said}

    assert post(json={"prompt": "x"}, headers=headers).status_code == 200

    assert services.digests.orders == [
        DigestOrder(content=b"x", charset="utf-8", **told)
    ]


@pytest.mark.parametrize(
    ("thread", "is_asked"), [(None, False), ("ignore", False), ("remember", True)]
)
def test_an_answer_that_is_waited_for_heeds_a_thread_when_asked(
    post, services, thread, is_asked
):
    post(json={"prompt": "x", "thread": thread})

    [whose] = services.digests.threads_of
    assert (whose is not None) is is_asked


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": " \n\t"}, "prompt"),
        ({"prompt": 5}, "prompt"),
        ({"prompt": ["x"]}, "prompt"),
        ({"source": "mail"}, "source"),
        ({"thread": "forget"}, "thread"),
        ({"type": "sumary"}, "type"),
        ({"type": ["summary"]}, "type"),
        ({"response_format": "html"}, "response_format"),
        ({"language": "english"}, "language"),
        ({"language": "EN"}, "language"),
        ({"language": "xx"}, "language"),
        ({"language": 5}, "language"),
        ({"model": "m" * 201}, "model"),
        ({"template": 5}, "template"),
        ({"variables": []}, "variables"),
        ({"metadata": "x"}, "metadata"),
        ({"participants": "Ann"}, "participants"),
        ({"participants": ["Ann", 5]}, "participants.1"),
        ({"reference_time": 5}, "reference_time"),
        ({"reference_time": "2025-03-14"}, "reference_time"),
        ({"reference_time": "2025-03-14T09:30:00"}, "reference_time"),
        ({"reference_time": "2025-W11-5T09:30:00Z"}, "reference_time"),
        ({"reference_time": "2025-02-29T09:30:00Z"}, "reference_time"),
        ({"reference_time": "2025-03-14T24:30:00Z"}, "reference_time"),
        ({"reference_time": "tomorrow"}, "reference_time"),
        ({"timezone": "Berlin"}, "timezone"),
        ({"timezone": "../etc/passwd"}, "timezone"),
        ({"timezone": "/etc/passwd"}, "timezone"),
        ({"timezone": "Europe"}, "timezone"),
        ({"timezone": "\0"}, "timezone"),
        ({"timezone": "x" * 5000}, "timezone"),
        ({"callback_url": "http://example.org/done"}, "callback_url"),
        ({"endpoint": "end_nobody"}, "endpoint"),
        ({"endpoint": "../x"}, "endpoint"),
        ({"priority": 0}, "priority"),
        ({"priority": 10}, "priority"),
        ({"priority": 5.5}, "priority"),
        ({"deadline_seconds": 0}, "deadline_seconds"),
        ({"deadline_seconds": 31 * 86_400}, "deadline_seconds"),
        ({"event_id": "a\0b"}, "event_id"),
        ({"async": "perhaps"}, "async"),
        ({"force": 7}, "force"),
        ({"callback_url": {"url": "x"}}, "callback_url"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_wrong_field_is_named_and_nothing_is_done(post, services, data, path):
    reply = post(json={"prompt": "x"} | data if data else {})

    assert reply.status_code == 400
    assert [field["path"] for field in reply.json["fields"]] == [path]
    assert all(field["allowed"] for field in reply.json["fields"])
    assert services.digests.orders == []


@pytest.mark.parametrize("absent", ["", None], ids=["an empty string", "null"])
def test_an_empty_field_counts_as_absent(post, services, absent):
    reply = post(
        json={"prompt": "x", "callback_url": absent}
        | dict.fromkeys(EVERY_FIELD, absent)
    )

    assert reply.status_code == 200
    assert services.digests.orders == [DigestOrder(content=b"x", charset="utf-8")]


def test_empty_fields_of_a_query_count_as_absent(post, services):
    reply = post(
        query_string=dict.fromkeys(EVERY_FIELD, ""),
        data=b"x",
        content_type="text/plain",
    )

    assert reply.status_code == 200
    assert services.digests.orders == [
        DigestOrder(content=b"x", media_type="text/plain")
    ]


def test_unknown_fields_become_warnings(post):
    reply = post("?sorce=email", json={"prompt": "x", "sourec": "email", "x" * 99: 1})

    assert reply.json["meta"]["warnings"] == [
        "hidden_text_removed",
        "unknown_field: sorce",
        "unknown_field: sourec",
        f"unknown_field: {'x' * 40}…",
    ]


def test_a_flood_of_unknown_fields_is_not_a_flood_of_warnings(post):
    reply = post(json={"prompt": "x"} | {f"f{number}": 1 for number in range(999)})

    assert len(reply.json["meta"]["warnings"]) == 21


def test_fields_of_the_body_win_over_the_query(post, services):
    post("?type=keywords&language=de", json={"prompt": "x", "type": "entities"})

    order = services.digests.orders[0]
    assert (order.type, order.language) == ("entities", "de")


def test_a_wrong_query_is_refused_even_when_the_body_would_win(post):
    assert (
        post("?type=nonsense", json={"prompt": "x", "type": "reply"}).status_code == 400
    )


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("?type=summary&type=reply", "type"),
        ("?variables=x", "variables"),
        ("?variables=[]", "variables"),
        ("?variables=%22x%22", "variables"),
        ("?variables=NaN", "variables"),
        ("?metadata=%7B%22a%22:1%7D,1", "metadata"),
        ("?metadata=null", "metadata"),
        ("?language=xx", "language"),
        ("?callback_url=http://example.org", "callback_url"),
        ("?priority=10", "priority"),
        ("?async=perhaps", "async"),
    ],
)
def test_a_wrong_field_of_a_query_is_named(post, query, path):
    reply = post(query, data=b"x", content_type="text/plain")

    assert reply.status_code == 400
    assert [field["path"] for field in reply.json["fields"]] == [path]


def test_participants_are_repeated_and_empty_ones_dropped(post, services):
    post(
        "?participants=Ann&participants=&participants=[Bo]",
        data=b"x",
        content_type="text/plain",
    )

    assert services.digests.orders[0].participants == ("Ann", "[Bo]")


def test_the_answer_holds_the_digest_and_how_it_was_made(post, services):
    services.digests.acts = lambda order, call: services.clock.advance(1.23456)

    reply = post(json={"prompt": "x", "metadata": {"ticket": 7, "who": "Zoë"}})

    assert reply.content_type == "application/json"
    data, meta = reply.json["data"], reply.json["meta"]
    assert list(data) == ["id", "type", "text", "digest"]
    assert (data["id"], data["type"], data["text"]) == ("dig_1", "summary", "Grüße")
    assert data["digest"]["summary"] == {"short": "Grüße", "bullets": []}
    assert meta.pop("request_id") == reply.headers["X-Request-ID"]
    assert meta == {
        "processing_time": 1.235,
        "provider": "extractive",
        "model": "offline",
        "format": "text",
        "usage": {"tokens_input": 3, "tokens_output": 2, "source": "provider"},
        "cost": 0.0,
        "cached": False,
        "degraded": False,
        "warnings": ["hidden_text_removed"],
        "metadata": {"ticket": 7, "who": "Zoë"},
    }
    assert "Grüße" in reply.text, "people read answers too"


def test_without_metadata_there_is_none_in_the_answer(post):
    assert "metadata" not in post(json={"prompt": "x"}).json["meta"]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidInputError.of("model", "'x' is unknown", "fast"), 400, "INVALID_INPUT"),
        (LLMContextTooLong(), 413, "LLM_CONTEXT_TOO_LONG"),
        (NoModelConfigured(), 503, "NO_MODEL_CONFIGURED"),
        (LLMRateLimited(retry_after_seconds=7), 429, "LLM_RATE_LIMITED"),
        (LLMTimeout(), 504, "LLM_TIMEOUT"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_what_the_services_raise_is_told(post, services, error, status, code):
    def act(order, call):
        raise error

    services.digests.acts = act

    reply = post(json={"prompt": "x"})

    assert (reply.status_code, reply.json["code"]) == (status, code)


@given(
    st.datetimes(
        min_value=datetime(1000, 1, 1),
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5, minutes=30))]),
    ),
    st.sampled_from(["T", "t", " "]),
)
def test_every_moment_that_rfc_3339_can_write_is_read(moment, separator):
    text = moment.isoformat().replace("T", separator)

    read = WebhookJson.model_validate({"prompt": "x", "reference_time": text})

    assert read.reference_time == moment
