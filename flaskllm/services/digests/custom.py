"""The caller's own schema: which ones we take, and whether an answer fits."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic_core import from_json

from flaskllm.core.errors import InvalidInputError

_PATH = "variables.schema"
_FORM = '{"type": "object", ...}'
_MOST_CHARACTERS = 20_000  # as many as the built-in template takes
_MOST_DEPTH = 16
# A reference could fetch, and a pattern could run for ever.
_REFUSED = frozenset({"$ref", "$dynamicRef", "pattern", "patternProperties"})


def read_schema(value: Any) -> Mapping[str, Any]:
    """Return the caller's JSON Schema (2020-12) of an object.

    Raises:
        InvalidInputError: It is missing, no schema, too large, too deep, or
            uses a keyword that is refused.
    """
    if value is None:
        raise InvalidInputError.of(_PATH, "is missing", _FORM)
    schema = _parse(value) if isinstance(value, str) else value
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise InvalidInputError.of(_PATH, "is not a JSON Schema of an object", _FORM)
    if len(_write(schema)) > _MOST_CHARACTERS:
        raise InvalidInputError.of(
            _PATH, "is too long", f"{_MOST_CHARACTERS} characters"
        )
    refused = _REFUSED.intersection(_keys(schema, 0))
    if refused:
        raise InvalidInputError.of(_PATH, f"uses {', '.join(sorted(refused))}")
    return _checked(schema)


def find_faults(answer: Any, schema: Mapping[str, Any]) -> tuple[str, ...]:
    """Return where an answer breaks the schema, up to five places."""
    try:
        errors = list(Draft202012Validator(schema).iter_errors(answer))
    except OverflowError:  # `multipleOf` of an integer of hundreds of digits
        return ("the object: holds a number that is too large",)
    found = sorted(errors, key=lambda error: list(map(str, error.absolute_path)))[:5]
    return tuple(
        f"{'.'.join(map(str, error.absolute_path)) or 'the object'}: "
        f"breaks `{error.validator}`"
        for error in found
    )


def change_texts(value: Any, change: Callable[[str], str]) -> Any:
    """Return a JSON value with every string in it changed, keys included."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [change_texts(item, change) for item in value]
    if isinstance(value, dict):
        return {change(key): change_texts(each, change) for key, each in value.items()}
    return value


def leaves_of(value: Any) -> Iterator[str]:
    """Yield every string and number in a JSON value as text, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from leaves_of(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from leaves_of(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def _parse(text: str) -> Any:
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidInputError.of(_PATH, "is not JSON") from error


def _write(schema: dict[str, Any]) -> str:
    try:
        return json.dumps(schema, allow_nan=False)
    except ValueError as error:
        raise InvalidInputError.of(_PATH, "holds a number that is no JSON") from error


def _checked(schema: dict[str, Any]) -> Mapping[str, Any]:
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise InvalidInputError.of(_PATH, "is not a JSON Schema") from error
    return schema


def _keys(value: Any, depth: int, named: bool = False) -> Iterator[str]:
    """Yield every keyword; what stands under `properties` are names instead."""
    if depth > _MOST_DEPTH:
        raise InvalidInputError.of(_PATH, "is too deep", f"{_MOST_DEPTH} levels")
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if not named:
            yield str(key)
        if isinstance(item, dict | list):
            yield from _keys(item, depth + 1, named=key == "properties" and not named)
