"""JSON schemas in the subset that Gemini reads of them.

Source: `GenerationConfig.responseJsonSchema` in
https://ai.google.dev/api/generate-content. What only narrows a value beyond it is
left out: whoever asked checks the answer anyway.
"""

from collections.abc import Mapping
from typing import Any

_COPIED = frozenset(
    {
        "$anchor",
        "$id",
        "$ref",
        "type",
        "format",
        "title",
        "description",
        "enum",
        "required",
    }
    | {"minimum", "maximum", "minItems", "maxItems", "propertyOrdering"}
)
_ONE = frozenset({"items", "additionalProperties"})
_MANY = frozenset({"anyOf", "oneOf", "prefixItems"})
_NAMED = frozenset({"properties", "$defs"})


def narrow(schema: Any) -> Any:
    """Return the schema with the known keywords alone; `const` becomes an `enum`.

    A value that is no schema, such as `additionalProperties: false`, stays.
    """
    if not isinstance(schema, Mapping):
        return schema
    narrowed: dict[str, Any] = {}
    for name, value in schema.items():
        # Beside a reference nothing may stand but what begins with a dollar.
        if "$ref" in schema and not name.startswith("$"):
            continue
        if name == "const":
            narrowed["enum"] = [value]
        elif name in _COPIED:
            narrowed[name] = value
        elif name in _ONE:
            narrowed[name] = narrow(value)
        elif name in _MANY and isinstance(value, list | tuple):
            narrowed[name] = [narrow(each) for each in value]
        elif name in _NAMED and isinstance(value, Mapping):
            narrowed[name] = {str(key): narrow(each) for key, each in value.items()}
    return narrowed
