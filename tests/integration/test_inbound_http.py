"""Senders deliver over HTTP: proven mail and meetings become jobs."""

import json

import pytest
from fakes import Reply, chat
from fetch_scene import fetched
from inbound_deliveries import GOOD, MAIL, VTT, from_postmark
from inbound_scene import InboundCalls
from job_http_scene import WEBHOOK, answer_of
from mail_sender_scene import (
    CERTIFICATE_URL,
    SUBSCRIBE_URL,
    certificate,
    confirmation,
    message,
    sign,
)
from sender_scene import from_zoom

from flaskllm.inputs.senders.catalogue import SENDERS
from flaskllm.inputs.senders.types import Delivery
from flaskllm.net.egress import EgressFailed, Failure


@pytest.fixture
def desk(make_gateway):
    return InboundCalls(make_gateway())


@pytest.fixture
def modelled(gateway):
    return InboundCalls(gateway)


class TestTaken:
    @pytest.mark.parametrize("sender", GOOD)
    def test_a_proven_delivery_is_a_job_and_a_repeated_one_is_the_same(
        self, desk, sender
    ):
        desk.fetches(fetched(certificate()))
        desk.open(sender)

        first, second = desk.deliver(GOOD[sender]), desk.deliver(GOOD[sender])

        assert first.status_code == SENDERS[sender].statuses.taken, first.text
        assert first.json == second.json
        assert desk.made() == (1, 0)
        job = desk.state(first.json["data"]["job"])
        assert (job["source"], job["state"]) == (f"inbound:{sender}", "queued")
        events = desk.gateway.events("inbound_taken")
        assert [each["code"] for each in events] == ["", "repeated"]

    def test_the_digest_is_what_the_endpoint_orders(self, modelled, upstream):
        upstream.always(chat(json.dumps({"keywords": ["invoice"]})))
        modelled.open("postmark", digest={"type": "keywords", "language": "en"})

        job_id = modelled.deliver(from_postmark()).json["data"]["job"]
        modelled.worker.work()

        answer = modelled.get(f"/api/v1/jobs/{job_id}").json
        assert answer["data"]["type"] == "keywords"
        assert answer["meta"]["metadata"]["subject"] == "Invoice 4711"
        assert answer["meta"]["metadata"]["sender"] == "postmark"

    def test_inline_as_a_job_and_by_a_sender_the_digest_is_the_same_to_the_byte(
        self, desk
    ):
        desk.open("postmark")
        job_id = desk.deliver(from_postmark()).json["data"]["job"]
        desk.worker.work()
        delivered = desk.get(f"/api/v1/jobs/{job_id}")
        metadata = delivered.json["meta"]["metadata"]
        query = {"source": "email", "metadata": json.dumps(metadata)}
        headers = {"Content-Type": "message/rfc822"}

        inline = desk.post(
            WEBHOOK, data=MAIL.encode(), query_string=query, headers=headers
        )
        asynchronous = desk.post(
            WEBHOOK,
            data=MAIL.encode(),
            query_string={**query, "async": "1"},
            headers=headers,
        )
        desk.worker.work()
        later = desk.get(asynchronous.headers["Location"])

        assert inline.status_code == 200, inline.text
        assert answer_of(inline) == answer_of(later) == answer_of(delivered)

    def test_mail_to_somebody_else_is_taken_and_nothing_is_made_of_it(self, desk):
        desk.open("postmark", recipients=["Desk@in.example.org", "@sales.example.org"])
        others = ("other@in.example.org", "x@in.example.org.evil.example")
        ours = ("desk@in.example.org", "any@sales.example.org")

        left = [desk.deliver(from_postmark(OriginalRecipient=each)) for each in others]
        nothing = desk.made()
        kept = [
            desk.deliver(from_postmark(OriginalRecipient=each, MessageID=each))
            for each in ours
        ]

        assert {each.status_code for each in (*left, *kept)} == {200}
        assert nothing == (0, 0)
        assert desk.made() == (2, 0)

    def test_a_challenge_is_answered_at_once_and_no_job(self, desk):
        desk.open("zoom")
        challenge = {
            "event": "endpoint.url_validation",
            "payload": {"plainToken": "abc"},
        }

        reply = desk.deliver(from_zoom(challenge))

        assert (reply.status_code, reply.json["plainToken"]) == (200, "abc")
        assert desk.made() == (0, 0)

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_a_set_up_check_needs_no_proof(self, desk, method):
        desk.open("postmark")

        reply = desk.deliver(Delivery({}, b"", method=method))

        assert reply.status_code == 200

    def test_graph_hears_its_token_and_nothing_else_of_it(self, desk):
        desk.open("graph")
        query = {"validationToken": "a <b>"}

        reply = desk.deliver(Delivery({}, b"", query))

        assert (reply.status_code, reply.text) == (200, "a <b>")
        assert reply.content_type.startswith("text/plain")

    def test_a_subscription_is_visited_for_an_allowed_topic_alone(self, desk):
        desk.fetches(fetched(certificate()))
        desk.open("ses")
        allowed, other = confirmation(), {**confirmation(), "TopicArn": "arn:other"}

        answers = [desk.deliver(sign(each)) for each in (allowed, other)]

        assert [each.status_code for each in answers] == [200, 503]
        visited = [each.url for each in desk.fetcher.asked]
        assert visited == [CERTIFICATE_URL, SUBSCRIBE_URL]
        assert desk.made() == (0, 0)

    def test_a_certificate_is_fetched_once(self, desk):
        desk.fetches(fetched(certificate()))
        desk.open("ses")

        for number in range(3):
            desk.deliver(sign(message(MessageId=f"1111-{number}")))

        assert len(desk.fetcher.asked) == 1
        assert desk.made() == (3, 0)


class TestFetched:
    def test_a_transcript_is_fetched_by_the_job_and_digested(self, desk):
        desk.fetches(fetched(VTT))
        desk.open("zoom")

        job_id = desk.deliver(GOOD["zoom"]).json["data"]["job"]
        asked_before = list(desk.fetcher.asked)
        desk.worker.work()

        answer = desk.get(f"/api/v1/jobs/{job_id}")
        assert (asked_before, answer.status_code) == ([], 200)
        assert answer.json["meta"]["metadata"]["subject"] == "Offer"
        assert answer.json["data"]["digest"]["participants"][0]["name"] == "Ben Ito"
        (wanted,) = desk.fetcher.asked
        assert wanted.headers == {"Authorization": "Bearer token-of-zoom"}
        assert "token-of-zoom" not in desk.gateway.log

    @pytest.mark.parametrize("status", [401, 403, 410, 400])
    def test_what_is_refused_for_good_ends_the_job_with_the_remedy(self, desk, status):
        desk.fetches(fetched(b"", status))
        desk.open("zoom")

        job_id = desk.deliver(GOOD["zoom"]).json["data"]["job"]
        desk.worker.work()

        answer = desk.get(f"/api/v1/jobs/{job_id}")
        assert (answer.status_code, answer.json["code"]) == (502, "FETCH_REFUSED")
        assert str(status) in answer.json["details"]
        assert desk.state(job_id)["state"] == "failed"

    @pytest.mark.parametrize(
        "said",
        [fetched(b"", 404), fetched(b"", 503, 5.0), EgressFailed(Failure.TIMEOUT)],
        ids=["not there yet", "down", "silent"],
    )
    def test_what_may_pass_is_tried_again(self, desk, said):
        desk.fetches(said)
        desk.open("zoom")

        job_id = desk.deliver(GOOD["zoom"]).json["data"]["job"]
        desk.worker.work()

        job = desk.state(job_id)
        assert (job["state"], job["attempt"]) == ("queued", 1)
        assert job["next_at"] is not None

    def test_what_only_the_operator_gets_is_a_job_that_names_the_remedy(self, desk):
        desk.open("graph")

        job_id = desk.deliver(GOOD["graph"]).json["data"]["job"]
        desk.worker.work()

        answer, job = desk.get(f"/api/v1/jobs/{job_id}"), desk.state(job_id)
        assert (answer.status_code, answer.json["code"]) == (424, "NEEDS_FETCH")
        assert "Power Automate" in answer.json["details"]
        assert job["state"] == "needs_fetch"
        listed = desk.get("/api/v1/jobs?state=needs_fetch").json["data"]
        assert [each["id"] for each in listed] == [job_id]
        again = desk.deliver(GOOD["graph"])
        assert again.json["data"]["job"] == job_id


def test_the_end_of_a_delivered_job_is_told(make_gateway, upstream):
    settings = f"""
callbacks:
  allow_http: true
  allowed_networks: [127.0.0.0/8]
  allowed_ports: [{upstream.port}]
"""
    desk = InboundCalls(make_gateway(settings))
    upstream.always(Reply(204))
    desk.open("graph", callback_url=f"{upstream.url}/done")

    desk.deliver(GOOD["graph"])
    desk.worker.work()

    (heard,) = upstream.requests
    assert heard.json["type"] == "job.failed"
    assert heard.json["data"]["state"] == "needs_fetch"
    error = heard.json["data"]["error"]
    assert error["code"] == "NEEDS_FETCH"
    ids = {"resources": ["r"]}
    assert error["needs"] == {"sender": "graph", "what": "transcript", "ids": ids}
