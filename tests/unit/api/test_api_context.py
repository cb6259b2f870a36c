"""A request from its first to its last moment."""

import socket
from dataclasses import replace

import pytest
from face_fakes import build

from flaskllm.api import context
from flaskllm.core import logs
from flaskllm.core.errors import LLMTimeout
from flaskllm.llm.terms import Price
from flaskllm.llm.types import Attempt, Deployment, Outcome, Plan, Usage
from flaskllm.storage.ledger import Busy

MINI = Deployment("mini", "openai", "openai", "gpt-4o-mini")
ATTEMPT = Attempt(1, "fast", MINI, "fast: mini")


def test_a_sane_request_id_is_kept(client):
    reply = client.get("/health", headers={"X-Request-ID": "my-request.1"})

    assert reply.headers["X-Request-ID"] == "my-request.1"


@pytest.mark.parametrize(
    "given", [None, "", "short", "x" * 129, "has blanks in it", "a;b=c d&efgh"]
)
def test_else_one_is_made(client, given):
    headers = {} if given is None else {"X-Request-ID": given}

    reply = client.get("/health", headers=headers)

    assert reply.headers["X-Request-ID"].startswith("req_")


def test_a_request_leaves_one_line_without_path_and_query(client, bearer, lines):
    client.post(
        "/api/v1/webhook?metadata=%7B%22a%22%3A1%7D",
        headers=bearer("webhook") | {"X-Request-ID": "request-1"},
        json={"prompt": "the mail"},
    )

    ((level, _, fields),) = [line for line in lines() if line[1] == "request_answered"]
    assert level == "INFO"
    assert fields.pop("bytes_out") > 100
    assert fields == {
        "method": "POST",
        "rule": "/api/v1/webhook",
        "status": 200,
        "seconds": 0.0,
        "bytes_in": 22,
        "peer": "127.0.0.1",
    }


def test_the_line_of_an_unknown_address_names_no_path(client, lines):
    client.get("/secret-path?token=sk-secret")

    assert "secret" not in repr(lines())


def test_the_context_ends_with_the_request(client, bearer):
    client.get("/api/v1/templates", headers=bearer("read"))

    assert logs._bound() == logs._Context()


def test_the_call_has_the_deadline_and_the_clock_of_the_services(
    client, services, bearer
):
    def act(order, call):
        assert call.deadline.remaining_seconds() == 300.0
        call.wait(2.0)
        call.before(ATTEMPT)
        assert call.caller is None

    services.digests.acts = act

    reply = client.post(
        "/api/v1/webhook", headers=bearer("webhook"), json={"prompt": "x"}
    )

    assert services.clock.slept == [2.0]
    assert reply.json["meta"]["processing_time"] == 2.0


def test_the_caller_s_socket_is_passed_down_under_gunicorn(client, services, bearer):
    ours, theirs = socket.socketpair()
    callers = []
    services.digests.acts = lambda order, call: callers.append(call.caller)

    with ours, theirs:
        client.post(
            "/api/v1/webhook",
            headers=bearer("webhook"),
            json={"prompt": "x"},
            environ_overrides={"gunicorn.socket": ours},
        )

    assert callers == [ours]


def test_each_attempt_is_recorded_and_logged_when_it_ends(
    client, services, bearer, lines
):
    good = Outcome("OK", 1.23456, Usage(input_uncached=7, output_text=2))
    bad = Outcome("LLM_TIMEOUT", 60.0, Usage(), "Nothing came for 60 s.")

    def act(order, call):
        call.after(ATTEMPT, bad)
        call.after(ATTEMPT, good)

    services.digests.acts = act

    reply = client.post(
        "/api/v1/webhook", headers=bearer("webhook"), json={"prompt": "x"}
    )

    rows = [closing.usage for closing in services.accounts.house.writer.closings]
    assert [(row.outcome, row.latency_ms) for row in rows] == [
        ("LLM_TIMEOUT", 60_000),
        ("OK", 1235),
    ]
    assert {(row.request_id, row.principal_id, row.source) for row in rows} == {
        (reply.headers["X-Request-ID"], "webhook-id", "webhook")
    }
    first, second = [line for line in lines() if line[1] == "attempt_ended"]
    assert (first[0], second[0]) == ("WARNING", "INFO")
    assert first[2]["details"] == "Nothing came for 60 s."
    assert second[2] == {
        "attempt": 1,
        "alias": "fast",
        "deployment": "mini",
        "provider": "openai",
        "model": "gpt-4o-mini",
        "decision": "fast: mini",
        "code": "OK",
        "seconds": 1.235,
        "tokens_input": 7,
        "tokens_output": 2,
    }


def test_what_the_account_refuses_is_not_attempted(client, services, bearer):
    planned = replace(ATTEMPT, plan=Plan(10, 20, 300, 200))
    services.accounts.house.writer.verdict = Busy(limit=2)
    services.digests.acts = lambda order, call: call.before(planned)

    reply = client.post(
        "/api/v1/webhook", headers=bearer("webhook"), json={"prompt": "x"}
    )

    assert (reply.status_code, reply.json["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert reply.headers["Retry-After"] == "1"


def test_a_request_can_see_what_it_spent_so_far(client, services, bearer):
    spent = []
    planned = replace(ATTEMPT, price=Price(1_000_000, 2_000_000), plan=Plan(1, 1, 9, 9))
    used = Outcome("OK", 1.0, Usage(7, output_text=2, source="provider"))

    def act(order, call):
        call.before(planned)
        call.after(planned, used)
        spent.append(context.account().cost_nanos)

    services.digests.acts = act

    client.post("/api/v1/webhook", headers=bearer("webhook"), json={"prompt": "x"})

    assert spent == [7 * 1 + 2 * 2]


@pytest.mark.parametrize(
    ("body", "source"),
    [
        ({"prompt": "x"}, "webhook"),
        ({"prompt": "x", "source": "email"}, "webhook:email"),
    ],
)
def test_the_source_of_a_document_is_recorded(client, services, bearer, body, source):
    services.digests.acts = lambda order, call: call.after(
        ATTEMPT, Outcome("OK", 1.0, Usage())
    )

    client.post("/api/v1/webhook", headers=bearer("webhook"), json=body)

    (closing,) = services.accounts.house.writer.closings
    assert closing.usage.source == source


def test_a_degraded_answer_is_a_warning(client, services, bearer, lines):
    services.digests.degraded = True

    client.post("/api/v1/webhook", headers=bearer("webhook"), json={"prompt": "x"})

    level, _, fields = next(line for line in lines() if line[1] == "request_answered")
    assert (level, fields["degraded"]) == ("WARNING", True)


def test_no_prompt_and_no_token_is_ever_logged(services, bearer, caplog):
    """Not when it works, not when it fails, not in a traceback of ours."""
    caplog.set_level("DEBUG")
    client = build(services).test_client()
    prompt = {"prompt": "PROMPT-CANARY", "variables": {"labels": ["LABEL-CANARY"]}}

    def fail(error):
        def act(order, call):
            raise error

        return act

    for act in (None, fail(LLMTimeout()), fail(ZeroDivisionError())):
        services.digests.acts = act
        client.post("/api/v1/webhook", headers=bearer("webhook"), json=prompt)
    client.post(
        "/api/v1/webhook",
        headers=bearer("webhook"),
        json=prompt | {"source": "SOURCE-CANARY"},
    )

    assert "CANARY" not in caplog.text
    assert bearer("webhook")["Authorization"] not in caplog.text


def test_services_are_typed_by_their_accessor(app, services):
    with app.app_context():
        assert context.services() is services


def attempts(*decisions, error=None):
    """Return what makes attempts for these reasons, then fails with the error."""

    def act(order, call):
        for number, decision in enumerate(decisions, 1):
            call.before(Attempt(number, "fast", MINI, decision))
        if error:
            raise error

    return act


@pytest.mark.parametrize("error", [None, LLMTimeout(), ZeroDivisionError()])
def test_the_reply_names_why_its_last_attempt_was_made(client, services, bearer, error):
    services.digests.acts = attempts("fast: mini", "next: haiku", error=error)

    reply = client.post(
        "/api/v1/webhook", headers=bearer("webhook"), json={"prompt": "x"}
    )

    assert reply.headers.getlist("X-Flaskllm-Decision") == ["next: haiku"]


def test_what_is_no_plain_text_cannot_split_the_header(client, services, bearer):
    services.digests.acts = attempts("a\r\nSet-Cookie: b=c")

    reply = client.post(
        "/api/v1/webhook", headers=bearer("webhook"), json={"prompt": "x"}
    )

    assert reply.headers["X-Flaskllm-Decision"] == "a??Set-Cookie: b=c"
    assert "Set-Cookie" not in reply.headers


def test_a_request_that_asked_no_model_has_no_such_header(client, services, bearer):
    replies = [
        client.get("/api/v1/templates", headers=bearer("read")),
        client.post("/api/v1/webhook", headers=bearer("webhook"), json={}),
        client.post("/api/v1/webhook", headers=bearer("webhook"), json={"prompt": "x"}),
    ]

    assert [reply.status_code for reply in replies] == [200, 400, 200]
    assert all("X-Flaskllm-Decision" not in reply.headers for reply in replies)
