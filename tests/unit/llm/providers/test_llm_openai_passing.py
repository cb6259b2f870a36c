"""What becomes of a caller's body: passed on where the dialect is shared."""

import json
from dataclasses import replace

import pytest
from fakes import FakeClock

from flaskllm.llm.parts import Message
from flaskllm.llm.providers import build_provider
from flaskllm.llm.types import (
    CallerBody,
    CompletionRequest,
    Deployment,
    JsonFormat,
    Tool,
)

CANONICAL = CompletionRequest("fast", (Message("user", "Hi"),))
TURNS = [{"role": "developer", "content": "Be brief.", "name": "boss"}]
ELSEWHERE = [{**TURNS[0], "role": "system"}]


def provider(kind):
    base_url = "https://x.test/v1" if kind == "openai_compatible" else None
    return build_provider(kind, base_url, "sk-fake", FakeClock())


def asked(fields, wire="openai.chat", **others):
    body = CallerBody(wire, {"model": "fast", "messages": TURNS, **fields})
    return replace(CANONICAL, body=body, **others)


def sent(request, kind="openai", **deployment):
    there = Deployment("a", "p", kind, "m-1", **deployment)
    return json.loads(provider(kind).encode(request, there).body)


def dropped(request, kind):
    return provider(kind).dropped(request, Deployment("a", "p", kind, "m-1"))


def test_a_body_goes_on_as_it_is_but_for_the_model():
    fields = {"temperature": 0, "metadata": {"a": "b"}, "n": 2, "stop": None}

    assert sent(asked(fields)) == {"model": "m-1", "messages": TURNS, **fields}


def test_a_stream_is_asked_for_with_its_usage():
    passed = sent(asked({"stream": True}, stream=True))

    assert passed["stream"] is True
    assert passed["stream_options"] == {"include_usage": True}


def test_what_else_a_stream_is_asked_for_with_is_kept():
    options = {"include_usage": False, "include_obfuscation": False}

    passed = sent(asked({"stream_options": options}, stream=True))

    assert passed["stream_options"] == {**options, "include_usage": True}


def test_a_whole_answer_is_not_asked_for_as_a_stream():
    fields = {"stream": True, "stream_options": {"include_usage": True}}

    assert sent(asked(fields)).keys() == {"model", "messages"}


def test_who_counts_unasked_is_not_asked_for_usage():
    passed = sent(asked({"stream_options": {}}, stream=True), "mistral")

    assert passed == {"model": "m-1", "messages": ELSEWHERE, "stream": True}


def test_our_own_stream_is_asked_for_with_its_usage():
    passed = sent(replace(CANONICAL, stream=True))

    assert passed["stream_options"] == {"include_usage": True}


CAPS = {
    "as sent to OpenAI": ("openai", {"max_tokens": 9}, {"max_tokens": 9}),
    "the newer name": (
        "openai",
        {"max_completion_tokens": 9},
        {"max_completion_tokens": 9},
    ),
    "the name that a service knows": (
        "vllm",
        {"max_completion_tokens": 9},
        {"max_tokens": 9},
    ),
    "the newer name alone": (
        "cerebras",
        {"max_tokens": 9},
        {"max_completion_tokens": 9},
    ),
    "both where one is known": (
        "vllm",
        {"max_completion_tokens": 9, "max_tokens": 8},
        {"max_tokens": 8},
    ),
    "null": ("vllm", {"max_tokens": None}, {"max_tokens": None}),
}


@pytest.mark.parametrize(("kind", "given", "expected"), CAPS.values(), ids=CAPS)
def test_the_cap_has_a_name_that_the_service_knows(kind, given, expected):
    passed = sent(asked(given), kind)

    assert {name: passed[name] for name in passed if name.startswith("max")} == expected


@pytest.mark.parametrize(("given", "cap"), [(500, 100), (50, 50)])
def test_the_cap_is_never_above_the_deployments_longest_answer(given, cap):
    passed = sent(asked({"max_tokens": given}), max_output_tokens=100)

    assert passed["max_tokens"] == cap


def test_a_text_is_completed_where_texts_are():
    request = asked({"prompt": "Hi", "max_completion_tokens": 5}, wire="openai.text")

    request = provider("vllm").encode(request, Deployment("a", "p", "vllm", "m-1"))

    assert request.url == "http://127.0.0.1:8000/v1/completions"
    assert json.loads(request.body)["prompt"] == "Hi"
    assert json.loads(request.body)["max_tokens"] == 5


def test_a_text_becomes_a_chat_where_no_texts_are():
    there = Deployment("a", "p", "groq", "m-1")
    body = CallerBody("openai.text", {"prompt": "Hi"}, extras=("suffix",))
    request = replace(CANONICAL, body=body)

    found = provider("groq").encode(request, there)

    assert found.url == "https://api.groq.com/openai/v1/chat/completions"
    assert json.loads(found.body)["messages"] == [{"role": "user", "content": "Hi"}]
    assert dropped(request, "groq") == ("suffix",)


GROQ = {"logprobs": True, "logit_bias": {}, "top_k": 4, "seed": 1}


def test_what_a_service_refuses_is_left_out_and_named():
    request = asked(GROQ)

    assert sent(request, "groq") == {
        "model": "m-1",
        "messages": [{"role": "system", "content": "Be brief."}],
        "seed": 1,
    }
    assert dropped(request, "groq") == (
        "logprobs",
        "logit_bias",
        "top_k",
        "messages[].name",
    )


def test_turns_without_names_are_left_alone():
    request = asked({"messages": [{"role": "user", "content": "Hi"}, 7]})

    assert sent(request, "groq")["messages"] == [{"role": "user", "content": "Hi"}, 7]
    assert dropped(request, "groq") == ()


def test_a_service_that_refuses_the_unknown_gets_only_what_it_knows():
    request = asked({"seed": 3, "user": "u", "store": True, "max_completion_tokens": 9})

    assert sent(request, "mistral") == {
        "model": "m-1",
        "messages": ELSEWHERE,
        "random_seed": 3,
        "max_tokens": 9,
    }
    assert dropped(request, "mistral") == ("user", "store")


@pytest.mark.parametrize("kind", ["openai", "vllm"])
def test_nothing_is_dropped_where_nothing_is_refused(kind):
    request = asked({"seed": 1, "stream_options": None, "logprobs": True}, stream=True)

    assert dropped(request, kind) == ()


def test_what_another_dialect_says_and_this_cannot_is_named():
    body = CallerBody("anthropic.messages", {}, extras=("metadata.user_id",))
    request = replace(
        CANONICAL,
        body=body,
        thinking_tokens=1024,
        top_k=5,
        choices=2,
        json_format=JsonFormat({"type": "object"}),
    )

    assert dropped(request, "openai") == (
        "metadata.user_id",
        "n",
        "thinking",
        "top_k",
    )
    assert dropped(request, "deepseek") == (
        "metadata.user_id",
        "n",
        "thinking",
        "response_format.json_schema",
    )


def test_all_that_the_canonical_form_can_say_is_said():
    request = replace(
        CANONICAL,
        temperature=0.0,
        top_p=0.5,
        top_k=5,
        stop=("a", "b"),
        seed=0,
        effort="low",
        user="u-1",
        tools=(Tool("f"), Tool("g", "Does g.", {"type": "object"}, strict=True)),
        tool_choice="g",
        parallel_tools=False,
    )

    assert sent(request, "vllm") == {
        "model": "m-1",
        "messages": [{"role": "user", "content": "Hi"}],
        "temperature": 0.0,
        "top_p": 0.5,
        "top_k": 5,
        "stop": ["a", "b"],
        "seed": 0,
        "reasoning_effort": "low",
        "user": "u-1",
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "f",
                    "parameters": {"type": "object", "properties": {}},
                },
            },
            {
                "type": "function",
                "function": {
                    "name": "g",
                    "description": "Does g.",
                    "parameters": {"type": "object"},
                    "strict": True,
                },
            },
        ],
        "tool_choice": {"type": "function", "function": {"name": "g"}},
        "parallel_tool_calls": False,
    }


@pytest.mark.parametrize("choice", ["auto", "none", "required"])
def test_a_choice_of_tools_goes_by_its_word_and_only_with_tools(choice):
    request = replace(CANONICAL, tool_choice=choice)

    assert sent(replace(request, tools=(Tool("f"),)))["tool_choice"] == choice
    assert "tool_choice" not in sent(request)


def test_a_callers_wish_for_json_goes_before_our_own():
    request = replace(CANONICAL, json_format=JsonFormat(), json_schema={"type": "x"})

    assert sent(request)["response_format"] == {"type": "json_object"}


def test_a_callers_schema_goes_on_as_it_is():
    wish = JsonFormat({"type": "array"}, "list", strict=None)

    assert sent(replace(CANONICAL, json_format=wish))["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "list", "schema": {"type": "array"}},
    }


def test_a_number_of_any_size_goes_on():
    assert sent(asked({"seed": 2**70}))["seed"] == 2**70


@pytest.mark.parametrize("wire", ["openai.chat", "openai.text"])
def test_a_caller_cannot_lead_a_broker_past_the_routes(wire):
    past = {"models": ["a"], "route": "fallback", "provider": {}, "fallbacks": ["b"]}
    request = asked({**past, "transforms": []}, wire)

    assert dropped(request, "openrouter") == tuple(past)
    assert sent(request, "openrouter").keys() == {"model", "messages", "transforms"}
