"""A caller's turns are changed where a service would refuse them, and only there."""

import copy

import pytest

from flaskllm.llm.providers.compatible import DIALECTS
from flaskllm.llm.providers.openai_turns import adapted

CALL = {"id": "call_0fypS1hVX", "type": "function", "function": {"name": "f"}}
TURNS = [
    {"role": "developer", "content": "Be brief."},
    {"role": "user", "content": "How many?", "name": "kim"},
    {"role": "assistant", "tool_calls": [CALL, {"id": "abcDEF123"}]},
    {"role": "tool", "tool_call_id": "call_0fypS1hVX", "content": "3"},
    {"role": "tool", "tool_call_id": "abcDEF123", "content": "4"},
]


def test_openai_gets_the_turns_as_they_are():
    assert adapted(TURNS, DIALECTS["openai"]) is TURNS


def test_elsewhere_the_developer_is_called_the_system():
    first, *others = adapted(TURNS, DIALECTS["deepseek"])

    assert first == {"role": "system", "content": "Be brief."}
    assert others == TURNS[1:]


def test_names_are_left_out_where_they_are_refused():
    assert "name" not in adapted(TURNS, DIALECTS["groq"])[1]


def test_mistral_gets_ids_of_nine_signs_the_same_for_a_call_and_its_result():
    before = copy.deepcopy(TURNS)

    *_, called, first, second = adapted(TURNS, DIALECTS["mistral"])

    foreign, own = (call["id"] for call in called["tool_calls"])
    assert (len(foreign), foreign.isalnum()) == (9, True)
    assert (first["tool_call_id"], second["tool_call_id"]) == (foreign, own)
    assert own == "abcDEF123"
    assert before == TURNS


@pytest.mark.parametrize(
    "turns", [None, "x", [7], [{"tool_calls": 7}], [{"tool_calls": [7, {"id": 7}]}]]
)
def test_what_is_no_turn_stays_as_it_is(turns):
    assert adapted(turns, DIALECTS["mistral"]) == turns
