"""`/api/v1/tokens` over HTTP, on both stores."""

import pytest
from api_tokens import statements
from token_scene import TOKENS, Admin, full_admin, token_gateway

from flaskllm.core.auth import Scope, parse_token

FULL = {
    "name": "mail server",
    "scopes": ["chat", "read"],
    "expires_at": "2099-01-31T18:00:00+01:00",
    "direct_models": True,
    "aliases": ["fast", "not there yet"],
    "requests_per_minute": 60,
    "tokens_per_minute": 10000.0,
    "concurrent_requests": 4,
    "networks": ["192.0.2.7", "2001:DB8::/32"],
    "owner": "Ann",
    "tags": ["team-a"],
}


@pytest.fixture
def gateway(make_gateway, database_url):
    return token_gateway(make_gateway, database_url)


@pytest.fixture
def admin(gateway):
    return full_admin(gateway)


@pytest.fixture
def as_(gateway):
    """Returns somebody who holds this API token."""
    return lambda token: Admin(gateway, token)


class TestCreate:
    def test_it_answers_with_the_secret_once_and_where_it_is(self, admin, as_):
        made = admin.ask("POST", TOKENS, FULL)

        data = made.json["data"]
        assert made.status_code == 201
        assert parse_token(data["token"]).id == data["id"]
        assert made.headers["Location"] == f"{TOKENS}/{data['id']}"
        assert made.headers["Cache-Control"] == "no-store"
        shown = admin.ask("GET", made.headers["Location"]).json["data"]
        assert data == shown | {"token": data["token"]}

    def test_all_that_was_said_is_kept(self, admin):
        data = admin.make(**FULL)

        assert {name: data[name] for name in FULL} == FULL | {
            "expires_at": "2099-01-31T17:00:00Z",
            "tokens_per_minute": 10000,
            "networks": ["192.0.2.7/32", "2001:db8::/32"],
        }
        assert data["state"] == "active"
        assert data["created_by"] == parse_token(admin.token).id
        assert data["last_used_at"] is data["revoked_at"] is None

    def test_what_is_left_out_restricts_nothing(self, admin):
        data = admin.make()

        free = ("aliases", "networks", "expires_at", "requests_per_minute")
        assert [data[name] for name in free] == [None] * 4
        assert (data["direct_models"], data["owner"], data["tags"]) == (False, "", [])

    def test_it_works_at_once(self, admin, as_):
        new = as_(admin.make(scopes=["read"])["token"])

        assert new.ask("GET", "/api/v1/models").status_code == 200
        assert new.ask("GET", TOKENS).status_code == 403

    def test_its_budgets_are_made_with_it(self, admin, as_):
        data = admin.make(
            budgets=[
                {"period": "day", "limit_nanos": 5},
                {"period": "month", "limit_nanos": 9, "kind": "soft"},
            ]
        )

        own = as_(data["token"]).ask("GET", f"{TOKENS}/self").json["data"]
        told = [(b["period"], b["kind"], b["limit_nanos"]) for b in own["budgets"]]
        assert sorted(told) == [
            ("day", "hard", 5),
            ("month", "soft", 9),
        ]

    @pytest.mark.parametrize(
        ("budgets", "status"),
        [
            ([{"period": "day", "limit_nanos": 1, "on_exhausted": "nobody"}], 400),
            ([{"period": "day", "limit_nanos": 1}] * 2, 409),
        ],
        ids=["unknown alias", "two of a kind"],
    )
    def test_budgets_that_cannot_be_made_leave_no_token_behind(
        self, admin, budgets, status
    ):
        body = {"name": "x", "scopes": ["chat"], "budgets": budgets}

        assert admin.ask("POST", TOKENS, body).status_code == status

        assert len(admin.ask("GET", TOKENS).json["data"]) == 2  # the gateway's own
        assert admin.ask("GET", "/api/v1/budgets").json["data"] == []


class TestShow:
    def test_pages_show_every_one_once_and_no_secret(self, admin):
        made = [admin.make(name=f"t{number}")["id"] for number in range(5)]

        ids, after = [], {}
        while True:
            page = admin.ask("GET", TOKENS, limit=3, **after)
            assert page.status_code == 200
            assert all("token" not in each for each in page.json["data"])
            ids += [each["id"] for each in page.json["data"]]
            if page.json["meta"]["next"] is None:
                break
            after = {"after": page.json["meta"]["next"]}

        assert ids[2:] == made  # behind those of the gateway itself
        assert len(ids) == 7

    def test_one_s_own_needs_no_scope_in_particular(self, admin, as_):
        for scope in Scope:
            data = admin.make(scopes=[scope.value], name=f"my {scope}")

            own = as_(data["token"]).ask("GET", f"{TOKENS}/self")

            assert own.status_code == 200
            assert own.json["data"]["id"] == data["id"]
            assert own.json["data"]["name"] == f"my {scope}"

    def test_the_api_token_of_the_settings_has_one_too(self, make_gateway):
        secret = "k3V9qLz0pXyT7sWb2RfHnJm5cDgA8eUi"
        gateway = make_gateway(environ={"FLASKLLM_API_TOKEN": secret})

        own = Admin(gateway, secret).ask("GET", f"{TOKENS}/self").json["data"]

        assert (own["id"], own["created_at"]) == ("bootstrap", None)
        assert own["scopes"] == ["admin", "chat", "read", "webhook"]


class TestChange:
    def test_what_is_said_changes_what_is_null_ends_and_the_rest_stays(self, admin):
        data = admin.make(**FULL)
        path = f"{TOKENS}/{data['id']}"

        changed = admin.ask(
            "PATCH", path, {"name": "new", "aliases": None, "tokens_per_minute": None}
        )

        assert changed.status_code == 200
        del data["token"]
        expected = data | {"name": "new", "aliases": None, "tokens_per_minute": None}
        assert changed.json["data"] == expected
        assert admin.ask("GET", path).json["data"] == expected

    def test_it_holds_for_the_next_request(self, admin, as_):
        data = admin.make(scopes=["read"])
        new = as_(data["token"])
        assert new.ask("GET", "/api/v1/models").status_code == 200

        admin.ask("PATCH", f"{TOKENS}/{data['id']}", {"scopes": ["chat"]})

        assert new.ask("GET", "/api/v1/models").status_code == 403

    def test_nothing_said_is_nothing_changed(self, admin):
        data = admin.make()

        changed = admin.ask("PATCH", f"{TOKENS}/{data['id']}", {})

        assert changed.status_code == 200


class TestRoll:
    def test_the_old_secret_ends_at_once_unless_it_is_told_otherwise(self, admin, as_):
        old = admin.make(scopes=["read"])
        path = f"{TOKENS}/{old['id']}"

        new = admin.ask("POST", f"{path}/roll", {"overlap_seconds": 60}).json["data"]
        newest = admin.ask("POST", f"{path}/roll", {}).json["data"]

        assert old["id"] == new["id"] == newest["id"]
        assert new["previous_until"] is not None
        assert newest["previous_until"] is None
        answers = [
            as_(each["token"]).ask("GET", f"{TOKENS}/self").status_code
            for each in (old, new, newest)
        ]
        assert answers == [401, 401, 200]

    def test_both_secrets_are_good_meanwhile(self, admin, as_):
        old = admin.make(scopes=["read"])

        new = admin.ask(
            "POST", f"{TOKENS}/{old['id']}/roll", {"overlap_seconds": 60}
        ).json["data"]

        for each in (old, new):
            own = as_(each["token"]).ask("GET", f"{TOKENS}/self")
            assert own.json["data"]["id"] == old["id"]

    def test_who_is_revoked_is_not_rolled(self, admin):
        path = f"{TOKENS}/{admin.make()['id']}"
        admin.ask("DELETE", path)

        for answer in (
            admin.ask("POST", f"{path}/roll", {}),
            admin.ask("PATCH", path, {"name": "y"}),
        ):
            assert answer.status_code == 409
            assert answer.json["code"] == "CONFLICT"


class TestRevoke:
    def test_it_is_refused_from_then_on_and_stays_on_record(self, admin, as_):
        data = admin.make(scopes=["read"])
        path = f"{TOKENS}/{data['id']}"
        assert as_(data["token"]).ask("GET", f"{TOKENS}/self").status_code == 200

        first = admin.ask("DELETE", path)
        second = admin.ask("DELETE", path)

        assert first.status_code == second.status_code == 200
        assert first.json == second.json
        assert first.json["data"]["state"] == "revoked"
        assert as_(data["token"]).ask("GET", f"{TOKENS}/self").status_code == 401
        assert admin.ask("GET", path).json["data"]["state"] == "revoked"

    def test_an_admin_may_revoke_itself(self, admin):
        own = parse_token(admin.token).id

        assert admin.ask("DELETE", f"{TOKENS}/{own}").status_code == 200
        assert admin.ask("GET", TOKENS).status_code == 401


def test_a_warm_request_runs_no_statement_at_all(admin, gateway):
    """Within the same second; otherwise it asks for the counter, see the unit tests."""
    templates = "/api/v1/templates"
    admin.ask("GET", templates)
    counts = []
    for _ in range(20):
        with statements() as seen:
            assert admin.ask("GET", templates).status_code == 200
        counts.append(sum("SELECT" in sql for sql, _ in seen))

    assert counts.count(0) >= 10  # a slow machine may begin another second
    assert max(counts) <= 1
