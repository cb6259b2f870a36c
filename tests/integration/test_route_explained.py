"""A route is explained over HTTP; nobody is asked for it."""

import pytest
from state_scene import caller, settings

from flaskllm.core.auth import Scope


@pytest.fixture
def gateway(make_gateway, upstream):
    return make_gateway(settings(upstream.url))


@pytest.fixture
def call(gateway):
    return caller(gateway)


def explain(call, body, scope=Scope.READ):
    code, answer = call("POST", "/routes/explain", body, scope)
    assert code == 200, answer
    return answer["data"]


def names(explained):
    return [each["deployment"] for each in explained["candidates"]]


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
        assert first["score"] == pytest.approx(first["cost"] * 1e9)
        assert "nano-dollars, lowest first" in first["score_meaning"]
        assert [each["strategy"] for each in told["candidates"]] == [
            "cheapest",
            "cheapest",
            "weighted",
        ]
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

    def test_what_means_nothing_is_told(self, call):
        body = {"model": "fast", "prompt": "x", "stream": True, "max_token": 5}

        _, answer = call("POST", "/routes/explain", body)

        assert answer["meta"]["warnings"] == ["unknown_field: max_token"]

    @pytest.mark.parametrize(
        "caps",
        [
            {"max_output_tokens": 5, "max_completion_tokens": 6, "max_tokens": 7},
            {"max_completion_tokens": 5, "max_tokens": 7},
            {"max_tokens": 5},
        ],
    )
    def test_the_longest_answer_may_be_told_as_openai_does(self, call, caps):
        body = {"model": "fast", "prompt": "x", **caps}

        _, answer = call("POST", "/routes/explain", body)

        assert answer["data"]["candidates"][0]["tokens_output"] == 5
        assert answer["meta"]["warnings"] == []

    def test_several_answers_cost_as_many_times_and_nothing_else_changes(self, call):
        body = {"model": "fast", "prompt": "x"}

        one, three = explain(call, body), explain(call, {**body, "n": 3})

        assert names(three) == names(one)
        before, after = one["candidates"][0], three["candidates"][0]
        assert after["tokens_output"] == 3 * before["tokens_output"]
        assert after["cost"] > 2 * before["cost"]

    def test_who_gives_one_answer_at_a_time_is_left_out_of_several(self, make_gateway):
        gateway = make_gateway(
            """
            providers: {claude: {kind: anthropic, api_key: sk-1}}
            deployments: {one: {provider: claude, model: claude-haiku-4-5}}
            routes: [{alias: fast, deployments: {one: 1}}]
            """
        )
        reply = gateway.client.post(
            "/api/v1/routes/explain",
            json={"model": "fast", "prompt": "x", "n": 2},
            headers={"Authorization": f"Bearer {gateway.make_token(Scope.READ)}"},
        )

        told = reply.get_json()["data"]
        (out,) = told["exclusions"]
        assert (out["reason"], out["details"]) == ("lacking", "choices")
        assert (told["candidates"], told["error"]["code"]) == ([], "INVALID_INPUT")

    def test_more_messages_than_a_chat_has_are_refused_as_there(self, call):
        body = {"messages": [_turn("x")] * 2000, "prompt": "x"}

        code, answer = call("POST", "/routes/explain", body)

        assert (code, answer["fields"][0]["path"]) == (400, "messages")

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
            ({"n": 0}, "n"),
            ({"n": 9}, "n"),
            ({"max_tokens": 0}, "max_tokens"),
            ({"max_completion_tokens": "many"}, "max_completion_tokens"),
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


def _turn(text):
    return {"role": "user", "content": text}
