import json

import pytest
from fakes import FakeClock

from flaskllm.llm.parts import Image, Message, Text, Thinking, ToolCall, ToolResult
from flaskllm.llm.providers import build_provider
from flaskllm.llm.types import CompletionRequest, Deployment

PROVIDER = build_provider("anthropic", None, "sk-ant-fake", FakeClock())
THERE = Deployment("a", "claude", "anthropic", "claude-sonnet-4-5")


def body(*messages):
    return json.loads(PROVIDER.encode(CompletionRequest("x", messages), THERE).body)


def turns(*messages):
    return body(*messages)["messages"]


def test_system_turns_are_put_together_at_the_top():
    sent = body(
        Message("system", "Be brief."),
        Message("user", "Hi"),
        Message("system", ""),
        Message("system", (Text("Be "), Text("kind."))),
    )

    assert sent["system"] == "Be brief.\n\nBe kind."
    assert len(sent["messages"]) == 1


def test_turns_of_one_role_are_merged_and_empty_ones_left_out():
    assert turns(
        Message("user", "One"),
        Message("user", "Two"),
        Message("assistant", ""),
        Message("user", " \n"),
        Message("assistant", "Three"),
        Message("user", "Four"),
    ) == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "One"},
                {"type": "text", "text": "Two"},
            ],
        },
        {"role": "assistant", "content": [{"type": "text", "text": "Three"}]},
        {"role": "user", "content": [{"type": "text", "text": "Four"}]},
    ]


def test_results_of_tools_stand_first_in_the_turn_after_the_calls():
    found = turns(
        Message("user", "Hi"),
        Message("assistant", (ToolCall("a:1", "look_up", '{"day": "x"}'),)),
        Message("user", "And?"),
        Message("tool", (ToolResult("a:1", (Text("gone"),), is_error=True),)),
        Message("tool", (ToolResult("b", ()),)),
    )

    assert found[1]["content"] == [
        {"type": "tool_use", "id": "a_1", "name": "look_up", "input": {"day": "x"}}
    ]
    assert found[2]["content"] == [
        {
            "type": "tool_result",
            "tool_use_id": "a_1",
            "content": [{"type": "text", "text": "gone"}],
            "is_error": True,
        },
        {"type": "tool_result", "tool_use_id": "b"},
        {"type": "text", "text": "And?"},
    ]


ARGUMENTS = {
    "": {},
    "{}": {},
    '{"a": [1]}': {"a": [1]},
    "[1]": {"arguments": "[1]"},
    '{"a": ': {"arguments": '{"a": '},
}


@pytest.mark.parametrize(("text", "sent"), ARGUMENTS.items(), ids=repr)
def test_arguments_become_an_object_whatever_a_model_wrote(text, sent):
    call = ToolCall("", "look_up", text)

    (block,) = turns(Message("assistant", (call,)))[0]["content"]

    assert (block["input"], block["id"]) == (sent, "call")


def test_images_are_sent_as_bytes_or_by_their_address():
    shown = turns(
        Message("user", (Image(url="https://x.test/a.png"), Image(data="iVBO")))
    )

    assert [block["source"] for block in shown[0]["content"]] == [
        {"type": "url", "url": "https://x.test/a.png"},
        {"type": "base64", "media_type": "image/png", "data": "iVBO"},
    ]


def test_thoughts_go_back_untouched_when_they_carry_their_proof():
    sent = turns(
        Message(
            "assistant",
            (
                Thinking("Hm.", "sig"),
                Thinking(redacted="secret"),
                Thinking("of another upstream"),
                Text("Yes. "),
            ),
        )
    )

    assert sent[0]["content"] == [
        {"type": "thinking", "thinking": "Hm.", "signature": "sig"},
        {"type": "redacted_thinking", "data": "secret"},
        {"type": "text", "text": "Yes."},
    ]


def test_an_answer_to_go_on_with_may_end_in_a_call_and_no_turn_is_no_turn():
    call = ToolCall("a", "look_up", "{}")

    assert turns(Message("assistant", (Text("Hm. "), call)))[0]["content"][0] == {
        "type": "text",
        "text": "Hm. ",
    }
    assert turns(Message("assistant", (Text(""),))) == []
