"""Routing can be seen, explained and overridden over HTTP; nobody is asked for it."""

import pytest
from fakes import chat, status

from flaskllm.core.auth import Scope

SECRET = "sk-abcdefghijklmnopqrstuv"
SETTINGS = """
providers:
  box: {{kind: openai_compatible, base_url: {url}, api_key: {secret}}}
  far: {{kind: vllm, base_url: "http://127.0.0.1:9/v1", models: discover}}
deployments:
  small:
    provider: box
    model: scripted-1
    context_window: 32000
    max_output_tokens: 1000
    capabilities: [json]
    price: {{input: 1, output: 2.5}}
    tags: [cheap]
  other: {{provider: box, model: scripted-2}}
  last: {{provider: far, model: m-1}}
  plain: {{provider: own, model: extractive}}
routes:
  - alias: fast
    strategy: cheapest
    deployments: {{other: 1, small: 3}}
    fallbacks: [behind]
  - {{alias: behind, deployments: {{last: 1}}, rescue: "off"}}
  - {{pattern: "qwen*", deployments: {{small: 1}}, require_price: true}}
  - {{capability: code, deployments: {{other: 1}}}}
default_route: fast
"""


@pytest.fixture
def gateway(make_gateway, upstream):
    text = SETTINGS.format(url=upstream.url, secret=SECRET)
    text = text.replace("providers:\n", "providers:\n  own: {kind: extractive}\n", 1)
    return make_gateway(text)


@pytest.fixture
def call(gateway):
    """Send a request with an API token of this scope; return its status and JSON."""
    tokens = {scope: gateway.make_token(scope) for scope in Scope}

    def send(method, path, body=None, scope=Scope.ADMIN, **options):
        headers = {"Authorization": f"Bearer {tokens[scope]}"}
        if body is not None:
            options["json"] = body
        reply = gateway.client.open(
            f"/api/v1{path}", method=method, headers=headers, **options
        )
        return reply.status_code, reply.get_json()

    return send


def explain(call, body, scope=Scope.READ):
    code, answer = call("POST", "/routes/explain", body, scope)
    assert code == 200, answer
    return answer["data"]


def names(explained):
    return [each["deployment"] for each in explained["candidates"]]


def standing_of(call, name):
    _, answer = call("GET", "/health/providers")
    return next(
        each
        for provider in answer["data"]
        for each in provider["deployments"]
        if each["deployment"] == name
    )


class TestExplain:
    def test_it_tells_who_would_be_asked_and_asks_nobody(self, call, upstream):
        told = explain(call, {"model": "fast", "messages": [_turn("Hello")]})

        assert told["route"] == {
            "name": "fast",
            "strategy": "cheapest",
            "fallbacks": ["behind"],
            "rescue": "match",
        }
        assert names(told) == ["small", "other", "last"]
        first = told["candidates"][0]
        tokens = first["tokens_input"]
        assert (first["route"], first["provider"]) == ("fast", "box")
        assert (first["model"], first["weight"]) == ("scripted-1", 3)
        assert first["tokens_output"] == 400
        assert first["cost"] == pytest.approx((tokens + 400 * 2.5) / 1e6)
        assert told["candidates"][1]["cost"] is None
        assert first["standing"]["state"] == "closed"
        assert (told["exclusions"], told["error"]) == ([], None)
        assert upstream.connections == 0

    def test_a_prompt_a_message_or_nothing_will_do(self, call):
        prompted = explain(call, {"model": "fast", "prompt": "Hello"})
        asked = explain(call, {"model": "fast", "message": "Hello"}, Scope.CHAT)
        bare = explain(call, {})

        assert prompted == asked
        assert names(bare) == names(asked)

    def test_what_a_request_needs_keeps_deployments_away(self, call):
        tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
        body = {"model": "fast", "prompt": "x", "tools": [tool, {"name": 5}]}

        told = explain(call, body)

        assert names(told) == ["other", "last"]
        (out,) = told["exclusions"]
        assert (out["deployment"], out["reason"]) == ("small", "lacking")
        assert out["details"] == "tools"

    @pytest.mark.parametrize(
        ("kind", "asked"), [("text", ["other"]), ("json_object", ["other"])]
    )
    def test_the_form_of_the_answer_counts(self, call, kind, asked):
        body = {"model": "capability:code", "response_format": {"type": kind}}

        assert names(explain(call, body)) == asked

    def test_an_answer_that_does_not_fit_is_told_with_the_sizes(self, call):
        body = {"model": "qwen3", "prompt": "word " * 40_000}

        told = explain(call, body)

        (out,) = told["exclusions"]
        assert out["reason"] == "too_long"
        assert "room for 31000" in out["details"]
        assert told["error"]["code"] == "LLM_CONTEXT_TOO_LONG"
        assert (told["candidates"], told["last_resort"]) == ([], None)

    def test_an_unknown_model_is_not_found_and_the_nearest_is_named(
        self, call, upstream
    ):
        code, answer = call("POST", "/routes/explain", {"model": "fsat"})

        assert (code, answer["code"]) == (404, "MODEL_NOT_FOUND")
        assert "the nearest: fast" in answer["details"]

    @pytest.mark.parametrize(
        ("body", "path"),
        [
            ({"model": 5}, "model"),
            ({"messages": []}, "messages"),
            ({"messages": [{"role": "boss", "content": "x"}]}, "messages.0.role"),
            ({"tools": ["f"]}, "tools.0"),
            ({"response_format": {"type": "xml"}}, "response_format.type"),
            ({"prompt": " "}, "prompt"),
            ({"api_base": "http://x"}, "api_base"),
        ],
    )
    def test_a_body_that_is_wrong_is_refused_with_its_field(self, call, body, path):
        code, answer = call("POST", "/routes/explain", body)

        assert (code, answer["code"]) == (400, "INVALID_INPUT")
        assert answer["fields"][0]["path"] == path

    def test_other_scopes_may_not_ask(self, call):
        code, _ = call("POST", "/routes/explain", {}, Scope.WEBHOOK)

        assert code == 403


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
            },
            "tags": ["cheap"],
            "weight": 3,
            "standing": {
                "state": "closed",
                "obstacle": None,
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
        assert other["answer_seconds"] > 0.0
        _, answer = call("GET", "/health/providers")
        idle = {each["provider"]: each["idle_seconds"] for each in answer["data"]}
        assert idle["far"] is None
        assert 0.0 <= idle["box"] < 60.0

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

    @pytest.mark.parametrize("method", ["PUT", "DELETE"])
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


def _turn(text):
    return {"role": "user", "content": text}
