import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from flaskllm.llm.providers.strict_schema import tighten

TEXT = {"type": "string"}


def closed(**properties):
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


STRICT = {
    "empty object": closed(),
    "flat": closed(name=TEXT, due={"type": ["string", "null"]}),
    "nested": closed(facts={"type": "array", "items": closed(task=TEXT)}),
    "choices": closed(kind={"anyOf": [TEXT, {"type": "null"}]}),
    "enumeration": closed(label={"enum": ["a", "b"], "description": "One of two."}),
    "constant": closed(version={"const": 1}),
    "references": {**closed(one={"$ref": "#/$defs/one"}), "$defs": {"one": closed()}},
    "object or null": closed(one={**closed(a=TEXT), "type": ["object", "null"]}),
}


@pytest.mark.parametrize("schema", STRICT.values(), ids=STRICT)
def test_a_strict_schema_is_its_own_strict_form(schema):
    assert tighten(schema) == schema


TIGHTENED = {
    "an open object is closed": (
        {"type": "object", "properties": {"a": TEXT}, "required": ["a"]},
        closed(a=TEXT),
    ),
    "an optional property with a default is required": (
        {**closed(a={**TEXT, "default": ""}), "required": []},
        closed(a=TEXT),
    ),
    "an optional property that may be null is required": (
        {**closed(a={"type": ["string", "null"]}), "required": []},
        closed(a={"type": ["string", "null"]}),
    ),
    "an optional choice with null is required": (
        {**closed(a={"anyOf": [TEXT, {"type": "null"}]}), "required": []},
        closed(a={"anyOf": [TEXT, {"type": "null"}]}),
    ),
    "what only narrows is left out": (
        closed(a={"type": "string", "maxLength": 4000, "title": "A", "pattern": "x"}),
        closed(a=TEXT),
    ),
    "nothing stands beside a reference": (
        closed(a={"$ref": "#/$defs/a", "description": "x"}),
        closed(a={"$ref": "#/$defs/a"}),
    ),
    "a property may have the name of a keyword": (
        closed(title=TEXT, default=TEXT, items=TEXT),
        closed(title=TEXT, default=TEXT, items=TEXT),
    ),
}


@pytest.mark.parametrize(("schema", "strict"), TIGHTENED.values(), ids=TIGHTENED)
def test_a_schema_is_tightened(schema, strict):
    assert tighten(schema) == strict


LOOSE = {
    "root is no object": TEXT,
    "root is a choice": {"anyOf": [closed(), closed()]},
    "an optional value would be invented": {**closed(a=TEXT), "required": []},
    "any property allowed": {**closed(), "additionalProperties": True},
    "a map": {"type": "object", "additionalProperties": TEXT},
    "a map below": closed(a={"type": "object", "additionalProperties": TEXT}),
    "a map or null below": closed(a={"type": ["object", "null"]}),
    "a map in a list": closed(a={"type": "array", "items": {"type": "object"}}),
    "a map in a choice": closed(a={"anyOf": [{"type": "object"}]}),
    "a map in a definition": {**closed(), "$defs": {"one": {"type": "object"}}},
    "unsupported keyword": closed(a={"type": "string", "not": TEXT}),
    "list of anything": closed(a={"type": "array"}),
    "anything": closed(a={}),
    "true": closed(a=True),
    "senseless type": closed(a={"type": 7}),
    "senseless properties": {**closed(), "properties": 7},
    "senseless definitions": {**closed(), "$defs": 7},
    "senseless choices": closed(a={"anyOf": 7}),
    "senseless required": {**closed(a=TEXT), "required": None},
}


@pytest.mark.parametrize("schema", LOOSE.values(), ids=LOOSE)
def test_what_strict_mode_cannot_say_has_no_strict_form(schema):
    assert tighten(schema) is None


class Item(BaseModel):
    model_config = ConfigDict(extra="ignore")
    text: str = Field(min_length=1, max_length=100)
    owner: str | None = None


class Facts(BaseModel):
    items: tuple[Item, ...] = Field(default=(), max_length=200)
    first: Item = Item(text="x")


def test_a_pydantic_model_has_a_strict_form():
    assert tighten(Facts.model_json_schema()) == {
        **closed(
            items={"type": "array", "items": {"$ref": "#/$defs/Item"}},
            first={"$ref": "#/$defs/Item"},
        ),
        "$defs": {"Item": closed(text=TEXT, owner={"anyOf": [TEXT, {"type": "null"}]})},
    }


WORDS = st.sampled_from(["type", "properties", "required", "items", "anyOf", "$defs"])
NODES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["object", "null"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner),
    max_leaves=8,
)


@given(schema=st.dictionaries(WORDS, NODES))
def test_a_strict_form_is_its_own_strict_form(schema):
    strict = tighten({**schema, "type": "object"})

    assert strict is None or tighten(strict) == strict
