"""What is wrong with a request about API tokens is told, and nothing is changed."""

import pytest
from api_tokens import make_token
from token_scene import AUDIT, TOKENS, Admin, full_admin, token_gateway

from flaskllm.core.auth import Scope
from flaskllm.core.auth import make_token as invent_token

GOOD = '"name": "x", "scopes": ["chat"]'
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def gateway(make_gateway, database_url):
    return token_gateway(make_gateway, database_url)


@pytest.fixture
def admin(gateway):
    return full_admin(gateway)


@pytest.fixture
def plain_admin(make_gateway):
    """An admin of a gateway on SQLite, where the store makes no difference."""
    return full_admin(make_gateway())


BODIES = [
    pytest.param("{}", "name", id="nothing"),
    pytest.param('{"name": "x"}', "scopes", id="no scope"),
    pytest.param('{"name": "x", "scopes": []}', "scopes", id="empty scopes"),
    pytest.param('{"name": "x", "scopes": ["root"]}', "scopes.0", id="unknown scope"),
    pytest.param('{"name": "x", "scopes": "chat"}', "scopes", id="scopes as text"),
    pytest.param('{"name": 5, "scopes": ["chat"]}', "name", id="name as number"),
    pytest.param('{"name": "", "scopes": ["chat"]}', "name", id="empty name"),
    pytest.param('{"name": "\\u0000", "scopes": ["chat"]}', "name", id="nul in name"),
    pytest.param('{"name": "a\\nb", "scopes": ["chat"]}', "name", id="line break"),
    pytest.param(
        f'{{"name": "{"n" * 10_000}", "scopes": ["chat"]}}', "name", id="long name"
    ),
    pytest.param(f'{{{GOOD}, "role": "admin"}}', "role", id="unknown field"),
    pytest.param(f'{{{GOOD}, "id": "x"}}', "id", id="an id of one's own"),
    pytest.param(f'{{{GOOD}, "digest": "x"}}', "digest", id="a digest"),
    pytest.param(f'{{{GOOD}, "created_by": "x"}}', "created_by", id="another maker"),
    pytest.param(f'{{{GOOD}, "direct_models": "yes"}}', "direct_models", id="yes"),
    pytest.param(f'{{{GOOD}, "direct_models": null}}', "direct_models", id="null flag"),
    pytest.param(f'{{{GOOD}, "expires_at": "tomorrow"}}', "expires_at", id="no time"),
    pytest.param(f'{{{GOOD}, "expires_at": 1893456000}}', "expires_at", id="a number"),
    pytest.param(
        f'{{{GOOD}, "expires_at": "2099-01-31T00:00:00"}}', "expires_at", id="no offset"
    ),
    pytest.param(
        f'{{{GOOD}, "expires_at": "2020-01-31T00:00:00Z"}}', "expires_at", id="past"
    ),
    pytest.param(
        f'{{{GOOD}, "expires_at": "9999-12-31T23:59:59-12:00"}}',
        "expires_at",
        id="beyond the years",
    ),
    pytest.param(f'{{{GOOD}, "aliases": []}}', "aliases", id="no alias"),
    pytest.param(f'{{{GOOD}, "aliases": [null]}}', "aliases.0", id="null alias"),
    pytest.param(
        f'{{{GOOD}, "aliases": ["{"a" * 201}"]}}', "aliases.0", id="long alias"
    ),
    pytest.param(
        f'{{{GOOD}, "aliases": [{",".join(["1"] * 101)}]}}',
        "aliases",
        id="many aliases",
    ),
    pytest.param(
        f'{{{GOOD}, "requests_per_minute": 0}}', "requests_per_minute", id="limit of 0"
    ),
    pytest.param(
        f'{{{GOOD}, "tokens_per_minute": 1.5}}', "tokens_per_minute", id="half a token"
    ),
    pytest.param(
        f'{{{GOOD}, "tokens_per_minute": 10000001}}', "tokens_per_minute", id="too many"
    ),
    pytest.param(
        f'{{{GOOD}, "concurrent_requests": true}}', "concurrent_requests", id="a flag"
    ),
    pytest.param(f'{{{GOOD}, "networks": ["here"]}}', "networks", id="no network"),
    pytest.param(f'{{{GOOD}, "networks": ["10.1.2.3/8"]}}', "networks", id="host bits"),
    pytest.param(f'{{{GOOD}, "networks": []}}', "networks", id="empty networks"),
    pytest.param(f'{{{GOOD}, "owner": "\\u001b[2J"}}', "owner", id="escape sequence"),
    pytest.param(f'{{{GOOD}, "owner": "{"o" * 101}"}}', "owner", id="long owner"),
    pytest.param(f'{{{GOOD}, "tags": ["Team A"]}}', "tags.0", id="no tag"),
    pytest.param(
        f'{{{GOOD}, "budgets": [{{"period": "day", "limit_nanos": -1}}]}}',
        "budgets.0.limit_nanos",
        id="negative money",
    ),
    pytest.param(
        f'{{{GOOD}, "budgets": [{{"period": "day", "limit_nanos": 0.5}}]}}',
        "budgets.0.limit_nanos",
        id="fractional money",
    ),
    pytest.param(
        f'{{{GOOD}, "budgets": [{{"period": "year", "limit_nanos": 5}}]}}',
        "budgets.0.period",
        id="unknown period",
    ),
]
NO_JSON = [
    pytest.param(f'{{{GOOD}, "name": "y"}}', id="a key twice"),
    pytest.param(f'{{{GOOD}, "requests_per_minute": NaN}}', id="nan"),
    pytest.param(f'{{{GOOD}, "requests_per_minute": 1e999}}', id="infinite"),
    pytest.param(f"[{{{GOOD}}}]", id="a list"),
    pytest.param("", id="empty"),
    pytest.param("{", id="unfinished"),
]


def post(admin, path, body, method="POST"):
    headers = JSON | {"Authorization": f"Bearer {admin.token}"}
    return admin.gateway.client.open(path, method=method, data=body, headers=headers)


@pytest.mark.parametrize(("body", "path"), BODIES)
def test_a_wrong_field_is_named_with_the_mend(plain_admin, body, path):
    before = audit_of(plain_admin)

    refused = post(plain_admin, TOKENS, body)

    assert refused.status_code == 400, refused.json
    assert refused.json["code"] == "INVALID_INPUT"
    fields = {each["path"]: each for each in refused.json["fields"]}
    assert path in fields, fields
    assert fields[path]["problem"]
    assert fields[path]["allowed"]
    assert len(refused.data) < 3000
    assert audit_of(plain_admin) == before


@pytest.mark.parametrize("body", NO_JSON)
def test_what_is_no_good_json_is_refused(plain_admin, body):
    refused = post(plain_admin, TOKENS, body)

    assert refused.status_code == 400
    assert refused.json["error"] == "The body is not valid JSON."


@pytest.mark.parametrize(
    "body",
    [
        '{"name": null}',
        '{"scopes": []}',
        '{"scopes": null}',
        '{"tags": null}',
        '{"owner": null}',
        '{"budgets": []}',
        '{"revoked_at": null}',
        '{"state": "active"}',
        '{"expires_at": "2020-01-31T00:00:00Z"}',
        '{"requests_per_minute": 0}',
    ],
)
def test_a_wrong_change_changes_nothing(plain_admin, body):
    made = plain_admin.make()
    path = f"{TOKENS}/{made['id']}"
    shown = plain_admin.ask("GET", path).json

    refused = post(plain_admin, path, body, "PATCH")

    assert refused.status_code == 400
    assert len(refused.json["fields"]) == 1
    assert plain_admin.ask("GET", path).json == shown


@pytest.mark.parametrize(
    "body",
    [
        '{"overlap_seconds": -1}',
        '{"overlap_seconds": 2592001}',
        '{"overlap_seconds": "60"}',
        '{"overlap_seconds": 0.5}',
        '{"overlap": 60}',
    ],
)
def test_a_wrong_roll_keeps_the_secret(plain_admin, body):
    made = plain_admin.make(scopes=["read"])

    refused = post(plain_admin, f"{TOKENS}/{made['id']}/roll", body)

    assert refused.status_code == 400
    own = Admin(plain_admin.gateway, made["token"]).ask("GET", f"{TOKENS}/self")
    assert own.status_code == 200


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (TOKENS, {"limit": "0"}),
        (TOKENS, {"limit": "201"}),
        (TOKENS, {"limit": "many"}),
        (TOKENS, {"limit": "²"}),
        (TOKENS, {"after": "x"}),
        (TOKENS, {"after": ""}),
        (TOKENS, {"name": "x"}),
        (AUDIT, {"action": "\0"}),
        (AUDIT, {"object": "a\0b"}),
        (AUDIT, {"principal": "p" * 61}),
        (AUDIT, {"since": "2030"}),
    ],
)
def test_a_wrong_query_is_named(admin, path, query):
    refused = admin.ask("GET", path, **query)

    assert refused.status_code == 400
    assert [each["path"] for each in refused.json["fields"]] == list(query)


def test_an_id_that_nobody_has_reads_like_any_other(admin):
    ids = [invent_token("api").id, "nobody", "x" * 300, "%00", "%F0%9F%92%A9", "a%2Fb"]

    for method, tail, body in (
        ("GET", "", None),
        ("PATCH", "", {"name": "x"}),
        ("DELETE", "", None),
        ("POST", "/roll", {}),
    ):
        answers = [
            admin.ask(method, f"{TOKENS}/{each}{tail}", body) for each in ids[:-1]
        ]
        assert {each.status_code for each in answers} == {404}
        assert len({each.data for each in answers}) == 1
        assert answers[0].json["code"] == "NOT_FOUND"
    assert admin.ask("GET", f"{TOKENS}/{ids[-1]}").status_code == 404


@pytest.mark.parametrize("scope", [Scope.READ, Scope.CHAT, Scope.WEBHOOK])
def test_only_admins_may(plain_admin, scope):
    gateway = plain_admin.gateway
    other = Admin(gateway, make_token(gateway.services.api_tokens, scope).text)
    known = plain_admin.make()["id"]

    for method, path in (
        ("GET", TOKENS),
        ("POST", TOKENS),
        ("GET", f"{TOKENS}/{known}"),
        ("GET", f"{TOKENS}/{invent_token('api').id}"),
        ("PATCH", f"{TOKENS}/{known}"),
        ("POST", f"{TOKENS}/{known}/roll"),
        ("DELETE", f"{TOKENS}/{known}"),
        ("GET", AUDIT),
    ):
        refused = other.ask(method, path)
        assert refused.status_code == 403, (method, path)
        assert "admin" in refused.json["details"]


def audit_of(admin):
    return admin.ask("GET", AUDIT).json["data"]
