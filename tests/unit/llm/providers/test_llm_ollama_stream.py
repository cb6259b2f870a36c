"""What of a broken stream of Ollama's is told, kept, and known to be text."""

import json

import pytest
from fakes import FakeClock

from flaskllm.core.errors import LLMContextTooLong, LLMProtocolError, LLMUnavailable
from flaskllm.llm.parts import Message
from flaskllm.llm.providers import build_provider
from flaskllm.llm.types import CompletionRequest

ASKED = CompletionRequest("fast", (Message("user", "Hello"),), stream=True)
LONG = CompletionRequest("fast", (Message("user", "the meeting on friday " * 2500),))


def reader(request=ASKED):
    return build_provider("ollama", None, None, FakeClock()).read_stream(request)


def line(words="", **told):
    message = {"role": "assistant", "content": words, **told.pop("message", {})}
    return json.dumps({"model": "llama3.1:8b", "message": message, **told}).encode()


def words_of(chunks):
    return [chunk.text for chunk in chunks]


HOLES = {
    "cut": b'{"model": "llama3.1:8b", "message": {"role": "assis',
    "of another type": b'{"message": "Fri"}',
    "of another way to ask": b'{"model": "llama3.1:8b", "response": "Fri',
}


@pytest.mark.parametrize("sent", HOLES.values(), ids=HOLES)
def test_what_carried_a_part_of_the_answer_and_cannot_be_read_breaks_the_stream(sent):
    stream = reader()
    stream.feed(line("Fri") + b"\n")

    with pytest.raises(LLMProtocolError):
        stream.feed(sent + b"\n")

    assert stream.malformed == 0


def test_an_error_after_pieces_in_the_same_bytes_does_not_lose_them():
    stream = reader()

    chunks = stream.feed(line("Fri") + b"\n" + b'{"error": "out of memory"}\n')

    assert words_of(chunks) == ["Fri"]
    assert isinstance(stream.broken, LLMUnavailable)
    assert stream.text == "Fri"


def test_of_a_line_that_breaks_off_nothing_is_told_nor_kept():
    stream = reader(LONG)

    chunks = stream.feed(
        line("Fri") + b"\n" + line("day", done=True, prompt_eval_count=4096) + b"\n"
    )

    assert words_of(chunks) == ["Fri"]
    assert isinstance(stream.broken, LLMContextTooLong)
    assert (stream.text, stream.output) == ("Fri", "Fri")


def test_a_last_line_without_its_break_that_does_not_say_the_end_is_not_kept():
    stream = reader()
    stream.feed(line("Fri") + b"\n" + line("day"))

    with pytest.raises(LLMProtocolError):
        stream.end()

    assert (stream.text, stream.output) == ("Fri", "Fri")


def test_a_last_line_without_its_break_may_say_the_end():
    stream = reader()
    stream.feed(line("Fri") + b"\n" + line("day.", done=True))

    assert words_of(stream.end()) == ["day.", ""]
    assert stream.text == "Friday."


def test_the_text_is_told_apart_from_thoughts_and_calls():
    stream = reader()
    stream.feed(line("Fri", message={"content": "Fri", "thinking": "Hm."}) + b"\n")
    assert stream.is_joinable

    call = {"function": {"name": "find", "arguments": {}}}
    stream.feed(line(message={"tool_calls": [call]}) + b"\n")

    assert (stream.text, stream.output) == ("Fri", "Hm.Frifind{}")
    assert not stream.is_joinable
    assert stream.opening is None
