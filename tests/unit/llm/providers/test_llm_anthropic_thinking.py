import json
from dataclasses import replace

import pytest
from fakes import FakeClock

from flaskllm.llm.parts import Message, Thinking, ToolCall, ToolResult
from flaskllm.llm.providers import build_provider
from flaskllm.llm.providers.anthropic_models import Abilities, abilities_of
from flaskllm.llm.types import CompletionRequest, Deployment, Tool

PROVIDER = build_provider("anthropic", None, "sk-ant-fake", FakeClock())
OLD, BOTH, NEW = "claude-sonnet-4-5", "claude-opus-4-6", "claude-opus-4-8"
FIFTH, ALWAYS = "claude-sonnet-5", "claude-fable-5"
ASK = CompletionRequest("fast", (Message("user", "Hi"),))
ADAPTIVE = {"type": "adaptive", "display": "summarized"}

NO_THOUGHTS = Abilities(budgets=False, schemas=False)
FIRST_THOUGHTS = Abilities(schemas=False)
STRUCTURED = Abilities()
BOTH_WAYS = Abilities(adapts=True)
ADAPTING = Abilities(samples=False, budgets=False, adapts=True)
MODELS = {
    "claude-3-haiku-20240307": NO_THOUGHTS,
    "claude-3-5-sonnet-20241022": NO_THOUGHTS,
    "claude-3-7-sonnet-20250219": FIRST_THOUGHTS,
    "claude-sonnet-4-20250514": FIRST_THOUGHTS,
    "claude-opus-4-0": FIRST_THOUGHTS,
    "claude-opus-4-1-20250805": STRUCTURED,
    "claude-haiku-4-5": STRUCTURED,
    "anthropic/claude-sonnet-4.5": STRUCTURED,
    "us.anthropic.claude-opus-4-6-v1": BOTH_WAYS,
    "claude-opus-4-7": ADAPTING,
    "claude-opus-4-8-20260528": ADAPTING,
    "claude-sonnet-5": replace(ADAPTING, off="disabled"),
    "claude-opus-5-20260720": replace(ADAPTING, off="disabled"),
    "claude-opus-5-5": replace(ADAPTING, off="never"),
    "claude-fable-5": replace(ADAPTING, off="never"),
    "claude-mythos-preview": replace(ADAPTING, off="never"),
    "claude-9": replace(ADAPTING, off="never"),
    "kimi-k2": Abilities(schemas=False, off="disabled"),
}


@pytest.mark.parametrize(("model", "abilities"), MODELS.items(), ids=MODELS)
def test_a_models_name_tells_its_generation(model, abilities):
    assert abilities_of(model) == abilities


def sent(model, *, known=None, **wish):
    there = Deployment("a", "claude", "anthropic", model, max_output_tokens=known)
    return json.loads(PROVIDER.encode(replace(ASK, **wish), there).body)


def told(body):
    """Return the thinking, the effort and the cap of a body."""
    effort = body.get("output_config", {}).get("effort")
    return body.get("thinking"), effort, body["max_tokens"]


def budget(tokens):
    return {"type": "enabled", "budget_tokens": tokens}


WISHES = {
    "nothing": (OLD, {}, None, None, 4096),
    "off, where silence is off": (OLD, {"effort": "none"}, None, None, 4096),
    "a budget of 0": (OLD, {"thinking_tokens": 0}, None, None, 4096),
    "off, said": (FIFTH, {"effort": "none"}, {"type": "disabled"}, None, 4096),
    "off, impossible": (ALWAYS, {"effort": "none"}, None, "low", 4096),
    "an effort as a budget": (OLD, {"effort": "low"}, budget(4096), None, 8192),
    "an unknown effort": (OLD, {"effort": "heroic"}, budget(10_240), None, 14_336),
    "a budget": (OLD, {"thinking_tokens": 2000}, budget(2000), None, 6096),
    "a budget too small": (OLD, {"thinking_tokens": 5}, budget(1024), None, 5120),
    "a budget below the cap": (
        OLD,
        {"thinking_tokens": 2000, "max_output_tokens": 2001},
        budget(2000),
        None,
        2001,
    ),
    "a budget over the cap": (
        OLD,
        {"effort": "high", "max_output_tokens": 8000},
        budget(4000),
        None,
        8000,
    ),
    "a cap too low for thoughts": (
        OLD,
        {"effort": "high", "max_output_tokens": 2000},
        None,
        None,
        2000,
    ),
    "an effort for a model of both ways": (
        BOTH,
        {"effort": "minimal"},
        ADAPTIVE,
        "low",
        4096,
    ),
    "an effort that it lacks": (BOTH, {"effort": "xhigh"}, ADAPTIVE, "high", 4096),
    "a budget for a model of both ways": (
        BOTH,
        {"thinking_tokens": 2000},
        budget(2000),
        None,
        6096,
    ),
    "an effort": (NEW, {"effort": "xhigh"}, ADAPTIVE, "xhigh", 4096),
    "an unknown effort for a new model": (
        NEW,
        {"effort": "heroic"},
        ADAPTIVE,
        "medium",
        4096,
    ),
    "a small budget as an effort": (
        NEW,
        {"thinking_tokens": 4096},
        ADAPTIVE,
        "low",
        4096,
    ),
    "a budget as an effort": (
        FIFTH,
        {"thinking_tokens": 10_000},
        ADAPTIVE,
        "medium",
        4096,
    ),
    "a large budget as an effort": (
        ALWAYS,
        {"thinking_tokens": 20_000},
        ADAPTIVE,
        "high",
        4096,
    ),
    "thoughts of a model without": (
        "claude-3-5-haiku-20241022",
        {"effort": "high"},
        None,
        None,
        4096,
    ),
}


@pytest.mark.parametrize(
    ("model", "wish", "thinking", "effort", "cap"), WISHES.values(), ids=WISHES
)
def test_a_wish_for_thoughts_is_said_as_the_model_takes_it(
    model, wish, thinking, effort, cap
):
    assert told(sent(model, **wish)) == (thinking, effort, cap)


def test_the_deployments_cap_holds_the_thoughts_too():
    body = sent(OLD, known=8192, effort="high")

    assert told(body) == (budget(4096), None, 8192)


FORCED = {
    "a tool that is forced": {"tools": (Tool("t"),), "tool_choice": "required"},
    "an answer through a tool": {"json_schema": {"type": "object"}},
}


@pytest.mark.parametrize("beside", FORCED.values(), ids=FORCED)
def test_beside_a_forced_tool_no_thoughts_are_asked_for(beside):
    assert "thinking" not in sent(OLD, effort="high", **beside)


def test_a_choice_without_tools_forces_nothing():
    assert "thinking" in sent(OLD, effort="high", tool_choice="required")


def test_beside_thoughts_sampling_is_left_out():
    body = sent(OLD, effort="high", temperature=0.5, top_k=3)

    assert not body.keys() & {"temperature", "top_k"}


CALL = ToolCall("a", "t", "{}")
PROVEN = (Thinking("Hm.", "sig"), CALL)
RESULT = Message("tool", (ToolResult("a", ()),))
ASKED = Message("user", "Hi")
HISTORIES = {
    "lost thoughts": ((ASKED, Message("assistant", (CALL,)), RESULT), False),
    "proven thoughts": ((ASKED, Message("assistant", PROVEN), RESULT), True),
    "an older call": (
        (ASKED, Message("assistant", (CALL,)), RESULT, ASKED),
        True,
    ),
    "no call": ((Message("assistant", "Hello."), RESULT), True),
    "a system turn alone": ((Message("system", "Think."),), True),
}


@pytest.mark.parametrize(("messages", "thinks"), HISTORIES.values(), ids=HISTORIES)
def test_a_call_whose_thoughts_are_lost_stops_a_budget(messages, thinks):
    assert ("thinking" in sent(OLD, effort="high", messages=messages)) is thinks


def test_a_call_whose_thoughts_are_lost_does_not_stop_adaptive_thinking():
    messages = (ASKED, Message("assistant", (CALL,)), RESULT)

    assert sent(NEW, effort="high", messages=messages)["thinking"] == ADAPTIVE
