"""`/api/v1/budgets`: who sees what, who sets what, and what is refused."""

import json

import pytest
from api_tokens import make_token
from budget_rows import DOLLAR, rows_in, spend
from budget_scene import SETTINGS, BudgetHouse

from flaskllm.core.auth import Scope
from flaskllm.core.periods import day_of
from flaskllm.storage.tables import audit
from flaskllm.storage.tables import budgets as table

WANTED = {
    "subject": "tag:sales",
    "period": "month",
    "kind": "hard",
    "limit_nanos": 25 * DOLLAR,
    "on_exhausted": "local",
}
NOBODY = f"bud_{'x' * 20}"

# Each wrong field, as JSON has it.
WRONG = {
    "negative money": ("limit_nanos", "-1"),
    "a fraction": ("limit_nanos", "0.5"),
    "a whole fraction": ("limit_nanos", "1.0"),
    "an exponent": ("limit_nanos", "1e9"),
    "a text": ("limit_nanos", '"25"'),
    "true": ("limit_nanos", "true"),
    "null": ("limit_nanos", "null"),
    "a list": ("limit_nanos", "[1]"),
    "too much": ("limit_nanos", str(10**18 + 1)),
    "another period": ("period", '"year"'),
    "a number for a period": ("period", "1"),
    "another kind": ("kind", '"medium"'),
    "no kind": ("kind", "null"),
    "an alias that is not there": ("on_exhausted", '"locul"'),
    "an empty alias": ("on_exhausted", '""'),
    "a principal that is not there": ("subject", '"principal:nobody"'),
    "a subject with a null": ("subject", '"principal:a\\u0000"'),
    "a long subject": ("subject", json.dumps("tag:" + "a" * 10_000)),
    "a field of our own": ("created_by", '"me"'),
    "a field that nobody knows": ("limit", '"25.00"'),
}


@pytest.fixture
def house(make_gateway):
    # No upstream is asked here.
    return BudgetHouse(make_gateway(SETTINGS.format(url="http://127.0.0.1:9")))


def create(house, **fields):
    reply = house.open("POST", "/api/v1/budgets", WANTED | fields, house.admin)
    assert reply.status_code == 201, reply.json
    return reply.json["data"]


def send(house, method, path, text):
    """Send JSON as it is written."""
    headers = {"Authorization": f"Bearer {house.admin}"}
    return house.gateway.client.open(
        path,
        method=method,
        data=text,
        headers=headers,
        content_type="application/json",
    )


def today(house):
    return day_of(house.services.clock.now(), house.services.budgets._zone).isoformat()


def test_an_admin_sets_a_budget_and_finds_it_where_it_is_told(house):
    reply = house.open("POST", "/api/v1/budgets", WANTED, house.admin)

    made = reply.json["data"]
    found = house.open("GET", reply.headers["Location"], token=house.admin)
    assert reply.status_code == 201
    assert found.json["data"] == made
    assert {name: made[name] for name in WANTED} == WANTED
    assert (made["limit"], made["spent"], made["remaining"]) == (
        "25.00",
        "0.00",
        "25.00",
    )


def test_a_budget_is_hard_and_without_an_alias_unless_it_is_said(house):
    body = {"subject": "tag:eu", "period": "day", "limit_nanos": 0}

    made = house.open("POST", "/api/v1/budgets", body, house.admin).json["data"]

    assert (made["kind"], made["on_exhausted"], made["limit"]) == ("hard", None, "0.00")


def test_it_tells_what_is_spent_reserved_and_left(house):
    made = create(house)
    spend(
        house.services.database,
        "tag:sales",
        today(house),
        settled_nanos=3 * DOLLAR,
        reserved_nanos=1,
    )

    shown = house.open("GET", f"/api/v1/budgets/{made['id']}").json["data"]

    assert (shown["spent_nanos"], shown["spent"]) == (3 * DOLLAR, "3.00")
    assert (shown["reserved_nanos"], shown["reserved"]) == (1, "0.000000001")
    assert shown["remaining_nanos"] == 22 * DOLLAR - 1
    assert shown["remaining"] == "21.999999999"
    assert shown["period_start"] == f"{today(house)[:8]}01"
    assert shown["resets_at"] > shown["period_start"]


def test_its_audit_row_says_who_did_it_and_from_where(house):
    create(house)

    (row,) = [
        each
        for each in rows_in(house.services.database, audit)
        if each["action"] == "budget.create"
    ]
    admin = house.services.api_tokens.authenticate(house.admin)
    assert (row["principal_id"], row["peer"]) == (admin.id, "127.0.0.1")
    assert row["request_id"].startswith("req_")


@pytest.mark.parametrize(("field", "value"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_refused_by_its_name(house, field, value):
    rest = {name: each for name, each in WANTED.items() if name != field}
    text = json.dumps(rest)[:-1] + f', "{field}": {value}}}'

    reply = send(house, "POST", "/api/v1/budgets", text)

    assert (reply.status_code, reply.json["code"]) == (400, "INVALID_INPUT")
    assert [each["path"] for each in reply.json["fields"]] == [field]
    assert reply.json["fields"][0]["allowed"]
    assert len(reply.data) < 1000
    assert rows_in(house.services.database, table) == []


def test_wrong_money_is_told_with_an_example(house):
    reply = send(
        house, "POST", "/api/v1/budgets", json.dumps(WANTED | {"limit_nanos": 25.5})
    )

    assert reply.json["fields"][0]["allowed"].endswith("25 dollars are 25000000000")


@pytest.mark.parametrize("field", ["subject", "period", "limit_nanos"])
def test_what_must_be_there_is_missed(house, field):
    body = {name: each for name, each in WANTED.items() if name != field}

    reply = house.open("POST", "/api/v1/budgets", body, house.admin)

    assert reply.status_code == 400
    assert reply.json["fields"][0]["path"] == field


def test_a_second_one_of_its_kind_is_a_conflict(house):
    create(house)

    reply = house.open("POST", "/api/v1/budgets", WANTED, house.admin)

    assert (reply.status_code, reply.json["code"]) == (409, "CONFLICT")
    assert "change that one" in reply.json["details"]


@pytest.mark.parametrize(
    ("changes", "limit", "alias"),
    [
        ({"limit_nanos": 1}, "0.000000001", "local"),
        ({"on_exhausted": None}, "25.00", None),
        ({"kind": "soft", "on_exhausted": None}, "25.00", None),
        ({"on_exhausted": "offline"}, "25.00", "offline"),
    ],
)
def test_a_change_leaves_what_it_does_not_name(house, changes, limit, alias):
    made = create(house)

    path = f"/api/v1/budgets/{made['id']}"
    changed = house.open("PATCH", path, changes, house.admin).json["data"]

    assert (changed["limit"], changed["on_exhausted"]) == (limit, alias)
    assert changed["kind"] == changes.get("kind", "hard")
    assert house.open("GET", path, token=house.admin).json["data"] == changed


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("body", "{}"),
        ("kind", '{"kind": null}'),
        ("limit_nanos", '{"limit_nanos": null}'),
        ("limit_nanos", '{"limit_nanos": -5}'),
        ("on_exhausted", '{"kind": "soft"}'),
        ("period", '{"period": "day"}'),
        ("subject", '{"subject": "tag:eu"}'),
    ],
)
def test_a_wrong_change_changes_nothing(house, field, text):
    made = create(house)
    path = f"/api/v1/budgets/{made['id']}"

    reply = send(house, "PATCH", path, text)

    assert reply.status_code == 400
    assert reply.json["fields"][0]["path"] == field
    assert house.open("GET", path, token=house.admin).json["data"] == made


def test_a_removed_budget_is_gone(house):
    made = create(house)
    path = f"/api/v1/budgets/{made['id']}"

    reply = house.open("DELETE", path, token=house.admin)

    assert reply.json["data"] == {"id": made["id"]}
    for method in ("GET", "DELETE"):
        assert house.open(method, path, token=house.admin).status_code == 404


def test_everybody_sees_their_own_and_those_of_their_tags(house):
    mine = [create(house), create(house, subject=f"principal:{house.ann_id}")]
    create(house, subject="tag:eu")

    seen = house.open("GET", "/api/v1/budgets").json["data"]
    filtered = house.open("GET", "/api/v1/budgets?subject=tag:sales").json["data"]
    foreign = house.open("GET", "/api/v1/budgets?subject=tag:eu").json["data"]
    every = house.open("GET", "/api/v1/budgets", token=house.admin).json["data"]

    assert {each["id"] for each in seen} == {each["id"] for each in mine}
    assert [each["subject"] for each in filtered] == ["tag:sales"]
    assert foreign == []
    assert len(every) == 3
    path = "/api/v1/budgets?subject=tag:eu"
    only = house.open("GET", path, token=house.admin).json["data"]
    assert [each["subject"] for each in only] == ["tag:eu"]


@pytest.mark.parametrize("query", ["subject=eu", "subject=tag:%00", "tag=eu"])
def test_a_filter_that_is_none_is_refused(house, query):
    reply = house.open("GET", f"/api/v1/budgets?{query}", token=house.admin)

    assert reply.status_code == 400


def test_another_s_budget_reads_like_one_that_is_not_there(house):
    theirs = create(house, subject="tag:eu")["id"]

    told = [
        house.open("GET", f"/api/v1/budgets/{each}")
        for each in (theirs, NOBODY, "x", "%00", "a" * 10_000)
    ]

    assert {reply.status_code for reply in told} == {404}
    assert len({reply.data for reply in told}) == 1


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_who_is_no_admin_sets_nothing_and_learns_nothing(house, method):
    theirs = create(house)["id"]

    told = [
        house.open(method, f"/api/v1/budgets/{each}", {"limit_nanos": 1})
        for each in (theirs, NOBODY)
    ]

    assert [reply.status_code for reply in told] == [403, 403]
    assert told[0].data == told[1].data
    assert house.open("POST", "/api/v1/budgets", WANTED).status_code == 403


def test_who_may_not_read_sees_none(house):
    chat = house.gateway.make_token(Scope.CHAT)

    assert house.open("GET", "/api/v1/budgets", token=chat).status_code == 403


def test_an_admin_gives_no_more_than_they_have(house):
    service = house.services.api_tokens
    bound = make_token(service, Scope.ADMIN, name="bound", tags=("ops",))
    own = create(house, subject="tag:ops", on_exhausted=None)
    other = create(house, subject="tag:eu", on_exhausted=None, limit_nanos=1)

    more = {"limit_nanos": 25 * DOLLAR + 1}
    asked = [
        ("PATCH", own["id"], more),
        ("PATCH", own["id"], {"kind": "soft"}),
        ("PATCH", own["id"], {"on_exhausted": "local"}),
        ("DELETE", own["id"], None),
        ("PATCH", other["id"], more),
        ("DELETE", other["id"], None),
    ]
    for method, budget_id, body in asked:
        reply = house.open(method, f"/api/v1/budgets/{budget_id}", body, bound.text)
        assert (reply.status_code, reply.json["code"]) == (403, "PERMISSION_DENIED")
    wanted = WANTED | {"subject": "tag:new"} | more
    reply = house.open("POST", "/api/v1/budgets", wanted, bound.text)
    assert reply.status_code == 403

    less = {"limit_nanos": 5}
    path = f"/api/v1/budgets/{own['id']}"
    assert house.open("PATCH", path, less, bound.text).status_code == 200
