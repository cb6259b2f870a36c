"""What Zoom delivers, and how it proves it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sender_scene import NOW, captured, deliver, from_zoom, hmac_hex, later, terms

from flaskllm.inputs.senders import zoom
from flaskllm.inputs.senders.types import (
    Fetch,
    Item,
    NeedsFetch,
    Nothing,
    Reply,
    SenderRefusedError,
)

FILE = {
    "file_type": "TRANSCRIPT",
    "download_url": "https://us02web.zoom.us/rec/webhook_download/abc?x=1",
}
RECORDED = {
    "event": "recording.transcript_completed",
    "event_ts": 1767225600123,
    "download_token": "token.of-zoom",
    "payload": {
        "object": {
            "uuid": "4444AAAiAAAAAiAiAiiAii==",
            "id": 1234567890,
            "topic": "Launch\nreview",
            "start_time": "2026-01-01T09:00:00Z",
            "recording_files": [{"file_type": "MP4"}, FILE],
        }
    },
}


def recorded(**changes):
    changed = json.loads(json.dumps(RECORDED))
    token = changes.pop("download_token", changed["download_token"])
    changed["payload"]["object"].update(changes)
    return {**changed, "download_token": token}


def with_url(url):
    return recorded(recording_files=[FILE | {"download_url": url}])


def read(body):
    return zoom.read(from_zoom(body), terms())


def challenge(token="qgg8vlvZRS6UYooatFL8Aw"):
    return {"event": "endpoint.url_validation", "payload": {"plainToken": token}}


def test_the_captured_challenge_is_proven_and_answered(samples):
    told, delivery, known = captured(samples / "inbound/zoom-url-validation.http.json")

    zoom.prove(delivery, known)
    reply = zoom.read(delivery, known)

    assert isinstance(reply, Reply)
    assert reply.status == told["expected"]["response_status"]
    assert json.loads(reply.body) == told["expected"]["response_json"]


def test_a_challenge_is_answered_without_a_signature():
    zoom.prove(deliver(challenge()), terms())


@pytest.mark.parametrize("token", ["v0:1767225600:{}", "", None, "a" * 201, "é"])
def test_an_answer_to_a_challenge_is_never_the_signature_of_an_event(token):
    with pytest.raises(SenderRefusedError) as refused:
        zoom.read(deliver(challenge(token)), terms())

    assert refused.value.why == "malformed"


@pytest.mark.parametrize(
    "changed",
    [
        {"x-zm-signature": ""},
        {"x-zm-signature": "v0=" + "0" * 64},
        {"x-zm-signature": "v0=é"},
        {"x-zm-request-timestamp": ""},
        {"x-zm-request-timestamp": "soon"},
        {"x-zm-request-timestamp": "²"},
        {"x-zm-request-timestamp": "9" * 40},
        {"x-zm-request-timestamp": str(int(NOW.timestamp()) - 1)},
    ],
)
def test_an_event_without_zooms_own_signature_is_unproven(changed):
    signed = from_zoom(RECORDED)

    with pytest.raises(SenderRefusedError) as refused:
        zoom.prove(replace(signed, headers={**signed.headers, **changed}), terms())

    assert refused.value.why == "unproven"


def test_a_body_that_was_changed_is_unproven():
    signed = from_zoom(RECORDED)

    with pytest.raises(SenderRefusedError, match="signature"):
        zoom.prove(replace(signed, body=signed.body + b" "), terms())


@pytest.mark.parametrize("secret", [None, ""])
def test_nothing_is_proven_to_an_endpoint_without_a_secret(secret):
    for delivery in (from_zoom(RECORDED, key=""), deliver(challenge())):
        with pytest.raises(SenderRefusedError, match="no secret"):
            zoom.prove(delivery, terms(secret=secret))


def test_the_last_repetition_of_zoom_still_holds_and_an_older_signature_not():
    signed = from_zoom(RECORDED)
    zoom.prove(signed, later(minutes=85))
    zoom.prove(from_zoom(RECORDED, NOW + timedelta(minutes=5)), terms())

    for known in (later(minutes=90, seconds=1), later(minutes=-6)):
        with pytest.raises(SenderRefusedError) as refused:
            zoom.prove(signed, known)
        assert refused.value.why == "stale"


def test_a_transcript_is_fetched_with_the_token_of_the_event():
    fetch = read(RECORDED)

    assert isinstance(fetch, Fetch)
    assert (fetch.url, fetch.body, fetch.reads) == (FILE["download_url"], None, "as_is")
    assert fetch.headers == {"Authorization": "Bearer token.of-zoom"}
    assert fetch.item == Item(
        content=b"",
        media_type="text/vtt",
        source="meeting",
        event_key="recording.transcript_completed:4444AAAiAAAAAiAiAiiAii=="
        ":1767225600123",
        fields={"reference_time": datetime(2026, 1, 1, 9, tzinfo=UTC)},
        metadata={
            "subject": "Launch review",
            "meeting_id": "1234567890",
            "meeting_uuid": "4444AAAiAAAAAiAiAiiAii==",
        },
    )


def test_the_token_and_the_address_are_not_shown():
    shown = repr(read(RECORDED))

    assert "token.of-zoom" not in shown
    assert "webhook_download" not in shown


@pytest.mark.parametrize(
    "url",
    ["https://zoom.us/rec/a", "https://ZOOM.US:443/a", "https://us.zoomgov.com/a"],
)
def test_the_token_goes_to_hosts_of_zoom(url):
    assert read(with_url(url)).url == url


@pytest.mark.parametrize(
    "url",
    [
        None,
        7,
        "",
        "http://zoom.us/a",
        "https://zoom.us.example.com/a",
        "https://notzoom.us/a",
        "https://zoom.us@example.com/a",
        "https://user:word@zoom.us/a",
        "https://zoom.us:8443/a",
        "https://zoom.us:443000/a",
        "https://[::1/a",
        "https://example.com\\@zoom.us/a",
        "https://example.com\\.zoom.us/a",
        "https://zoom.us\r\n.example.com/a",
        "https://exämple.zoom.us/a",
        "https://127.0.0.1/?zoom.us",
        "https://example.com/#.zoom.us",
        "https://zoom.us/" + "a" * 5000,
    ],
)
def test_the_token_goes_nowhere_else(url):
    with pytest.raises(SenderRefusedError) as refused:
        read(with_url(url))

    assert refused.value.why == "malformed"


@pytest.mark.parametrize("token", [None, "", 7, "a\r\nX-Other: b", "é"])
def test_without_a_token_the_operator_is_told_what_to_do(token):
    needed = read(recorded(download_token=token))

    assert isinstance(needed, NeedsFetch)
    assert "/api/v1/webhook" in needed.remedy


def test_of_several_transcripts_the_first_is_fetched_and_the_rest_are_told():
    fetch = read(recorded(recording_files=[FILE, FILE]))

    assert fetch.item.warnings == ("more_transcripts_not_fetched",)


@pytest.mark.parametrize(
    "body",
    [
        {"event": "meeting.started"},
        {"event": ["recording.transcript_completed"]},
        {},
        recorded(recording_files=[]),
        recorded(recording_files="all"),
        {
            "event": "meeting.summary_completed",
            "payload": {"object": {"meeting_uuid": "u", "next_steps": [None, ""]}},
        },
    ],
)
def test_what_holds_no_document_is_nothing(body):
    assert isinstance(read(body), Nothing)


def test_a_meeting_without_a_name_is_refused():
    with pytest.raises(SenderRefusedError, match="no meeting"):
        read(recorded(uuid=""))


def test_a_summary_becomes_text_whose_labels_are_no_speakers():
    item = read(
        {
            "event": "meeting.summary_completed",
            "event_ts": 5,
            "payload": {
                "object": {
                    "meeting_uuid": "u1",
                    "meeting_topic": "Launch",
                    "meeting_start_time": "no time",
                    "summary_overview": "The launch moves.",
                    "summary_details": [
                        {"label": "Date", "summary": "It is 4 May."},
                        {"label": None, "summary": ""},
                    ],
                    "next_steps": ["Ann tells the press."],
                }
            },
        }
    )

    assert item == Item(
        content=b"The launch moves.\n\nDate\nIt is 4 May.\n\n"
        b"Next steps\n- Ann tells the press.",
        media_type="text/plain",
        source="meeting",
        event_key="meeting.summary_completed:u1:5",
        charset="utf-8",
        metadata={"subject": "Launch", "meeting_uuid": "u1"},
    )


def test_the_sample_of_the_signature_is_what_the_docs_of_zoom_describe():
    signed = from_zoom(b"{}", NOW, "k")

    wanted = hmac_hex(b"k", b"v0:1767225600:{}")
    assert signed.headers["x-zm-signature"] == f"v0={wanted}"


def test_what_is_too_long_for_a_challenge_is_not_read_before_it_is_proven():
    delivery = deliver(challenge() | {"filler": "x" * 5_000})

    with pytest.raises(SenderRefusedError) as refused:
        zoom.prove(delivery, terms())

    assert refused.value.why == "unproven"
