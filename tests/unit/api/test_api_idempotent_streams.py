"""Streams are kept whole and told again as streams, in every dialect."""

from dataclasses import dataclass, field

import pytest
from face_fakes import build
from model_fakes import CHAT, DEPLOYMENT, SEAM, FakeStream, OpenAIServices

from flaskllm.core.errors import CallerGone, LLMProtocolError
from flaskllm.core.sse import DONE, PING
from flaskllm.llm.streams import Chunk

WORDS = [Chunk(text="Hel"), None, Chunk(text="lo.")]
MESSAGES = {"messages": [{"role": "user", "content": "Hi."}]}
STREAMS = {
    "/api/v1/chat/stream": MESSAGES,
    "/v1/chat/completions": {**MESSAGES, "stream": True},
    "/v1/completions": {"prompt": "Hi.", "stream": True},
    "/v1/responses": {"input": "Hi.", "stream": True, "store": False},
    "/v1/messages": {**MESSAGES, "max_tokens": 9, "stream": True},
}
WHOLE = {
    "/api/v1/chat": MESSAGES,
    "/v1/chat/completions": MESSAGES,
    "/v1/completions": {"prompt": "Hi."},
    "/v1/embeddings": {"input": "Hi."},
    "/v1/responses": {"input": "Hi.", "store": False},
    "/v1/messages": {**MESSAGES, "max_tokens": 9},
}


class Models:
    """Estimates what Anthropic's streams tell at their start."""

    def estimate_tokens(self, asked, model):
        return 3


class Stream(FakeStream):
    """A scripted answer that knows who gives it."""

    deployment = DEPLOYMENT


@dataclass(frozen=True)
class Services(OpenAIServices):
    """The fakes of every route that streams."""

    models: Models = field(default_factory=Models)
    responses: None = None


@pytest.fixture
def services():
    return Services()


@pytest.fixture
def send(services):
    client = build(services).test_client()

    def run(path, body=None, key="order-7"):
        headers = {**CHAT, "Idempotency-Key": key}
        return client.post(path, json=body or STREAMS[path], headers=headers)

    return run


@pytest.mark.parametrize("path", STREAMS)
def test_a_stream_is_told_again_as_it_was_but_for_the_signs_of_life(
    send, services, path
):
    services.completions.stream_answer = Stream(WORDS)

    first, again = send(path), send(path, key='"order-7"')
    assert again.status_code == 409  # the first is not read to its end
    told = first.get_data()
    again = send(path)

    assert again.status_code == 200
    assert PING in told
    assert again.get_data() == told.replace(PING, b"")
    assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["X-Accel-Buffering"] == "no"
    assert again.mimetype == "text/event-stream"
    assert len(services.completions.asked) == 1


@pytest.mark.parametrize("path", WHOLE)
def test_a_whole_answer_is_told_again_in_every_dialect(send, services, path):
    first, again = send(path, WHOLE[path]), send(path, WHOLE[path])

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.data == first.data
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(services.completions.asked) == 1


@pytest.mark.parametrize("path", sorted(set(STREAMS) & set(WHOLE)))
def test_streamed_and_not_streamed_are_two_requests(send, path):
    send(path, WHOLE[path])

    assert send(path, STREAMS[path]).status_code == 422


def test_events_that_are_passed_on_are_kept_as_they_came(send, services):
    events = [b'data: {"choices": []}\r\n\r\n', DONE]
    answer = Stream(events, is_raw=True)
    services.completions.stream_answer = answer

    first = send("/v1/chat/completions")
    answer.is_complete = True  # the end mark was read
    told = first.get_data()

    assert told == b"".join(events)
    assert send("/v1/chat/completions").get_data() == told


@pytest.mark.parametrize("is_raw", [False, True])
def test_it_is_kept_before_its_end_goes_out(send, services, is_raw):
    pieces = [b"data: 1\n\n", b"data: 2\n\n", DONE] if is_raw else WORDS
    answer = Stream(pieces, is_raw=is_raw)
    services.completions.stream_answer = answer
    events = iter(send("/v1/chat/completions").response)
    told = next(events)

    answer.is_complete = is_raw
    while b"[DONE]" not in told:
        assert answer.closed == 0
        told += next(events)

    assert send("/v1/chat/completions").get_data() == told.replace(PING, b"")


def test_a_stream_that_another_deployment_ended_is_whole(send, services):
    answer = Stream([b"data: 1\n\n", SEAM, Chunk(text="c")], is_raw=True)
    services.completions.stream_answer = answer

    told = send("/v1/chat/completions").get_data()

    assert send("/v1/chat/completions").get_data() == told
    assert told.endswith(DONE)


@pytest.mark.parametrize("path", STREAMS)
@pytest.mark.parametrize("error", [LLMProtocolError(), KeyError(), CallerGone()])
def test_a_stream_that_broke_is_run_again(send, services, path, error):
    services.completions.stream_answer = Stream([Chunk(text="Hel"), error])
    send(path).get_data()
    services.completions.stream_answer = Stream(WORDS)

    again = send(path)

    assert "Idempotency-Replayed" not in again.headers
    assert b"lo." in again.get_data()
    assert len(services.completions.asked) == 2


def test_whoever_reads_the_error_may_ask_again_at_once(send, services):
    broken = Stream([Chunk(text="Hel"), LLMProtocolError()])
    services.completions.stream_answer = broken
    events = iter(send("/api/v1/chat/stream").response)
    next(events)

    assert b"event: error" in next(events)
    assert send("/api/v1/chat/stream").status_code == 200


@pytest.mark.parametrize("is_begun", [False, True])
def test_a_stream_that_its_caller_left_is_run_again(send, services, is_begun):
    services.completions.stream_answer = answer = Stream(WORDS)
    first = send("/api/v1/chat/stream")
    if is_begun:
        next(iter(first.response))

    first.close()

    assert answer.closed >= 1
    assert "Idempotency-Replayed" not in send("/api/v1/chat/stream").headers


def test_a_stream_of_more_than_32_mib_goes_out_and_is_not_kept(send, services, lines):
    long = Chunk(text="x" * 2**20)
    services.completions.stream_answer = Stream([long] * 32)

    told = send("/api/v1/chat/stream").get_data()

    assert len(told) > 32 * 2**20
    reasons = [f["reason"] for _, name, f in lines() if "not_kept" in name]
    assert reasons == ["the stream is too long"]
    assert "Idempotency-Replayed" not in send("/api/v1/chat/stream").headers


@pytest.mark.parametrize("path", STREAMS)
def test_without_a_key_a_stream_is_not_recorded(services, path):
    services.completions.stream_answer = Stream(WORDS)
    client = build(services).test_client()

    reply = client.post(path, json=STREAMS[path], headers=CHAT)

    assert "Recording" not in repr(vars(reply.response))
    assert b"lo." in reply.get_data()


class TestDialects:
    """The refusals as each vendor's clients read them."""

    @pytest.fixture
    def refused(self, send, services):
        """Return the answers to one that runs, and to another body with its key."""

        def run(path):
            services.completions.stream_answer = Stream(WORDS)
            running = send(path)
            in_flight, reused = send(path), send(path, WHOLE[path])
            running.close()
            return in_flight, reused

        return run

    def test_openai(self, refused):
        in_flight, reused = refused("/v1/chat/completions")

        assert in_flight.status_code == 409
        assert in_flight.json["error"]["type"] == "invalid_request_error"
        assert in_flight.headers["x-should-retry"] == "true"
        assert in_flight.headers["Retry-After"] == "1"
        assert in_flight.headers["retry-after-ms"] == "1000"
        assert reused.status_code == 422
        assert reused.json["error"]["code"] == "idempotency_key_reused"
        assert reused.headers["x-should-retry"] == "false"

    def test_anthropic(self, refused):
        in_flight, reused = refused("/v1/messages")

        assert in_flight.status_code == 409
        assert in_flight.json["error"]["type"] == "conflict_error"
        assert in_flight.headers["x-should-retry"] == "true"
        assert reused.status_code == 422
        assert reused.json["error"]["type"] == "invalid_request_error"
        assert reused.headers["x-should-retry"] == "false"

    @pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
    def test_a_key_that_cannot_be_read_is_named(self, send, path):
        reply = send(path, key="a,b")

        assert reply.status_code == 400
        assert "Idempotency-Key" in reply.json["error"]["message"]
