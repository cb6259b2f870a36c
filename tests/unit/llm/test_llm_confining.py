"""All that a request would send is looked at, each text once."""

import pytest

from flaskllm.llm.confining import has_unreadable, texts_of
from flaskllm.llm.parts import Image, Message, Text, Thinking, ToolCall, ToolResult
from flaskllm.llm.types import CallerBody, CompletionRequest, EmbeddingRequest, Tool


def request(*messages, **fields):
    return CompletionRequest("fast", tuple(messages), **fields)


def test_every_text_of_a_conversation_is_there():
    parts = (
        Text("one "),
        Text("two"),
        Image(url="https://a.example/x"),
        Thinking("three"),
        ToolCall("1", "pay", '{"card": "four"}'),
        ToolResult("1", (Text("five "), Image(data="aGk="), Text("six"))),
    )
    tool = Tool("pay", "seven", {"properties": {"x": {"enum": ["eight"]}}})

    found = texts_of(
        request(
            Message("system", "zero"),
            Message("user", parts),
            tools=(tool,),
            user="nine",
        )
    )

    wanted = ["zero", "one two", "three", '{"card": "four"}', "five six", "seven"]
    assert {*wanted, "eight", "nine"} <= set(found)
    assert "aGk=" not in found


def test_what_only_the_callers_body_holds_is_there_and_nothing_twice():
    fields = {"metadata": {"note": "Hello", "more": ["deep", 7]}, "prompt": "Hello"}
    body = CallerBody("openai.chat", fields)

    found = texts_of(request(Message("user", "Hello"), body=body))

    assert found.count("Hello") == 1
    assert "deep" in found


def test_files_in_base64_are_left_out_and_long_prose_is_not():
    fields = {"image": "A" * 5000, "text": "word " * 2000}

    found = texts_of(request(body=CallerBody("openai.chat", fields)))

    assert fields["image"] not in found
    assert fields["text"] in found


def test_of_vectors_the_texts_are_looked_at():
    assert texts_of(EmbeddingRequest("v", ("a", (1, 2), "b"))) == ("a", "b")


@pytest.mark.parametrize(
    ("asked", "is_so"),
    [
        (EmbeddingRequest("v", ("a", "b")), False),
        (EmbeddingRequest("v", ("a", (1, 2))), True),
        (request(), False),
        (request(body=CallerBody("openai.text", {"prompt": "a"})), False),
        (request(body=CallerBody("openai.text", {"prompt": ["a"]})), False),
        (request(body=CallerBody("openai.text", {"prompt": [1, 2]})), True),
        (request(body=CallerBody("openai.text", {"prompt": [[1], [2]]})), True),
    ],
)
def test_token_numbers_are_unreadable(asked, is_so):
    assert has_unreadable(asked) is is_so
