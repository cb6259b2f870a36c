"""Streams as replies: what goes out, how they end, and who closes them."""

import pytest
from face_fakes import build
from flask import has_request_context
from model_fakes import SEAM, FakeStream, OpenAIServices
from werkzeug.test import EnvironBuilder

from flaskllm.api import guard
from flaskllm.api.streaming import stream_reply
from flaskllm.core.auth import Scope
from flaskllm.core.errors import CallerGone, LLMProtocolError, ServiceUnavailable
from flaskllm.llm.streams import Chunk


class Words:
    """Tells an answer in a dialect of words."""

    seam = ""

    def encode(self, chunk):
        if chunk.text == "break":
            raise ValueError("the encoder's own fault")
        return chunk.text.encode()

    def resume(self, seam):
        self.seam = seam.to_deployment

    def finish(self, answer):
        return f"{self.seam}|end:{answer.finish_reason}".encode()

    def fail(self, error):
        return f"|failed:{error.code}".encode()


@pytest.fixture
def services():
    return OpenAIServices()


@pytest.fixture
def app_of(services):
    """Return an app whose `/stream` streams this answer."""

    def make(answer, headers=None):
        def before(app):
            @guard.guarded(Scope.CHAT)
            def view():
                return stream_reply(answer, Words(), headers)

            app.add_url_rule("/stream", view_func=view)

        return build(services, before=before)

    return make


@pytest.fixture
def stream(app_of, bearer):
    """Return the reply that streams this answer; only its first piece was read."""

    def run(answer, headers=None):
        client = app_of(answer, headers).test_client()
        return client.get("/stream", headers=bearer("chat"))

    return run


def ended(lines):
    """Return the level and the fields of the one line of the stream's end."""
    (line,) = [(level, f) for level, name, f in lines() if name == "stream_ended"]
    return line


def test_chunks_go_out_as_the_encoder_tells_them(stream):
    answer = FakeStream([Chunk(text="a"), Chunk(text="b")])

    assert stream(answer).data == b"ab|end:stop"
    assert answer.closed


@pytest.mark.parametrize("is_raw", [False, True])
def test_after_a_seam_the_encoder_goes_on_and_tells_the_end(stream, is_raw):
    first = b"ab" if is_raw else Chunk(text="ab")
    answer = FakeStream([first, SEAM, None, Chunk(text="c")], is_raw=is_raw)

    assert stream(answer).data == b"ab: ping\n\nclarge|end:stop"


def test_a_stream_that_breaks_after_a_seam_has_no_clean_end(stream):
    answer = FakeStream([b"ab", SEAM, LLMProtocolError()], is_raw=True)

    assert stream(answer).data == b"ab|failed:LLM_PROTOCOL_ERROR"


def test_raw_bytes_go_out_untouched_and_bring_their_own_end(stream):
    answer = FakeStream([b"data: 1\r\n\r\n", b"data: [DONE]\n\n"], is_raw=True)

    assert stream(answer).data == b"data: 1\r\n\r\ndata: [DONE]\n\n"


def test_silence_becomes_a_ping(stream):
    answer = FakeStream([Chunk(text="a"), None, Chunk(text="b")])

    assert stream(answer).data == b"a: ping\n\nb|end:stop"


@pytest.mark.parametrize("is_raw", [False, True])
def test_a_stream_that_breaks_ends_with_its_error_and_nothing_else(stream, is_raw):
    answer = FakeStream([b"a", LLMProtocolError(), b"never"], is_raw=is_raw)

    assert stream(answer).data == b"a|failed:LLM_PROTOCOL_ERROR"
    assert answer.closed


@pytest.mark.parametrize(
    ("failure", "level"),
    [(LLMProtocolError(), "WARNING"), (ServiceUnavailable(), "ERROR")],
)
def test_only_what_we_broke_ourselves_is_logged_as_an_error(
    stream, lines, failure, level
):
    stream(FakeStream([b"a", failure])).get_data()

    found, fields = ended(lines)
    assert (found, fields["code"], fields["rule"]) == (level, failure.code, "/stream")


@pytest.mark.parametrize("cause", [ValueError("sk-secret"), KeyError("sk-secret")])
def test_the_unexpected_is_an_internal_error_with_its_traceback(stream, caplog, cause):
    caplog.set_level("INFO")
    reply = stream(FakeStream([b"a", cause]))

    assert reply.data == b"a|failed:INTERNAL_ERROR"
    (record,) = [r for r in caplog.records if r.getMessage() == "stream_ended"]
    assert record.levelname == "ERROR"
    assert record.exc_info[1].__cause__ is cause


def test_a_fault_of_the_encoder_is_told_too(stream):
    answer = FakeStream([Chunk(text="a"), Chunk(text="break")])

    assert stream(answer).data == b"a|failed:INTERNAL_ERROR"
    assert answer.closed


def test_nothing_is_told_to_a_caller_who_is_gone(stream, lines):
    answer = FakeStream([b"a", CallerGone()])

    assert stream(answer).data == b"a"
    assert answer.closed
    assert ended(lines)[0] == "WARNING"
    assert ended(lines)[1]["code"] == "CALLER_GONE"


def test_a_chunk_without_an_event_is_no_piece(stream, lines):
    """An empty piece would end a body that is sent in chunks."""
    reply = stream(FakeStream([Chunk(), Chunk(text="a")]))

    assert list(reply.iter_encoded()) == [b"a", b"|end:stop"]
    assert ended(lines)[1]["chunks"] == 1


def test_a_stream_that_is_read_to_its_end_has_one_line(stream, lines, services):
    answer = FakeStream([b"a", None, lambda: services.clock.sleep(1.5) or b"b"])
    stream(answer).get_data()

    assert ended(lines) == (
        "INFO",
        {"rule": "/stream", "status": 200, "chunks": 2, "seconds": 1.5, "code": "OK"},
    )


@pytest.mark.parametrize("read", [1, 2])
def test_hanging_up_closes_the_answer_wherever_it_is(stream, lines, read):
    answer = FakeStream([b"a", b"b", b"c"])
    reply = stream(answer)
    pieces = iter(reply.response)
    for _ in range(read):
        next(pieces)

    reply.close()

    assert answer.closed
    assert ended(lines)[1]["code"] == "CALLER_GONE"


def test_a_stream_that_nobody_begins_to_read_is_closed_too(app_of, lines, bearer):
    answer = FakeStream([b"a"])
    environ = EnvironBuilder("/stream", headers=bearer("chat")).get_environ()
    body = app_of(answer)(environ, lambda status, headers: None)

    body.close()
    body.close()

    assert answer.closed
    assert ended(lines)[1]["chunks"] == 0


def test_the_body_needs_no_request(stream):
    seen = []
    answer = FakeStream([lambda: seen.append(has_request_context()) or b"a"])
    stream(answer).get_data()

    assert seen == [False]


def test_the_headers_keep_proxies_from_holding_it_back(stream):
    reply = stream(FakeStream([b"a"]), {"X-Extra": "1"})

    assert reply.content_type == "text/event-stream"
    assert reply.headers["Cache-Control"] == "no-cache"
    assert reply.headers["X-Accel-Buffering"] == "no"
    assert reply.headers["X-Extra"] == "1"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert "Content-Length" not in reply.headers
