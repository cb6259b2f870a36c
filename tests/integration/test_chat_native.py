"""`/api/v1/chat` and its stream: the whole gateway before a scripted upstream."""

import json

import pytest
from fakes import chat, json_reply, status
from stream_steps import event, fin_after, sse, tokens

from flaskllm.core.auth import Scope

HELLO = tokens("Hel", "lo")


@pytest.fixture
def ask(gateway):
    """Post to the chat with a good API token: `ask({...})`, `ask({...}, "/stream")`."""
    token = gateway.make_token(Scope.CHAT)

    def send(body, address=""):
        return gateway.client.post(
            f"/api/v1/chat{address}",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
        )

    return send


def read_events(reply):
    """Return (id, name, data) of each event of a stream."""
    events = []
    for block in reply.get_data(as_text=True).split("\n\n"):
        lines = [line for line in block.splitlines() if not line.startswith(":")]
        if lines:
            fields = dict(line.split(": ", 1) for line in lines)
            data = json.loads(fields["data"])
            events.append((int(fields["id"]), fields["event"], data))
    return events


class TestWhole:
    def test_a_question_becomes_an_answer_with_its_meta(self, ask, upstream):
        upstream.always(chat("Hello."))

        reply = ask({"message": "Hi", "system": "Be short.", "temperature": 1})

        assert reply.status_code == 200
        data, meta = reply.json["data"], reply.json["meta"]
        assert data.pop("message_id").startswith("msg_")
        assert data == {
            "conversation_id": None,
            "model": "fake-model-1",
            "text": "Hello.",
            "finish_reason": "stop",
        }
        assert meta.pop("request_id") == reply.headers["X-Request-ID"]
        assert meta.pop("processing_time") >= 0
        assert meta == {
            "provider": "box",
            "model": "fake-model-1",
            "usage": {"tokens_input": 12, "tokens_output": 5, "source": "provider"},
            "cost": None,
            "cached": False,
            "degraded": False,
            "warnings": [],
        }
        (sent,) = upstream.requests
        assert sent.json["messages"] == [
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": "Hi"},
        ]
        assert sent.json["temperature"] == 1

    def test_a_conversation_with_a_picture_arrives_as_it_is(self, ask, upstream):
        upstream.always(chat("A cat."))
        picture = {"url": "data:image/png;base64,AAAA", "detail": "low"}
        shown = [
            {"type": "text", "text": "What is it?"},
            {"type": "image_url", "image_url": picture},
        ]
        said = [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello."},
            {"role": "user", "content": shown},
        ]

        reply = ask({"messages": said, "max_output_tokens": 9})

        assert reply.json["data"]["text"] == "A cat."
        assert upstream.requests[0].json["messages"] == said

    def test_a_null_counts_as_left_out_and_a_whole_float_as_whole(self, ask, upstream):
        upstream.always(chat("Hello."))

        nothing = dict.fromkeys(("messages", "model", "system", "conversation_id"))
        reply = ask({"message": "Hi", **nothing, "max_output_tokens": 9.0})

        assert reply.status_code == 200
        limits = upstream.requests[0].json
        assert 9 in (limits.get("max_tokens"), limits.get("max_completion_tokens"))

    def test_unknown_names_become_warnings(self, ask, upstream):
        upstream.always(chat("Hello."))

        reply = ask({"message": "Hi", "colour": "red"})

        assert reply.json["meta"]["warnings"] == ["unknown_field: colour"]

    @pytest.mark.parametrize(
        ("body", "path"),
        [
            ({}, "body"),
            ({"message": "x", "messages": [{"role": "user", "content": "x"}]}, "body"),
            ({"message": ""}, "message"),
            ({"message": "  "}, "message"),
            ({"message": 7}, "message"),
            ({"messages": []}, "messages"),
            ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
            ({"messages": [{"role": "user", "content": ""}]}, "messages.0.content"),
            ({"messages": [{"role": "user", "content": []}]}, "messages.0.content"),
            ({"messages": [{"role": "user"}]}, "messages.0.content"),
            ({"message": "x", "model": ""}, "model"),
            ({"message": "x", "conversation_id": "c1"}, "conversation_id"),
            ({"message": "x", "max_output_tokens": -1}, "max_output_tokens"),
            ({"message": "x", "max_output_tokens": 10**9}, "max_output_tokens"),
            ({"message": "x", "max_output_tokens": True}, "max_output_tokens"),
            ({"message": "x", "temperature": 2.1}, "temperature"),
            ({"message": "x", "api_base": "http://evil.example"}, "api_base"),
            ({"message": "x", "more": {"Extra-Headers": {}}}, "more.Extra-Headers"),
        ],
    )
    @pytest.mark.parametrize("address", ["", "/stream"])
    def test_a_wrong_field_is_a_400_that_names_it_and_nothing_is_asked(
        self, ask, upstream, body, path, address
    ):
        reply = ask(body, address)

        assert reply.status_code == 400
        assert [field["path"] for field in reply.json["fields"]] == [path]
        assert upstream.requests == []

    @pytest.mark.parametrize(
        "url", ["http://example.org/cat.png", "file:///etc/passwd", "data:text/html,x"]
    )
    def test_a_picture_from_nowhere_is_a_400(self, ask, upstream, url):
        part = {"type": "image_url", "image_url": {"url": url}}

        reply = ask({"messages": [{"role": "user", "content": [part]}]})

        assert reply.status_code == 400
        assert upstream.requests == []

    def test_only_users_show_pictures(self, ask, upstream):
        image = {"url": "https://example.org/cat.png"}
        part = {"type": "image_url", "image_url": image}

        reply = ask({"messages": [{"role": "assistant", "content": [part]}]})

        assert reply.status_code == 400
        assert reply.json["fields"][0]["path"] == "messages.0.content.0.type"

    def test_an_unknown_model_is_a_404(self, ask, upstream):
        reply = ask({"message": "x", "model": "scriptet"})

        assert (reply.status_code, reply.json["code"]) == (404, "MODEL_NOT_FOUND")
        assert "scripted" in reply.json["details"]
        assert upstream.requests == []

    def test_an_upstream_that_fails_is_told_as_what_it_is(self, ask, upstream):
        upstream.always(status(401))

        reply = ask({"message": "x"})

        assert (reply.status_code, reply.json["code"]) == (
            502,
            "LLM_CREDENTIAL_REJECTED",
        )

    def test_the_scope_webhook_is_not_enough(self, gateway, upstream):
        reply = gateway.client.post(
            "/api/v1/chat",
            json={"message": "x"},
            headers={"Authorization": f"Bearer {gateway.token}"},
        )

        assert reply.status_code == 403


class TestStream:
    def test_it_is_tokens_and_done_with_increasing_ids(self, ask, upstream):
        upstream.always(sse(HELLO))

        reply = ask({"message": "Hi", "colour": "red"}, "/stream")

        assert reply.mimetype == "text/event-stream"
        assert reply.headers["X-Accel-Buffering"] == "no"
        *said, (number, name, done) = read_events(reply)
        assert said == [(1, "token", {"text": "Hel"}), (2, "token", {"text": "lo"})]
        assert (number, name) == (3, "done")
        assert done.pop("message_id").startswith("msg_")
        assert done == {
            "conversation_id": None,
            "model": "fake-model-1",
            "finish_reason": "stop",
            "usage": {"tokens_input": 12, "tokens_output": 2, "source": "provider"},
            "cost": None,
            "cached": False,
            "warnings": ["unknown_field: colour"],
        }

    @pytest.mark.parametrize(
        "step",
        [
            fin_after(HELLO, 2),
            sse(
                [*HELLO[:2], event({"error": {"message": "secret"}})], every_seconds=0.1
            ),
        ],
        ids=["cut", "told"],
    )
    def test_one_that_breaks_ends_with_an_error_and_never_with_done(
        self, ask, upstream, step
    ):
        upstream.always(step)

        reply = ask({"message": "Hi"}, "/stream")

        *said, (number, name, error) = read_events(reply)
        assert said == [(1, "token", {"text": "Hel"})]
        assert (number, name) == (2, "error")
        assert error.keys() >= {"error", "details", "code"}
        assert "secret" not in str(error)

    def test_what_fails_before_the_first_token_is_a_plain_error(self, ask, upstream):
        upstream.always(json_reply({"error": {"message": "no"}}, 401))

        reply = ask({"message": "Hi"}, "/stream")

        assert reply.status_code == 502
        assert reply.json["code"] == "LLM_CREDENTIAL_REJECTED"

    def test_a_refusal_is_said_in_words(self, ask, upstream):
        delta = {"index": 0, "delta": {"refusal": "No."}, "finish_reason": None}
        refused = event({"id": "x", "model": "m", "choices": [delta]})
        upstream.always(sse([HELLO[0], refused, *HELLO[-3:]]))

        events = read_events(ask({"message": "Hi"}, "/stream"))

        assert events[0][1:] == ("token", {"text": "No."})
        assert events[-1][1] == "done"


class TestMetrics:
    def numbers(self, gateway):
        """Return every sample as `name{labels}`: value."""
        text = gateway.client.get("/metrics").get_data(as_text=True)
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in (x.rsplit(" ", 1) for x in lines)}

    def test_a_stream_is_counted_once_it_has_ended(self, gateway, ask, upstream):
        upstream.always(sse(HELLO))

        with ask({"message": "Hi"}, "/stream") as reply:
            reply.get_data()

        found = self.numbers(gateway)
        rule = 'rule="/api/v1/chat/stream"'
        requests = f'flaskllm_requests_total{{method="POST",{rule},status="200"}}'
        assert found[requests] == 1
        assert found[f"flaskllm_request_seconds_count{{{rule}}}"] == 1
        assert found[f"flaskllm_overhead_seconds_count{{{rule}}}"] == 1
        deployment = 'deployment="small"'
        assert found[f"flaskllm_first_token_seconds_count{{{deployment}}}"] == 1
        tokens_used = f'flaskllm_tokens_total{{{deployment},kind="input_uncached"}}'
        assert found[tokens_used] == 12
        assert found["flaskllm_streams_in_flight"] == 0

    def test_an_event_that_cannot_be_read_is_skipped_and_counted(
        self, gateway, ask, upstream
    ):
        upstream.always(sse([*HELLO[:2], event(b"{not json"), *HELLO[2:]]))

        with ask({"message": "Hi"}, "/stream") as reply:
            events = read_events(reply)

        assert [name for _, name, _ in events] == ["token", "token", "done"]
        found = self.numbers(gateway)
        assert found['flaskllm_malformed_events_total{deployment="small"}'] == 1

    def test_one_that_the_upstream_breaks_off_is_a_cut(self, gateway, ask, upstream):
        upstream.always(fin_after(HELLO, 2))

        with ask({"message": "Hi"}, "/stream") as reply:
            reply.get_data()

        found = self.numbers(gateway)
        # Whoever was asked to go on with it broke off too.
        attempts = gateway.events("attempt_ended")
        assert len(attempts) > 1
        cuts = found['flaskllm_streams_cut_total{reason="upstream"}']
        assert cuts == len(attempts)
        assert found["flaskllm_streams_in_flight"] == 0

    def test_one_that_the_caller_leaves_is_a_cut_too(self, gateway, ask, upstream):
        upstream.always(sse([*HELLO[:2], *HELLO[1:2] * 1000]))

        reply = ask({"message": "Hi"}, "/stream")
        assert self.numbers(gateway)["flaskllm_streams_in_flight"] == 1
        next(reply.response)
        reply.close()

        found = self.numbers(gateway)
        assert found['flaskllm_streams_cut_total{reason="caller"}'] == 1
        assert found["flaskllm_streams_in_flight"] == 0
        assert upstream.wait_for_hang_up()
