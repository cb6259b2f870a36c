"""Routes that keep answers, through every face of the whole gateway."""

import json

import pytest
from cache_scene import ASKED, MESSAGES, cached, open_client
from fakes import chat, status
from sqlalchemy import select

from flaskllm.core.auth import Scope
from flaskllm.storage.tables import cache as cache_table


@pytest.fixture(params=["memory", "database"])
def caller(request, make_gateway, upstream):
    return open_client(make_gateway, upstream, request.param)


@pytest.fixture
def one(make_gateway, upstream):
    return open_client(make_gateway, upstream, "memory")


def text_of_events(response):
    lines = response.get_data(as_text=True).splitlines()
    events = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    choices = [choice for event in events for choice in event["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


class TestFaces:
    def test_an_equal_request_is_answered_byte_for_byte(self, caller):
        first, second = caller.post(), caller.post()

        assert (cached(first), cached(second)) == ("miss", "hit")
        assert second.get_data() == first.get_data()
        assert second.headers["Age"] == "0"
        assert "Age" not in first.headers
        assert caller.calls == 1

    def test_a_stream_is_told_again_as_it_came(self, caller):
        asked = ASKED | {"stream": True}
        first = caller.post(body=asked)
        data = first.get_data()
        second = caller.post(body=asked)

        assert (cached(first), cached(second)) == ("miss", "hit")
        assert second.get_data() == data
        assert text_of_events(second) == "Hello"
        assert caller.calls == 1

    def test_an_answer_serves_who_wants_a_stream_and_who_does_not(self, caller):
        caller.post()
        options = {"stream": True, "stream_options": {"include_usage": True}}
        streamed = caller.post(body=ASKED | options)

        assert cached(streamed) == "hit"
        assert text_of_events(streamed) == "Hello there"
        assert b'"total_tokens":17' in streamed.get_data()
        assert streamed.get_data().endswith(b"data: [DONE]\n\n")

    def test_so_does_one_that_was_streamed(self, caller):
        caller.post(body=ASKED | {"stream": True}).get_data()
        whole = caller.post()

        assert cached(whole) == "hit"
        assert whole.json["choices"][0]["message"]["content"] == "Hello"
        assert whole.json["usage"]["total_tokens"] == 17

    def test_thoughts_signatures_and_calls_survive(self, one):
        first = one.post("/v1/messages", MESSAGES)
        second = one.post("/v1/messages", MESSAGES)
        streamed = one.post("/v1/messages", MESSAGES | {"stream": True})

        assert (cached(second), cached(streamed)) == ("hit", "hit")
        assert second.get_data() == first.get_data()
        told = streamed.get_data(as_text=True)
        assert all(word in told for word in ("sig==", "toolu_1", '"tool_use"', "Hello"))
        assert one.calls == 1

    def test_our_own_chat_says_so(self, one):
        asked = {"message": "Hi", "temperature": 0}
        one.post("/api/v1/chat", asked)
        meta = one.post("/api/v1/chat", asked).json["meta"]
        done = one.post("/api/v1/chat/stream", asked).get_data(as_text=True)

        assert (meta["cached"], meta["cost"]) == (True, 0.0)
        assert meta["usage"] == {
            "tokens_input": 12,
            "tokens_output": 5,
            "source": "cached",
        }
        assert '"cached":true' in done
        assert one.calls == 1

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/v1/responses", {"input": "Hi", "temperature": 0}),
            ("/v1/completions", {"prompt": "Hi", "temperature": 0}),
            ("/v1/embeddings", {"input": "Hi"}),
        ],
    )
    def test_the_other_faces_too(self, one, path, body):
        body = {"model": "kept"} | body

        assert [cached(one.post(path, body)) for _ in range(2)] == ["miss", "hit"]
        assert one.calls == 1

    def test_a_route_that_keeps_nothing_says_nothing(self, one):
        plain = ASKED | {"model": "plain"}

        assert [cached(one.post(body=plain)) for _ in range(2)] == [None, None]
        assert one.calls == 2


def test_an_answer_that_is_kept_is_written_once(make_gateway, upstream):
    client = open_client(make_gateway, upstream, "database")

    client.post()
    client.post(body=ASKED | {"stream": True, "temperature": 0.0}).get_data()

    with client.gateway.services.database.reading() as connection:
        keys = connection.execute(select(cache_table.c.key)).scalars().all()
    kinds = [key.split("/")[1] for key in keys]
    assert sorted(kinds) == ["answer", "mark", "mark", "mark"]


class TestWishes:
    def test_no_cache_asks_and_keeps(self, one):
        one.post()

        assert cached(one.post(**{"Cache-Control": "no-cache"})) == "miss"
        assert one.calls == 2

    @pytest.mark.parametrize(
        ("more", "headers"),
        [
            ({"cache": False}, {}),
            ({"sensitive": True}, {}),
            ({}, {"Cache-Control": "no-store"}),
            ({"temperature": 1}, {}),
            ({"messages": [{"role": "user", "content": "4111 1111 1111 1111"}]}, {}),
        ],
    )
    def test_nothing_is_read_and_nothing_kept(self, one, more, headers):
        for _ in range(2):
            assert cached(one.post(body=ASKED | more, **headers)) == "bypass"

        assert one.calls == 2
        assert b"cache" not in one.upstream.requests[-1].body
        assert b"sensitive" not in one.upstream.requests[-1].body

    def test_another_field_of_that_name_is_passed_on(self, one):
        one.post(body=ASKED | {"cache": {"ttl": 5}})

        assert json.loads(one.upstream.requests[-1].body)["cache"] == {"ttl": 5}

    def test_our_own_chat_takes_them_as_well(self, one):
        asked = {"message": "Hi", "temperature": 0, "cache": False}

        for _ in range(2):
            assert cached(one.post("/api/v1/chat", asked)) == "bypass"


class TestWhose:
    def test_nobody_is_given_what_another_was_answered(self, one):
        other = one.gateway.make_token(Scope.CHAT)
        one.post()

        assert cached(one.post(token=other)) == "miss"

    def test_unless_the_route_says_so(self, one):
        other, warm = one.gateway.make_token(Scope.CHAT), {"model": "warm"}
        body = ASKED | warm | {"temperature": 1}
        one.post(body=body)

        assert cached(one.post(body=body, token=other)) == "hit"
        own = one.get("/api/v1/tokens/self").json["data"]["id"]
        one.clear(f"?token={own}")
        assert cached(one.post(body=body, token=other)) == "miss"


class TestWhatIsNotKept:
    @pytest.mark.parametrize(
        "reply",
        [
            chat("cut", finish_reason="length"),
            chat("no", finish_reason="content_filter"),
            status(400),
            status(500),
        ],
    )
    def test_errors_and_what_is_not_whole(self, one, reply):
        one.upstream.script(*[reply] * 8)
        one.post()
        before = one.calls
        one.post()

        assert one.calls > before

    def test_what_a_fallback_said(self, one):
        one.upstream.script(status(401))
        body = ASKED | {"model": "safe"}

        assert [cached(one.post(body=body)) for _ in range(2)] == ["miss", "miss"]


class TestMoney:
    def test_a_hit_costs_nothing_and_tells_what_it_saved(self, caller):
        for _ in range(4):
            caller.post()
        caller.gateway.services.accounts.flush()

        total = caller.get("/api/v1/usage/summary").json["data"]["total"]
        (row,) = caller.get("/api/v1/usage/requests?limit=1").json["data"]

        assert (total["attempts"], total["cost_nanos"]) == (4, 22_000)
        assert (total["cache_hits"], total["cache_hit_ratio"]) == (3, 0.75)
        assert (total["saved_nanos"], total["tokens_input"]) == (66_000, 12)
        (attempt,) = row["attempts"]
        assert (attempt["usage_source"], attempt["cost"]) == ("cached", 0.0)
        assert attempt["saved"] == 0.000022
        metrics = caller.gateway.services.metrics.render().decode()
        assert 'cache_requests_total{outcome="hit",reason=""} 3.0' in metrics
        assert "flaskllm_cache_saved_nanos_total 66000.0" in metrics

    def test_a_hit_counts_as_a_request(self, one):
        made = one.post(
            "/api/v1/tokens",
            {"name": "few", "scopes": ["chat"], "requests_per_minute": 2},
        ).json["data"]
        statuses = [one.post(token=made["token"]).status_code for _ in range(3)]

        assert statuses == [200, 200, 429]


class TestDigests:
    def test_an_equal_document_costs_nothing(self, one):
        facts = {"keywords": ["launch", "friday"], "language": "en"}
        one.upstream.always(chat(json.dumps(facts)))
        order = {"prompt": "The launch is on Friday.", "type": "keywords"}

        first, second = (one.post("/api/v1/webhook", order) for _ in range(2))

        assert (cached(first), cached(second)) == ("miss", "hit")
        assert [each.json["meta"]["cached"] for each in (first, second)] == [
            False,
            True,
        ]
        assert second.json["meta"]["cost"] == 0.0
        assert second.json["data"]["digest"] == first.json["data"]["digest"]

    def test_it_is_cleared_by_its_template(self, one):
        facts = {"keywords": ["launch", "friday"], "language": "en"}
        one.upstream.always(chat(json.dumps(facts)))
        order = {"prompt": "The launch is on Friday.", "type": "keywords"}
        one.post("/api/v1/webhook", order)

        one.clear("?template=summary")
        assert cached(one.post("/api/v1/webhook", order)) == "hit"
        one.clear("?template=keywords")
        assert cached(one.post("/api/v1/webhook", order)) == "miss"

    def test_what_is_not_to_be_kept_is_not(self, one):
        facts = {"keywords": ["launch", "friday"], "language": "en"}
        one.upstream.always(chat(json.dumps(facts)))
        order = {"prompt": "The launch is on Friday.", "type": "keywords"}

        for more in ({"cache": False}, {"sensitive": True}):
            for _ in range(2):
                assert cached(one.post("/api/v1/webhook", order | more)) == "bypass"
