"""The tools of a request in Anthropic's dialect.

Source: https://docs.claude.com/en/docs/agents-and-tools/tool-use/implement-tool-use
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from flaskllm.api.anthropic.findings import Findings
from flaskllm.api.schemas import check_object_schema
from flaskllm.api.validation import shorten
from flaskllm.core.errors import InvalidInputError
from flaskllm.llm.types import Tool

_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_KNOWN = frozenset({"type", "name", "description", "input_schema", "strict"})


def read_tools(raw: Sequence[Any], found: Findings) -> tuple[Tool, ...]:
    """Return the functions that the caller runs.

    Tools that Anthropic's service runs, or whose schema only it knows, are found
    as essential.

    Raises:
        InvalidInputError: A tool has no good name or schema, or two have one name.
    """
    tools = tuple(_functions(raw, found))
    seen: set[str] = set()
    for index, tool in enumerate(tools):
        if tool.name in seen:
            raise InvalidInputError.of(
                f"tools.{index}.name", f"{tool.name!r} is given twice", "each name once"
            )
        seen.add(tool.name)
    return tools


def _functions(raw: Sequence[Any], found: Findings) -> Iterator[Tool]:
    for index, each in enumerate(raw):
        path = f"tools.{index}"
        if not isinstance(each, dict):
            raise InvalidInputError.of(path, "is not an object", "an object")
        kind = each.get("type") or "custom"
        if kind == "custom":
            yield _function(each, path, found)
        else:
            found.need(path, f"a tool of the type {shorten(str(kind))!r}")


def _function(tool: dict[str, Any], path: str, found: Findings) -> Tool:
    name = tool.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidInputError.of(
            f"{path}.name",
            "is no name of a tool",
            "1 to 128 letters, digits, underscores and dashes",
        )
    check_object_schema(tool.get("input_schema"), f"{path}.input_schema")
    found.drop(tool.keys() - _KNOWN)
    description, strict = tool.get("description"), tool.get("strict")
    return Tool(
        name=name,
        description=description if isinstance(description, str) else "",
        parameters=tool["input_schema"],
        strict=strict if isinstance(strict, bool) else None,
    )
