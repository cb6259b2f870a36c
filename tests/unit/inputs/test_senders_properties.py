"""Whatever comes, a sender's module answers with a reading or with a refusal."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sender_scene import deliver, terms

from flaskllm.inputs.senders import fathom, fireflies, generic, graph, read_ai, zoom
from flaskllm.inputs.senders.fetched import FETCHED, FetchRefusedError
from flaskllm.inputs.senders.types import Item, SenderRefusedError

SENDERS = [
    zoom.ZOOM,
    fireflies.FIREFLIES,
    fathom.FATHOM,
    read_ai.READ_AI,
    graph.GRAPH,
    generic.GENERIC,
]
NAMES = st.sampled_from(
    [
        "event", "payload", "object", "uuid", "recording_files", "file_type",
        "download_url", "download_token", "plainToken", "meeting_uuid",
        "summary_details", "next_steps", "label", "summary", "meeting_id", "trigger",
        "session_id", "transcript", "speaker_blocks", "participants", "name",
        "start_time", "default_summary", "markdown_formatted", "calendar_invitees",
        "value", "clientState", "resource", "lifecycleEvent", "content", "source",
        "reference_time", "language", "recipients", "event_id", "data", "errors",
        "code", "sentences", "date",
    ]
)  # fmt: skip
WORDS = st.sampled_from(
    [
        "recording.transcript_completed", "meeting.summary_completed", "TRANSCRIPT",
        "endpoint.url_validation", "meeting.transcribed", "meeting_end", "created",
        "https://zoom.us/a", "https://[", "2026-01-01T09:00:00Z", "en", "meeting", "",
    ]
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
TEXTS = WORDS | st.text(max_size=20)
JSON = st.recursive(
    LEAVES | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6)
    ),
    max_leaves=25,
)
BODIES = JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        name: TEXTS | st.sampled_from(["1767225600", "v1,é", "Basic é", "Bearer ä"])
        for name in (
            "authorization",
            "content_type",
            "x_zm_signature",
            "x_zm_request_timestamp",
            "x_hub_signature",
            "x_read_signature",
            "webhook_id",
            "webhook_timestamp",
            "webhook_signature",
        )
    },
)
PROPERTY = settings(max_examples=30, deadline=None, database=None)


def tried(function, *given):
    """Return what a function answers, or the refusal that it raises."""
    try:
        return function(*given)
    except (SenderRefusedError, FetchRefusedError) as refused:
        return refused


@pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: sender.name)
@PROPERTY
@given(body=BODIES, headers=HEADERS)
def test_reading_refuses_what_it_cannot_read(sender, body, headers):
    reading = tried(sender.read, deliver(body, **headers), terms(api_key="k"))

    assert reading is not None
    assert getattr(reading, "why", "malformed") == "malformed"


@pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: sender.name)
@PROPERTY
@given(body=BODIES, headers=HEADERS)
def test_nobody_proves_anything_by_chance(sender, body, headers):
    refused = tried(sender.prove, deliver(body, **headers), terms())

    if refused:
        assert refused.why in ("unproven", "stale")
    else:
        # Zoom's bare challenge is let through, and nothing else is.
        assert json.loads(body)["event"] == "endpoint.url_validation"
        assert sender is zoom.ZOOM


@pytest.mark.parametrize("reader", FETCHED)
@PROPERTY
@given(body=BODIES)
def test_a_fetched_reply_is_read_or_refused(reader, body):
    item = tried(FETCHED[reader], body, Item(b"", None, "meeting", "e"))

    assert isinstance(item, FetchRefusedError) or item.content == body
