"""A request that is repeated with its key gets the answer that it had before."""

from io import BytesIO

import pytest
from face_fakes import FakeServices, build
from flask import Response
from idempotency_scene import make_idempotency

from flaskllm.api import guard
from flaskllm.api.idempotency import idempotent, read_key
from flaskllm.core import errors
from flaskllm.core.auth import Scope
from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import InvalidInputError
from flaskllm.storage.database import Database
from flaskllm.storage.idempotency import IdempotencyRows

BODY = {"prompt": "Ben: I will send the offer by Friday."}
AS_BYTES = {
    "data": '{"prompt": "Hi."}',
    "headers": {"Content-Type": "application/json"},
}
KEY = "7f0a2c1e-5b0d-4a53"


@pytest.fixture
def send(client, bearer):
    """Post to the webhook with a key: `send(json=...)`, `send("?a=b", key=...)`."""

    def run(query="", *, key=KEY, scope="webhook", **options):
        options = options or {"json": BODY}
        options["headers"] = {
            **bearer(scope),
            "Idempotency-Key": key,
            **options.get("headers", {}),
        }
        return client.post(f"/api/v1/webhook{query}", **options)

    return run


def form(file=b"WEBVTT", name="a.vtt", kind="text/vtt", **fields):
    return {"data": {**fields, "file": (BytesIO(file), name, kind)}}


class TestKeys:
    @pytest.mark.parametrize(
        ("given", "key"),
        [
            ("k", "k"),
            ("x" * 255, "x" * 255),
            ("<20261005.abc@mail.example.com>", "<20261005.abc@mail.example.com>"),
            ("two words", "two words"),
            ('"k"', "k"),
            ('"a, b"', "a, b"),
            (r'"a\"b\\c"', r"a\"b\c".replace(r"\"", '"')),
            ('" "', " "),
            (f'"{"x" * 255}"', "x" * 255),
        ],
    )
    def test_it_may_be_quoted_or_bare(self, given, key):
        assert read_key(given) == key

    @pytest.mark.parametrize(
        ("given", "problem"),
        [
            ("", "is empty"),
            (" ", "is empty"),
            ('""', "cannot be read"),
            ('"', "cannot be read"),
            ('"a', "cannot be read"),
            ('"a"b', "cannot be read"),
            ('"a";v=1', "cannot be read"),
            (r'"a\b"', "cannot be read"),
            ("a,b", "is given twice, or holds a comma"),
            ('"a", "b"', "is given twice, or holds a comma"),
            ("x" * 256, "has 256 characters"),
            (f'"{"x" * 256}"', "has 258 characters"),
            ("grün", "cannot be read"),
            ("a\tb", "cannot be read"),
            ("a\n", "cannot be read"),
            (" a", "cannot be read"),
        ],
    )
    def test_any_other_is_refused_in_words_that_help(self, given, problem):
        with pytest.raises(InvalidInputError) as refused:
            read_key(given)

        (field,) = refused.value.fields
        assert (field.path, field.problem) == ("Idempotency-Key", problem)
        assert "255 printable ASCII characters" in field.allowed

    def test_a_key_that_is_refused_runs_nothing(self, send, services):
        reply = send(key="a,b")

        assert reply.status_code == 400
        assert "Idempotency-Key" in reply.json["details"]
        assert services.digests.orders == []

    def test_the_header_must_not_come_twice(self, client, bearer, services):
        token = bearer("webhook")["Authorization"]
        keys = [("Idempotency-Key", "a")] * 2
        twice = [("Authorization", token), *keys]

        reply = client.post("/api/v1/webhook", json=BODY, headers=twice)

        assert reply.status_code == 400
        assert services.digests.orders == []


class TestReplays:
    def test_a_repetition_is_answered_with_the_same_bytes_and_runs_nothing(
        self, send, services
    ):
        first, again = send(), send()

        assert first.status_code == again.status_code == 200
        assert again.data == first.data
        assert again.headers["Content-Type"] == first.headers["Content-Type"]
        assert len(services.digests.orders) == 1
        assert "Idempotency-Replayed" not in first.headers
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.headers["X-Request-ID"] != first.headers["X-Request-ID"]

    def test_a_quoted_key_is_the_same_as_a_bare_one(self, send):
        assert send().data == send(key=f'"{KEY}"').data

    def test_a_replay_is_logged_with_the_request_that_was_run(self, send, lines):
        first = send()
        send()

        (fields,) = [f for _, name, f in lines() if name == "answer_replayed"]
        assert fields == {"first_request_id": first.headers["X-Request-ID"]}

    def test_without_the_header_nobody_asks_for_keys(self, client, bearer):
        app = build(FakeServices(idempotency=None))

        reply = app.test_client().post(
            "/api/v1/webhook", json=BODY, headers=bearer("webhook")
        )

        assert reply.status_code == 200

    def test_another_principal_has_keys_of_its_own(self, send, services):
        send()

        assert "Idempotency-Replayed" not in send(scope="admin").headers
        assert len(services.digests.orders) == 2

    @pytest.mark.parametrize(
        "other",
        [
            {"json": BODY | {"type": "reply"}},
            {"query": "?type=reply", **AS_BYTES},
            AS_BYTES | {"headers": {"Content-Type": "text/plain"}},
        ],
        ids=["body", "query", "content type"],
    )
    def test_another_request_with_the_key_is_refused(self, send, services, other):
        send(**AS_BYTES)

        reply = send(**other)

        assert (reply.status_code, reply.json["code"]) == (
            422,
            "IDEMPOTENCY_KEY_REUSED",
        )
        assert len(services.digests.orders) == 1

    def test_one_that_still_runs_is_refused_with_a_time_to_come_back(
        self, send, services
    ):
        seen = []
        services.digests.acts = lambda order, call: seen.append(send())

        assert send().status_code == 200

        (refused,) = seen
        assert (refused.status_code, refused.json["code"]) == (409, "CONFLICT")
        assert refused.headers["Retry-After"] == "1"
        assert len(services.digests.orders) == 1


class TestForms:
    @pytest.fixture
    def first(self, send):
        reply = send(**form(type="summary"))
        assert reply.status_code == 200
        return reply

    def test_the_same_form_is_the_same_request_whatever_its_boundary(
        self, send, first, services
    ):
        again = send(**form(type="summary"))

        assert again.request.headers["Content-Type"] != ""
        assert first.request.content_type != again.request.content_type
        assert again.headers["Idempotency-Replayed"] == "true"
        assert len(services.digests.orders) == 1

    @pytest.mark.parametrize(
        "other",
        [
            form(b"WEBVTT\n", type="summary"),
            form(name="b.vtt", type="summary"),
            form(kind="text/plain", type="summary"),
            form(type="reply"),
            form(),
            form(type="summary", language="de"),
        ],
        ids=["content", "file name", "type of file", "value", "less", "more"],
    )
    def test_another_field_or_file_is_another_request(self, send, first, other):
        assert send(**other).status_code == 422

    def test_the_file_is_still_there_for_the_view(self, send, first, services):
        (order,) = services.digests.orders

        assert order.content == b"WEBVTT"

    def test_a_part_without_a_name_is_read_too(self, send):
        body = (
            b"--x\r\nContent-Disposition: form-data\r\n\r\nlost\r\n"
            b'--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nHi.\r\n--x--'
        )
        headers = {"Content-Type": "multipart/form-data; boundary=x"}

        first, again = (send(data=body, headers=headers) for _ in "ab")

        assert first.status_code == 200
        assert again.data == first.data


class TestFailures:
    @pytest.mark.parametrize(
        "error",
        [
            errors.BudgetExceeded(),
            errors.PermissionDenied(),
            errors.ModelNotFound(),
            errors.Conflict(),
            errors.RateLimitExceeded(),
            errors.LLMContextTooLong(),
            errors.LLMAPIError(),
            errors.LLMTimeout(),
            errors.LLMUnavailable(),
            errors.CallerGone(),
            errors.ServiceUnavailable(),
            KeyError("our own"),
        ],
        ids=lambda error: getattr(error, "code", "unexpected"),
    )
    def test_what_failed_is_run_again(self, send, services, error):
        def fail(order, call):
            services.digests.acts = None
            raise error

        services.digests.acts = fail

        assert send().status_code == getattr(error, "status", 500)
        again = send()

        assert again.status_code == 200
        assert "Idempotency-Replayed" not in again.headers
        assert len(services.digests.orders) == 2

    def test_a_request_that_is_not_valid_leaves_its_key_free(self, send):
        assert send(json={"type": "nonsense"}).status_code == 400

        assert send().status_code == 200

    def test_a_body_over_the_cap_is_refused_before_the_key_is_looked_at(
        self, send, make_app, bearer
    ):
        app = make_app(FakeServices(idempotency=None))
        headers = {**bearer("webhook"), "Idempotency-Key": KEY}

        reply = app.test_client().post(
            "/api/v1/webhook", data=bytes(10 * 2**20 + 1), headers=headers
        )

        assert reply.status_code == 413

    def test_where_keys_cannot_be_claimed_nothing_is_run(self, tmp_path, bearer):
        database = Database(
            f"sqlite:///{tmp_path}", journal="truncate", clock=SystemClock()
        )
        broken = make_idempotency(rows=IdempotencyRows(database))
        services = FakeServices(idempotency=broken)
        headers = {**bearer("webhook"), "Idempotency-Key": KEY}

        reply = (
            build(services)
            .test_client()
            .post("/api/v1/webhook", json=BODY, headers=headers)
        )

        assert (reply.status_code, reply.json["code"]) == (503, "SERVICE_UNAVAILABLE")
        assert "Retry-After" not in reply.headers  # it does not pass by itself
        assert services.digests.orders == []


class TestAnswers:
    @pytest.fixture
    def ask(self, services, bearer):
        """Ask a view that gives one answer after the other."""
        answers = []

        def before(app):
            @guard.guarded(Scope.CHAT)
            @idempotent(1000)
            def view():
                return answers.pop(0)

            app.add_url_rule("/costly", view_func=view, methods=["POST"])

        client = build(services, before=before).test_client()

        def run(*more):
            answers.extend(more)
            headers = {**bearer("chat"), "Idempotency-Key": KEY}
            return client.post("/costly", headers=headers)

        return run

    def test_what_was_accepted_is_asked_again_how_it_stands(self, ask):
        ask(Response(status=202))

        assert ask(Response(b"done")).data == b"done"

    @pytest.mark.parametrize("status", [200, 201, 204])
    def test_every_success_is_kept(self, ask, status):
        ask(Response(status=status))

        again = ask()

        assert again.status_code == status
        assert again.headers["Idempotency-Replayed"] == "true"

    @pytest.mark.parametrize("status", [304, 400, 402, 404, 409, 422, 429, 500, 503])
    def test_whatever_else_is_answered_is_not_kept(self, ask, status):
        ask(Response(status=status))

        assert ask(Response(b"good")).data == b"good"

    def test_the_headers_of_the_answer_are_kept_and_those_of_the_moment_are_not(
        self, ask
    ):
        kept = {
            "Content-Type": "application/x-ndjson",
            "Location": "/api/v1/jobs/7",
            "Retry-After": "2",
            "X-Flaskllm-Dropped": "seed",
        }
        passing = {"x-ratelimit-remaining-requests": "3", "Set-Cookie": "a=b"}
        ask(Response(b"[]", headers={**kept, **passing}))

        told = ask().headers

        assert {name: told.get(name) for name in kept} == kept
        assert not set(passing) & set(told.keys())
