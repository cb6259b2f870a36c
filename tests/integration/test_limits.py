"""Limits of principals over HTTP: refusals and headers in each dialect."""

import json

import pytest
from dialect_scene import MESSAGE
from fakes import Reply, chat
from limit_scene import limit_scene
from stream_steps import sse, tokens

ASK = {
    "model": "open",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "Hello"}],
}
UPSTREAM_LIMITS = {
    "x-ratelimit-limit-requests": "9000",
    "x-ratelimit-remaining-requests": "8999",
    "x-ratelimit-remaining-tokens": "777",
    "anthropic-ratelimit-requests-remaining": "8999",
    "anthropic-ratelimit-input-tokens-remaining": "777",
}


@pytest.fixture(params=["memory", "database"])
def scene(request, tmp_path, upstream):
    with limit_scene(tmp_path, upstream, request.param) as opened:
        yield opened


def limits_in(reply):
    """Return the headers of a reply that tell limits, names in lower case."""
    return {
        name.lower(): value
        for name, value in reply.headers.items()
        if "ratelimit" in name.lower()
    }


def told_by_upstream(body):
    return Reply(200, {"Content-Type": "application/json", **UPSTREAM_LIMITS}, body)


class TestRequests:
    def test_our_own_api_tells_them_as_the_draft_does(self, scene):
        scene.limited(requests=3)
        scene.clock.advance(18)

        reply = scene.post("/api/v1/chat", {"message": 7})  # refused later, yet counted

        assert reply.status_code == 400
        assert limits_in(reply) == {
            "ratelimit-policy": '"requests";q=3;w=60',
            "ratelimit": '"requests";r=2;t=43',
        }

    def test_a_refusal_of_our_own_api_says_when_to_come_back(self, scene):
        scene.limited(requests=3)
        scene.clock.advance(18)
        for _ in range(3):
            assert scene.get("/api/v1/templates").status_code in (200, 403)

        reply = scene.get("/api/v1/templates")

        assert reply.status_code == 429
        assert reply.json == {
            "error": "Too many requests.",
            "details": "This API token may make 3 requests a minute.",
            "code": "RATE_LIMIT_EXCEEDED",
        }
        assert reply.headers["Retry-After"] == "43"
        assert limits_in(reply)["ratelimit"] == '"requests";r=0;t=43'
        scene.clock.advance(43)
        assert scene.get("/api/v1/templates").status_code != 429

    def test_openai_s_dialect_has_its_own_words(self, scene, upstream):
        scene.limited(requests=2)
        upstream.always(chat("Hi."))
        replies = [scene.post("/v1/chat/completions", ASK) for _ in range(3)]

        assert [each.status_code for each in replies] == [200, 200, 429]
        assert limits_in(replies[0]) == {
            "x-ratelimit-limit-requests": "2",
            "x-ratelimit-remaining-requests": "1",
            "x-ratelimit-reset-requests": "1m0.001s",
        }
        refused = replies[2]
        assert refused.json["error"]["code"] == "rate_limit_exceeded"
        assert refused.headers["Retry-After"] == "61"
        assert limits_in(refused)["x-ratelimit-remaining-requests"] == "0"
        assert len(upstream.requests) == 2

    def test_anthropic_s_dialect_has_its_own_words(self, scene, upstream):
        scene.limited(requests=1)
        upstream.always(Reply(200, {}, json.dumps(MESSAGE).encode()))
        ask = {**ASK, "model": "claude"}
        scene.clock.advance(10)

        first, refused = (scene.post("/v1/messages", ask) for _ in range(2))

        assert limits_in(first) == {
            "anthropic-ratelimit-requests-limit": "1",
            "anthropic-ratelimit-requests-remaining": "0",
            "anthropic-ratelimit-requests-reset": "2026-01-05T09:01:01Z",
        }
        assert refused.status_code == 429
        assert refused.json["error"]["type"] == "rate_limit_error"
        assert refused.headers["Retry-After"] == "51"
        assert refused.headers["x-should-retry"] == "true"

    def test_the_body_of_a_refused_request_is_not_read(self, scene):
        scene.limited(requests=1)
        scene.get("/v1/models")

        reply = scene.client.post(
            "/v1/chat/completions", data=b"{no json", headers=scene.headers
        )

        assert reply.status_code == 429

    def test_callers_are_counted_apart(self, scene):
        for _ in range(2):
            scene.limited(requests=1)
            assert scene.get("/v1/models").status_code == 200

    def test_who_has_no_limit_is_told_none(self, scene):
        assert limits_in(scene.get("/v1/models")) == {}


class TestTokens:
    def test_what_is_planned_is_charged_and_what_was_not_used_given_back(
        self, scene, upstream
    ):
        scene.limited(tokens=1000)
        upstream.always(chat("Hi."))  # 12 tokens in, 5 out

        scene.post("/v1/chat/completions", ASK)
        reply = scene.get("/v1/models")

        assert limits_in(reply) == {
            "x-ratelimit-limit-tokens": "1000",
            "x-ratelimit-remaining-tokens": "983",
            "x-ratelimit-reset-tokens": "1m56.472s",
        }

    def test_what_has_no_room_is_refused_before_the_upstream_is_called(
        self, scene, upstream
    ):
        scene.limited(tokens=100)
        upstream.always(chat("Hi.", {"prompt_tokens": 60, "completion_tokens": 40}))
        assert scene.post("/v1/chat/completions", ASK).status_code == 200

        reply = scene.post("/v1/chat/completions", ASK)

        assert reply.status_code == 429
        assert reply.json["error"]["code"] == "rate_limit_exceeded"
        assert "100 tokens a minute" in reply.json["error"]["message"]
        assert int(reply.headers["Retry-After"]) > 60
        assert len(upstream.requests) == 1

    def test_what_never_has_room_is_told_so(self, scene, upstream):
        scene.limited(tokens=10)

        reply = scene.post("/v1/chat/completions", ASK)

        assert reply.status_code == 429
        assert "It can never be made" in reply.json["error"]["message"]
        assert "Retry-After" not in reply.headers
        assert reply.headers["x-should-retry"] == "false"
        assert upstream.requests == []

    def test_a_stream_tells_the_limits_as_they_stand_when_it_begins(
        self, scene, upstream
    ):
        scene.limited(tokens=1000)
        upstream.always(sse(tokens("Hi")))

        reply = scene.post("/v1/chat/completions", {**ASK, "stream": True})

        assert b"[DONE]" in reply.data
        told = limits_in(reply)
        assert told["x-ratelimit-limit-tokens"] == "1000"
        assert 900 < int(told["x-ratelimit-remaining-tokens"]) < 950  # 50 are planned

    def test_both_limits_are_told_together(self, scene, upstream):
        scene.limited(requests=5, tokens=1000)
        upstream.always(chat("Hi."))

        reply = scene.post("/api/v1/chat", {"message": "Hi", "max_output_tokens": 50})

        assert limits_in(reply) == {
            "ratelimit-policy": '"requests";q=5;w=60, "tokens";q=1000;w=60;qu="tokens"',
            "ratelimit": '"requests";r=4;t=61, "tokens";r=983;t=61',
        }


class TestUpstreamLimits:
    def test_ours_go_over_those_of_the_upstream_of_the_same_kind(self, scene, upstream):
        scene.limited(requests=5)
        upstream.always(told_by_upstream(chat("Hi.").body))

        told = limits_in(scene.post("/v1/chat/completions", ASK))

        assert told["x-ratelimit-limit-requests"] == "5"
        assert told["x-ratelimit-remaining-requests"] == "4"
        assert told["x-ratelimit-remaining-tokens"] == "777"

    def test_ours_of_tokens_go_over_their_parts(self, scene, upstream):
        scene.limited(tokens=5000)
        upstream.always(told_by_upstream(json.dumps(MESSAGE).encode()))

        told = limits_in(scene.post("/v1/messages", {**ASK, "model": "claude"}))

        assert told["anthropic-ratelimit-tokens-limit"] == "5000"
        assert told["anthropic-ratelimit-requests-remaining"] == "8999"
        assert "anthropic-ratelimit-input-tokens-remaining" not in told
