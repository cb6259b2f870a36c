"""Routing can be seen and overridden over HTTP; nobody is asked for it."""

import pytest
from fakes import chat, status
from state_scene import SECRET, caller, settings

from flaskllm.core.auth import Scope


@pytest.fixture
def gateway(make_gateway, upstream):
    return make_gateway(settings(upstream.url))


@pytest.fixture
def call(gateway):
    return caller(gateway)


def standing_of(call, name):
    _, answer = call("GET", "/health/providers")
    return next(
        each
        for provider in answer["data"]
        for each in provider["deployments"]
        if each["deployment"] == name
    )


class TestModels:
    def test_routes_are_told_with_their_deployments(self, call, gateway, upstream):
        code, answer = call("GET", "/models", scope=Scope.READ)

        assert code == 200
        routes = {each["name"]: each for each in answer["data"]}
        assert [(r["name"], r["kind"], r["default"]) for r in answer["data"]] == [
            ("fast", "alias", True),
            ("behind", "alias", False),
            ("qwen*", "pattern", False),
            ("code", "capability", False),
        ]
        assert routes["fast"]["fallbacks"] == ["behind"]
        assert routes["behind"]["rescue"] == "off"
        assert routes["qwen*"]["require_price"] is True
        other, small = routes["fast"]["deployments"]
        assert small == {
            "name": "small",
            "provider": "box",
            "kind": "openai_compatible",
            "model": "scripted-1",
            "context_window": 32000,
            "max_output_tokens": 1000,
            "capabilities": ["json"],
            "price": {
                "input": 1.0,
                "output": 2.5,
                "cache_read": None,
                "cache_write": None,
                "reasoning": None,
                "tiers": [],
            },
            "tags": ["cheap"],
            "weight": 3,
            "standing": {
                "state": "closed",
                "obstacle": None,
                "found_elsewhere": False,
                "overridden": False,
                "failures_in_a_row": 0,
                "in_flight": 0,
                "headroom": 1.0,
                "first_token_seconds": None,
                "answer_seconds": None,
            },
        }
        assert (other["capabilities"], other["price"]) == (None, None)
        version = gateway.services.settings.version()
        assert answer["meta"] == {"settings_version": version}
        assert upstream.connections == 0

    def test_no_secret_and_no_address_is_told(self, gateway, upstream):
        headers = {"Authorization": f"Bearer {gateway.make_token(Scope.ADMIN)}"}
        for path in ("models", "health/providers"):
            reply = gateway.client.get(f"/api/v1/{path}", headers=headers)

            assert reply.status_code == 200
            assert SECRET not in reply.text
            assert str(upstream.port) not in reply.text

    @pytest.mark.parametrize("path", ["/models", "/health/providers"])
    def test_it_takes_the_scope_read(self, call, path):
        assert call("GET", path, scope=Scope.READ)[0] == 200
        assert call("GET", path, scope=Scope.CHAT)[0] == 403


class TestProviders:
    def test_what_attempts_brought_is_told(self, call, upstream):
        upstream.script(status(503), chat("Hi."))
        code, _ = call("POST", "/chat", {"message": "x", "model": "fast"})

        small, other = standing_of(call, "small"), standing_of(call, "other")

        assert code == 200
        assert (small["failures_in_a_row"], small["last_error"]) == (
            1,
            "LLM_UNAVAILABLE",
        )
        assert (other["failures_in_a_row"], other["last_error"]) == (0, None)
        assert 0.0 <= small["last_error_seconds_ago"] < 60.0
        assert other["last_error_seconds_ago"] is None
        assert other["answer_seconds"] > 0.0
        _, answer = call("GET", "/health/providers")
        idle = {each["provider"]: each["idle_seconds"] for each in answer["data"]}
        assert idle["far"] is None
        assert 0.0 <= idle["box"] < 60.0

    def test_one_deployment_is_told_as_among_all(self, call, gateway):
        for name in ("small", "last"):
            code, answer = call("GET", f"/health/providers/{name}", scope=Scope.READ)

            assert code == 200
            assert answer["data"] == standing_of(call, name)
            assert answer["meta"]["settings_version"]

    def test_one_that_an_operator_took_out_says_so(self, call):
        call("PUT", "/health/providers/small", {"state": "open"})

        _, answer = call("GET", "/health/providers/small")

        assert answer["data"]["override"]["state"] == "open"

    def test_one_that_needs_no_upstream_has_no_health(self, call):
        code, answer = call("GET", "/health/providers/plain")

        assert (code, answer["fields"][0]["path"]) == (400, "deployment")

    @pytest.mark.parametrize("scope", [Scope.CHAT, Scope.WEBHOOK])
    def test_other_scopes_may_not_see_one(self, call, scope):
        code, _ = call("GET", "/health/providers/small", scope=scope)

        assert code == 403

    def test_only_providers_with_an_upstream_are_there(self, call):
        _, answer = call("GET", "/health/providers")

        told = {
            each["provider"]: [d["deployment"] for d in each["deployments"]]
            for each in answer["data"]
        }
        assert told == {"box": ["small", "other"], "far": ["last"]}


class TestOverride:
    def test_a_deployment_is_taken_out_and_let_in_again(self, call, upstream, gateway):
        upstream.always(chat("Hi."))
        code, put = call(
            "PUT", "/health/providers/small", {"state": "open", "seconds": 600}
        )
        call("POST", "/chat", {"message": "x", "model": "fast"})
        out = standing_of(call, "small")

        assert code == 200
        assert (put["data"]["deployment"], put["data"]["state"]) == ("small", "open")
        assert put["data"]["expires_at"] > put["data"]["set_at"]
        assert upstream.requests[-1].json["model"] == "scripted-2"
        assert out["overridden"] is True
        assert out["obstacle"] == {"reason": "disabled", "seconds": None}
        assert out["override"] == put["data"]

        code, removed = call("DELETE", "/health/providers/small")
        call("POST", "/chat", {"message": "x", "model": "fast"})

        assert (code, removed["data"]) == (
            200,
            {"deployment": "small", "override": None},
        )
        assert upstream.requests[-1].json["model"] == "scripted-1"
        assert standing_of(call, "small")["override"] is None
        events = [gateway.events(f"override_{what}") for what in ("set", "removed")]
        assert [len(each) for each in events] == [1, 1]
        assert events[0][0]["principal"] == put["data"]["set_by"]

    def test_it_may_last_until_it_is_removed(self, call):
        for body in ({"state": "closed"}, {"state": "closed", "seconds": None}):
            _, put = call("PUT", "/health/providers/other", body)

            assert put["data"]["expires_at"] is None

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_the_name_of_a_provider_is_told_with_its_deployments(self, call, method):
        body = {"state": "open"} if method == "PUT" else None

        code, answer = call(method, "/health/providers/box", body)

        assert (code, answer["code"]) == (404, "NOT_FOUND")
        assert answer["details"] == (
            "'box' is a provider; its deployments: small, other."
        )

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_an_unknown_deployment_is_not_found_and_the_nearest_is_named(
        self, call, method
    ):
        body = {"state": "open"} if method == "PUT" else None
        code, answer = call(method, "/health/providers/smal", body)

        assert (code, answer["code"]) == (404, "NOT_FOUND")
        assert "the nearest: small" in answer["details"]

    @pytest.mark.parametrize(
        ("body", "path"),
        [
            ({}, "state"),
            ({"state": "half_open"}, "state"),
            ({"state": "open", "seconds": 0}, "seconds"),
            ({"state": "open", "seconds": 86_401}, "seconds"),
            ({"state": "open", "seconds": True}, "seconds"),
            ({"state": "open", "minutes": 5}, "minutes"),
        ],
    )
    def test_a_body_that_is_wrong_is_refused_with_its_field(self, call, body, path):
        code, answer = call("PUT", "/health/providers/small", body)

        assert (code, answer["fields"][0]["path"]) == (400, path)

    def test_a_key_that_is_given_twice_is_refused(self, call):
        code, answer = call(
            "PUT",
            "/health/providers/small",
            data='{"state": "closed", "state": "open"}',
            content_type="application/json",
        )

        assert (code, answer["details"]) == (400, "The body: a key is given twice.")
        assert standing_of(call, "small")["override"] is None

    def test_what_needs_no_upstream_cannot_be_overridden(self, call):
        code, answer = call("PUT", "/health/providers/plain", {"state": "open"})

        assert (code, answer["fields"][0]["path"]) == (400, "deployment")

    @pytest.mark.parametrize("method", ["PUT", "DELETE"])
    def test_it_takes_an_admin(self, call, method):
        code, _ = call(method, "/health/providers/small", {"state": "open"}, Scope.READ)

        assert code == 403
