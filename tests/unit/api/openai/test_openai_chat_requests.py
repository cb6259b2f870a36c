"""A chat's body becomes the canonical question."""

import pytest

from flaskllm.llm.parts import Image, Message, Text, ToolCall, ToolResult
from flaskllm.llm.types import JsonFormat, Tool

HELLO = [{"role": "user", "content": "Hello"}]
SCHEMA = {"type": "object", "properties": {"place": {"type": "string"}}}
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tells it.",
        "parameters": SCHEMA,
        "strict": True,
    },
}
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"place": "Rome"}'},
}
PIXEL = "iVBORw0K"


@pytest.fixture
def asked(ask, completions):
    """Return what the model is asked for this body."""

    def run(**body):
        reply = ask("/chat/completions", {"messages": HELLO, **body})
        assert reply.status_code == 200, reply.json
        (request,) = completions.asked
        return request

    return run


def test_every_field_that_the_canonical_form_holds_arrives(asked):
    request = asked(
        model="fast",
        max_tokens=5,
        max_completion_tokens=7,
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        n=2,
        stop=["END", ""],
        seed=-3,
        tools=[WEATHER],
        tool_choice="required",
        parallel_tool_calls=False,
        response_format={"type": "json_object"},
        reasoning_effort="low",
        user="u-1",
    )

    assert request.model == "fast"
    assert request.messages == (Message("user", "Hello"),)
    assert request.max_output_tokens == 7
    assert (request.temperature, request.top_p, request.top_k) == (0.5, 0.9, 40)
    assert (request.choices, request.stop, request.seed) == (2, ("END",), -3)
    assert request.tools == (Tool("weather", "Tells it.", SCHEMA, strict=True),)
    assert (request.tool_choice, request.parallel_tools) == ("required", False)
    assert request.json_format == JsonFormat()
    assert (request.effort, request.user) == ("low", "u-1")
    assert (request.stream, request.direct) == (False, False)
    assert request.body.extras == ()


def test_what_is_absent_or_null_is_left_to_the_upstream(asked):
    request = asked(model=None, temperature=None, tools=None, stop=None, seed=None)

    assert request.model is None
    assert request.max_output_tokens is None
    assert (request.temperature, request.stop, request.tools) == (None, (), ())
    assert request.json_format is None
    assert request.body.extras == ()


def test_the_body_travels_as_it_was_sent(asked):
    request = asked(model="fast", temperature=1, logit_bias={"50256": -100})

    assert request.body.wire == "openai.chat"
    assert request.body.fields == {
        "messages": HELLO,
        "model": "fast",
        "temperature": 1,
        "logit_bias": {"50256": -100},
    }


def test_what_only_openai_s_dialect_can_say_is_named(asked):
    part = {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}
    messages = [
        {"role": "user", "content": [part], "name": "ann"},
        {"role": "user", "content": "b", "name": "bo"},
    ]
    request = asked(
        messages=messages, logprobs=True, service_tier="auto", store=None, min_p=0.1
    )

    assert sorted(request.body.extras) == [
        "logprobs",
        "messages.content.cache_control",
        "messages.name",
        "min_p",
        "service_tier",
    ]


@pytest.mark.parametrize(
    ("given", "understood"),
    [
        (None, None),
        ({"type": "text"}, None),
        ({"type": "json_object"}, JsonFormat()),
        (
            {
                "type": "json_schema",
                "json_schema": {"name": "place", "schema": SCHEMA, "strict": True},
            },
            JsonFormat(SCHEMA, "place", strict=True),
        ),
        (
            {"type": "json_schema", "json_schema": {"name": "any"}},
            JsonFormat(None, "any"),
        ),
    ],
)
def test_the_wish_for_json_is_understood(asked, given, understood):
    assert asked(response_format=given).json_format == understood


@pytest.mark.parametrize(
    ("given", "understood"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ({"type": "function", "function": {"name": "weather"}}, "weather"),
        (None, None),
    ],
)
def test_the_choice_of_a_tool_is_understood(asked, given, understood):
    assert asked(tools=[WEATHER], tool_choice=given).tool_choice == understood


@pytest.mark.parametrize(("given", "understood"), [(-1, None), (0, None), (1, 1)])
def test_top_k_of_all_tokens_is_no_limit(asked, given, understood):
    assert asked(top_k=given).top_k == understood


@pytest.mark.parametrize("stop", ["END", ["END"]])
def test_one_stop_may_stand_alone(asked, stop):
    assert asked(stop=stop).stop == ("END",)


def test_every_role_becomes_a_turn(asked):
    texts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    image = {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}
    inline = {
        "type": "image_url",
        "image_url": {"url": f"data:image/png;base64,{PIXEL}", "detail": "high"},
    }
    request = asked(
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": texts},
            {"role": "user", "content": [texts[0], image, inline]},
            {"role": "assistant", "content": "One moment.", "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
            {"role": "assistant", "content": texts},
            {"role": "user", "content": ""},
            {"role": "assistant", "content": "Sunny."},
        ]
    )

    assert request.messages == (
        Message("system", "Be brief."),
        Message("system", (Text("a"), Text("b"))),
        Message(
            "user",
            (
                Text("a"),
                Image(url="https://x.example/a.png"),
                Image(data=PIXEL, media_type="image/png", detail="high"),
            ),
        ),
        Message(
            "assistant",
            (
                Text("One moment."),
                ToolCall("call_1", "weather", '{"place": "Rome"}'),
            ),
        ),
        Message("tool", (ToolResult("call_1", (Text("sunny"),)),)),
        Message("assistant", (Text("a"), Text("b"))),
        Message("user", ""),
        Message("assistant", "Sunny."),
    )


def test_results_that_follow_one_another_share_a_turn(asked):
    calls = [{**CALL, "id": "a"}, {**CALL, "id": "b"}]
    parts = [{"type": "text", "text": "rain"}]
    request = asked(
        messages=[
            *HELLO,
            {"role": "assistant", "content": None, "tool_calls": calls},
            {"role": "tool", "tool_call_id": "b", "content": "sun"},
            {"role": "tool", "tool_call_id": "a", "content": parts},
        ]
    )

    assert request.messages[-1] == Message(
        "tool",
        (ToolResult("b", (Text("sun"),)), ToolResult("a", (Text("rain"),))),
    )


@pytest.mark.parametrize(
    ("turn", "understood"),
    [
        ({"content": "", "tool_calls": [CALL]}, ()),
        ({"content": None, "refusal": "No."}, (Text("No."),)),
        ({"content": [{"type": "refusal", "refusal": "No."}]}, (Text("No."),)),
    ],
)
def test_an_assistant_may_refuse_or_only_call(asked, turn, understood):
    request = asked(messages=[{"role": "assistant", **turn}, *HELLO])

    said = tuple(p for p in request.messages[0].parts if isinstance(p, Text))
    assert said == understood


def test_a_pattern_in_a_schema_is_never_run(asked):
    evil = {"type": "object", "properties": {"a" * 40: {"pattern": "(a+)+$"}}}

    assert (
        asked(
            tools=[{"type": "function", "function": {"name": "f", "parameters": evil}}]
        )
        .tools[0]
        .parameters
        == evil
    )
