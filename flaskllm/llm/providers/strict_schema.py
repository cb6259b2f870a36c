"""JSON schemas in the form that the strict modes accept.

OpenAI and Azure refuse a request whose strict schema leaves an object open, a
property optional, or uses a keyword beyond a small subset; llama.cpp refuses
repetitions that are too long for its grammar. What only narrows a value (lengths,
ranges, patterns) is left out: whoever asked checks the answer anyway.
"""

from collections.abc import Mapping
from typing import Any

_COPIED = frozenset({"type", "description", "enum", "const"})
_TRANSLATED = frozenset(
    {"properties", "required", "additionalProperties", "items", "anyOf", "$defs"}
)
_LEFT_OUT = frozenset(
    {"$schema", "$id", "$comment", "title", "default", "examples", "format", "pattern"}
    | {"minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "multipleOf"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
)


class _NoStrictFormError(Exception):
    """The schema allows what a strict one cannot say."""


def tighten(schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the schema's strict form, or None when it has none.

    Every object is closed and requires all its properties. A property that was
    optional must say what stands for nothing, by a `default` or by allowing
    null: else the model would have to invent a value. So what is valid against
    the strict form is valid against the schema, but for lengths and the like.
    """
    if schema.get("type") != "object":
        return None
    try:
        return _tighten(schema)
    except _NoStrictFormError:
        return None


def _tighten(node: Any) -> dict[str, Any]:
    if not isinstance(node, Mapping):
        raise _NoStrictFormError
    if "$ref" in node:
        return {"$ref": node["$ref"]}  # strict modes allow nothing beside it
    if node.keys() - _COPIED - _TRANSLATED - _LEFT_OUT:
        raise _NoStrictFormError
    if not node.keys() & {"type", "enum", "const", "anyOf"}:
        raise _NoStrictFormError
    tight = {keyword: node[keyword] for keyword in node if keyword in _COPIED}
    types = _types(node)
    if "object" in types or "properties" in node:
        tight |= _close(node)
    if "array" in types:
        tight["items"] = _tighten(node.get("items"))
    if "anyOf" in node:
        tight["anyOf"] = [_tighten(choice) for choice in _choices(node)]
    if "$defs" in node:
        tight["$defs"] = _tighten_each(node["$defs"])
    return tight


def _close(node: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object's keywords with all properties required and no others."""
    required, properties = node.get("required", ()), node.get("properties")
    if node.get("additionalProperties", False) is not False:
        raise _NoStrictFormError
    if not isinstance(required, list | tuple):
        raise _NoStrictFormError
    closed = _tighten_each(properties)
    for name in closed.keys() - set(map(str, required)):
        if not _may_say_nothing(node["properties"][name]):
            raise _NoStrictFormError
    return {
        "properties": closed,
        "required": list(closed),
        "additionalProperties": False,
    }


def _tighten_each(named: Any) -> dict[str, Any]:
    if not isinstance(named, Mapping):
        raise _NoStrictFormError
    return {str(name): _tighten(node) for name, node in named.items()}


def _may_say_nothing(node: Mapping[str, Any]) -> bool:
    """Tell whether an optional property has a value that stands for nothing."""
    if "default" in node or "null" in _types(node):
        return True
    return any("null" in _types(choice) for choice in _choices(node))


def _types(node: Mapping[str, Any]) -> tuple[Any, ...]:
    types = node.get("type", ())
    if isinstance(types, str):
        return (types,)
    if not isinstance(types, list | tuple):
        raise _NoStrictFormError
    return tuple(types)


def _choices(node: Mapping[str, Any]) -> tuple[Any, ...]:
    choices = node.get("anyOf", ())
    if not isinstance(choices, list | tuple):
        raise _NoStrictFormError
    return tuple(choices)
