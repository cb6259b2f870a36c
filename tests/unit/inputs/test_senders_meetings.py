"""What Fireflies, Fathom, Read AI and Microsoft Graph deliver."""

import json
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sender_scene import (
    SECRET,
    captured,
    deliver,
    from_fathom,
    from_fireflies,
    from_read_ai,
    later,
    terms,
)

from flaskllm.inputs.senders import fathom, fireflies, graph, read_ai
from flaskllm.inputs.senders.fetched import FETCHED, FetchRefusedError
from flaskllm.inputs.senders.types import (
    Delivery,
    Fetch,
    Item,
    NeedsFetch,
    Nothing,
    SenderRefusedError,
)

TRANSCRIBED = {"event": "meeting.transcribed", "timestamp": 1, "meeting_id": "01ABC"}
KEY = "whsec_" + b64encode(b"twenty-four bytes or so!").decode()
READ_KEY = b"read ai's own key"
NINE = datetime(2026, 1, 1, 9, tzinfo=UTC)
MEETING = {
    "title": "Weekly",
    "recording_id": 77,
    "recording_start_time": "2026-01-01T09:00:00Z",
    "calendar_invitees": [{"name": "Ann"}, {"name": None}, {"name": "Ann"}],
    "transcript": [{"speaker": {"display_name": "Ann"}, "text": "Hi."}],
    "default_summary": {"markdown_formatted": "## Short"},
}
REPORT = {
    "session_id": "S1",
    "trigger": "meeting_end",
    "title": "Weekly",
    "start_time": "2026-01-01T09:00:00Z",
    "participants": [{"name": "Ann"}],
    "summary": "Short.",
    "transcript": {"speaker_blocks": [{"words": "Hi.", "speaker": {"name": "Ann"}}]},
}
CHANGED = {
    "subscriptionId": "s1",
    "changeType": "created",
    "clientState": SECRET,
    "resource": "communications/onlineMeetings('m')/transcripts('t')",
}


def reasons(prove, delivery, known):
    with pytest.raises(SenderRefusedError) as refused:
        prove(delivery, known)
    return refused.value.why


def test_the_captured_event_of_fireflies_is_proven_and_names_its_meeting(samples):
    path = samples / "inbound/fireflies-v2-transcribed.http.json"
    told, delivery, known = captured(path)

    fireflies.prove(delivery, known)
    fetch = fireflies.read(delivery, replace(known, api_key="key-1"))

    meeting = told["expected"]["meeting_id"]
    assert fetch.url == "https://api.fireflies.ai/graphql"
    assert fetch.headers["Authorization"] == "Bearer key-1"
    assert json.loads(fetch.body)["variables"] == {"id": meeting}
    assert fetch.item.event_key == f"meeting.transcribed:{meeting}"
    assert fetch.reads in FETCHED
    assert "key-1" not in repr(fetch)


@pytest.mark.parametrize(
    "signature", ["", "sha256=", "sha256=é", "sha256=" + "0" * 64, "0" * 64]
)
def test_fireflies_own_signature_is_needed(signature):
    delivery = deliver(TRANSCRIBED, x_hub_signature=signature)

    assert reasons(fireflies.prove, delivery, terms()) == "unproven"
    assert reasons(fireflies.prove, from_fireflies({}, "x"), terms()) == "unproven"
    assert reasons(fireflies.prove, delivery, terms(secret=None)) == "unproven"


def test_without_a_key_for_fireflies_the_operator_is_told_to_set_one():
    for api_key in (None, "", "two words\r\n"):
        needed = fireflies.read(from_fireflies(TRANSCRIBED), terms(api_key=api_key))
        assert isinstance(needed, NeedsFetch)
        assert "api_key" in needed.remedy
        assert needed.metadata == {"meeting_id": "01ABC"}


@pytest.mark.parametrize("meeting", [None, 7, "", '"){id}', "a b", "a" * 129, "é"])
def test_what_is_no_id_goes_into_no_query(meeting):
    with pytest.raises(SenderRefusedError, match="no meeting"):
        fireflies.read(deliver(TRANSCRIBED | {"meeting_id": meeting}), terms())


def test_only_the_transcript_of_fireflies_is_work():
    delivery = deliver(TRANSCRIBED | {"event": "meeting.summarized"})

    assert isinstance(fireflies.read(delivery, terms()), Nothing)


def fetched(reply):
    empty = Item(b"", "application/json", "meeting", "e", metadata={"meeting_id": "1"})
    return FETCHED["fireflies"](reply, empty)


def test_the_reply_of_fireflies_is_the_content(samples):
    reply = (samples / "transcripts/derived-ES2011a.fireflies.json").read_bytes()

    item = fetched(reply)

    assert item.content == reply
    assert item.metadata == {"meeting_id": "1", "subject": "Meeting ES2011a"}
    assert item.fields == {
        "reference_time": datetime(2026, 4, 21, 7, 58, tzinfo=UTC),
    }


def test_the_attendees_that_fireflies_knows_may_own_tasks():
    transcript = {
        "sentences": [{"text": "Hi."}],
        "meeting_attendees": [{"displayName": "Ann"}, {"name": "Ben"}, {}],
    }

    item = fetched(json.dumps({"data": {"transcript": transcript}}).encode())

    assert item.fields == {"participants": ("Ann", "Ben")}


@pytest.mark.parametrize(
    ("reply", "retryable"),
    [
        (b"<html>", True),
        (b'{"errors": [{"code": "too_many_requests"}]}', True),
        (b'{"data": {"transcript": {"sentences": []}}}', True),
        (b'{"data": {"transcript": null}}', True),
        (b'{"errors": [{"code": "auth_failed"}], "data": null}', False),
        (b'{"errors": [{"extensions": {"code": "OBJECT_NOT_FOUND"}}]}', False),
    ],
)
def test_a_failure_of_fireflies_says_whether_to_ask_again(reply, retryable):
    with pytest.raises(FetchRefusedError) as refused:
        fetched(reply)

    assert refused.value.retryable is retryable
    assert refused.value.detail


def test_the_vector_of_standard_webhooks_is_proven(samples):
    vector = json.loads((samples / "inbound/standard-webhooks-vector.json").read_text())
    moment = datetime.fromtimestamp(int(vector["headers"]["webhook-timestamp"]), UTC)
    delivery = Delivery(vector["headers"], vector["body"].encode())

    fathom.prove(delivery, terms(secret=vector["secret"], now=moment))


def test_one_good_signature_of_fathom_among_several_is_enough():
    signed = from_fathom(MEETING, KEY)
    several = f"v1,AAAA v1a,xx nonsense {signed.headers['webhook-signature']}"
    changed = replace(signed, headers={**signed.headers, "webhook-signature": several})

    fathom.prove(changed, terms(secret=KEY))
    fathom.prove(changed, terms(secret=KEY.removeprefix("whsec_")))


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,é"},
        {"webhook-id": "msg_2"},
        {"webhook-id": ""},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "1767225601"},
    ],
)
def test_fathoms_own_signature_is_needed(changed):
    signed = from_fathom(MEETING, KEY)
    delivery = replace(signed, headers={**signed.headers, **changed})

    assert reasons(fathom.prove, delivery, terms(secret=KEY)) == "unproven"
    assert reasons(fathom.prove, signed, terms(secret="no base64!")) == "unproven"
    assert reasons(fathom.prove, signed, terms(secret=None)) == "unproven"


def test_an_old_signature_of_fathom_is_stale():
    signed = from_fathom(MEETING, KEY)
    known = replace(later(seconds=301), secret=KEY)

    assert reasons(fathom.prove, signed, known) == "stale"


def test_a_meeting_of_fathom_is_handed_on_whole():
    delivery = from_fathom(MEETING, KEY)

    assert fathom.read(delivery, terms()) == Item(
        content=delivery.body,
        media_type="application/json",
        source="meeting",
        event_key="msg_1",
        charset="utf-8",
        fields={"participants": ("Ann",), "reference_time": NINE},
        metadata={"subject": "Weekly", "recording_id": "77"},
    )


def test_a_meeting_of_fathom_without_transcript_is_its_summary_or_a_remedy():
    only = fathom.read(from_fathom(MEETING | {"transcript": None}, KEY), terms())
    none = fathom.read(from_fathom({"title": "Weekly"}, KEY), terms())

    assert (only.content, only.media_type) == (b"## Short", "text/plain")
    assert only.warnings == ("transcript_missing",)
    assert isinstance(none, NeedsFetch)
    assert "Transcript" in none.remedy


@pytest.mark.parametrize("secret", [b64encode(READ_KEY).decode(), "no base64!"])
def test_read_ai_signs_with_the_key_that_its_page_shows(secret):
    key = READ_KEY if secret != "no base64!" else secret.encode()
    known = terms(secret=secret)

    read_ai.prove(from_read_ai(REPORT, key), known)

    assert reasons(read_ai.prove, from_read_ai(REPORT, b"x"), known) == "unproven"
    assert reasons(read_ai.prove, deliver(REPORT), known) == "unproven"
    unset = terms(secret=None)
    assert reasons(read_ai.prove, from_read_ai(REPORT, key), unset) == "unproven"


def test_a_report_of_read_ai_is_handed_on_whole():
    delivery = from_read_ai(REPORT, READ_KEY)

    assert read_ai.read(delivery, terms()) == Item(
        content=delivery.body,
        media_type="application/json",
        source="meeting",
        event_key="meeting_end:S1",
        charset="utf-8",
        fields={"participants": ("Ann",), "reference_time": NINE},
        metadata={"subject": "Weekly", "session_id": "S1"},
    )


def test_a_report_of_read_ai_without_transcript_is_its_summary_or_a_remedy():
    only = read_ai.read(deliver(REPORT | {"transcript": {}}), terms())
    none = read_ai.read(deliver(REPORT | {"transcript": 7, "summary": " "}), terms())

    assert (only.content, only.warnings) == (b"Short.", ("transcript_missing",))
    assert isinstance(none, NeedsFetch)


def test_a_report_of_read_ai_needs_a_session_and_a_trigger():
    assert isinstance(
        read_ai.read(deliver(REPORT | {"trigger": "meeting_start"}), terms()), Nothing
    )
    with pytest.raises(SenderRefusedError, match="no session"):
        read_ai.read(deliver(REPORT | {"session_id": ""}), terms())


def test_one_bad_report_does_not_stop_the_webhook_of_read_ai():
    assert read_ai.READ_AI.statuses.malformed == read_ai.READ_AI.statuses.taken == 200


def asking(token):
    return Delivery({}, b"", {"validationToken": token})


def test_graph_hears_its_token_again_as_text():
    reply = graph.greet(asking("Validation: <b>Testing</b> 1+1"))

    assert (reply.status, reply.media_type) == (200, "text/plain")
    assert reply.body == b"Validation: <b>Testing</b> 1+1"


@pytest.mark.parametrize("token", ["", "a\r\nSet-Cookie: b", "é", "\x00", "a" * 2049])
def test_what_is_no_token_of_graph_is_not_said_again(token):
    assert graph.greet(asking(token)) is None


def test_graph_is_proven_by_the_state_of_every_notification():
    other = CHANGED | {"clientState": "other"}
    graph.prove(deliver({"value": [CHANGED, CHANGED]}), terms())

    for value in (
        [CHANGED, other],
        [other, CHANGED],
        [CHANGED, {"resource": "r"}],
        [CHANGED, 7],
        [CHANGED | {"clientState": None}],
        [],
        "all",
    ):
        delivery = deliver({"value": value})
        assert reasons(graph.prove, delivery, terms()) == "unproven"
    assert reasons(graph.prove, deliver(b"<>"), terms()) == "unproven"
    unset = terms(secret=None)
    assert reasons(graph.prove, deliver({"value": [CHANGED]}), unset) == "unproven"


def test_what_is_too_large_to_be_of_graph_is_not_read():
    delivery = deliver({"value": [CHANGED], "filler": "x" * 3_000_000})

    assert reasons(graph.prove, delivery, terms()) == "unproven"


def test_a_notification_of_graph_says_how_to_get_the_transcript():
    needed = graph.read(deliver({"value": [CHANGED, CHANGED]}), terms())
    again = graph.read(deliver({"value": [CHANGED, CHANGED]}), terms())
    other = graph.read(deliver({"value": [CHANGED | {"resource": "r"}]}), terms())

    assert isinstance(needed, NeedsFetch)
    assert "text/vtt" in needed.remedy
    assert needed.metadata == {"resources": [CHANGED["resource"]]}
    assert needed.event_key == again.event_key != other.event_key
    assert SECRET not in repr(needed)


def test_a_notification_of_graph_about_its_subscription_is_nothing():
    state = CHANGED | {"lifecycleEvent": "reauthorizationRequired"}

    assert isinstance(graph.read(deliver({"value": [state]}), terms()), Nothing)


def test_a_notification_of_graph_without_a_resource_is_refused():
    with pytest.raises(SenderRefusedError, match="no resource"):
        graph.read(deliver({"value": [CHANGED | {"resource": None}]}), terms())


@pytest.mark.parametrize(
    "sender", [fireflies.FIREFLIES, fathom.FATHOM, read_ai.READ_AI, graph.GRAPH]
)
def test_a_wrong_proof_is_401_and_success_what_the_sender_takes_for_it(sender):
    assert sender.statuses.unproven == 401
    assert 200 <= sender.statuses.taken < 203
    assert sender.wants == (("secret",),)


def test_a_fetch_is_what_fireflies_asks_for():
    fetch = fireflies.read(deliver(TRANSCRIBED), terms(api_key="k"))

    assert isinstance(fetch, Fetch)
    assert "01ABC" not in json.loads(fetch.body)["query"]


def test_a_summary_of_read_ai_does_not_pass_for_the_transcript_that_comes_later():
    early = deliver({name: REPORT[name] for name in REPORT if name != "transcript"})

    summary, whole = (read_ai.read(each, terms()) for each in (early, deliver(REPORT)))

    assert summary.event_key != whole.event_key
