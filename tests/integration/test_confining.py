"""What matches a rule only goes to deployments tagged local, and that is on record."""

import json
from datetime import timedelta

import pytest
from fakes import Upstream, answer_with, chat, json_reply, status
from stream_steps import DONE, event, sse

from flaskllm.core.auth import Scope

USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
CARD = "4111 1111 1111 1111"
MAIL = f"""From: Ada Quist <ada@example.com>
To: Ben Ito <ben@example.org>
Subject: Payment
Date: Mon, 05 Oct 2026 09:00:00 +0200

Please charge my card {CARD} by Friday.
""".encode()
CLEAN = MAIL.replace(CARD.encode(), b"4711")
SETTINGS = """
providers:
  cloud: {{kind: openai_compatible, base_url: {cloud}}}
  house: {{kind: openai_compatible, base_url: {house}}}
deployments:
  far: {{provider: cloud, model: far-1, context_window: 32000}}
  near: {{provider: house, model: near-1, context_window: 32000, tags: [local]}}
routes:
  - {{alias: fast, deployments: {{far: 1}}, fallbacks: [inside]}}
  - {{alias: inside, deployments: {{near: 1}}}}
  - alias: guarded
    deployments: {{far: 1}}
    fallbacks: [inside]
    on_sensitive: local
  - {{alias: outside, deployments: {{far: 1}}, on_sensitive: local}}
  - {{alias: spare, deployments: {{far: 1}}, fallbacks: [offline]}}
default_route: fast
"""
ITEM = {"task": "Charge", "evidence": {"quote": "Please charge my card"}}
FACTS = {"action_items": [ITEM]}
PROSE = {"summary": {"short": "A card is charged.", "bullets": []}}
MESSAGES = [{"role": "user", "content": f"Is {CARD} good?"}]
DOORS = {
    "/v1/chat/completions": {"messages": MESSAGES},
    "/v1/messages": {"messages": MESSAGES, "max_tokens": 50},
    "/v1/responses": {"input": f"Is {CARD} good?"},
    "/api/v1/chat": {"message": f"Is {CARD} good?"},
    "/v1/completions": {"prompt": f"{CARD} is"},
}


def answered(request):
    """Answer what the doors to models ask, whole or as a stream."""
    choice = {"index": 0, "finish_reason": "stop"}
    if request.path.endswith("/completions") and "prompt" in request.json:
        whole = {
            "id": "c",
            "object": "text_completion",
            "created": 1,
            "model": "near-1",
        }
        said = {**whole, "choices": [{**choice, "text": "Yes"}], "usage": USAGE}
        is_streamed = request.json.get("stream")
        return sse([event(said), DONE]) if is_streamed else json_reply(said)
    if request.json.get("stream"):
        delta = {"role": "assistant", "content": "Yes"}
        return sse([event({"choices": [{**choice, "delta": delta}]}), DONE])
    return chat(json.dumps({**FACTS, **PROSE}))


@pytest.fixture
def house():
    with Upstream() as upstream:
        upstream.always(answer_with(answered))
        yield upstream


@pytest.fixture
def start(make_gateway, upstream, house):
    """Makes a gateway with a section `privacy`."""
    upstream.always(chat(json.dumps({**FACTS, **PROSE})))

    def start(privacy="{{}}"):
        settings = SETTINGS + f"privacy: {privacy}\n"
        return make_gateway(settings.format(cloud=upstream.url, house=house.url))

    return start


def rows(gateway):
    """Return the audit of what stayed local, the oldest first."""
    found = [
        entry
        for entry in gateway.services.audit.page(50)
        if entry.action.endswith(".confined")
    ]
    return found[::-1]


def post(gateway, path, body, **headers):
    token = gateway.make_token(Scope.CHAT)
    return gateway.client.post(
        path, json=body, headers={"Authorization": f"Bearer {token}", **headers}
    )


def test_every_call_of_such_a_digest_stays_local_and_one_row_says_why(
    start, upstream, house
):
    gateway = start("{{on_sensitive: local}}")
    house.script(chat("no JSON"))

    response = gateway.post(MAIL, "message/rfc822")

    assert response.status_code == 200, response.get_data(as_text=True)
    assert upstream.requests == []
    assert len(house.requests) == 3  # the facts, a repair of them, the prose
    (row,) = rows(gateway)
    assert (row.action, row.object_id) == ("digest.confined", row.request_id)
    assert row.request_id == response.headers["X-Request-ID"]
    assert row.details == {
        "rules": {"payment_card": 1},
        "deployments": ["near"],
        "outcome": "OK",
    }
    assert CARD not in gateway.log


def test_a_document_that_matches_nothing_goes_where_it_always_went(
    start, upstream, house
):
    gateway = start("{{on_sensitive: local}}")

    assert gateway.post(CLEAN, "message/rfc822").status_code == 200

    assert house.requests == []
    assert rows(gateway) == []


def test_a_request_may_be_stricter_than_the_settings_and_never_looser(
    start, upstream, house
):
    loose, strict = start(), start("{{on_sensitive: local}}")

    loose.post(MAIL, "message/rfc822", on_sensitive="local")
    strict.post(MAIL, "message/rfc822", on_sensitive="ignore")

    assert upstream.requests == []
    assert len(rows(loose)) == len(rows(strict)) == 1


def test_the_route_of_a_digest_has_a_say(start, upstream):
    gateway = start()

    gateway.post(MAIL, "message/rfc822", model="guarded")

    assert upstream.requests == []
    assert len(rows(gateway)) == 1


def test_without_a_local_deployment_nothing_is_sent_and_the_answer_says_what_to_do(
    start, upstream, house
):
    gateway = start()

    response = gateway.post(MAIL, "message/rfc822", model="outside")

    assert response.status_code == 503
    assert response.get_json()["code"] == "NO_MODEL_CONFIGURED"
    assert "tags: [local]" in response.get_json()["details"]
    assert upstream.requests == house.requests == []
    (row,) = rows(gateway)
    assert row.details["deployments"] == []
    assert row.details["outcome"] == "NO_MODEL_CONFIGURED"


def test_the_built_in_provider_is_local(start, upstream):
    gateway = start("{{on_sensitive: local}}")

    response = gateway.post(MAIL, "message/rfc822", model="spare")

    assert response.get_json()["meta"]["degraded"] is True
    assert upstream.requests == []
    assert rows(gateway)[0].details["deployments"] == ["offline"]


def test_a_local_deployment_that_fails_has_no_fallback_elsewhere(
    start, upstream, house
):
    gateway = start("{{on_sensitive: local}}")
    house.always(status(400))

    response = gateway.post(MAIL, "message/rfc822")

    assert response.status_code >= 400
    assert upstream.requests == []
    assert rows(gateway)[0].details["outcome"] == response.get_json()["code"]


def test_patterns_and_words_of_the_operator_are_rules(start, upstream):
    rules = "{{on_sensitive: local, rules: [], words: {{deal: [charge]}}}}"
    gateway = start(rules)

    gateway.post(MAIL, "message/rfc822")

    assert upstream.requests == []
    assert rows(gateway)[0].details["rules"] == {"deal": 1}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("path", "body"), DOORS.items(), ids=list(DOORS))
def test_every_door_to_models_obeys_the_route(
    start, upstream, house, path, body, stream
):
    gateway = start()
    given = {"model": "guarded", **body}
    if stream:
        given, path = _streamed(given, path)

    response = post(gateway, path, given)
    response.get_data()

    assert response.status_code == 200
    assert upstream.requests == []
    assert len(house.requests) == 1
    (row,) = rows(gateway)
    assert row.action == "request.confined"
    assert row.details["rules"] == {"payment_card": 1}
    assert row.details["deployments"] == ["near"]


def _streamed(body, path):
    if path == "/api/v1/chat":
        return body, "/api/v1/chat/stream"
    return {**body, "stream": True}, path


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "system", "content": CARD}, {"role": "user", "content": "x"}],
        [{"role": "user", "content": [{"type": "text", "text": CARD[:10]},
                                      {"type": "text", "text": CARD[10:]}]}],
        [{"role": "user", "content": "x"},
         {"role": "assistant", "tool_calls": [{"id": "1", "type": "function",
          "function": {"name": "pay", "arguments": json.dumps({"card": CARD})}}]},
         {"role": "tool", "tool_call_id": "1", "content": "done"}],
        [{"role": "user", "content": "x"},
         {"role": "assistant", "tool_calls": [{"id": "1", "type": "function",
          "function": {"name": "pay", "arguments": "{}"}}]},
         {"role": "tool", "tool_call_id": "1", "content": CARD}],
    ],
    ids=["system", "parts", "call", "result"],
)  # fmt: skip
def test_all_text_of_all_messages_is_looked_at(start, upstream, messages):
    gateway = start()

    post(gateway, "/v1/chat/completions", {"model": "guarded", "messages": messages})

    assert upstream.requests == []
    assert len(rows(gateway)) == 1


@pytest.mark.parametrize(
    ("path", "body", "rule", "status_"),
    [
        # Another model's vectors are no fallback: nobody may answer.
        ("/v1/embeddings", {"input": ["x", CARD]}, "payment_card", 503),
        ("/v1/embeddings", {"input": [[1, 2]]}, "unreadable", 503),
        ("/v1/completions", {"prompt": [1, 2]}, "unreadable", 200),
    ],
)
def test_vectors_and_what_nobody_can_read_stay_local_too(
    start, upstream, path, body, rule, status_
):
    gateway = start()

    response = post(gateway, path, {"model": "guarded", **body})

    assert response.status_code == status_
    assert upstream.requests == []
    assert rows(gateway)[0].details["rules"] == {rule: 1}


def test_what_matches_nothing_goes_to_the_route_as_ever(start, upstream):
    gateway = start()
    messages = [{"role": "user", "content": "Hello"}]

    post(gateway, "/v1/chat/completions", {"model": "guarded", "messages": messages})

    assert len(upstream.requests) == 1
    assert rows(gateway) == []


def test_other_routes_look_at_nothing(start, upstream):
    gateway = start()

    post(gateway, "/v1/chat/completions", {"model": "fast", "messages": MESSAGES})

    assert len(upstream.requests) == 1


def test_an_answer_that_stayed_local_is_not_kept_for_repetitions(start, house):
    gateway = start()
    body = {"model": "guarded", "messages": MESSAGES}
    key = {"Idempotency-Key": "once"}

    first = post(gateway, "/v1/chat/completions", body, **key)
    second = post(gateway, "/v1/chat/completions", body, **key)

    assert "Idempotency-Replayed" not in {*first.headers.keys(), *second.headers.keys()}
    assert len(house.requests) == 2


def test_a_response_that_stayed_local_is_kept_for_the_shortest_time(start):
    gateway = start("{{keep_days: 2}}")
    token = {"Authorization": f"Bearer {gateway.make_token(Scope.CHAT)}"}

    made = gateway.client.post(
        "/v1/responses", json={"model": "guarded", "input": CARD}, headers=token
    ).get_json()

    kept = gateway.services.responses
    assert kept.forget_expired() == 0
    later = gateway.services.clock.now() + timedelta(days=2, minutes=1)
    removed = kept._rows.remove_expired(later, 10)
    assert (made["store"], removed) == (True, 1)


def test_where_sensitive_text_stays_local_nothing_is_counted_elsewhere(start, upstream):
    gateway = start()
    body = {"model": "guarded", "messages": MESSAGES}

    response = post(gateway, "/v1/messages/count_tokens", body)

    assert response.get_json()["input_tokens"] > 0
    assert upstream.requests == []


def test_what_cannot_be_put_on_record_is_not_answered(start, house, monkeypatch):
    from flaskllm.core.errors import ServiceUnavailable
    from flaskllm.storage.audit import AuditRows

    def refuse(*arguments):
        raise ServiceUnavailable(details="The database is away.")

    gateway = start()
    monkeypatch.setattr(AuditRows, "add", refuse)

    response = post(
        gateway, "/v1/chat/completions", {"model": "guarded", "messages": MESSAGES}
    )

    assert response.status_code == 503
    assert len(house.requests) == 1
