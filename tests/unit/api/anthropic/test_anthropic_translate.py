"""A whole request in Anthropic's dialect, in the canonical form."""

from dataclasses import replace

import pytest

from flaskllm.api.anthropic.fields import CountFields, MessagesFields
from flaskllm.api.anthropic.translate import read_order
from flaskllm.api.validation import parse_model
from flaskllm.core.clock import Deadline, SystemClock
from flaskllm.core.errors import (
    InvalidInputError,
    LLMInvalidRequest,
    LLMRequestRejected,
)
from flaskllm.llm.parts import Message
from flaskllm.llm.types import Attempt, Call, Deployment, JsonFormat, Tool

LEAST = {"max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]}
SCHEMA = {"type": "object", "properties": {"a": {"type": "number"}}}
ADD = {"name": "add", "description": "Adds.", "input_schema": SCHEMA}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}


def read(kind=MessagesFields, **fields):
    body = {**LEAST, **fields}
    return read_order(body, parse_model(kind, body), {"a": "b"}, direct=True)


def read_request(**fields):
    return read(**fields).request


def test_the_least_request_leaves_all_else_to_the_upstream():
    request = read_request()

    assert replace(request, body=None) == type(request)(
        model=None,
        messages=(Message("user", "hi"),),
        max_output_tokens=10,
        direct=True,
    )


def test_the_callers_body_goes_along_as_it_came():
    body = read_request(model="claude", service_tier="auto").body

    assert body.wire == "anthropic.messages"
    assert body.fields == {**LEAST, "model": "claude", "service_tier": "auto"}
    assert body.headers == {"a": "b"}
    assert body.extras == ("service_tier",)


def test_every_name_that_others_drop_is_kept_whatever_it_looks_like():
    names = {f"field_{number:02}" for number in range(25)} | {"-", "größe", "9lives"}

    extras = read_request(**dict.fromkeys(names, 1)).body.extras

    assert extras == tuple(sorted(names))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"model": "fast"}, {"model": "fast"}),
        ({"temperature": 0.5}, {"temperature": 0.5}),
        ({"temperature": 1}, {"temperature": 1.0}),
        ({"top_p": 0.9, "top_k": 5}, {"top_p": 0.9, "top_k": 5}),
        ({"stop_sequences": ["a", "b"]}, {"stop": ("a", "b")}),
        ({"metadata": {"user_id": "u1"}}, {"user": "u1"}),
        ({"stream": True}, {"stream": True}),
        ({"stream": False}, {"stream": False}),
        ({"tools": [ADD]}, {"tools": (Tool("add", "Adds.", SCHEMA),)}),
        (
            {"tools": [{**ADD, "type": "custom", "strict": True}]},
            {"tools": (Tool("add", "Adds.", SCHEMA, strict=True),)},
        ),
        ({"thinking": {"type": "disabled"}}, {"thinking_tokens": 0}),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 2048}},
            {"thinking_tokens": 2048},
        ),
        ({"thinking": {"type": "adaptive"}}, {"thinking_tokens": None}),
        ({"output_config": {"effort": "low"}}, {"effort": "low"}),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
            {"json_format": JsonFormat(SCHEMA)},
        ),
        (
            {"output_format": {"type": "json_schema", "schema": SCHEMA}},
            {"json_format": JsonFormat(SCHEMA)},
        ),
    ],
)
def test_a_field_becomes_its_canonical_one(fields, expected):
    request = read_request(**fields)

    assert {name: getattr(request, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("choice", "expected", "parallel"),
    [
        ({"type": "auto"}, "auto", None),
        ({"type": "any"}, "required", None),
        ({"type": "none"}, "none", None),
        ({"type": "tool", "name": "add"}, "add", None),
        ({"type": "auto", "disable_parallel_tool_use": True}, "auto", False),
        ({"type": "any", "disable_parallel_tool_use": False}, "required", True),
    ],
)
def test_a_choice_of_tools_becomes_a_word(choice, expected, parallel):
    request = read_request(tools=[ADD], tool_choice=choice)

    assert (request.tool_choice, request.parallel_tools) == (expected, parallel)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": "10"}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"model": ""}, "model"),
        ({"temperature": 1.5}, "temperature"),
        ({"temperature": -0.1}, "temperature"),
        ({"top_p": 2}, "top_p"),
        ({"top_k": -1}, "top_k"),
        ({"top_k": 10**12}, "top_k"),
        ({"max_tokens": 10**12}, "max_tokens"),
        ({"thinking": {"type": "enabled", "budget_tokens": 10**12}}, "thinking"),
        ({"stop_sequences": ["x"] * 17}, "stop_sequences"),
        ({"stop_sequences": [""]}, "stop_sequences.0"),
        ({"stop_sequences": ["x"] * 10**5}, "stop_sequences"),
        ({"stream": "yes"}, "stream"),
        ({"metadata": {"user_id": "x" * 257}}, "metadata.user_id"),
        ({"thinking": {"type": "enabled"}}, "thinking"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1}}, "thinking"),
        ({"thinking": {"type": "on"}}, "thinking.type"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice"),
        ({"tool_choice": {"type": "all"}}, "tool_choice.type"),
        ({"tool_choice": {"type": "tool", "name": "x"}}, "tool_choice.name"),
        ({"tools": ["x"]}, "tools.0"),
        ({"tools": [{"name": "a b", "input_schema": SCHEMA}]}, "tools.0.name"),
        ({"tools": [{"name": "a"}]}, "tools.0.input_schema"),
        (
            {"tools": [{"name": "a", "input_schema": {"type": "string"}}]},
            "tools.0.input_schema.type",
        ),
        ({"tools": [ADD, ADD]}, "tools.1.name"),
        ({"tools": [ADD] * 513}, "tools"),
        (
            {"output_format": {"type": "json_schema", "schema": {"type": 1}}},
            "output_format.schema.type",
        ),
    ],
)
def test_a_wrong_field_is_refused_by_name(fields, path):
    with pytest.raises(InvalidInputError) as refused:
        read(**fields)

    assert refused.value.fields[0].path.startswith(path)


def test_only_who_counts_may_leave_max_tokens_out():
    assert read(CountFields, max_tokens=None).request.max_output_tokens is None


def test_a_choice_among_tools_that_anthropic_runs_is_left_to_it():
    order = read(tools=[SEARCH], tool_choice={"type": "tool", "name": "web_search"})

    assert order.request.tool_choice == "web_search"


@pytest.mark.parametrize(
    ("fields", "extras"),
    [
        ({"service_tier": "auto", "inference_geo": "eu"}, 2),
        ({"thinking": {"type": "adaptive"}}, 1),
        ({"tools": [{**ADD, "cache_control": {}}]}, 1),
        ({"service_tier": None}, 0),
    ],
)
def test_what_another_dialect_cannot_say_is_named(fields, extras):
    order = read(**fields)

    assert len(order.request.body.extras) == extras
    assert order.essential == ()


def call(asked):
    deadline = Deadline.after(1, SystemClock())
    return Call(deadline, print, asked.append, lambda *_: None)


def attempt(kind):
    return Attempt(1, "fast", Deployment("d", "p", kind, "m"), id="att_1")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"tools": [SEARCH]}, "tools.0"),
        ({"mcp_servers": [{"type": "url"}]}, "mcp_servers"),
        ({"container": "c_1"}, "container"),
    ],
)
def test_a_deployment_that_would_lose_content_is_not_asked(fields, path):
    asked = []
    order = read(**fields)
    guarded = order.only_where_understood(call(asked))

    with pytest.raises(LLMInvalidRequest) as refused, order.telling_what_is_lost():
        guarded.before(attempt("openai"))
    guarded.before(attempt("anthropic"))

    assert refused.value.fields[0].path == path
    assert path in refused.value.details
    assert asked == [attempt("anthropic")]


@pytest.mark.parametrize("fields", [{}, {"tools": [SEARCH]}])
def test_what_an_upstream_rejects_for_its_own_reasons_stays_as_it_is(fields):
    with pytest.raises(LLMRequestRejected), read(**fields).telling_what_is_lost():
        raise LLMRequestRejected


def test_a_request_that_loses_nothing_may_go_everywhere():
    asked = []

    read().only_where_understood(call(asked)).before(attempt("openai"))

    assert asked == [attempt("openai")]
