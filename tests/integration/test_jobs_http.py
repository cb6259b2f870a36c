"""Jobs over HTTP: accepted at once, asked for until they are done, told to others."""

import io
import json
import socket

import pytest
from fakes import Reply, chat, status
from invoice_mail import MAIL
from job_http_scene import (
    ASYNC,
    BODY,
    ENDPOINTS,
    HOOK,
    JOBS,
    TEXT,
    WEBHOOK,
    JobCalls,
    answer_of,
)

from flaskllm.storage.workers import WorkerRow

FORM = "multipart/form-data"
KEY = {**ASYNC, "Idempotency-Key": "order-7"}
RECEIVED = """
callbacks:
  allow_http: true
  allowed_networks: [127.0.0.0/8]
  allowed_ports: [{port}]
"""


@pytest.fixture
def plain(make_gateway):
    """A gateway without a model."""
    return JobCalls(make_gateway())


@pytest.fixture
def modelled(gateway):
    """A gateway with a scripted model."""
    return JobCalls(gateway)


def mail(calls, query="", headers=ASYNC):
    return calls.post(
        f"{WEBHOOK}{query}",
        data=MAIL,
        headers={**headers, "Content-Type": "message/rfc822"},
    )


class TestAccepting:
    @pytest.mark.parametrize(
        "options",
        [
            {"body": BODY, "headers": ASYNC},
            {"body": BODY, "headers": {"Prefer": "wait=0"}},
            {"body": BODY, "headers": {"Prefer": 'Respond-Async, wait="0"; x=y'}},
            {"body": BODY | {"async": True}},
            {"body": BODY | {"callback_url": HOOK}},
            {"data": {"prompt": TEXT, "async": "true"}, "content_type": FORM},
            {"data": {"file": (io.BytesIO(MAIL), "a.eml"), "callback_url": HOOK}},
            {"data": TEXT, "query_string": "async=1", "content_type": "text/plain"},
        ],
        ids=["prefer", "wait", "both", "json", "callback", "form", "file", "query"],
    )
    def test_whoever_wants_a_job_is_told_where_and_when_to_ask(self, plain, options):
        reply = plain.post(WEBHOOK, **options)

        assert reply.status_code == 202, reply.text
        job = reply.json["data"]
        assert reply.headers["Location"] == job["location"] == f"{JOBS}/{job['id']}"
        assert int(reply.headers["Retry-After"]) >= 1
        assert (job["state"], job["kind"]) == ("queued", "digest")
        assert reply.json["meta"]["warnings"] == ["no_worker_seen"]
        assert plain.stored()["jobs"] == 1

    def test_an_endpoint_of_one_s_own_makes_it_a_job(self, plain):
        fields = {"name": "Team", "url": HOOK, "events": ["batch.done"]}
        made = plain.post(ENDPOINTS, fields).json["data"]

        assert plain.post(WEBHOOK, BODY | {"endpoint": made["id"]}).status_code == 202

    @pytest.mark.parametrize("said", [{}, {"async": False}, {"priority": 1}])
    def test_whoever_does_not_is_answered_at_once(self, plain, said):
        assert plain.post(WEBHOOK, BODY | said).status_code == 200
        assert plain.stored()["jobs"] == 0

    def test_nobody_is_warned_while_a_worker_is_there(self, plain):
        plain.services.workers.beat(WorkerRow("wrk_1", "host", "1", 1))

        reply = plain.post(WEBHOOK, BODY, headers=ASYNC)

        assert reply.json["meta"]["warnings"] == []

    def test_how_it_is_wanted_is_shown(self, plain):
        fields = BODY | {"priority": 1, "deadline_seconds": 3600, "source": "email"}

        job = plain.state(plain.accept(fields))

        assert (job["priority"], job["source"]) == (1, "webhook:email")
        assert job["deadline_at"] > job["created_at"]


class TestAsking:
    def test_it_is_202_until_the_answer_is_there_byte_for_byte_the_webhook_s(
        self, plain
    ):
        job_id = plain.accept()

        early = plain.get(f"{JOBS}/{job_id}")
        plain.worker.work()
        late = plain.get(f"{JOBS}/{job_id}")

        assert (early.status_code, early.json["data"]["state"]) == (202, "queued")
        assert early.headers["Location"] == f"{JOBS}/{job_id}"
        assert int(early.headers["Retry-After"]) >= 1
        assert late.status_code == 200
        assert "Location" not in late.headers
        assert answer_of(late) == answer_of(plain.post(WEBHOOK, BODY))
        assert late.json["meta"]["metadata"] == {"ticket": 7}
        assert "unknown_field: colour" in late.json["meta"]["warnings"]

    def test_how_it_stands_is_200_at_any_time(self, plain):
        job_id = plain.accept()

        states = [plain.state(job_id)["state"]]
        plain.worker.work()
        states.append(plain.state(job_id)["state"])

        assert states == ["queued", "done"]

    def test_who_waits_gets_the_answer_where_it_comes_in_time(self, plain):
        plain.works_while_waited_for()

        reply = plain.post(WEBHOOK, BODY, headers={"Prefer": "wait=10"})

        assert reply.status_code == 200
        assert reply.headers["Preference-Applied"] == "wait=10"
        assert plain.get(reply.headers["Location"]).data == reply.data
        assert answer_of(reply) == answer_of(plain.post(WEBHOOK, BODY))

    def test_who_has_waited_for_25_seconds_is_told_to_come_back(self, plain):
        plain.worker = None
        clock = plain.works_while_waited_for()
        began_seconds = clock.monotonic()

        reply = plain.post(WEBHOOK, BODY, headers={"Prefer": "wait=900"})

        assert reply.status_code == 202
        assert reply.headers["Preference-Applied"] == "wait=25"
        # What it slept, and what it did besides, are 25 seconds together.
        assert clock.passed <= 25 <= clock.monotonic() - began_seconds

    @pytest.mark.parametrize("hangs_up", [True, False])
    def test_nobody_waits_for_a_caller_who_hung_up(self, plain, hangs_up):
        plain.worker = None
        clock = plain.works_while_waited_for()
        began_seconds = clock.monotonic()
        caller, other_end = socket.socketpair()
        if hangs_up:
            other_end.close()

        plain.post(
            WEBHOOK,
            BODY,
            headers={"Prefer": "wait=25"},
            environ_overrides={"gunicorn.socket": caller},
        )

        has_waited = clock.monotonic() - began_seconds >= 25
        assert has_waited is not hangs_up
        assert (clock.passed == 0) is hangs_up
        caller.close()
        other_end.close()

    def test_a_job_that_failed_answers_as_the_webhook_does(self, modelled, upstream):
        upstream.always(status(401))

        job_id = modelled.done(BODY | {"type": "keywords"})

        reply, shown = modelled.get(f"{JOBS}/{job_id}"), modelled.state(job_id)
        assert (reply.status_code, reply.json["code"]) == (
            502,
            "LLM_CREDENTIAL_REJECTED",
        )
        assert "401" in reply.json["details"]
        assert (shown["state"], shown["error_code"]) == ("failed", reply.json["code"])
        assert shown["error"] == {**reply.json, "fields": [], "needs": None}

    def test_one_that_was_put_off_says_until_when(self, modelled, upstream):
        job_id = modelled.accept(BODY | {"type": "keywords"})
        before = modelled.state(job_id)["next_at"]
        upstream.always(status(503))

        modelled.worker.work()

        job, reply = modelled.state(job_id), modelled.get(f"{JOBS}/{job_id}")
        assert before is None
        assert (job["state"], job["attempt"]) == ("queued", 1)
        assert job["next_at"] > job["started_at"]
        assert modelled.get(JOBS).json["data"][0]["next_at"] == job["next_at"]
        assert 5 <= int(reply.headers["Retry-After"]) <= 12

    def test_a_job_that_was_cancelled_is_gone(self, plain):
        job_id = plain.accept()

        cancelled = plain.post(f"{JOBS}/{job_id}/cancel")
        reply = plain.get(f"{JOBS}/{job_id}")
        plain.worker.work()

        assert (cancelled.status_code, cancelled.json["data"]["state"]) == (
            200,
            "cancelled",
        )
        assert (reply.status_code, reply.json["code"]) == (410, "JOB_CANCELLED")
        assert plain.state(job_id)["state"] == "cancelled"

    def test_a_replay_is_a_new_job_from_the_same_document(self, plain):
        first = plain.accept()
        plain.post(f"{JOBS}/{first}/cancel")

        reply = plain.post(f"{JOBS}/{first}/replay")
        plain.worker.work()

        again = reply.json["data"]["id"]
        assert (reply.status_code, again != first) == (202, True)
        assert plain.get(reply.headers["Location"]).status_code == 200

    def test_one_s_jobs_are_listed_page_by_page_and_by_state(self, plain):
        made = [plain.accept({"prompt": f"{TEXT} {n}"}) for n in range(3)]
        plain.post(f"{JOBS}/{made[0]}/cancel")

        first = plain.get(f"{JOBS}?limit=2").json
        second = plain.get(f"{JOBS}?limit=2&after={first['meta']['next']}").json
        dead = plain.get(f"{JOBS}?state=dead").json["data"]
        cancelled = plain.get(f"{JOBS}?state=cancelled").json["data"]

        pages = [[each["id"] for each in page["data"]] for page in (first, second)]
        assert pages == [made[:0:-1], made[:1]]
        assert (dead, [each["id"] for each in cancelled]) == ([], made[:1])


class TestRepetitions:
    def test_a_mail_sent_five_times_costs_once_and_answers_the_same(
        self, modelled, upstream
    ):
        upstream.always(chat(json.dumps({"keywords": ["invoice"]})))
        query = "?type=keywords"

        first, second = mail(modelled, query), mail(modelled, query)
        modelled.worker.work()
        later = [mail(modelled, query) for _ in range(3)]
        modelled.worker.work()

        assert (first.status_code, second.status_code) == (202, 202)
        assert first.json["data"]["id"] == second.json["data"]["id"]
        asked = modelled.get(first.headers["Location"])
        assert [each.data for each in later] == [asked.data] * 3
        assert all(each.status_code == 200 for each in later)
        assert {each.headers["Location"] for each in later} == {first.location}
        replayed = [r.headers.get("Idempotency-Replayed") for r in (first, second)]
        assert replayed == [None, "true"]
        assert len(upstream.requests) == 1

    @pytest.mark.parametrize("other", ["?force=true", "?type=keywords"])
    def test_it_runs_anew_where_that_is_forced_or_another_thing_is_asked(
        self, plain, other
    ):
        first = mail(plain).json["data"]["id"]

        assert mail(plain, other).json["data"]["id"] != first

    def test_the_sender_s_id_of_the_event_counts_before_all_else(self, plain):
        one = plain.accept({"prompt": TEXT, "event_id": "evt_1"})

        again = plain.accept({"prompt": "Other.", "event_id": "evt_1"})
        by_header = plain.accept({"prompt": "X."}, {**ASYNC, "webhook-id": "evt_1"})

        assert one == again == by_header

    def test_a_key_is_the_job_as_it_stands_and_no_other_body_s(self, plain):
        first = plain.accept(headers=KEY)

        again = plain.accept(headers=KEY)
        other = plain.post(WEBHOOK, BODY | {"type": "reply"}, headers=KEY)
        plain.worker.work()
        done = plain.post(WEBHOOK, BODY, headers=KEY)

        assert first == again
        assert (other.status_code, other.json["code"]) == (
            422,
            "IDEMPOTENCY_KEY_REUSED",
        )
        assert done.data == plain.get(f"{JOBS}/{first}").data

    def test_what_is_forced_is_forced_once_by_its_key(self, plain):
        body = BODY | {"force": True}
        before = plain.done(BODY)

        first, again = plain.accept(body, KEY), plain.accept(body, KEY)

        assert before != first == again


class TestTelling:
    @pytest.fixture
    def told(self, make_gateway, upstream):
        """A gateway that may call the upstream's socket back."""
        return JobCalls(make_gateway(RECEIVED.format(port=upstream.port)))

    def test_the_end_is_told_to_the_address_of_the_request(self, told, upstream):
        upstream.always(Reply(204))

        job_id = told.done(BODY | {"callback_url": f"{upstream.url}/done?key=HIDDEN"})

        (heard,) = upstream.requests
        (sent,) = told.get(f"{JOBS}/{job_id}/deliveries").json["data"]
        assert heard.json["type"] == sent["event"] == "job.done"
        assert heard.json["data"]["result"] == told.get(f"{JOBS}/{job_id}").json
        assert heard.headers["webhook-id"] == sent["id"]
        assert (sent["state"], sent["host"]) == ("delivered", "127.0.0.1")
        assert [each["status"] for each in sent["attempts"]] == [204]
        assert "HIDDEN" not in told.gateway.log

    def test_a_delivery_is_sent_once_more_under_its_own_id(self, told, upstream):
        upstream.always(Reply(410))
        job_id = told.done(BODY | {"callback_url": upstream.url})
        (lost,) = told.get(f"{JOBS}/{job_id}/deliveries").json["data"]

        upstream.always(Reply(204))
        reply = told.post(f"/api/v1/deliveries/{lost['id']}/replay")
        told.worker.work()

        (sent,) = told.get(f"{JOBS}/{job_id}/deliveries").json["data"]
        ids = {each.headers["webhook-id"] for each in upstream.requests}
        assert (reply.status_code, ids) == (202, {lost["id"]})
        assert (lost["state"], sent["state"]) == ("failed", "delivered")


class TestWithoutJobs:
    @pytest.mark.parametrize(
        "settings", ["jobs: {enabled: false}", "database_url: 'sqlite://'"]
    )
    def test_none_is_accepted_and_answers_are_given_at_once(
        self, make_gateway, settings
    ):
        without = JobCalls(make_gateway(settings))

        refused = without.post(WEBHOOK, BODY, headers=ASYNC)
        answers = [
            without.post(WEBHOOK, BODY, headers=headers)
            for headers in ({}, {"Prefer": "wait=5"})
        ]

        assert (refused.status_code, refused.json["code"]) == (503, "JOBS_DISABLED")
        assert "without `Prefer`" in refused.json["details"]
        assert [each.status_code for each in answers] == [200, 200]
        assert not any("Preference-Applied" in each.headers for each in answers)
