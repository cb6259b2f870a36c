"""What senders are refused, each in the codes it understands; nothing is made of it."""

import io
from dataclasses import replace
from datetime import timedelta

import pytest
from fetch_scene import fetched
from inbound_deliveries import GOOD, MAIL, TALK, from_postmark, transcript
from inbound_scene import InboundCalls
from mail_sender_scene import (
    basic,
    certificate,
    form,
    from_sendgrid,
    message,
    sign,
    token_of_mailgun,
    told,
)
from sender_scene import NOW, from_fireflies, from_tool, from_zoom

from flaskllm.core.config_inbound import NOBODY
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.inputs.senders.catalogue import SENDERS
from flaskllm.inputs.senders.types import Delivery
from flaskllm.net.egress import EgressFailed, Failure


@pytest.fixture
def desk(make_gateway):
    return InboundCalls(make_gateway())


class Unread(io.BytesIO):
    """A body that nobody may look at."""

    def read(self, *_):
        raise AssertionError("it was read")


WRONG = {
    "sendgrid": replace(GOOD["sendgrid"], body=GOOD["sendgrid"].body + b"x"),
    "mailgun": form(*token_of_mailgun(key="another"), ("body-mime", MAIL)),
    "postmark": from_postmark(password="another"),
    "ses": sign({**message(), "TopicArn": "arn:aws:sns:eu-west-1:0:other"}),
    "cloudmailin": told({"plain": TALK}, **basic(password="another")),
    "generic": from_tool({"content": TALK}, token="another"),
    "zoom": from_zoom(transcript(), key="another"),
    "fireflies": from_fireflies({"event": "meeting.transcribed"}, key="another"),
    "graph": told({"value": [{"clientState": "another", "resource": "r"}]}),
}
STALE = {
    "mailgun": form(*token_of_mailgun(NOW - timedelta(hours=10)), ("body-mime", MAIL)),
    "zoom": from_zoom(transcript(), at=NOW - timedelta(hours=2)),
    "ses": sign(message(Timestamp="2025-12-31T00:00:00.000Z")),
}


UNREADABLE = {
    "unknown shape": ({"content": {"words": 7}, "source": "meeting"}, "content"),
    "no json": ({"content": "{", "media_type": "application/json"}, "content"),
    "no text": ({"content": "a", "media_type": "video/mp4"}, "content"),
}


class TestRefused:
    @pytest.mark.parametrize("kind", UNREADABLE)
    def test_a_tool_is_told_which_field_of_the_mapping_cannot_be_read(self, desk, kind):
        desk.open("generic")
        body, field = UNREADABLE[kind]

        reply = desk.deliver(from_tool(body))

        assert reply.status_code == 400, reply.text
        assert reply.json["details"].startswith(f"mapping.{field}: ")
        assert "prompt: " not in reply.json["details"]

    @pytest.mark.parametrize("sender", WRONG)
    def test_what_is_not_proven_is_refused_as_the_sender_understands(
        self, desk, sender
    ):
        desk.open(sender)

        reply = desk.deliver(WRONG[sender])

        assert reply.status_code == SENDERS[sender].statuses.unproven
        assert desk.made() == (0, 0)
        (line,) = desk.gateway.events("inbound_refused")
        assert (line["sender"], line["why"], line["endpoint_id"]) == (
            sender,
            "unproven",
            "desk",
        )

    @pytest.mark.parametrize("sender", STALE)
    def test_an_old_proof_is_refused(self, desk, sender):
        desk.open(sender)

        reply = desk.deliver(STALE[sender])

        assert reply.status_code == SENDERS[sender].statuses.stale
        assert desk.made() == (0, 0)

    def test_a_token_that_comes_back_with_another_mail_makes_no_second_job(self, desk):
        desk.open("mailgun")
        again = form(*token_of_mailgun(), ("body-mime", MAIL.replace("4711", "4712")))

        first, second = desk.deliver(GOOD["mailgun"]), desk.deliver(again)

        assert first.json == second.json
        assert desk.made() == (1, 0)

    @pytest.mark.parametrize(
        ("sender", "delivery"),
        [
            ("sendgrid", from_sendgrid(Delivery({"content-type": "text/x"}, b"x"))),
            ("mailgun", told({})),
            ("postmark", from_postmark([1])),
            ("cloudmailin", told([1], **basic())),
            ("generic", from_tool({"other": TALK})),
            ("generic", from_tool(b"{")),
            ("fireflies", from_fireflies({"event": "meeting.transcribed"})),
        ],
    )
    def test_what_cannot_be_read_is_refused_for_good(self, desk, sender, delivery):
        desk.open(sender)

        reply = desk.deliver(delivery)

        assert reply.status_code == SENDERS[sender].statuses.malformed, reply.text
        assert desk.made() == (0, 0)

    def test_where_nobody_pays_the_sender_is_told_to_come_again(self, desk):
        made = desk.open("zoom")
        desk.endpoints["desk"] = replace(made, principal_id=NOBODY)

        reply = desk.deliver(GOOD["zoom"])

        assert reply.status_code == SENDERS["zoom"].statuses.later, reply.text
        assert desk.made() == (0, 0)

    def test_a_document_of_no_known_form_is_the_delivery_s_fault(self, desk):
        desk.open("generic")

        reply = desk.deliver(from_tool({"content": {"a": {"b": [1]}}}))

        assert (reply.status_code, reply.json["code"]) == (400, "INVALID_INPUT")
        assert desk.made() == (0, 0)

    @pytest.mark.parametrize("sender", ["sendgrid", "postmark"])
    def test_a_body_over_the_cap_is_refused_unread(self, desk, sender):
        inbound = desk.open(sender)
        announced = {"CONTENT_LENGTH": str(30 * 1024 * 1024 + 1)}

        reply = desk.gateway.client.post(
            inbound.address, environ_overrides=announced, input_stream=Unread()
        )

        assert reply.status_code == SENDERS[sender].statuses.too_large
        assert desk.made() == (0, 0)

    @pytest.mark.parametrize("sender", sorted(SENDERS))
    def test_an_unknown_id_and_another_sender_s_read_alike(self, desk, sender):
        other = "zoom" if sender != "zoom" else "graph"
        desk.open(other)
        paths = [f"/api/v1/inbound/{sender}/{each}" for each in ("desk", "nobody")]

        answers = [desk.deliver(Delivery({}, b"{}"), path=path) for path in paths]

        one, other = (
            each.text.replace(each.headers["X-Request-ID"], "ID") for each in answers
        )
        assert one == other
        statuses = {each.status_code for each in answers}
        assert statuses == {SENDERS[sender].statuses.unknown}

    def test_an_unknown_sender_is_no_address(self, desk):
        reply = desk.deliver(Delivery({}, b""), path="/api/v1/inbound/x/desk")

        assert (reply.status_code, reply.json["code"]) == (404, "NOT_FOUND")

    def test_another_method_is_405(self, desk):
        desk.open("zoom")

        for method in ("GET", "PUT"):
            reply = desk.deliver(Delivery({}, b"", method=method))
            assert (reply.status_code, "POST" in reply.headers["Allow"]) == (405, True)

    def test_a_bounce_holds_one_sentence_for_the_person_who_reads_it(self, desk):
        desk.open("cloudmailin", recipients=["desk@in.example.org"])
        mail = {"envelope": {"to": "other@in.example.org"}, "plain": TALK}

        reply = desk.deliver(told(mail, **basic()))

        assert reply.status_code == 404
        assert reply.text == "No mail to this recipient is taken here.\n"
        assert reply.content_type.startswith("text/plain")

    def test_credentials_are_asked_for_where_they_are_the_proof(self, desk):
        desk.open("postmark")

        reply = desk.deliver(from_postmark(password="another"))

        assert reply.headers["WWW-Authenticate"] == 'Basic realm="flaskllm"'


class TestOurTrouble:
    @pytest.mark.parametrize("sender", GOOD)
    def test_what_cannot_be_kept_is_told_to_come_again(self, desk, sender):
        desk.fetches(fetched(certificate()))
        desk.open(sender)

        class Down:
            def accept(self, *_):
                raise ServiceUnavailable(retry_after_seconds=7.2)

        desk.use(jobs=Down())
        reply = desk.deliver(GOOD[sender])

        assert reply.status_code == SENDERS[sender].statuses.later == 503
        assert reply.headers["Retry-After"] == "8"
        assert desk.made() == (0, 0)

    @pytest.mark.parametrize(
        "said",
        [
            {"endpoint": "end_nobody"},
            {"callback_url": "https://127.0.0.1/x"},
            {"digest": {"template": "nowhere"}},
            {"digest": {"type": "classification"}},
        ],
    )
    def test_what_the_operator_has_to_mend_loses_no_mail(self, desk, said):
        desk.open("postmark", **said)

        reply = desk.deliver(from_postmark())

        assert reply.status_code == 503
        assert int(reply.headers["Retry-After"]) == 60
        assert desk.made() == (0, 0)

    def test_an_api_token_that_was_revoked_loses_no_mail(self, desk):
        inbound = desk.open("postmark")
        desk.endpoints["desk"] = replace(inbound, principal_id="nobody000000")

        assert desk.deliver(from_postmark()).status_code == 503

    @pytest.mark.parametrize(
        "settings",
        ["jobs: {enabled: false}", "database_url: 'sqlite://'"],
    )
    def test_where_no_job_is_accepted_it_is_told_to_come_again(
        self, make_gateway, settings
    ):
        desk = InboundCalls(make_gateway(settings))
        desk.open("postmark")

        assert desk.deliver(from_postmark()).status_code == 503

    def test_too_many_that_wait_are_told_to_come_again(self, make_gateway):
        desk = InboundCalls(make_gateway("jobs: {most_waiting: 1}"))
        desk.open("postmark")

        answers = [desk.deliver(from_postmark(MessageID=f"m-{n}")) for n in range(2)]

        assert [each.status_code for each in answers] == [200, 503]
        assert answers[1].headers["Retry-After"] == "60"

    def test_a_refusal_of_the_whole_gateway_is_none_of_the_sender_s(self, make_gateway):
        desk = InboundCalls(make_gateway("server: {trusted_hosts: [llm.example.org]}"))
        desk.open("sendgrid")

        reply = desk.deliver(GOOD["sendgrid"])

        assert reply.status_code == 503

    def test_a_certificate_that_cannot_be_had_is_asked_for_again(self, desk):
        desk.fetches(EgressFailed(Failure.TIMEOUT), fetched(certificate()))
        desk.open("ses")

        answers = [desk.deliver(GOOD["ses"]).status_code for _ in range(2)]

        assert answers == [503, 200]


class TestCounting:
    @pytest.fixture
    def busy(self, make_gateway):
        calls = InboundCalls(make_gateway("limits: {unauthenticated_per_minute: 2}"))
        calls.open("postmark")
        return calls

    def test_wrong_proofs_use_up_the_peer_s_minute_and_right_ones_still_pass(
        self, busy
    ):
        wrong = [
            busy.deliver(from_postmark(password=f"no-{n}")).status_code
            for n in range(4)
        ]
        right = [busy.deliver(from_postmark(MessageID=f"m{n}")) for n in range(3)]
        elsewhere = busy.deliver(from_postmark(password="no"), peer="192.0.2.9")

        assert wrong == [401, 401, 503, 503]
        assert [each.status_code for each in right] == [200, 200, 200]
        assert elsewhere.status_code == 401
        assert len(busy.gateway.events("inbound_refused")) == 3

    def test_who_has_used_it_up_has_no_certificate_fetched(self, busy):
        busy.open("ses", "mails")
        busy.fetches(fetched(certificate()))
        for _ in range(2):
            busy.deliver(Delivery({}, b""), path="/api/v1/inbound/zoom/nobody")

        reply = busy.deliver(GOOD["ses"], busy.endpoints["mails"])

        assert (reply.status_code, busy.fetcher.asked) == (503, [])

    def test_what_is_proven_counts_for_nothing(self, busy):
        taken = [busy.deliver(from_postmark(MessageID=f"m{n}")) for n in range(5)]

        assert {each.status_code for each in taken} == {200}
