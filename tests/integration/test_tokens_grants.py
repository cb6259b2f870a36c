"""Over HTTP: nobody gives more than they have, and the audit tells what was done."""

from datetime import UTC, datetime

import pytest
from api_tokens import TESTER
from token_scene import AUDIT, TOKENS, Admin, full_admin, token_gateway

from flaskllm.core.auth import parse_token

SETTINGS = """
providers:
  box: {kind: openai_compatible, base_url: "http://127.0.0.1:9/v1"}
deployments:
  small: {provider: box, model: scripted-1, context_window: 32000}
routes:
  - {alias: scripted, deployments: {small: 1}}
"""
LIMITS = {"aliases": ["fast"], "requests_per_minute": 1000, "tags": ["team"]}


@pytest.fixture
def gateway(make_gateway, database_url):
    return token_gateway(make_gateway, database_url, SETTINGS)


@pytest.fixture
def admin(gateway):
    return full_admin(gateway)


@pytest.fixture
def as_(gateway):
    """Returns somebody who holds this API token."""
    return lambda token: Admin(gateway, token)


class TestNoMoreThanOneHas:
    @pytest.fixture
    def deputy(self, admin, as_):
        return as_(admin.make(scopes=["admin"], **LIMITS)["token"])

    def test_a_deputy_makes_what_it_has(self, deputy):
        assert deputy.make(scopes=["chat", "webhook"], **LIMITS)

    @pytest.mark.parametrize(
        ("fields", "path"),
        [
            ({"aliases": None}, "aliases"),
            ({"aliases": ["fast", "slow"]}, "aliases"),
            ({"requests_per_minute": 1001}, "requests_per_minute"),
            ({"requests_per_minute": None}, "requests_per_minute"),
            ({"direct_models": True}, "direct_models"),
        ],
    )
    def test_more_is_refused_with_what_would_be_allowed(self, deputy, fields, path):
        body = {"name": "x", "scopes": ["chat"]} | LIMITS | fields

        refused = deputy.ask("POST", TOKENS, body)

        assert refused.status_code == 403
        assert refused.json["code"] == "PERMISSION_DENIED"
        (field,) = refused.json["fields"]
        assert field["path"] == path
        assert field["allowed"]
        own = f"{TOKENS}/{parse_token(deputy.token).id}"
        assert deputy.ask("PATCH", own, fields).status_code == 403

    def test_who_has_more_is_neither_changed_nor_rolled_but_revoked(
        self, deputy, admin
    ):
        path = f"{TOKENS}/{parse_token(admin.token).id}"

        assert deputy.ask("PATCH", path, {"name": "y"}).status_code == 403
        assert deputy.ask("POST", f"{path}/roll", {}).status_code == 403
        assert admin.ask("GET", TOKENS).status_code == 200
        assert deputy.ask("DELETE", path).status_code == 200
        assert admin.ask("GET", TOKENS).status_code == 401

    def test_a_budget_of_nothing_is_no_way_to_another_name(self, deputy):
        """What takes over is asked for whatever names its holder may send."""
        spent = {"period": "day", "limit_nanos": 0, "on_exhausted": "scripted"}
        own = {"subject": f"principal:{parse_token(deputy.token).id}"}
        body = {"name": "x", "scopes": ["chat"], "budgets": [spent]} | LIMITS

        minted = deputy.ask("POST", TOKENS, body)
        set_for_itself = deputy.ask("POST", "/api/v1/budgets", spent | own)

        assert (minted.status_code, set_for_itself.status_code) == (403, 403)
        assert [field["path"] for field in minted.json["fields"]] == ["budgets"]

    def test_a_tag_s_hard_budget_follows_whom_it_makes(self, deputy, admin):
        admin.ask(
            "POST",
            "/api/v1/budgets",
            {"subject": "tag:team", "period": "day", "limit_nanos": 10},
        )
        body = {"name": "x", "scopes": ["chat"]} | LIMITS

        free = deputy.ask("POST", TOKENS, body | {"tags": []})
        tagged = deputy.ask("POST", TOKENS, body)
        own = [{"period": "day", "limit_nanos": 10}]
        bound = deputy.ask("POST", TOKENS, body | {"tags": [], "budgets": own})

        assert [free.status_code, tagged.status_code, bound.status_code] == [
            403,
            201,
            201,
        ]
        assert free.json["fields"][0]["path"] == "budgets"


class TestAudit:
    def test_it_tells_who_did_what_to_whom_and_no_secret(self, admin):
        data = admin.make(name="x")
        path = f"{TOKENS}/{data['id']}"
        admin.ask("PATCH", path, {"owner": "Ann"})
        rolled = admin.ask("POST", f"{path}/roll", {"overlap_seconds": 5}).json["data"]
        admin.ask("DELETE", path)

        answer = admin.ask("GET", AUDIT, object=data["id"])

        rows = answer.json["data"]
        assert [row["action"] for row in rows] == [
            "token.revoke",
            "token.roll",
            "token.update",
            "token.create",
        ]
        assert {row["principal"] for row in rows} == {parse_token(admin.token).id}
        assert {row["peer"] for row in rows} == {"127.0.0.1"}
        assert all(row["request_id"] for row in rows)
        assert rows[2]["details"] == {"owner": {"old": "", "new": "Ann"}}
        at = datetime.fromisoformat(rows[0]["at"])
        assert abs((datetime.now(UTC) - at).total_seconds()) < 60
        for secret in (data["token"], rolled["token"]):
            assert secret[21:53] not in answer.text

    def test_a_refusal_changes_nothing_and_is_no_row(self, admin, as_):
        reader = as_(admin.make(scopes=["read"])["token"])
        before = len(admin.ask("GET", AUDIT).json["data"])

        assert (
            reader.ask("POST", TOKENS, {"name": "x", "scopes": ["read"]}).status_code
            == 403
        )
        assert reader.ask("GET", AUDIT).status_code == 403

        assert len(admin.ask("GET", AUDIT).json["data"]) == before

    def test_it_is_filtered_and_paged(self, admin):
        for number in range(3):
            admin.make(name=f"t{number}")
        admin.ask("DELETE", f"{TOKENS}/{admin.make()['id']}")
        me = parse_token(admin.token).id

        first = admin.ask("GET", AUDIT, action="token.create", principal=me, limit=3)
        rest = admin.ask(
            "GET",
            AUDIT,
            action="token.create",
            principal=me,
            after=first.json["meta"]["next"],
        )

        actions = [row["action"] for row in (*first.json["data"], *rest.json["data"])]
        assert actions == ["token.create"] * 4
        assert rest.json["meta"]["next"] is None
        made = admin.ask("GET", AUDIT, principal=TESTER.principal_id).json["data"]
        assert [row["action"] for row in made] == ["token.create"] * 2
