import pytest

from flaskllm.llm.parts import Image, Message, Text, Thinking, ToolCall, ToolResult
from flaskllm.llm.providers.openai_messages import encode_messages

PICTURE = Image(data="aGk=", media_type="image/png")
DATA_URL = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
CALL = ToolCall("c1", "find", '{"a": 1}')
CALLED = {
    "id": "c1",
    "type": "function",
    "function": {"name": "find", "arguments": '{"a": 1}'},
}


def encode(*messages, replays_thinking=False):
    return encode_messages(messages, replays_thinking=replays_thinking)


TURNS = {
    "a system's text": (
        Message("system", (Text("Be "), Text("brief."))),
        [{"role": "system", "content": "Be brief."}],
    ),
    "a user's text": (Message("user", "Hi"), [{"role": "user", "content": "Hi"}]),
    "a user's one part": (
        Message("user", (Text("Hi"),)),
        [{"role": "user", "content": "Hi"}],
    ),
    "a picture by its bytes": (
        Message("user", (Text("What?"), PICTURE)),
        [{"role": "user", "content": [{"type": "text", "text": "What?"}, DATA_URL]}],
    ),
    "a picture by its address": (
        Message("user", (Image(url="https://x.test/a.png", detail="low"),)),
        [
            {
                "role": "user",
                "content": [
                    {
                        "type": "image_url",
                        "image_url": {"url": "https://x.test/a.png", "detail": "low"},
                    }
                ],
            }
        ],
    ),
    "an assistant's text": (
        Message("assistant", "Yes"),
        [{"role": "assistant", "content": "Yes"}],
    ),
    "thoughts are left out": (
        Message("assistant", (Thinking("Hm.", "sig"), Text("Yes"))),
        [{"role": "assistant", "content": "Yes"}],
    ),
    "a call without words": (
        Message("assistant", (CALL,)),
        [{"role": "assistant", "content": None, "tool_calls": [CALLED]}],
    ),
    "a call with words": (
        Message("assistant", (Text("Look:"), CALL)),
        [{"role": "assistant", "content": "Look:", "tool_calls": [CALLED]}],
    ),
    "several results in one turn": (
        Message("tool", (ToolResult("c1", (Text("1"),)), ToolResult("c2", ()))),
        [
            {"role": "tool", "tool_call_id": "c1", "content": "1"},
            {"role": "tool", "tool_call_id": "c2", "content": ""},
        ],
    ),
    "a result with a picture, which follows": (
        Message("tool", (ToolResult("c1", (Text("Here"), PICTURE)),)),
        [
            {"role": "tool", "tool_call_id": "c1", "content": "Here"},
            {"role": "user", "content": [DATA_URL]},
        ],
    ),
    "results before the words of the same turn": (
        Message("user", (Text("And?"), ToolResult("c1", (Text("1"),)))),
        [
            {"role": "tool", "tool_call_id": "c1", "content": "1"},
            {"role": "user", "content": "And?"},
        ],
    ),
    "what a user cannot say": (Message("user", (Thinking("Hm."),)), []),
}


@pytest.mark.parametrize(("turn", "sent"), TURNS.values(), ids=TURNS)
def test_a_turn_is_written_in_the_dialect(turn, sent):
    assert encode(turn) == sent


def test_thoughts_that_led_to_a_call_go_back_to_who_wants_them():
    turn = Message("assistant", (Thinking("Hm."), Thinking(" So."), CALL))

    (sent,) = encode(turn, replays_thinking=True)

    assert sent["reasoning_content"] == "Hm. So."
    assert "reasoning_content" not in encode(turn)[0]


@pytest.mark.parametrize("parts", [(Thinking("Hm."), Text("Yes")), (Thinking(), CALL)])
def test_thoughts_without_a_call_or_without_words_never_go_back(parts):
    (sent,) = encode(Message("assistant", parts), replays_thinking=True)

    assert "reasoning_content" not in sent
