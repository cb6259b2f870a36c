"""What a principal left behind every door is removed over HTTP, and nothing else."""

import json

import pytest
from fakes import answer_with, chat
from processes import bearer
from token_scene import TOKENS, Admin
from workflow_rows import states

from flaskllm.core.auth import Scope, parse_token

SETTINGS = """
providers:
  box: {{kind: openai_compatible, base_url: {url}}}
deployments:
  small: {{provider: box, model: scripted-1, context_window: 32000}}
routes:
  - {{alias: scripted, deployments: {{small: 1}}}}
default_route: scripted
"""
SECRET = "k3R9vQ2mX7bT5wL8nZ4cH6jD1sF0gYpA"


@pytest.fixture
def gateway(make_gateway, upstream, database_url):
    upstream.always(answer_with(lambda request: chat(json.dumps({"keywords": []}))))
    environ = {"FLASKLLM_SECRET": SECRET, "FLASKLLM_DATABASE_URL": database_url}
    gateway = make_gateway(SETTINGS.format(url=upstream.url), environ)
    yield gateway
    gateway.services.accounts.flush()


@pytest.fixture
def admin(gateway):
    return Admin(gateway, gateway.make_token(Scope.ADMIN))


def leave_things(gateway, token):
    """Keep a response, repeat by key, leave a job, a batch and an endpoint."""

    def post(path, body, status, **headers):
        sent = bearer(token) | headers
        reply = gateway.client.post(path, json=body, headers=sent)
        assert reply.status_code == status, reply.get_data(as_text=True)
        return reply.json

    asked = {"model": "scripted", "input": "what?", "store": True}
    kept = post("/v1/responses", asked, 200)["id"]
    item = {"prompt": "Pay by Friday.", "type": "keywords"}
    post("/api/v1/webhook", item, 200, **{"Idempotency-Key": "0123456789abcdef"})
    job = post("/api/v1/webhook", item | {"async": True}, 202)["data"]["id"]
    post("/api/v1/batches", {"items": [item, item]}, 202)
    events = {"name": "e", "url": "https://a.example", "events": ["job.done"]}
    post("/api/v1/endpoints", events, 201)
    return kept, job


def test_content_goes_of_one_principal_alone(gateway, admin):
    ann, bob = (gateway.make_token(Scope.WEBHOOK, Scope.CHAT) for _ in range(2))
    kept, job = leave_things(gateway, ann)
    kept_of_bob, job_of_bob = leave_things(gateway, bob)
    before = len(states(gateway.services.workflows))

    reply = admin.ask("DELETE", f"{TOKENS}/{parse_token(ann).id}/data")

    assert reply.status_code == 200
    assert reply.json["data"] == {
        "complete": True,
        "removed": {
            "cancelled": 2,
            "documents": 3,
            "endpoints": 1,
            "idempotency": 1,
            "jobs": 4,
            "responses": 1,
        },
    }
    assert len(states(gateway.services.workflows)) == before - 3
    for path, token, status in (
        (f"/v1/responses/{kept}", ann, 404),
        (f"/api/v1/jobs/{job}", ann, 404),
        (f"/v1/responses/{kept_of_bob}", bob, 200),
        (f"/api/v1/jobs/{job_of_bob}", bob, 202),
    ):
        found = gateway.client.get(path, headers=bearer(token))
        assert found.status_code == status


def test_accounts_need_a_revoked_api_token(gateway, admin):
    ann = gateway.make_token(Scope.CHAT, Scope.WEBHOOK)
    leave_things(gateway, ann)
    gateway.services.accounts.flush()
    own = f"{TOKENS}/{parse_token(ann).id}"

    assert admin.ask("DELETE", f"{own}/data", accounts="true").status_code == 409
    admin.ask("DELETE", own)
    erased = admin.ask("DELETE", f"{own}/data", accounts="true")

    assert erased.status_code == 200
    assert erased.json["data"]["removed"]["usage"] == 2
    assert admin.ask("DELETE", f"{own}/data", accounts="all").status_code == 400
    assert admin.ask("DELETE", f"{TOKENS}/{'x' * 12}/data").status_code == 404


def test_what_is_left_is_told_as_accepted(gateway, admin, monkeypatch):
    ann = gateway.make_token(Scope.CHAT, Scope.WEBHOOK)
    leave_things(gateway, ann)
    monkeypatch.setattr("flaskllm.api.v1.tokens._ERASING_SECONDS", 0)

    reply = admin.ask("DELETE", f"{TOKENS}/{parse_token(ann).id}/data")

    assert (reply.status_code, reply.json["data"]["complete"]) == (202, False)


def test_who_is_no_admin_removes_nothing(gateway):
    ann = gateway.make_token(Scope.CHAT)

    refused = Admin(gateway, ann).ask("DELETE", f"{TOKENS}/{parse_token(ann).id}/data")

    assert refused.status_code == 403
