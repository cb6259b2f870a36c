"""An answer under way ends when its API token is good no more."""

import json
from itertools import repeat

import pytest
from face_fakes import build, token_for
from fakes import FakeClock
from model_fakes import CHAT, FakeCompletions, FakeStream, OpenAIServices

from flaskllm.api import guard
from flaskllm.api.streaming import stream_reply
from flaskllm.api.tenure import Tenure
from flaskllm.core.auth import Scope
from flaskllm.core.errors import AuthenticationError
from flaskllm.core.sse import SSEParser
from flaskllm.llm.streams import Chunk


class Answers:
    """Tells whether an API token is good, and counts how often it was asked."""

    def __init__(self, clock, seconds=0.0):
        self.good = True
        self.looks = 0
        self._clock = clock
        self._seconds = seconds

    def __call__(self):
        self.looks += 1
        self._clock.advance(self._seconds)
        return self.good


class TestTenure:
    def test_it_is_asked_once_a_second_however_often_it_is_checked(self):
        clock = FakeClock()
        answers = Answers(clock)
        tenure = Tenure(answers, clock)

        for _ in range(1000):
            clock.advance(0.01)
            tenure.check()

        assert answers.looks in (9, 10)

    def test_it_is_not_asked_within_a_second_of_its_proof(self):
        clock = FakeClock()
        answers = Answers(clock)
        tenure = Tenure(answers, clock)
        answers.good = False

        clock.advance(0.99)
        tenure.check()
        clock.advance(0.01)
        with pytest.raises(AuthenticationError) as refused:
            tenure.check()

        assert answers.looks == 1
        assert "revoked, or has expired, meanwhile" in refused.value.details

    def test_who_answers_slowly_is_left_alone_for_a_second(self):
        clock = FakeClock()
        answers = Answers(clock, seconds=5.0)
        tenure = Tenure(answers, clock)

        clock.advance(1.0)
        tenure.check()
        clock.advance(0.9)
        tenure.check()

        assert answers.looks == 1


class Bytes:
    """Tells an error by its code; all else is raw."""

    def fail(self, error):
        return f"|failed:{error.code}".encode()


@pytest.fixture
def services():
    return OpenAIServices()


@pytest.fixture
def after(services):
    """Return a piece that comes after so many seconds."""
    return lambda seconds, piece=b"c": lambda: services.clock.sleep(seconds) or piece


@pytest.fixture
def revoke(services):
    """Return a piece with which the API token is good no more."""

    def piece():
        services.api_tokens.are_good = False
        return b"b"

    return piece


def stream(services, *pieces):
    """Return what is read of a stream of these pieces, and the answer itself."""
    answer = FakeStream([*pieces], is_raw=True)

    def before(app):
        @guard.guarded(Scope.CHAT)
        def view():
            return stream_reply(answer, Bytes())

        app.add_url_rule("/stream", view_func=view)

    app = build(services, before=before)
    return app.test_client().get("/stream", headers=CHAT).data, answer


class TestStreams:
    def test_a_revoked_one_ends_with_an_error_and_closes_its_upstream(
        self, services, revoke, after, lines
    ):
        read, answer = stream(services, b"a", revoke, b"c", after(1.0), b"never")

        assert read == b"abc|failed:AUTHENTICATION_ERROR"
        assert answer.closed
        (ended,) = [each for each in lines() if each[1] == "stream_ended"]
        assert (ended[0], ended[2]["code"]) == ("WARNING", "AUTHENTICATION_ERROR")

    def test_silence_ends_it_too(self, services, revoke, after):
        read, _ = stream(services, b"a", revoke, after(5.0, None), after(5.0, None))

        assert read == b"ab|failed:AUTHENTICATION_ERROR"

    def test_a_good_one_is_asked_about_once_a_second(self, services, after):
        read, _ = stream(services, *repeat(after(0.1), 100))

        assert read == b"c" * 100
        assert services.api_tokens.looks in (9, 10)

    def test_the_upstream_is_closed_before_the_error_is_read(
        self, services, revoke, after
    ):
        answer = FakeStream([revoke, after(2.0)], is_raw=True)

        def before(app):
            @guard.guarded(Scope.CHAT)
            def view():
                return stream_reply(answer, Bytes())

            app.add_url_rule("/stream", view_func=view)

        app = build(services, before=before)
        reply = app.test_client().get("/stream", headers=CHAT, buffered=False)
        pieces = reply.iter_encoded()
        assert next(pieces) == b"b"
        assert next(pieces) == b"|failed:AUTHENTICATION_ERROR"
        assert answer.closed == 1
        reply.close()


def last_of_openai(data):
    event = json.loads(data.split(b"data: ")[-1])
    return event["error"]["code"]


def last_of_native(data):
    *_, last = SSEParser().feed(data)
    assert last.name == "error"
    return json.loads(last.data)["code"]


MESSAGES = [{"role": "user", "content": "Hi"}]
DIALECTS = {
    "/v1/chat/completions": (
        {"messages": MESSAGES, "stream": True},
        last_of_openai,
        "invalid_api_key",
    ),
    "/v1/completions": (
        {"prompt": "Hi", "stream": True},
        last_of_openai,
        "invalid_api_key",
    ),
    "/api/v1/chat/stream": ({"message": "Hi"}, last_of_native, "AUTHENTICATION_ERROR"),
}


@pytest.mark.parametrize("path", DIALECTS)
def test_every_dialect_tells_it_as_its_own_error(services, after, path):
    body, read, code = DIALECTS[path]

    def revoke():
        services.api_tokens.are_good = False
        return Chunk(text="Hel")

    answer = FakeStream([revoke, after(2.0, Chunk(text="never")), Chunk(text="lo")])
    object.__setattr__(services, "completions", FakeCompletions(stream_answer=answer))

    reply = build(services).test_client().post(path, json=body, headers=CHAT)

    assert reply.status_code == 200
    assert read(reply.data) == code
    assert b"never" not in reply.data
    assert token_for("chat").encode() not in reply.data
