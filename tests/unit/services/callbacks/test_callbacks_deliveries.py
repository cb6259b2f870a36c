"""Attempts at deliveries: sent, counted, sent again, given up, and shown."""

import json
from datetime import timedelta

import pytest
from callback_scene import (
    HOOK,
    NOW,
    OWNER,
    job,
)
from delivery_scene import NOTED
from standardwebhooks.webhooks import Webhook

from flaskllm.net.egress import EgressFailed, EgressRefused, EgressReply
from flaskllm.net.egress_errors import Failure, Refusal
from flaskllm.net.mail import MailFailed
from flaskllm.services.callbacks.planning import usual_endpoint
from flaskllm.services.callbacks.signing import make_secret


class TestSuccess:
    def test_a_receiver_gets_a_body_that_it_can_verify(self, each_scene):
        scene = each_scene
        row = scene.add_endpoint()
        (id,) = scene.tell()

        scene.deliveries.attempt(id, 1)

        ((url, headers, body),) = scene.way.sent
        assert url == HOOK
        assert headers["webhook-id"] == id
        at = scene.find(id).attempts[0].at
        assert headers["webhook-timestamp"] == str(int(at.timestamp()))
        assert headers["Content-Type"] == "application/json"
        secret = row.secret.decode()
        expected = Webhook(secret).sign(id, at, body.decode())
        assert headers["webhook-signature"] == expected
        assert json.loads(body)["data"]["id"] == "job_1"

    def test_it_is_written_that_it_was_delivered(self, each_scene):
        scene = each_scene
        scene.add_endpoint()
        (id,) = scene.tell()

        scene.deliveries.attempt(id, 1)

        found = scene.find(id)
        (attempt,) = found.attempts
        assert (found.state, found.next_at) == ("delivered", None)
        assert found.finished_at >= attempt.at
        assert (attempt.number, attempt.status, attempt.reason) == (1, 200, "")
        assert len(scene.workflows.started) == 1

    def test_an_address_of_a_request_is_signed_by_the_usual_secret(self, scene):
        secret = make_secret()
        scene.endpoints.ensure(usual_endpoint(OWNER, secret, NOW), NOTED)
        url = "https://other.example.org/in?key=HIDDEN"
        (id,) = scene.tell(job(callback_url=url.encode()))

        scene.deliveries.attempt(id, 1)

        ((sent_to, headers, body),) = scene.way.sent
        assert sent_to == url
        expected = Webhook(secret).sign(id, NOW, body.decode())
        assert headers["webhook-signature"] == expected
        assert scene.find(id).host == "other.example.org"

    def test_both_secrets_sign_while_a_rotation_lasts(self, scene):
        scene.add_endpoint(
            previous_secret=make_secret().encode(),
            previous_until=NOW + timedelta(seconds=10),
        )
        first, second = scene.tell()[0], scene.tell()[0]

        scene.deliveries.attempt(first, 1)
        scene.clock.advance(10)
        scene.deliveries.attempt(second, 1)

        counts = [
            len(headers["webhook-signature"].split())
            for _, headers, _ in scene.way.sent
        ]
        assert counts == [2, 1]

    def test_a_mail_goes_to_its_recipient(self, scene):
        scene.add_endpoint(target=b"team@example.com", rendering="email")
        (id,) = scene.tell()

        scene.deliveries.attempt(id, 1)

        ((mail, recipient),) = scene.mails
        assert recipient == mail["To"] == "team@example.com"
        assert mail["Message-ID"] == f"<{id}@example.org>"
        assert scene.find(id).attempts[0].status == 250
        assert scene.way.sent == []


class TestFailure:
    def test_the_next_attempt_is_started_with_its_delay(self, each_scene):
        scene = each_scene
        scene.add_endpoint()
        (id,) = scene.tell()
        scene.way.answers = [500]
        scene.way.pause = lambda: scene.clock.advance(15)

        scene.deliveries.attempt(id, 1)

        found, start = scene.find(id), scene.workflows.started[-1]
        (attempt,) = found.attempts
        assert found.state == "pending"
        assert found.next_at - attempt.at == timedelta(seconds=20)
        assert attempt.latency_ms == 15_000
        assert (start.id, start.arguments) == (f"{id}.2", (id, 2))
        assert start.delay_seconds == 5.0
        assert attempt.reason == "receiver_failed"
        assert scene.state().failing_since == attempt.at

    def test_a_dead_receiver_gets_ten_attempts_over_three_days(self, scene):
        scene.add_endpoint()
        (id,) = scene.tell()
        scene.way.answers = [500] * 10

        waits = scene.attempt_all(id)

        assert [round(wait) for wait in waits] == [
            0,
            5,
            300,
            1800,
            7200,
            18000,
            36000,
            50400,
            72000,
            86400,
        ]
        assert scene.find(id).state == "failed"
        ids = {headers["webhook-id"] for _, headers, _ in scene.way.sent}
        stamps = {headers["webhook-timestamp"] for _, headers, _ in scene.way.sent}
        assert ids == {id}
        assert len(stamps) == 10

    def test_a_success_ends_the_failing(self, scene):
        scene.add_endpoint()
        (id,) = scene.tell()
        scene.way.answers = [500, 500]

        scene.attempt_all(id)

        assert scene.find(id).state == "delivered"
        assert scene.state().failing_since is None

    @pytest.mark.parametrize(
        ("answer", "reason", "status", "wait"),
        [
            (302, "redirected", 302, 5.0),
            (EgressReply(503, 120.0), "receiver_failed", 503, 120.0),
            (EgressReply(429, None), "throttled", 429, 60.0),
            (EgressRefused(Refusal.BLOCKED), "blocked_destination", None, 5.0),
            (EgressFailed(Failure.TIMEOUT), "timeout", None, 5.0),
        ],
    )
    def test_each_failure_has_a_word_and_a_wait(
        self, scene, answer, reason, status, wait
    ):
        scene.add_endpoint()
        (id,) = scene.tell()
        scene.way.answers = [answer]

        scene.deliveries.attempt(id, 1)

        (attempt,) = scene.find(id).attempts
        assert (attempt.reason, attempt.status) == (reason, status)
        assert scene.workflows.started[-1].delay_seconds == wait

    @pytest.mark.parametrize("is_set_up", [True, False])
    def test_a_mail_that_is_not_taken_is_a_failure(self, scene, is_set_up):
        scene.add_endpoint(target=b"team@example.com", rendering="email")
        (id,) = scene.tell()
        scene.mail_failure = MailFailed("mail_recipient_refused", 550)

        scene.make(scene if is_set_up else None).attempt(id, 1)

        (attempt,) = scene.find(id).attempts
        told = (
            ("mail_recipient_refused", 550) if is_set_up else ("mail_not_set_up", None)
        )
        assert (attempt.reason, attempt.status) == told

    def test_no_mail_goes_to_whom_the_operator_allows_no_more(self, scene):
        scene.add_endpoint(target=b"team@other.example", rendering="email")
        (id,) = scene.tell()

        scene.deliveries.attempt(id, 1)

        (attempt,) = scene.find(id).attempts
        assert (attempt.reason, attempt.status) == ("mail_not_allowed", None)
        assert scene.mails == []


class TestOnce:
    def test_an_attempt_that_was_made_is_not_made_again(self, each_scene):
        scene = each_scene
        scene.add_endpoint()
        (id,) = scene.tell()
        scene.way.answers = [500]
        scene.deliveries.attempt(id, 1)

        scene.deliveries.attempt(id, 1)
        scene.deliveries.attempt(id, 3)

        assert len(scene.way.sent) == 1

    def test_of_two_that_send_at_once_one_is_counted(self, each_scene):
        scene = each_scene
        scene.add_endpoint()
        (id,) = scene.tell()
        post, inner = scene.way.post, []

        def post_twice(url, headers, body):
            if not inner:  # the other worker is faster
                inner.append(1)
                scene.deliveries.attempt(id, 1)
            return post(url, headers, body)

        scene.way.post = post_twice
        scene.way.answers = [200, 500]
        scene.deliveries.attempt(id, 1)

        found = scene.find(id)
        assert len(scene.way.sent) == 2
        assert found.state == "delivered"
        assert [each.status for each in found.attempts] == [200]
        assert len(scene.workflows.started) == 1

    def test_an_unknown_delivery_is_nothing_to_do(self, scene):
        scene.deliveries.attempt("msg_unknown", 1)

        assert scene.way.sent == []
