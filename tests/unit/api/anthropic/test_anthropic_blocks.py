"""Messages and blocks of Anthropic's dialect, in and out of the canonical form."""

import pytest

from flaskllm.api.anthropic.blocks import read_messages, read_system
from flaskllm.api.anthropic.findings import Findings
from flaskllm.core.errors import InvalidInputError
from flaskllm.llm.parts import Image, Message, Text, Thinking, ToolCall, ToolResult

CALL = {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 1}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "2"}


def user(*blocks):
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks):
    return {"role": "assistant", "content": list(blocks)}


def read(*turns):
    found = Findings()
    return read_messages(turns, found), found


@pytest.mark.parametrize(
    ("block", "part"),
    [
        ({"type": "text", "text": "hi"}, Text("hi")),
        (
            {
                "type": "image",
                "source": {
                    "type": "base64",
                    "media_type": "image/png",
                    "data": "aGk=",
                },
            },
            Image(data="aGk=", media_type="image/png"),
        ),
        (
            {"type": "image", "source": {"type": "url", "url": "https://x.test/a"}},
            Image(url="https://x.test/a"),
        ),
        (
            {
                "type": "document",
                "title": "Terms",
                "source": {"type": "text", "media_type": "text/plain", "data": "body"},
            },
            Text("Terms\n\nbody"),
        ),
    ],
    ids=["text", "image", "image address", "plain document"],
)
def test_a_block_of_a_user_becomes_its_part(block, part):
    (message,), found = read(user(block))

    assert message == Message("user", (part,))
    assert not found.essential
    assert not found.extras


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (CALL, ToolCall("toolu_1", "add", '{"a": 1}')),
        (
            {"type": "thinking", "thinking": "hm", "signature": "sig"},
            Thinking("hm", "sig"),
        ),
        ({"type": "thinking", "thinking": "hm", "signature": ""}, Thinking("hm")),
        ({"type": "thinking", "thinking": "hm"}, Thinking("hm")),
        ({"type": "redacted_thinking", "data": "xx"}, Thinking(redacted="xx")),
    ],
    ids=["call", "thought", "unsigned", "without a signature", "redacted"],
)
def test_a_block_of_the_assistant_becomes_its_part(block, part):
    (message,), _ = read(assistant(block))

    assert message == Message("assistant", (part,))


def test_a_text_stays_a_text():
    messages, _ = read({"role": "user", "content": "hi"})

    assert messages == (Message("user", "hi"),)


def test_results_of_tools_are_a_turn_of_their_own_in_their_order():
    other = {**RESULT, "tool_use_id": "toolu_2", "is_error": True}
    text = {"type": "text", "text": "go on"}

    messages, _ = read(
        assistant(CALL, {**CALL, "id": "toolu_2"}), user(RESULT, other, text)
    )

    assert messages[1:] == (
        Message(
            "tool",
            (
                ToolResult("toolu_1", (Text("2"),)),
                ToolResult("toolu_2", (Text("2"),), is_error=True),
            ),
        ),
        Message("user", (Text("go on"),)),
    )


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (None, (Text(""),)),
        ([], ()),
        ([{"type": "text", "text": "a"}], (Text("a"),)),
    ],
    ids=["none", "empty", "blocks"],
)
def test_the_content_of_a_result_may_be_anything_shown(content, shown):
    messages, _ = read(assistant(CALL), user({**RESULT, "content": content}))

    assert messages[1].parts == (ToolResult("toolu_1", shown),)


def test_calls_of_several_turns_of_the_assistant_may_be_answered_together():
    messages, _ = read(
        assistant(CALL),
        assistant({**CALL, "id": "toolu_2"}),
        user(RESULT),
        user({**RESULT, "tool_use_id": "toolu_2"}),
    )

    assert [message.role for message in messages] == [
        "assistant",
        "assistant",
        "tool",
        "tool",
    ]


@pytest.mark.parametrize(
    "turns",
    [
        (user(RESULT),),
        (assistant(CALL), user({**RESULT, "tool_use_id": "other"})),
        (
            assistant(CALL),
            user(RESULT),
            assistant({"type": "text", "text": "ok"}),
            user(RESULT),
        ),
    ],
    ids=["no call", "another id", "a turn too late"],
)
def test_a_result_without_its_call_in_the_turn_before_is_refused(turns):
    with pytest.raises(InvalidInputError) as refused:
        read(*turns)

    assert "answers no tool_use" in refused.value.details


@pytest.mark.parametrize(
    ("turn", "path"),
    [
        ("hi", "messages.0"),
        ({"role": "system", "content": "x"}, "messages.0.role"),
        ({"role": ["user"], "content": "x"}, "messages.0.role"),
        ({"role": "user"}, "messages.0.content"),
        ({"role": "user", "content": ["x"]}, "messages.0.content.0"),
        ({"role": "user", "content": [{}]}, "messages.0.content.0"),
        (user({"type": "text"}), "messages.0.content.0.text"),
        (user(CALL), "messages.0.content.0.type"),
        (assistant(RESULT), "messages.0.content.0.type"),
        (assistant({"type": "image"}), "messages.0.content.0.type"),
        (user({"type": "image"}), "messages.0.content.0.source"),
        (user({"type": "image", "source": {}}), "messages.0.content.0.source"),
        (
            user({"type": "image", "source": {"type": "url", "url": "http://x"}}),
            "messages.0.content.0.source.url",
        ),
        (
            user(
                {
                    "type": "image",
                    "source": {
                        "type": "base64",
                        "media_type": "image/png",
                        "data": "?",
                    },
                }
            ),
            "messages.0.content.0.source.data",
        ),
        (assistant({**CALL, "input": "{}"}), "messages.0.content.0.input"),
        (assistant({**CALL, "id": 1}), "messages.0.content.0.id"),
        (
            user({"type": "tool_result", "tool_use_id": "x", "content": 1}),
            "messages.0.content.0.content",
        ),
        (
            user(
                {
                    "type": "tool_result",
                    "tool_use_id": "x",
                    "content": [{"type": "tool_result"}],
                }
            ),
            "messages.0.content.0.content.0.type",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(turn, path):
    with pytest.raises(InvalidInputError) as refused:
        read(turn)

    assert refused.value.fields[0].path == path


@pytest.mark.parametrize(
    ("block", "path", "what"),
    [
        (
            {"type": "document", "source": {"type": "base64", "data": "JVBERi0="}},
            "messages.0.content.0",
            "document from 'base64'",
        ),
        (
            {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
            "messages.0.content.0",
            "image from 'file'",
        ),
        ({"type": "search_result"}, "messages.0.content.0", "'search_result'"),
    ],
)
def test_what_only_anthropic_reads_is_found_and_never_lost(block, path, what):
    (message,), found = read(user(block, {"type": "text", "text": "sum up"}))

    assert message.text == "sum up"
    assert [field.path for field in found.essential] == [path]
    assert what in found.essential[0].problem


def test_a_user_who_says_nothing_is_refused():
    with pytest.raises(InvalidInputError) as refused:
        read({"role": "user", "content": []})

    assert refused.value.fields[0].path == "messages.0.content"


def test_an_answer_that_has_not_begun_may_be_empty():
    assert read(user({"type": "text", "text": "x"}), assistant())[0][1:] == ()


def test_a_document_in_a_result_is_found_too():
    document = {"type": "document", "source": {"type": "url", "url": "https://x/a"}}

    _, found = read(assistant(CALL), user({**RESULT, "content": [document]}))

    assert found.essential[0].path == "messages.1.content.0.content.0"


def test_a_hundred_documents_are_told_as_twenty():
    document = {"type": "document", "source": {"type": "file"}}

    _, found = read(user(*[document] * 100))

    assert len(found.essential) == 20


def test_fields_beside_the_content_are_named_once_each():
    cached = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}

    _, found = read(user(cached, cached), assistant({**CALL, "caller": {}}))

    assert list(found.extras) == ["cache_control", "caller"]


def test_names_are_kept_whatever_they_look_like():
    _, found = read({"role": "user", "content": "x", "a\nb": 1, "": 2, "x" * 65: 3})

    assert list(found.extras) == ["", "a\nb", "x" * 65]


@pytest.mark.parametrize(
    ("system", "messages"),
    [
        (None, ()),
        ("", ()),
        ("Be kind.", (Message("system", "Be kind."),)),
        (
            [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
            (Message("system", (Text("a"), Text("b"))),),
        ),
    ],
    ids=["none", "empty", "text", "blocks"],
)
def test_the_system_prompt_stands_first(system, messages):
    assert read_system(system, Findings()) == messages


@pytest.mark.parametrize("system", [1, {}, [{"type": "image"}], [{"type": "text"}]])
def test_a_system_prompt_of_anything_but_text_is_refused(system):
    with pytest.raises(InvalidInputError):
        read_system(system, Findings())
