"""Which fields of a request an error reply names, in the shapes of OpenAI's dialect."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flaskllm.core.errors import Field

# `messages[0].content`, and nothing that could be a text of somebody's.
_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+|\[[0-9]{1,6}\])*")
_LONGEST_PATH = 100
_MOST_FIELDS = 20
_PROBLEMS: Mapping[Any, str] = {
    "unsupported_parameter": "is not supported by this model",
    "unsupported_value": "has a value that this model does not support",
    "unknown_parameter": "is not known",
    "missing_required_parameter": "is missing",
    "extra_forbidden": "is not known",
    "missing": "is missing",
}
_PROBLEM = "is not valid"


def named_fields(body: Mapping[str, Any]) -> Iterator[Field]:
    """Yield the fields that the upstream names, if what it names are paths.

    OpenAI names one in `param`; servers built on FastAPI, and Mistral, list each
    with its place (`loc`), whose first step is always the body.
    """
    error = body.get("error")
    told = error if isinstance(error, dict) else body
    yield from _field(told.get("param"), told.get("code"))
    message = told.get("message")
    within = message.get("detail") if isinstance(message, dict) else None
    for listed in (told.get("detail"), within):
        for item in listed[:_MOST_FIELDS] if isinstance(listed, list) else ():
            place = item.get("loc") if isinstance(item, dict) else None
            if isinstance(place, list):
                path = ".".join(str(step) for step in place if step != "body")
                yield from _field(path, item.get("type"))


def _field(path: Any, code: Any) -> Iterator[Field]:
    if isinstance(path, str) and len(path) <= _LONGEST_PATH and _PATH.fullmatch(path):
        known = _PROBLEMS.get(code, _PROBLEM) if isinstance(code, str) else _PROBLEM
        yield Field(path, known)
