"""JSON schemas that callers send: whether they are schemas, not what they accept.

Written out instead of asking the meta-schema, which takes 150 µs for each node: a
request may bring 128 tools. No pattern is ever run.

Source: https://json-schema.org/draft/2020-12/json-schema-validation, with the forms
of older drafts that libraries still write (`items` as a list, `definitions`).
"""

from collections.abc import Callable, Mapping
from typing import Any

from flaskllm.core.errors import InvalidInputError

DEPTH = 64
_TYPES = frozenset(
    ("array", "boolean", "integer", "null", "number", "object", "string")
)

Check = Callable[[Any, str, int], None]


def check_schema(schema: Any, path: str) -> None:
    """Return when `schema` is a JSON schema.

    Args:
        schema: Parsed JSON.
        path: Where the request holds it.

    Raises:
        InvalidInputError: It is none, or is nested deeper than 64; the path says
            where.
    """
    _schema(schema, path, 0)


def check_object_schema(schema: Any, path: str) -> None:
    """Return when `schema` is a JSON schema of objects, as arguments of tools are.

    Raises:
        InvalidInputError: As `check_schema`, or it is one of something else.
    """
    if not isinstance(schema, dict):
        raise InvalidInputError.of(path, "is not an object", "a JSON schema")
    if schema.get("type", "object") != "object":
        raise InvalidInputError.of(
            f"{path}.type", "is not a schema of objects", "object"
        )
    check_schema(schema, path)


def _schema(schema: Any, path: str, depth: int) -> None:
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        raise InvalidInputError.of(path, "is not a JSON schema", "an object")
    if depth > DEPTH:
        raise InvalidInputError.of(path, "is nested too deep", f"{DEPTH} levels")
    for keyword, value in schema.items():
        check = _KEYWORDS.get(keyword)
        if check is not None:
            check(value, f"{path}.{keyword}", depth + 1)


def _schemas(value: Any, path: str, depth: int) -> None:
    if not isinstance(value, list):
        raise InvalidInputError.of(path, "is not a list", "a list of JSON schemas")
    for position, schema in enumerate(value):
        _schema(schema, f"{path}.{position}", depth)


def _some_schemas(value: Any, path: str, depth: int) -> None:
    _schemas(value, path, depth)
    if not value:
        raise InvalidInputError.of(path, "is empty", "at least 1 JSON schema")


def _named_schemas(value: Any, path: str, depth: int) -> None:
    if not isinstance(value, dict):
        raise InvalidInputError.of(path, "is not an object", "JSON schemas by name")
    for name, schema in value.items():
        _schema(schema, f"{path}.{name[:40]}", depth)


def _items(value: Any, path: str, depth: int) -> None:
    (_schemas if isinstance(value, list) else _schema)(value, path, depth)


def _type(value: Any, path: str, depth: int) -> None:
    names = value if isinstance(value, list) and value else [value]
    if not all(isinstance(name, str) and name in _TYPES for name in names):
        raise InvalidInputError.of(
            path, "is no type of JSON", ", ".join(sorted(_TYPES))
        )


def _strings(value: Any, path: str, depth: int) -> None:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise InvalidInputError.of(path, "is not a list of strings", "names")


def _is(kinds: type | tuple[type, ...], allowed: str) -> Check:
    """Return the check that a value is of one of these types."""
    takes_bool = kinds is bool

    def check(value: Any, path: str, depth: int) -> None:
        if not isinstance(value, kinds) or isinstance(value, bool) != takes_bool:
            raise InvalidInputError.of(path, "is of the wrong type", allowed)

    return check


def _count(value: Any, path: str, depth: int) -> None:
    is_whole = isinstance(value, int | float) and value == int(value)
    if isinstance(value, bool) or not is_whole or value < 0:
        raise InvalidInputError.of(path, "is not a count", "a whole number from 0")


_number = _is((int, float), "a number")
_string = _is(str, "a string")
_boolean = _is(bool, "true or false")

_KEYWORDS: Mapping[str, Check] = {
    "type": _type,
    "enum": _is(list, "a list"),
    "examples": _is(list, "a list"),
    "required": _strings,
    "items": _items,
    **dict.fromkeys(
        (
            "$defs",
            "definitions",
            "dependentSchemas",
            "patternProperties",
            "properties",
        ),
        _named_schemas,
    ),
    **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), _some_schemas),
    **dict.fromkeys(
        (
            "additionalProperties",
            "contains",
            "else",
            "if",
            "not",
            "propertyNames",
            "then",
            "unevaluatedItems",
            "unevaluatedProperties",
        ),
        _schema,
    ),
    **dict.fromkeys(("maximum", "minimum", "multipleOf"), _number),
    # A flag beside the bound in draft 4, the bound itself since draft 6.
    **dict.fromkeys(
        ("exclusiveMaximum", "exclusiveMinimum"), _is((int, float), "a number")
    ),
    **dict.fromkeys(
        (
            "maxContains",
            "maxItems",
            "maxLength",
            "maxProperties",
            "minContains",
            "minItems",
            "minLength",
            "minProperties",
        ),
        _count,
    ),
    **dict.fromkeys(
        (
            "$anchor",
            "$comment",
            "$id",
            "$ref",
            "$schema",
            "description",
            "format",
            "pattern",
            "title",
        ),
        _string,
    ),
    **dict.fromkeys(("deprecated", "readOnly", "uniqueItems", "writeOnly"), _boolean),
}
