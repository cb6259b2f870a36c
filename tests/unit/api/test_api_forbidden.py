"""What a caller may never choose is refused, wherever it stands as a field."""

import json

import pytest

from flaskllm.api import forbidden
from flaskllm.core.errors import InvalidInputError

NAMES = [
    *sorted(forbidden.NAMES),
    "aws_bedrock_runtime_endpoint",
    "chat_template",
    "chat_template_kwargs",
    "guided_decoding_backend",
    "guided_json",
    "litellm_params",
    "vertex_credentials",
]
SPELLINGS = [
    *("API_BASE", "Api-Base", "api-base", "apiBase", "apibase"),
    *("baseURL", "extraHeaders", "extra-Body", "chatTemplateKwargs", "awsRegion"),
]


def check_both(fields):
    """Return the path that is refused; with the bytes at hand and without."""
    paths = []
    for body in (None, json.dumps(fields).encode()):
        with pytest.raises(InvalidInputError) as refused:
            forbidden.check(fields, body)
        paths.append(refused.value.fields[0].path)
    assert paths[0] == paths[1]
    return paths[0]


@pytest.mark.parametrize("name", [*NAMES, *SPELLINGS, "chat_template_" + "x" * 99])
def test_a_forbidden_name_is_refused_at_the_top(name):
    assert check_both({"model": "m", name: "http://canary"}) == name[:40]


@pytest.mark.parametrize("depth", range(1, 7))
def test_a_forbidden_name_is_refused_at_any_depth(depth):
    fields = {"api_base": "http://canary"}
    for _ in range(depth):
        fields = {"deep": [fields]}

    assert check_both(fields) == "deep.0." * depth + "api_base"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"messages": [{"role": "user", "headers": {}}]}, "messages.0.headers"),
        ({"tools": [{"function": {"host": "h"}}]}, "tools.0.function.host"),
        ({"tools": [{"headers": {}}]}, "tools.0.headers"),
        ({"response_format": {"proxy": "p"}}, "response_format.proxy"),
        ({"stream_options": {"api_key": "k"}}, "stream_options.api_key"),
        ({"content": {"api_key": "k"}}, "content.api_key"),
        ({"messages": {"*": {"content": {"host": 1}}}}, "messages.*.content.host"),
    ],
)
def test_beside_what_may_hold_any_json_it_is_refused(fields, path):
    assert check_both(fields) == path


FREE = {"api_base": "a", "headers": {"host": "h"}, "chat_template": "{{ x }}"}


@pytest.mark.parametrize(
    "fields",
    [
        {"metadata": FREE},
        {"messages": [{"role": "user", "content": [FREE]}]},
        {"messages": [{"tool_calls": [{"function": {"arguments": FREE}}]}]},
        {"tools": [{"function": {"parameters": {"properties": FREE}}}]},
        {"tools": [{"parameters": {"properties": FREE}}]},
        {"tools": [{"input_schema": {"properties": FREE}}]},
        {"tools": [{"input_examples": [FREE]}]},
        {"response_format": {"json_schema": {"schema": {"properties": FREE}}}},
        {"response_format": {"schema": {"properties": FREE}}},
        {"structured_outputs": {"json": {"properties": FREE}}},
        {"text": {"format": {"schema": {"properties": FREE}}}},
        {"output_config": {"format": {"schema": FREE}}},
        {"input": [{"content": [FREE]}, {"output": FREE}, {"arguments": FREE}]},
        {"system": [FREE]},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_messages_schemas_arguments_and_metadata_may_hold_any_name(fields):
    forbidden.check(fields)
    forbidden.check(fields, json.dumps(fields).encode())


@pytest.mark.parametrize(
    "value",
    ["api_base", '{"api_base": 1}', '"headers":', "say host: x", "\\u0061pi_base"],
)
def test_a_text_that_mentions_a_name_is_no_field(value):
    fields = {"messages": [{"role": "user", "content": value}], "user": value}

    forbidden.check(fields, json.dumps(fields).encode())


@pytest.mark.parametrize(
    "body",
    [
        b'{"\\u0061pi_base": 1}',
        b'{"api\\u005fbase": 1}',
        b'{"api\\u005Fbase": 1}',
        b'{"api\\u002dbase": 1}',
        b'{"api\\u002Dbase": 1}',
        b'{ "api_base"\n\t: 1}',
        b'{"x":[{"api_base":1}]}',
    ],
)
def test_no_way_to_write_a_key_hides_it(body):
    with pytest.raises(InvalidInputError):
        forbidden.check(json.loads(body), body)


def test_a_long_path_is_shortened():
    assert check_both({"x" * 500: {"host": 1}}) == "x" * 40 + ".host"


@pytest.mark.parametrize("name", ["model", "host_name", "ahost", "header", "a_url"])
def test_other_names_pass(name):
    assert not forbidden.is_forbidden(name)
