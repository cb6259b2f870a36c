"""A model that answers by what it is asked, whatever dialect it is asked in.

It repeats what the user said, calls the tools it is given, and fills a JSON schema.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]

# What it knows; a name that is not here is answered with itself.
FACTS: Json = {
    "age": 36,
    "city": "Zürich",
    "name": "Ada",
    "population": 447_082,
    "sunny": True,
    "tags": ["lake"],
}
THOUGHT = "They want an answer, so I give one."
SIGNATURE = "c2lnbmF0dXJlLW9mLXRoZS10aG91Z2h0"


@dataclass(frozen=True)
class ToolOffer:
    """A tool that the model may call, with the JSON schema of its arguments."""

    name: str
    parameters: Json


@dataclass(frozen=True)
class Asked:
    """What a request asks.

    Attributes:
        text: The last words of the user.
        tools: Those on offer.
        choice: `auto`, `none`, `required`, or the name of one tool.
        called: The names of tools that were called before.
        results: What the tools said last; empty when the user spoke last.
        schema: Of the JSON that is wanted as the answer.
        thinks: Whether thoughts are wanted.
    """

    text: str
    tools: Sequence[ToolOffer] = ()
    choice: str = "auto"
    called: frozenset[str] = frozenset()
    results: Sequence[str] = ()
    schema: Json | None = None
    thinks: bool = False


@dataclass(frozen=True)
class Said:
    """An answer: words, or calls of tools by name with their arguments."""

    text: str = ""
    calls: Sequence[tuple[str, Json]] = ()
    thought: str = ""
    pieces: Sequence[str] = field(init=False)

    def __post_init__(self) -> None:
        size = 7  # so that words and JSON are cut where it hurts
        cut = [self.text[at : at + size] for at in range(0, len(self.text), size)]
        object.__setattr__(self, "pieces", cut)


def answer(asked: Asked) -> Said:
    """Return what the model says."""
    calls = _calls(asked)
    thought = THOUGHT if asked.thinks else ""
    if calls:
        given = [(tool.name, _filled(tool.parameters)) for tool in calls]
        return Said(calls=given, thought=thought)
    if asked.schema is not None:
        return Said(json.dumps(_filled(asked.schema), ensure_ascii=False))
    if asked.results:
        return Said(f"The tools said: {'; '.join(asked.results)}")
    return Said(f"You said: {asked.text}", thought=thought)


def _calls(asked: Asked) -> Sequence[ToolOffer]:
    """Return the tools to call: the one that is named, else those that are new.

    It calls one at a time, unless the user wants both.
    """
    named = [tool for tool in asked.tools if tool.name == asked.choice]
    if named:
        return named
    new = [tool for tool in asked.tools if tool.name not in asked.called]
    if asked.choice == "none" or (asked.results and asked.choice != "required"):
        return ()
    return new if "both" in asked.text else new[:1]


def _filled(schema: Json) -> Any:
    """Return a value that is valid against the schema."""
    return _value("", schema, schema.get("$defs", {}))


def _value(name: str, schema: Json, defs: Json) -> Any:
    if "$ref" in schema:
        schema = defs[schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        return _value(name, schema["anyOf"][0], defs)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if kind == "object":
        inside = schema.get("properties", {})
        return {each: _value(each, inside[each], defs) for each in inside}
    if name in FACTS:
        return FACTS[name]
    if kind == "array":
        return [_value(name, schema["items"], defs)]
    return {"integer": 7, "number": 1.5, "boolean": True}.get(kind, name)
