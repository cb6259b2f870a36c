"""Whatever a dialect has no place for, no words of the caller's are lost."""

import json

import pytest
from fakes import FakeClock

from flaskllm.llm.parts import Message, Text, ToolCall, ToolResult
from flaskllm.llm.providers import build_provider
from flaskllm.llm.types import CompletionRequest, Deployment

KINDS = {
    "openai": "gpt-4o",
    "anthropic": "claude-sonnet-4-5",
    "gemini": "gemini-2.5-flash",
    "ollama": "llama3.1:8b",
}


def body(kind, *messages):
    provider = build_provider(kind, None, "sk-fake", FakeClock())
    there = Deployment("a", "p", kind, KINDS[kind])
    return json.loads(provider.encode(CompletionRequest("m", messages), there).body)


def turns(kind, *messages):
    sent = body(kind, *messages)
    return sent["contents"] if kind == "gemini" else sent["messages"]


def test_a_system_without_another_turn_is_asked_where_turns_are_needed():
    alone = Message("system", "Greet the world.")

    assert body("anthropic", alone).get("system") is None
    assert turns("anthropic", alone) == [
        {"role": "user", "content": [{"type": "text", "text": "Greet the world."}]}
    ]
    assert body("gemini", alone).get("systemInstruction") is None
    assert turns("gemini", alone) == [
        {"role": "user", "parts": [{"text": "Greet the world."}]}
    ]


def test_where_nothing_is_said_nothing_is_made_up():
    assert turns("anthropic", Message("user", " ")) == []
    assert turns("gemini", Message("user", "")) == []


@pytest.mark.parametrize("kind", KINDS)
def test_words_beside_the_results_of_tools_follow_them_as_the_users(kind):
    called = Message("assistant", (ToolCall("c1", "find", "{}"),))
    beside = Message("tool", (ToolResult("c1", (Text("3"),)), Text("Is it so?")))

    last = turns(kind, Message("user", "How many?"), called, beside)[-1]

    assert last["role"] == "user"
    assert "Is it so?" in json.dumps(last)


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_without_arguments_goes_back_as_an_empty_object(kind):
    called = Message("assistant", (ToolCall("c1", "find", ""),))

    sent = json.dumps(turns(kind, Message("user", "How many?"), called)[-1])

    assert '"{}"' in sent or ": {}" in sent
