"""Schemas of callers: which are taken, and what breaks them."""

import json

import pytest

from flaskllm.core.errors import InvalidInputError
from flaskllm.services.digests.custom import (
    change_texts,
    find_faults,
    leaves_of,
    read_schema,
)


def deep(levels):
    schema = {"type": "object"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


TAKEN = {
    "type": "object",
    "properties": {
        "pattern": {"type": "string", "maxLength": 3},
        "properties": {"type": "object", "properties": {"$ref": {"type": "integer"}}},
    },
    "required": ["pattern"],
}


@pytest.mark.parametrize("given", [TAKEN, json.dumps(TAKEN)], ids=["object", "text"])
def test_a_schema_is_taken_as_object_or_text_and_refused_words_may_be_names(given):
    assert read_schema(given) == TAKEN


def test_a_schema_may_be_eight_objects_deep_and_no_deeper():
    assert read_schema(deep(8))
    with pytest.raises(InvalidInputError) as caught:
        read_schema(deep(9))
    assert "too deep" in caught.value.details


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        (None, "is missing"),
        (5, "is not a JSON Schema of an object"),
        ([], "is not a JSON Schema of an object"),
        ({}, "is not a JSON Schema of an object"),
        ({"type": ["object"]}, "is not a JSON Schema of an object"),
        ("[]", "is not a JSON Schema of an object"),
        ("{", "is not JSON"),
        ('{"type": "object", "a": ' + "[" * 5_000 + "]" * 5_000 + "}", "is not JSON"),
        ('{"type": "object", "maximum": NaN}', "is not JSON"),
        ('{"type": "object", "maximum": 1e999}', "a number that is no JSON"),
        ({"type": "object", "maximum": float("nan")}, "a number that is no JSON"),
        ({"type": "object", "title": "x" * 32_000}, "is too long"),
        ({"type": "object", "$ref": "#"}, "uses $ref"),
        ({"type": "object", "$dynamicRef": "#"}, "uses $dynamicRef"),
        ({"type": "object", "allOf": [{"pattern": "a"}]}, "uses pattern"),
        ({"type": "object", "patternProperties": {}}, "uses patternProperties"),
        ({"type": "object", "properties": {"a": {"pattern": "a"}}}, "uses pattern"),
        ({"type": "object", "required": 5}, "is not a JSON Schema"),
        ({"type": "object", "properties": {"a": {"type": "integr"}}}, "is not a JSON"),
    ],
)
def test_other_schemas_are_refused_naming_the_field(schema, told):
    with pytest.raises(InvalidInputError) as caught:
        read_schema(schema)

    assert told in caught.value.details
    assert caught.value.fields[0].path == "variables.schema"


@pytest.mark.parametrize(
    ("answer", "faults"),
    [
        ({"pattern": "abc"}, ()),
        ({}, ("the object: breaks `required`",)),
        ({"pattern": "abcd"}, ("pattern: breaks `maxLength`",)),
        (
            {"pattern": 1, "properties": {"$ref": "x"}},
            ("pattern: breaks `type`", "properties.$ref: breaks `type`"),
        ),
    ],
)
def test_faults_are_told_by_their_place_without_the_answers_words(answer, faults):
    assert find_faults(answer, TAKEN) == faults


def test_five_faults_are_enough():
    schema = {"type": "object", "additionalProperties": {"type": "integer"}}

    assert len(find_faults({str(n): "x" for n in range(9)}, schema)) == 5


def test_a_number_beyond_all_measure_is_a_fault():
    schema = {"type": "object", "properties": {"a": {"multipleOf": 0.5}}}

    assert find_faults({"a": 10**400}, schema) == (
        "the object: holds a number that is too large",
    )


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ("a", ["a"]),
        (
            {"k": ["a", {"l": "b"}], "m": 5, "n": None},
            ["k", "a", "l", "b", "m", "5", "n"],
        ),
        (True, []),
    ],
)
def test_every_text_and_number_of_a_value_is_seen_its_keys_too(value, texts):
    assert list(leaves_of(value)) == texts


def test_every_text_of_a_value_is_changed_its_keys_too():
    value = {"k": ["a", {"l": "b"}], "m": 5, "n": None}

    assert change_texts(value, str.upper) == {
        "K": ["A", {"L": "B"}],
        "M": 5,
        "N": None,
    }
