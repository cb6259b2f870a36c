"""A chat's body that is wrong is a 400 that names the field; no model is asked."""

import pytest

HELLO = [{"role": "user", "content": "Hello"}]
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"place": "Rome"}'},
}


@pytest.fixture
def refused(ask, completions):
    """Return the error that answers this body; no model is asked."""

    def run(**body):
        reply = ask("/chat/completions", {"messages": HELLO, **body})
        assert reply.status_code == 400
        assert completions.asked == []
        error = reply.json["error"]
        assert error["type"] == "invalid_request_error"
        assert error["param"] in error["message"]
        return error["param"]

    return run


ASSISTANT = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "x"}


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([], "messages"),
        ("hello", "messages"),
        (["hello"], "messages.0"),
        (HELLO * 1001, "messages"),
        ([{"content": "x"}], "messages.0.role"),
        ([{"role": "robot", "content": "x"}], "messages.0.role"),
        ([{"role": "function", "content": "x", "name": "f"}], "messages.0.role"),
        ([{"role": "user"}], "messages.0.content"),
        ([{"role": "user", "content": None}], "messages.0.content"),
        ([{"role": "user", "content": 5}], "messages.0.content"),
        ([{"role": "user", "content": []}], "messages.0.content"),
        ([{"role": "system", "content": None}], "messages.0.content"),
        ([{"role": "assistant"}], "messages.0.content"),
        ([*HELLO, RESULT], "messages.1.tool_call_id"),
        ([*HELLO, {"role": "tool", "content": "x"}], "messages.1.tool_call_id"),
        (
            [ASSISTANT, {**RESULT, "tool_call_id": "other"}],
            "messages.1.tool_call_id",
        ),
        ([ASSISTANT, *HELLO, RESULT], "messages.2.tool_call_id"),
        ([ASSISTANT, {**RESULT, "content": None}], "messages.1.content"),
        (
            [{**ASSISTANT, "tool_calls": [{**CALL, "id": ""}]}],
            "messages.0.tool_calls.0.id",
        ),
        (
            [{**ASSISTANT, "tool_calls": [{**CALL, "type": "custom"}]}],
            "messages.0.tool_calls.0.type",
        ),
        (
            [{**ASSISTANT, "tool_calls": [{**CALL, "function": {"name": "a b"}}]}],
            "messages.0.tool_calls.0.function.name",
        ),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_conversation_that_is_wrong_is_refused(refused, messages, param):
    assert refused(messages=messages) == param


IMAGE = {"type": "image_url", "image_url": {"url": "https://x/"}}
FTP = {"type": "image_url", "image_url": {"url": "ftp://x"}}


@pytest.mark.parametrize(
    ("role", "part", "param"),
    [
        ("user", {"type": "input_audio", "input_audio": {}}, "type"),
        ("user", {"type": "text"}, "text"),
        ("user", {"type": "image_url"}, "image_url"),
        ("user", {"type": "refusal", "refusal": "x"}, "type"),
        (
            "user",
            {"type": "image_url", "image_url": {"url": "ftp://x"}},
            "image_url.url",
        ),
        ("user", {"type": "image_url", "image_url": "https://x/"}, "image_url"),
        ("system", IMAGE, "type"),
        (
            "assistant",
            {"type": "image_url", "image_url": {"url": "https://x/"}},
            "type",
        ),
        ("assistant", {"type": "refusal"}, "type"),
    ],
    ids=str,
)
def test_a_part_that_is_wrong_is_refused(refused, role, part, param):
    messages = [{"role": role, "content": [part]}]

    assert refused(messages=messages) == f"messages.0.content.0.{param}"


def tool(**changes):
    return {"type": "function", "function": {"name": "f", **changes}}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"n": 0}, "n"),
        ({"n": 9}, "n"),
        ({"n": 10**9}, "n"),
        ({"n": 1.5}, "n"),
        ({"n": True}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": 10**12}, "max_tokens"),
        ({"max_completion_tokens": -5}, "max_completion_tokens"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_p": 1.1}, "top_p"),
        ({"stop": ["x"] * 17}, "stop"),
        ({"stop": ["x"] * 10**4}, "stop"),
        ({"stop": [5]}, "stop.0"),
        ({"stop": 5}, "stop"),
        ({"stop": "x" * 1001}, "stop"),
        ({"seed": 2**63}, "seed"),
        ({"presence_penalty": 3}, "presence_penalty"),
        ({"logit_bias": {str(i): 1 for i in range(1001)}}, "logit_bias"),
        ({"logit_bias": {"1": 101}}, "logit_bias.1"),
        ({"top_logprobs": 21}, "top_logprobs"),
        ({"model": "m" * 257}, "model"),
        ({"model": 5}, "model"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"stream": False, "stream_options": {}}, "stream_options"),
        ({"user": "u" * 513}, "user"),
        ({"tools": [tool()] * 129}, "tools"),
        ({"tools": [tool(), tool()]}, "tools"),
        ({"tools": [{"type": "retrieval"}]}, "tools.0.type"),
        ({"tools": [{"type": "function"}]}, "tools.0.function"),
        ({"tools": [tool(name="a b")]}, "tools.0.function.name"),
        ({"tools": [tool(name="a" * 65)]}, "tools.0.function.name"),
        ({"tools": [tool(name="a\n")]}, "tools.0.function.name"),
        ({"tools": [tool(parameters=5)]}, "tools.0.function.parameters"),
        (
            {"tools": [tool(parameters={"type": "array"})]},
            "tools.0.function.parameters.type",
        ),
        (
            {"tools": [tool(parameters={"properties": {"a": {"type": "text"}}})]},
            "tools.0.function.parameters.properties.a.type",
        ),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"tool_choice": "any", "tools": [tool()]}, "tool_choice"),
        (
            {
                "tools": [tool()],
                "tool_choice": {"type": "function", "function": {"name": "g"}},
            },
            "tool_choice.function.name",
        ),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"function_call": "auto"}, "function_call"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "a", "schema": {"type": "x"}},
                }
            },
            "response_format.json_schema.schema.type",
        ),
        ({"metadata": {}, "deep": [{"api_base": "x"}]}, "deep.0.api_base"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_field_out_of_its_bounds_is_refused(refused, body, param):
    assert refused(**body) == param


@pytest.mark.parametrize("depth", [60, 500])
def test_a_body_nested_too_deep_is_refused(ask, completions, depth):
    schema = {}
    for _ in range(depth):
        schema = {"not": schema}
    body = {"messages": HELLO, "tools": [tool(parameters=schema)]}

    reply = ask("/chat/completions", body)

    assert reply.status_code == 400
    assert "nested too deep" in reply.json["error"]["message"]
    assert completions.asked == []


def test_a_body_of_100_000_values_is_refused_before_it_is_parsed(ask, completions):
    reply = ask("/chat/completions", {"messages": HELLO, "stop": ["x"] * 10**5})

    assert reply.status_code == 400
    assert "too many values" in reply.json["error"]["message"]
    assert completions.asked == []
