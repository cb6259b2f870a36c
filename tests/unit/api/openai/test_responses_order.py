"""A request for a response, in the canonical form."""

from dataclasses import replace

import pytest

from flaskllm.api.openai.responses_fields import ResponsesFields
from flaskllm.api.openai.responses_order import read_order
from flaskllm.api.openai.responses_thoughts import seal
from flaskllm.api.validation import parse_model
from flaskllm.core.errors import InvalidInputError
from flaskllm.llm.parts import Image, Message, Text, Thinking, ToolCall, ToolResult
from flaskllm.llm.types import JsonFormat, Tool

SCHEMA = {"type": "object", "properties": {"a": {"type": "number"}}}
ADD = {
    "type": "function",
    "name": "add",
    "description": "Adds.",
    "parameters": SCHEMA,
    "strict": True,
}
CALL = {"type": "function_call", "call_id": "c1", "name": "add", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "2"}


def read(earlier=(), **fields):
    body = {"input": "hi", **fields}
    return read_order(parse_model(ResponsesFields, body), earlier, direct=False)


def messages_of(*items, **fields):
    return read(input=list(items), **fields).request.messages


def user(*parts):
    return {"role": "user", "content": list(parts)}


def test_a_text_is_one_turn_of_the_user():
    order = read()

    assert order.request.messages == (Message("user", (Text("hi"),)),)
    (item,) = order.input_items
    assert item.pop("id").startswith("msg_")
    assert item == {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "hi"}],
    }


def test_instructions_stand_first():
    messages = messages_of(
        {"role": "developer", "content": "Short."}, instructions="Be kind."
    )

    assert messages == (
        Message("system", "Be kind."),
        Message("system", (Text("Short."),)),
    )


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"type": "input_text", "text": "a"}, Text("a")),
        (
            {"type": "input_image", "image_url": "https://x.test/a", "detail": "low"},
            Image(url="https://x.test/a", detail="low"),
        ),
        (
            {"type": "input_image", "image_url": "data:image/png;base64,aGk="},
            Image(data="aGk=", media_type="image/png"),
        ),
    ],
)
def test_a_part_of_a_user_becomes_its_part(part, expected):
    assert messages_of(user(part)) == (Message("user", (expected,)),)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("a", "a"),
        ([{"type": "output_text", "text": "a", "annotations": []}], "a"),
        ([{"type": "refusal", "refusal": "No."}], "No."),
    ],
)
def test_what_the_assistant_said_becomes_text(content, text):
    messages = messages_of({"role": "assistant", "content": content})

    assert messages == (Message("assistant", (Text(text),)),)


def test_a_turn_of_thoughts_words_and_calls_is_one_message():
    thought = {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "hm"}],
        "encrypted_content": seal("sig", None),
    }
    said = {"role": "assistant", "content": "I add."}
    second = {**CALL, "call_id": "c2", "thought_signature": "ts"}
    pictures = {
        **OUTPUT,
        "call_id": "c2",
        "output": [{"type": "input_text", "text": "3"}],
    }

    messages = messages_of(thought, said, CALL, second, OUTPUT, pictures)

    assert messages == (
        Message(
            "assistant",
            (
                Thinking("hm", "sig"),
                Text("I add."),
                ToolCall("c1", "add", "{}"),
                ToolCall("c2", "add", "{}", "ts"),
            ),
        ),
        Message(
            "tool",
            (ToolResult("c1", (Text("2"),)), ToolResult("c2", (Text("3"),))),
        ),
    )


@pytest.mark.parametrize(
    ("item", "thought"),
    [
        ({"encrypted_content": seal(None, "xx")}, Thinking(redacted="xx")),
        ({"content": [{"type": "reasoning_text", "text": "a"}]}, Thinking("a")),
        (
            {"summary": [{"text": "a"}, {"text": "b"}, {"text": 1}, "c"]},
            Thinking("a\n\nb"),
        ),
        ({"summary": [{"text": "a"}], "encrypted_content": "gAAAA"}, Thinking("a")),
        ({"summary": [{"text": "a"}], "encrypted_content": "fllm1.?"}, Thinking("a")),
        ({"summary": [{"text": "a"}], "encrypted_content": "fllm1.e"}, Thinking("a")),
        (
            {"summary": [{"text": "a"}], "encrypted_content": "fllm1.W10="},
            Thinking("a"),
        ),
    ],
    ids=["hidden", "open", "several", "of OpenAI", "broken", "cut", "no object"],
)
def test_a_thought_comes_back_as_far_as_it_can_be_used(item, thought):
    messages = messages_of({"type": "reasoning", **item})

    assert messages == (Message("assistant", (thought,)),)


def test_a_thought_that_only_openai_can_open_is_left_out():
    sealed = {"type": "reasoning", "summary": [], "encrypted_content": "gAAAA"}

    assert messages_of(sealed, user({"type": "input_text", "text": "a"})) == (
        Message("user", (Text("a"),)),
    )


def test_earlier_items_stand_before_the_new_ones():
    earlier = read(input=[user({"type": "input_text", "text": "a"}), CALL]).input_items

    order = read(earlier, input=[OUTPUT], previous_response_id="resp_1")

    assert [message.role for message in order.request.messages] == [
        "user",
        "assistant",
        "tool",
    ]
    assert len(order.input_items) == 1


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"model": "fast"}, {"model": "fast"}),
        ({"model": ""}, {"model": None}),
        ({"max_output_tokens": 5}, {"max_output_tokens": 5}),
        ({"temperature": 2, "top_p": 1}, {"temperature": 2.0, "top_p": 1.0}),
        ({"reasoning": {"effort": "low"}}, {"effort": "low"}),
        ({"user": "u"}, {"user": "u"}),
        ({"user": "u", "safety_identifier": "s"}, {"user": "s"}),
        ({"stream": True}, {"stream": True}),
        ({"parallel_tool_calls": False}, {"parallel_tools": False}),
        ({"tools": [ADD]}, {"tools": (Tool("add", "Adds.", SCHEMA, strict=True),)}),
        (
            {"tools": [{"type": "function", "name": "now"}]},
            {"tools": (Tool("now", "", {}),)},
        ),
        ({"tools": [ADD], "tool_choice": "required"}, {"tool_choice": "required"}),
        (
            {"tools": [ADD], "tool_choice": {"type": "function", "name": "add"}},
            {"tool_choice": "add"},
        ),
        ({"text": {"format": {"type": "text"}}}, {"json_format": None}),
        ({"text": {"format": {"type": "json_object"}}}, {"json_format": JsonFormat()}),
        (
            {
                "text": {
                    "format": {
                        "type": "json_schema",
                        "name": "sum",
                        "schema": SCHEMA,
                        "strict": True,
                    }
                }
            },
            {"json_format": JsonFormat(SCHEMA, "sum", strict=True)},
        ),
    ],
)
def test_a_field_becomes_its_canonical_one(fields, expected):
    request = read(**fields).request

    assert {name: getattr(request, name) for name in expected} == expected


def test_the_least_request_leaves_all_else_to_the_upstream():
    request = read().request

    assert replace(request, messages=()) == type(request)(model=None, messages=())


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({}, ()),
        ({"truncation": "disabled", "background": False, "conversation": None}, ()),
        ({"include": ["reasoning.encrypted_content"]}, ()),
        ({"include": ["message.output_text.logprobs"]}, ("include",)),
        ({"truncation": "auto"}, ("truncation",)),
        ({"text": {"verbosity": "low"}}, ("text.verbosity",)),
        ({"service_tier": "auto", "top_logprobs": 2}, ("service_tier", "top_logprobs")),
    ],
)
def test_what_no_upstream_hears_of_is_named(fields, names):
    assert read(**fields).dropped == names


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"input": None}, "input"),
        ({"input": 1}, "input"),
        ({"input": []}, "input"),
        ({"input": [{"type": "reasoning"}]}, "input"),
        ({"input": ["x"]}, "input.0"),
        ({"input": [{"role": "user", "content": "x"}] * 10_001}, "input"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input.0.type"),
        ({"input": [{"type": 1}]}, "input.0.type"),
        ({"input": [{"role": "tool", "content": "x"}]}, "input.0.role"),
        ({"input": [{"role": "user", "content": 1}]}, "input.0.content"),
        ({"input": [user("x")]}, "input.0.content.0.type"),
        ({"input": [user({"type": "input_file"})]}, "input.0.content.0.type"),
        ({"input": [user({"type": "input_text"})]}, "input.0.content.0.text"),
        ({"input": [user({"type": "input_image"})]}, "input.0.content.0.image_url"),
        ({"input": [OUTPUT]}, "input"),
        ({"input": [OUTPUT, CALL]}, "input"),
        ({"input": [{**CALL, "arguments": {}}]}, "input.0.arguments"),
        ({"input": [CALL, {**OUTPUT, "output": 1}]}, "input.1.output"),
        ({"background": True}, "background"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"temperature": 3}, "temperature"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"metadata": {str(n): "" for n in range(17)}}, "metadata"),
        ({"stream": "yes"}, "stream"),
        ({"truncation": "all"}, "truncation"),
        ({"previous_response_id": ""}, "previous_response_id"),
        ({"tools": ["x"]}, "tools.0"),
        ({"tools": [{"type": "web_search"}]}, "tools.0.type"),
        ({"tools": [{**ADD, "name": "a b"}]}, "tools.0.name"),
        ({"tools": [{**ADD, "name": ""}]}, "tools.0.name"),
        ({"tools": [{**ADD, "name": "x" * 65}]}, "tools.0.name"),
        ({"tools": [{**ADD, "parameters": {"type": "x"}}]}, "tools.0.parameters.type"),
        ({"tools": [ADD, ADD]}, "tools"),
        ({"tools": [ADD] * 129}, "tools"),
        ({"tool_choice": "all"}, "tool_choice"),
        ({"tool_choice": ["auto"]}, "tool_choice"),
        ({"tool_choice": {"type": "web_search"}}, "tool_choice"),
        ({"tool_choice": {"type": "function", "name": "x"}}, "tool_choice.name"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format.schema"),
        (
            {"text": {"format": {"type": "json_schema", "schema": {"type": 1}}}},
            "text.format.schema.type",
        ),
    ],
)
def test_a_wrong_field_is_refused_by_name(fields, path):
    with pytest.raises(InvalidInputError) as refused:
        read(**fields)

    assert refused.value.fields[0].path == path


def test_a_tool_that_is_not_run_here_is_named():
    with pytest.raises(InvalidInputError) as refused:
        read(tools=[{"type": "code_interpreter"}])

    assert "code_interpreter" in refused.value.details
