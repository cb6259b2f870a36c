"""Budgets through every door: refused, told, or led elsewhere."""

import json

import pytest
from api_tokens import make_token
from budget_rows import rows_in
from budget_scene import (
    CENT,
    COST_NANOS,
    DOORS,
    SETTINGS,
    BudgetHouse,
    answer,
    models_asked,
)
from fakes import chat

from flaskllm.core.auth import Principal, Scope
from flaskllm.core.clock import Deadline
from flaskllm.llm.parts import Message
from flaskllm.llm.types import Call, CompletionRequest
from flaskllm.storage.tables import audit, budgets

HEADER = "X-Flaskllm-Budget"
MAIL = {
    "prompt": "Ann will send the report by Friday.",
    "source": "email",
    "type": "action_items",
}
FACTS = chat('{"action_items": []}')
NATIVE = [name for name, (path, _) in DOORS.items() if path.startswith("/api/v1")]
OPENAI = [name for name in DOORS if name.startswith("openai")]
ANTHROPIC = [name for name in DOORS if name.startswith("anthropic")]


@pytest.fixture
def house(make_gateway, upstream):
    upstream.always(answer)
    return BudgetHouse(make_gateway(SETTINGS.format(url=upstream.url)))


def passed_in(house):
    rows = rows_in(house.services.database, audit)
    return [each for each in rows if each["action"] == "budget.passed"]


@pytest.mark.parametrize("door", NATIVE)
def test_our_own_routes_answer_402_and_say_what_is_spent(house, upstream, door):
    house.budget(1)

    reply = house.ask(door)

    assert (reply.status_code, reply.json["code"]) == (402, "BUDGET_EXCEEDED")
    told = reply.json["details"]
    assert "of the tag sales for one month is 0.000000001 US dollars" in told
    assert "0.00 are spent or reserved" in told
    assert "It begins anew at " in told
    assert "Retry-After" not in reply.headers
    assert HEADER not in reply.headers
    assert upstream.requests == []


@pytest.mark.parametrize("door", OPENAI)
def test_openai_s_clients_learn_that_no_retry_helps(house, upstream, door):
    house.budget(1)

    reply = house.ask(door)

    assert reply.status_code == 429
    error = reply.json["error"]
    assert (error["type"], error["code"]) == ("insufficient_quota",) * 2
    assert "0.000000001 US dollars" in error["message"]
    assert reply.headers["x-should-retry"] == "false"
    assert "Retry-After" not in reply.headers
    assert upstream.requests == []


@pytest.mark.parametrize("door", ANTHROPIC)
def test_anthropic_s_clients_learn_that_it_is_about_billing(house, upstream, door):
    house.budget(1)

    reply = house.ask(door)

    assert reply.status_code == 402
    assert reply.json["error"]["type"] == "billing_error"
    assert reply.headers["x-should-retry"] == "false"
    assert upstream.requests == []


def test_the_webhook_answers_402(house, upstream):
    house.budget(1)

    reply = house.open("POST", "/api/v1/webhook", MAIL)

    assert (reply.status_code, reply.json["code"]) == (402, "BUDGET_EXCEEDED")
    assert upstream.requests == []


def test_what_is_spent_in_the_end_is_what_it_cost(house, upstream):
    budget = house.budget(100 * CENT)

    assert house.ask("openai chat").status_code == 200

    there = house.settled(budget)
    assert there.settled_nanos == COST_NANOS
    assert there.standing.reserved_nanos == 0
    assert there.remaining_nanos == 100 * CENT - COST_NANOS


def test_an_overshoot_stops_the_next_call_also_one_that_costs_nothing(house, upstream):
    # One reserves for a short answer, and this one is long.
    budget = house.budget(3 * CENT)
    usage = {"prompt_tokens": 12, "completion_tokens": 500, "total_tokens": 512}
    upstream.script(chat("Hi", usage))

    assert house.ask("openai chat").status_code == 200
    assert house.settled(budget).settled_nanos == 512 * CENT // 10

    assert house.ask("openai chat").status_code == 429
    assert house.ask("openai chat", model="local").status_code == 429
    assert house.ask("openai chat", model="unpriced").status_code == 429
    assert len(upstream.requests) == 1


def test_what_has_no_price_passes_while_something_is_left(house, upstream):
    house.budget(1)

    assert house.ask("openai chat", model="unpriced").status_code == 200


def test_a_budget_of_nothing_stops_what_costs_nothing_too(house, upstream):
    house.budget(0)

    assert house.ask("openai chat", model="local").status_code == 429
    assert upstream.requests == []


def test_who_does_not_carry_the_tag_is_not_stopped(house):
    house.budget(1)
    other = house.gateway.make_token(Scope.CHAT)
    path, body = DOORS["openai chat"]

    assert house.open("POST", path, body, other).status_code == 200


def test_a_principal_s_own_budget_stops_it_alone(house):
    house.budget(1, subject=f"principal:{house.ann_id}", period="day")
    other = house.gateway.make_token(Scope.CHAT)
    path, body = DOORS["openai chat"]

    refused = house.open("POST", path, body)
    assert refused.status_code == 429
    assert (
        "The budget of this principal for one day" in refused.json["error"]["message"]
    )
    assert house.open("POST", path, body, other).status_code == 200


@pytest.mark.parametrize("door", DOORS)
def test_a_soft_budget_is_told_in_a_header_of_every_answer(house, upstream, door):
    house.budget(1, kind="soft")
    first = house.ask(door)
    house.services.accounts.flush()

    reply = house.ask(door)

    assert HEADER not in first.headers
    assert reply.status_code == 200
    told = reply.headers[HEADER]
    assert told.startswith("soft; period=month; limit=0.000000001; spent=0.")
    assert told.isascii()
    assert len(upstream.requests) == 2


def test_a_soft_budget_that_is_not_passed_says_nothing(house):
    house.budget(100 * CENT, kind="soft")

    reply = house.ask("chat")

    assert HEADER not in reply.headers
    assert reply.json["meta"]["warnings"] == []


def test_a_soft_budget_is_a_warning_of_our_own_routes(house, upstream):
    house.budget(1, kind="soft")
    house.ask("chat")
    house.services.accounts.flush()

    upstream.script(chat("Hi"), FACTS)
    whole = house.ask("chat")
    digest = house.open("POST", "/api/v1/webhook", MAIL)
    stream = house.ask("chat stream")

    done = [line for line in stream.text.split("\n") if '"finish_reason"' in line]
    warnings = [
        whole.json["meta"]["warnings"],
        digest.json["meta"]["warnings"],
        json.loads(done[0].removeprefix("data: "))["warnings"],
    ]
    for reply, told in zip((whole, digest, stream), warnings, strict=True):
        assert f"budget: {reply.headers[HEADER]}" in told


def test_a_passed_budget_is_told_once_in_its_period(house):
    soft = house.budget(1, kind="soft")
    hard = house.budget(10 * CENT)
    for _ in range(12):
        house.ask("openai chat")

    assert house.ask("openai chat").status_code == 429
    noted = [each["object_id"] for each in passed_in(house)]
    assert sorted(noted) == sorted([soft.budget.id, hard.budget.id])
    logged = [each["budget"] for each in house.gateway.events("budget_passed")]
    assert sorted(logged) == sorted(noted)
    metrics = house.services.metrics.render().decode()
    assert 'flaskllm_budgets_passed_total{kind="soft",period="month"} 1.0' in metrics
    assert 'flaskllm_budgets_passed_total{kind="hard",period="month"} 1.0' in metrics


@pytest.mark.parametrize("door", DOORS)
def test_the_alias_of_a_spent_budget_takes_over(house, upstream, door):
    house.budget(1, on_exhausted="local")

    reply = house.ask(door)

    assert reply.status_code == 200
    assert models_asked(upstream) == ["cheap-1"]
    assert reply.headers[HEADER] == (
        "exhausted; alias=local; period=month; limit=0.000000001; spent=0.00"
    )


def test_it_takes_over_for_a_digest_and_its_warning_says_so(house, upstream):
    house.budget(1, on_exhausted="local")
    upstream.script(chat("no JSON: asked once more"), FACTS)

    reply = house.open("POST", "/api/v1/webhook", MAIL)

    assert reply.status_code == 200
    assert models_asked(upstream) == ["cheap-1"] * 2
    (told,) = [each for each in reply.json["meta"]["warnings"] if "budget" in each]
    assert told.startswith("budget: exhausted; alias=local; ")


def test_it_takes_over_although_the_caller_may_not_name_it(house, upstream):
    house.budget(1, on_exhausted="local")
    service, only = house.services.api_tokens, frozenset({"fast"})
    token = make_token(service, Scope.CHAT, tags=("sales",), aliases=only).text
    path, body = DOORS["openai chat"]

    assert house.open("POST", path, body, token).status_code == 200
    assert models_asked(upstream) == ["cheap-1"]
    named = house.open("POST", path, body | {"model": "local"}, token)
    assert named.status_code == 404


def test_what_is_asked_under_the_alias_still_counts(house, upstream):
    budget = house.budget(1, on_exhausted="fast")

    reply = house.ask("openai chat", model="local")

    # It needs nothing, so it passes; the dear one leads to itself, and is counted.
    assert reply.status_code == 200
    assert HEADER not in reply.headers
    assert house.ask("openai chat").status_code == 200
    assert house.settled(budget).settled_nanos == COST_NANOS


def test_an_alias_that_is_gone_takes_over_nothing(house, upstream):
    house.budget(1, on_exhausted="local")
    with house.services.database.transaction() as connection:
        connection.execute(budgets.update().values(on_exhausted="was-here"))

    reply = house.ask("openai chat")

    assert reply.status_code == 429
    assert upstream.requests == []


def test_a_firm_budget_wins_over_one_that_leads_on(house, upstream):
    house.budget(1, on_exhausted="local")
    house.budget(0, period="day")

    assert house.ask("openai chat").status_code == 429
    assert upstream.requests == []


def test_the_waiver_holds_for_the_alias_only(house, upstream):
    """Many calls of one request each begin under the dear name."""
    house.budget(1, on_exhausted="local")
    services = house.services
    ann = Principal(house.ann_id, "ann", frozenset(), "api", tags=("sales",))
    deadline = Deadline.after(60, services.clock)
    account = services.accounts.open(
        ann, request_id="req_of_the_test", source="chat", deadline=deadline
    )
    call = Call(deadline, services.clock.sleep, account.before, account.after)
    request = CompletionRequest("fast", (Message("user", "Hello"),))

    for _ in range(3):
        services.completions.complete(request, call)

    assert models_asked(upstream) == ["cheap-1"] * 3
    assert len(account.notices) == 1
