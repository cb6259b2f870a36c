"""Schemas that callers send: our verdict is that of the meta-schema."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, SchemaError

from flaskllm.api import schemas
from flaskllm.core.errors import InvalidInputError

ARGUMENTS = {
    "type": "object",
    "$defs": {"unit": {"enum": ["C", "F"]}},
    "properties": {
        "place": {"type": "string", "minLength": 1, "pattern": "(a+)+$"},
        "unit": {"$ref": "#/$defs/unit"},
        "days": {"type": ["integer", "null"], "minimum": 0, "exclusiveMaximum": 8.5},
        "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        "any": True,
        "either": {"anyOf": [{"type": "string"}, {"not": {"type": "number"}}]},
    },
    "required": ["place"],
    "additionalProperties": False,
    "x-vendor": {"anything": ["goes"]},
}


@pytest.mark.parametrize("schema", [ARGUMENTS, {}, {"properties": {}}, {"title": "t"}])
def test_a_schema_of_objects_passes(schema):
    schemas.check_object_schema(schema, "parameters")


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        (7, "p"),
        ([], "p"),
        ("object", "p"),
        (True, "p"),
        ({"type": "array"}, "p.type"),
        ({"type": ["object"]}, "p.type"),
        ({"type": "object", "properties": []}, "p.properties"),
        ({"properties": {"a": 5}}, "p.properties.a"),
        ({"properties": {"a": {"type": "text"}}}, "p.properties.a.type"),
        ({"properties": {"a": {"type": []}}}, "p.properties.a.type"),
        ({"properties": {"a": {"type": ["string", 5]}}}, "p.properties.a.type"),
        ({"required": "a"}, "p.required"),
        ({"required": [1]}, "p.required"),
        ({"properties": {"a": {"enum": "x"}}}, "p.properties.a.enum"),
        ({"anyOf": []}, "p.anyOf"),
        ({"anyOf": {}}, "p.anyOf"),
        ({"anyOf": [{}, {"minLength": -1}]}, "p.anyOf.1.minLength"),
        ({"minProperties": 1.5}, "p.minProperties"),
        ({"minProperties": True}, "p.minProperties"),
        ({"minProperties": "1"}, "p.minProperties"),
        ({"minimum": "1"}, "p.minimum"),
        ({"minimum": False}, "p.minimum"),
        ({"not": "x"}, "p.not"),
        ({"items": 3}, "p.items"),
        ({"uniqueItems": 1}, "p.uniqueItems"),
        ({"description": 1}, "p.description"),
        ({"pattern": None}, "p.pattern"),
    ],
    ids=str,
)
def test_what_is_no_schema_of_objects_is_refused_with_its_path(schema, path):
    with pytest.raises(InvalidInputError) as refused:
        schemas.check_object_schema(schema, "p")

    assert refused.value.fields[0].path == path


@pytest.mark.parametrize(
    "schema",
    [
        {"items": [{"type": "string"}], "additionalItems": False},
        {"definitions": {"a": {"type": "string"}}},
        {"type": "array", "prefixItems": [{}]},
        False,
    ],
    ids=str,
)
def test_forms_of_older_drafts_pass(schema):
    schemas.check_schema(schema, "p")


def nested(depth):
    schema = {}
    for _ in range(depth):
        schema = {"not": schema}
    return schema


def test_a_schema_is_at_most_64_levels_deep():
    schemas.check_schema(nested(64), "p")

    with pytest.raises(InvalidInputError, match="not valid") as refused:
        schemas.check_schema(nested(500), "p")

    assert refused.value.fields[0].problem == "is nested too deep"


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.just(1.5) | st.just("string"),
    lambda below: (
        st.lists(below, max_size=2)
        | st.dictionaries(
            # `items` as a list and `definitions` are of older drafts.
            st.sampled_from(
                sorted(set(schemas._KEYWORDS) - {"items", "definitions", "$id", "$ref"})
            ),
            below,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(_VALUES)
def test_our_verdict_is_never_harsher_than_the_meta_schema_s(value):
    try:
        Draft202012Validator.check_schema(value, format_checker=None)
    except SchemaError:
        return

    schemas.check_schema(value, "p")


@settings(max_examples=300, deadline=None)
@given(_VALUES)
def test_our_verdict_is_as_harsh_but_for_what_harms_nobody(value):
    """Names that occur twice, and a step of zero or less, are left to the upstream."""
    try:
        schemas.check_schema(value, "p")
    except InvalidInputError:
        return

    errors = Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(value)
    harmless = {"uniqueItems", "exclusiveMinimum", "pattern"}
    assert {leaf.validator for each in errors for leaf in leaves(each)} <= harmless


def leaves(error):
    """Return the innermost causes of an error."""
    return [leaf for each in error.context for leaf in leaves(each)] or [error]
