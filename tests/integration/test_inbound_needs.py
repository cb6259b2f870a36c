"""What a sender tells of and does not bring: named, for the right people, and once."""

import json

import pytest
from fetch_scene import fetched
from inbound_deliveries import GOOD, MAIL, TALK, from_postmark, transcript
from inbound_scene import InboundCalls
from mail_sender_scene import (
    basic,
    certificate,
    form,
    message,
    received,
    sign,
    token_of_mailgun,
    told,
)
from sender_scene import from_fireflies, from_read_ai, from_zoom

from flaskllm.inputs.senders.types import Delivery

EVENT = {"event": "meeting.transcribed", "meeting_id": "m1"}
STORE = ("message-url", "https://user:pass@se.api.mailgun.net/v3/messages/KEY-1=?t=T0K")


@pytest.fixture
def desk(make_gateway):
    calls = InboundCalls(make_gateway())
    calls.fetches(fetched(certificate()))
    return calls


def stored_by_ses():
    said = received()
    del said["content"]
    said["receipt"]["action"] = {
        "type": "S3",
        "bucketName": "mails",
        "objectKey": "in/4711",
    }
    said["receipt"]["recipients"] = ["desk@in.example.org"]
    return sign(message(Message=json.dumps(said)))


def stored_by_mailgun(recipient="desk@in.example.org"):
    at = ("recipient", recipient)
    return form(*token_of_mailgun(), STORE, at, ("Message-Id", "<1@x>"))


NEEDED = {
    "graph": (GOOD["graph"], "transcript", {"resources": ["r"]}),
    "fireflies": (from_fireflies(EVENT), "transcript", {"meeting_id": "m1"}),
    "zoom": (
        from_zoom(transcript(download_token=None)),
        "transcript",
        {"meeting_uuid": "u1=="},
    ),
    "ses": (
        stored_by_ses(),
        "mail",
        {"bucket": "mails", "object_key": "in/4711"},
    ),
    "mailgun": (
        stored_by_mailgun(),
        "mail",
        {
            "host": "se.api.mailgun.net",
            "storage_key": "KEY-1=",
            "message_id": "<1@x>",
        },
    ),
}


@pytest.mark.parametrize("sender", NEEDED)
def test_what_is_needed_is_named_in_the_job_and_in_its_answer(desk, sender):
    delivery, what, ids = NEEDED[sender]
    desk.open(sender, **({"api_key": ""} if sender == "fireflies" else {}))

    job_id = desk.deliver(delivery).json["data"]["job"]
    desk.worker.work()

    answer = desk.get(f"/api/v1/jobs/{job_id}").json
    shown = desk.state(job_id)["error"]["needs"]
    assert shown == answer["needs"]
    assert (shown["sender"], shown["what"]) == (sender, what)
    assert {**shown["ids"], **ids} == shown["ids"]
    assert "T0K" not in f"{answer}{desk.gateway.log}"
    assert "pass@" not in f"{answer}{desk.gateway.log}"


def test_other_errors_need_nothing(desk):
    desk.open("zoom")
    desk.fetches(fetched(b"", 403))

    job_id = desk.deliver(GOOD["zoom"]).json["data"]["job"]
    desk.worker.work()

    assert "needs" not in desk.get(f"/api/v1/jobs/{job_id}").json
    assert desk.state(job_id)["error"]["needs"] is None


def test_an_event_that_can_be_fetched_now_is_a_new_job_and_then_the_same(desk):
    desk.open("fireflies", api_key="")
    needed = desk.deliver(from_fireflies(EVENT)).json["data"]["job"]
    desk.worker.work()
    again = desk.deliver(from_fireflies(EVENT)).json["data"]["job"]

    desk.open("fireflies")
    fetchable = [desk.deliver(from_fireflies(EVENT)).json["data"] for _ in range(2)]

    assert again == needed
    assert fetchable[0]["job"] != needed
    assert fetchable[0] == fetchable[1]


@pytest.mark.parametrize("sender", ["mailgun", "ses"])
def test_what_is_stored_for_others_makes_no_job(desk, sender):
    desk.open(sender, recipients=["sales@in.example.org"])
    nothing = desk.deliver(NEEDED[sender][0])
    made = desk.made()
    desk.open(sender, recipients=["@in.example.org"])
    wanted = desk.deliver(NEEDED[sender][0])

    assert (nothing.status_code, nothing.json["data"]["job"]) == (200, None)
    assert made == (0, 0)
    assert wanted.json["data"]["job"]


class TestIgnored:
    def test_mail_for_others_is_answered_and_logged_as_ignored(self, desk):
        desk.open("postmark", recipients=["desk@in.example.org"])

        reply = desk.deliver(from_postmark(OriginalRecipient="other@in.example.org"))

        assert (reply.status_code, "error" in reply.json) == (200, False)
        assert reply.json["data"] == {
            "job": None,
            "ignored": "No mail to this recipient is taken here.",
        }
        (line,) = desk.gateway.events("inbound_ignored")
        assert (line["sender"], line["why"]) == ("postmark", "unwanted")
        assert desk.gateway.events("inbound_refused") == []
        assert "other@" not in desk.gateway.log

    def test_mail_to_nobody_is_told_apart_from_mail_to_others(self, desk):
        desk.open("postmark", recipients=["desk@in.example.org"])
        bare = MAIL.replace("To: Desk <desk@in.example.org>\n", "")

        reply = desk.deliver(from_postmark(RawEmail=bare, OriginalRecipient=""))

        assert "names no recipient" in reply.json["data"]["ignored"]
        (line,) = desk.gateway.events("inbound_ignored")
        assert "names no recipient" in line["reason"]

    def test_a_report_that_can_never_be_read_is_no_error_beside_a_success(self, desk):
        desk.open("read_ai", secret="key-of-read-ai")
        body = json.dumps({"trigger": "meeting_end"}).encode()

        reply = desk.deliver(from_read_ai(body, b"key-of-read-ai"))

        assert (reply.status_code, reply.json["data"]["job"]) == (200, None)
        assert "session" in reply.json["data"]["ignored"]


class TestUnknown:
    @pytest.mark.parametrize(
        ("said", "shown"),
        [("nobody", "nobody"), ("a%0Ab%22" + "c" * 90, "a?b?" + "c" * 36)],
    )
    def test_a_delivery_to_no_endpoint_is_in_the_log(self, desk, said, shown):
        desk.deliver(Delivery({}, b""), path=f"/api/v1/inbound/zoom/{said}")

        (line,) = desk.gateway.events("inbound_refused")
        named = (line["sender"], line["endpoint_id"], line["why"])
        assert named == ("zoom", shown, "unknown")

    def test_a_set_up_check_of_no_endpoint_is_in_the_log_too(self, desk):
        look = Delivery({}, b"", method="GET")

        reply = desk.deliver(look, path="/api/v1/inbound/postmark/nobody")

        (line,) = desk.gateway.events("inbound_refused")
        assert (reply.status_code, line["sender"]) == (404, "postmark")

    def test_who_has_used_up_the_minute_fills_no_log(self, make_gateway):
        desk = InboundCalls(make_gateway("limits: {unauthenticated_per_minute: 2}"))

        for _ in range(5):
            desk.deliver(Delivery({}, b""), path="/api/v1/inbound/zoom/nobody")

        assert len(desk.gateway.events("inbound_refused")) == 2


class TestText:
    def test_the_operator_of_cloudmailin_reads_what_to_mend_and_where_to_look(
        self, desk
    ):
        desk.open("cloudmailin")
        wrong = told({"plain": TALK}, **basic(password="another"))

        replies = [
            desk.deliver(wrong),
            desk.deliver(wrong, path="/api/v1/inbound/cloudmailin/nobody"),
        ]

        assert [each.status_code for each in replies] == [503, 503]
        assert replies[0].text.startswith("The credentials are wrong; put the endpoint")
        assert replies[1].text.startswith("There is no such endpoint here.")
        for each in replies:
            assert "The mail is not lost" in each.text
            assert each.headers["X-Request-ID"] in each.text
