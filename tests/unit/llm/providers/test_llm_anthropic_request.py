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

PROVIDER = build_provider("anthropic", None, "sk-ant-fake", FakeClock())
OLD, MIDDLE, NEW = "claude-sonnet-4-0", "claude-sonnet-4-5", "claude-opus-4-8"
ASK = CompletionRequest("fast", (Message("user", "Hi"),))
SCHEMA = {
    "type": "object",
    "properties": {"day": {"type": "string", "maxLength": 9}},
    "required": ["day"],
    "additionalProperties": False,
}
STRICT = {**SCHEMA, "properties": {"day": {"type": "string"}}}
OPEN = {"type": "object", "additionalProperties": {"type": "string"}}
TOOL = Tool("look_up", "", SCHEMA)


def body(request, model=MIDDLE, **known):
    there = Deployment("a", "claude", "anthropic", model, **known)
    return json.loads(PROVIDER.encode(request, there).body)


def dropped(request, model=MIDDLE):
    return PROVIDER.dropped(request, Deployment("a", "claude", "anthropic", model))


def test_a_request_signs_in_by_header_and_names_the_version():
    sent = PROVIDER.encode(ASK, Deployment("a", "claude", "anthropic", MIDDLE))

    assert (sent.method, sent.url) == ("POST", "https://api.anthropic.com/v1/messages")
    assert dict(sent.headers) == {
        "accept": "application/json",
        "anthropic-version": "2023-06-01",
        "content-type": "application/json",
        "x-api-key": "sk-ant-fake",
    }


@pytest.mark.parametrize("given", ["https://x.test", "https://x.test/v1/"])
def test_the_base_url_may_hold_the_version_or_not(given):
    provider = build_provider("anthropic", given, "sk-ant-fake", FakeClock())

    sent = provider.encode(ASK, Deployment("a", "claude", "anthropic", MIDDLE))

    assert sent.url == "https://x.test/v1/messages"


@pytest.mark.parametrize("kind", ["anthropic", "gemini"])
def test_a_credential_is_needed(kind):
    with pytest.raises(ValueError, match="needs an api_key"):
        build_provider(kind, None, None, FakeClock())


CAPS = {
    "the request's": (replace(ASK, max_output_tokens=99), {}, 99),
    "the deployment's below the request's": (
        replace(ASK, max_output_tokens=99),
        {"max_output_tokens": 50},
        50,
    ),
    "the deployment's": (ASK, {"max_output_tokens": 8192}, 8192),
    "the default": (ASK, {}, 4096),
}


@pytest.mark.parametrize(("request_", "known", "cap"), CAPS.values(), ids=CAPS)
def test_the_cap_that_is_required_is_the_first_that_is_known(request_, known, cap):
    assert body(request_, **known)["max_tokens"] == cap


CHOICES = {
    "auto": ("auto", {"type": "auto"}),
    "none": ("none", {"type": "none"}),
    "required": ("required", {"type": "any"}),
    "by name": ("look_up", {"type": "tool", "name": "look_up"}),
}


@pytest.mark.parametrize(("choice", "sent"), CHOICES.values(), ids=CHOICES)
def test_a_choice_of_tools_is_said_in_the_dialect(choice, sent):
    asked = replace(ASK, tools=(TOOL,), tool_choice=choice)
    single = replace(asked, parallel_tools=False)

    assert body(asked)["tool_choice"] == sent
    limit = {} if choice == "none" else {"disable_parallel_tool_use": True}
    assert body(single)["tool_choice"] == {**sent, **limit}


def test_one_call_at_a_time_needs_a_choice_and_no_choice_needs_no_word():
    asked = replace(ASK, tools=(TOOL,))

    assert "tool_choice" not in body(asked)
    assert "tool_choice" not in body(replace(ASK, tool_choice="auto"))
    assert body(replace(asked, parallel_tools=False))["tool_choice"] == {
        "type": "auto",
        "disable_parallel_tool_use": True,
    }


def test_a_strict_tool_is_strict_where_its_schema_and_the_model_allow_it():
    strict = replace(TOOL, strict=True, description="Looks.")
    loose = Tool("any", "", OPEN, strict=True)

    assert body(replace(ASK, tools=(strict, loose)))["tools"] == [
        {
            "name": "look_up",
            "description": "Looks.",
            "input_schema": STRICT,
            "strict": True,
        },
        {"name": "any", "input_schema": OPEN},
    ]
    assert "strict" not in body(replace(ASK, tools=(strict,)), OLD)["tools"][0]
    assert body(replace(ASK, tools=(Tool("bare"),)))["tools"] == [
        {"name": "bare", "input_schema": {"type": "object"}}
    ]


@pytest.mark.parametrize(
    "request_",
    [
        replace(ASK, json_schema=SCHEMA),
        replace(ASK, json_format=JsonFormat(SCHEMA)),
    ],
    ids=["ours", "the caller's"],
)
def test_json_is_asked_for_by_its_schema_in_the_form_that_is_accepted(request_):
    sent = body(request_)

    assert sent["output_config"] == {
        "format": {"type": "json_schema", "schema": STRICT}
    }
    assert "tools" not in sent


@pytest.mark.parametrize(
    ("model", "schema"),
    [(OLD, SCHEMA), (MIDDLE, OPEN), ("deepseek-chat", SCHEMA)],
    ids=["an old model", "an open schema", "another's model"],
)
def test_json_comes_through_a_forced_tool_where_it_cannot_be_asked_for(model, schema):
    sent = body(replace(ASK, json_schema=schema), model)

    (tool,) = sent["tools"]
    assert tool["input_schema"] == {**schema, "type": "object"}
    assert sent["tool_choice"] == {"type": "tool", "name": tool["name"]}
    assert "output_config" not in sent


def test_beside_the_callers_tools_the_answer_is_one_more_of_them():
    sent = body(replace(ASK, json_schema=OPEN, tools=(TOOL,)))

    assert [tool["name"] for tool in sent["tools"]] == ["look_up", "give_json_answer"]
    assert sent["tool_choice"] == {"type": "any", "disable_parallel_tool_use": True}


JSON_BESIDE_TOOLS = {
    "none": (
        ["look_up", "give_json_answer"],
        {"type": "tool", "name": "give_json_answer"},
    ),
    "required": (["look_up"], {"type": "any"}),
    "look_up": (["look_up"], {"type": "tool", "name": "look_up"}),
}


@pytest.mark.parametrize("choice", JSON_BESIDE_TOOLS)
def test_json_through_a_tool_leaves_the_callers_choice_of_tools_as_it_is(choice):
    names, forced = JSON_BESIDE_TOOLS[choice]

    sent = body(replace(ASK, json_schema=OPEN, tools=(TOOL,), tool_choice=choice))

    assert [tool["name"] for tool in sent["tools"]] == names
    assert sent["tool_choice"] == forced


@pytest.mark.parametrize("given", ["", "Be brief."])
def test_any_json_object_is_asked_for_in_words(given):
    request = replace(
        ASK,
        messages=(Message("system", given), *ASK.messages),
        json_format=JsonFormat(),
    )

    system = body(request)["system"]

    assert system.startswith(given or "Answer")
    assert "one JSON object" in system
    assert "output_config" not in body(request)


@pytest.mark.parametrize("schema", [SCHEMA, OPEN, None])
def test_a_deployment_without_json_is_not_asked_for_it(schema):
    request = replace(ASK, json_format=JsonFormat(schema))

    sent = body(request, capabilities=frozenset({"tools"}))

    assert sent.keys() == {"model", "max_tokens", "messages"}


SAMPLING = replace(ASK, temperature=0.0, top_k=5)


def test_sampling_is_said_to_the_models_that_take_it():
    sent = body(replace(SAMPLING, stop=("END", " "), user="u" * 300))

    assert (sent["temperature"], sent["top_k"]) == (0.0, 5)
    assert sent["stop_sequences"] == ["END"]
    assert sent["metadata"] == {"user_id": "u" * 256}
    assert body(replace(ASK, top_p=0.9))["top_p"] == 0.9


LOST = {
    "a temperature over the range": (
        replace(ASK, temperature=1.5),
        None,
        "temperature",
    ),
    "top_p beside a temperature": (
        replace(ASK, temperature=0.5, top_p=0.9),
        None,
        "top_p",
    ),
    "a temperature beside thoughts": (
        replace(ASK, temperature=0.5, effort="high"),
        None,
        "temperature",
    ),
    "a temperature for a new model": (
        replace(ASK, temperature=0.5),
        NEW,
        "temperature",
    ),
    "a seed": (replace(ASK, seed=7), None, "seed"),
    "more answers than one": (replace(ASK, choices=2), None, "n"),
    "a blank stop": (replace(ASK, stop=(" ",)), None, "stop"),
    "thoughts for a model that has none": (
        replace(ASK, effort="high"),
        "claude-3-5-haiku-20241022",
        "reasoning_effort",
    ),
    "what the dialect does not know": (
        replace(ASK, body=CallerBody("openai.chat", {}, ("logit_bias",))),
        None,
        "logit_bias",
    ),
}


@pytest.mark.parametrize(("request_", "model", "name"), LOST.values(), ids=LOST)
def test_what_cannot_be_said_is_left_out_and_named(request_, model, name):
    assert dropped(request_, model or MIDDLE) == (name,)
    assert name not in body(request_, model or MIDDLE)


def test_what_can_be_said_drops_nothing():
    assert dropped(replace(SAMPLING, effort="none"), MIDDLE) == ()
    assert dropped(replace(ASK, effort="high"), NEW) == ()


FIELDS = {
    "model": "fast",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "Hi"}],
    "temperature": 3,
    "cache_control": {"type": "ephemeral"},
    "stream": False,
    "unknown": [1],
}
SHARED = replace(
    ASK,
    stream=True,
    body=CallerBody(
        "anthropic.messages",
        FIELDS,
        ("unknown",),
        {"anthropic-beta": "context-1m-2025-08-07", "user-agent": "x"},
    ),
)


def test_a_caller_of_the_same_dialect_is_passed_on_with_our_model():
    sent = PROVIDER.encode(SHARED, Deployment("a", "claude", "anthropic", MIDDLE))

    assert json.loads(sent.body) == {**FIELDS, "model": MIDDLE, "stream": True}
    assert sent.headers["anthropic-beta"] == "context-1m-2025-08-07"
    assert sent.headers["accept"] == "text/event-stream"
    assert "user-agent" not in sent.headers
    assert dropped(SHARED) == ()


def test_a_caller_of_another_dialect_cannot_set_this_ones_header():
    other = replace(SHARED, body=replace(SHARED.body, wire="openai.chat"))

    sent = PROVIDER.encode(other, Deployment("a", "claude", "anthropic", MIDDLE))

    assert "anthropic-beta" not in sent.headers
    assert json.loads(sent.body)["stream"] is True


@pytest.mark.parametrize("request_", [SHARED, SAMPLING], ids=["as sent", "translated"])
def test_a_count_is_asked_with_what_is_input_alone(request_):
    there = Deployment("a", "claude", "anthropic", MIDDLE)

    sent = PROVIDER.encode_count(request_, there)

    assert sent.url == "https://api.anthropic.com/v1/messages/count_tokens"
    allowed = {"model", "messages", "cache_control"}
    assert {"model", "messages"} <= json.loads(sent.body).keys() <= allowed
