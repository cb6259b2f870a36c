import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.llm.parts import (
    Image,
    Message,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from flaskllm.llm.tokens import (
    estimate,
    estimate_messages,
    estimate_request,
    estimate_tools,
    output_cap,
    room_tokens,
)
from flaskllm.llm.types import CompletionRequest, Deployment, JsonFormat, Tool

RECORDED = sorted((Path(__file__).parents[2] / "recorded" / "tokens").glob("*.json"))
"""Our own texts, and what five tokenizers count for each (`tokens` names them)."""

MEASURED = ["o200k", "cl100k", "qwen", "tekken", "sentencepiece"]


def recorded(path):
    """Return a text and its true counts by family."""
    told = json.loads(path.read_text("utf-8"))
    return told["text"], told["counts"]


@pytest.mark.parametrize("family", MEASURED)
@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_an_estimate_is_five_percent_under_a_true_count_at_most_and_thirty_over(
    path, family
):
    text, counts = recorded(path)

    assert 0.95 * counts[family] <= estimate(text, family) <= 1.3 * counts[family]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_careful_estimate_keeps_the_bound_against_whoever_counts_most(path):
    text, counts = recorded(path)

    most = max(counts.values())
    assert 0.95 * most <= estimate(text) <= 1.3 * most


def test_what_mails_and_meetings_are_made_of_is_recorded():
    kinds = {path.stem.partition("_")[2] for path in RECORDED}
    languages = {path.stem.partition("_")[0] for path in RECORDED}

    assert {"prose", "mail", "transcript", "captions", "chat"} <= kinds
    assert {"english", "german", "french", "json", "code", "html"} <= languages


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_claude_takes_more_than_any_that_was_measured(path):
    text, counts = recorded(path)

    assert estimate(text, "claude") >= 1.1 * max(counts.values())


@pytest.mark.parametrize("family", [*MEASURED, "careful", "claude"])
def test_every_family_knows_every_kind_of_sign(family):
    signs = (
        "aZzéÉẠ7\n\r\t .,-\u00a0Ґіж αλ אב عر हि かな漢字 한국 、。 😀 ✓ გ ԱԲ ไทย \ud83d"
    )

    for sign in signs:
        assert 1 <= estimate(sign, family) <= 5


def test_a_text_beyond_all_windows_is_taken_to_be_like_its_start():
    page = "The meeting moves to Friday. "
    start = page * (32 * 65_536 // len(page) + 1)

    assert estimate(start * 2) == pytest.approx(2 * estimate(start), rel=0.001)


def test_no_text_takes_no_tokens():
    assert estimate("") == 0


@given(st.text(min_size=1))
def test_any_text_takes_a_token_and_no_more_than_four_a_character(text):
    assert 1 <= estimate(text) <= 4 * len(text)


@given(st.text(), st.text())
def test_a_longer_text_never_takes_less(text, more):
    assert estimate(text + more) >= estimate(text)


def test_messages_cost_five_tokens_each_and_three_for_the_answer():
    messages = (Message("system", "one two"), Message("user", "three"))

    tokens = estimate_messages(messages)

    assert tokens == estimate("one two") + estimate("three") + 2 * 5 + 3


COUNTED = {
    "words": (Text("one two"), estimate("one two")),
    "an image": (Image(data="aGk=", media_type="image/png"), 1600),
    "an image in low detail": (Image(url="https://x.test/a.png", detail="low"), 85),
    "a call": (
        ToolCall("c", "find", '{"day": "friday"}'),
        8 + estimate("find") + estimate('{"day": "friday"}'),
    ),
    "a result": (
        ToolResult("c", (Text("one two"), Image(data="aGk="))),
        8 + estimate("one two") + 1600,
    ),
    "a thought": (Thinking("one two", "sig"), estimate("one two")),
    "a hidden thought": (Thinking(redacted="x" * 400), 100),
}


@pytest.mark.parametrize(("part", "tokens"), COUNTED.values(), ids=COUNTED)
def test_every_part_of_a_message_counts(part, tokens):
    assert estimate_messages((Message("user", (part,)),)) == tokens + 5 + 3


SCHEMA = {"type": "object", "properties": {"größe": {"type": "string"}}}
SCHEMA_TEXT = '{"type":"object","properties":{"größe":{"type":"string"}}}'


def test_tools_cost_twelve_each_and_their_texts():
    tools = (Tool("find", "Looks a day up.", SCHEMA), Tool("now"))

    tokens = estimate_tools(tools)

    first = estimate("find Looks a day up.") + estimate(SCHEMA_TEXT)
    second = estimate("now ") + estimate("{}")
    assert tokens == first + second + 2 * 12


WISHES = {
    "messages alone": ({}, 0),
    "a tool": ({"tools": (Tool("now"),)}, estimate_tools((Tool("now"),))),
    "a digest's schema": ({"json_schema": SCHEMA}, estimate(SCHEMA_TEXT)),
    "a caller's schema": ({"json_format": JsonFormat(SCHEMA)}, estimate(SCHEMA_TEXT)),
    "any JSON": ({"json_format": JsonFormat()}, 0),
}


@pytest.mark.parametrize(("wish", "tokens"), WISHES.values(), ids=WISHES)
def test_a_request_counts_its_messages_tools_and_schema(wish, tokens):
    messages = (Message("user", "one two"),)

    found = estimate_request(CompletionRequest(None, messages, **wish))

    assert found == estimate_messages(messages) + tokens


def test_a_request_is_counted_as_its_family_counts():
    german = (Message("user", "Genehmigungsunterlagen und Terminverschiebung " * 9),)
    request = CompletionRequest(None, german)

    assert estimate_request(request, "tekken") < estimate_request(request, "qwen")


CAPS = {
    "nobody says": (None, None, None),
    "only the deployment": (None, 100, None),
    "only the request": (50, None, 50),
    "the request is lower": (50, 100, 50),
    "the deployment is lower": (500, 100, 100),
}


@pytest.mark.parametrize(("asked", "longest", "cap"), CAPS.values(), ids=CAPS)
def test_the_cap_is_the_requests_and_no_higher_than_the_deployments(
    asked, longest, cap
):
    deployment = Deployment("a", "p", "openai", "m", max_output_tokens=longest)

    assert output_cap(CompletionRequest(None, (), asked), deployment) == cap


ROOMS = {
    "window unknown": (None, 100, 100, None),
    "no cap at all": (1000, None, None, 1000),
    "the request's cap is kept": (1000, None, 300, 700),
    "the deployment's longest answer is kept": (1000, 200, None, 800),
    "but at most a quarter": (1000, 1000, None, 750),
    "a cap beyond the window leaves nothing": (1000, None, 3000, 0),
}


@pytest.mark.parametrize(
    ("window", "longest", "asked", "room"), ROOMS.values(), ids=ROOMS
)
def test_the_room_is_the_window_less_the_answer(window, longest, asked, room):
    deployment = Deployment("a", "p", "openai", "m", window, longest)

    assert room_tokens(deployment, CompletionRequest(None, (), asked)) == room
