"""What is wrong with a configuration, in words for the person who starts it."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from pydantic_core import ErrorDetails, PydanticCustomError

from flaskllm.core.config_shape import (
    Shape,
    as_model,
    field_names,
    is_secret,
    is_value,
    settings_of,
    shape_at,
)

CheckName: TypeAlias = Literal[
    "file",
    "dotenv",
    "references",
    "variables",
    "names",
    "values",
    "secrets",
    "providers",
    "deployments",
    "routes",
    "duplicates",
    "fallbacks",
    "reach",
    "capabilities",
    "default_route",
    "prices",
    "templates",
    "certificates",
    "inbound",
    "reachable",
    "credentials",
    "models",
]
"""What `flaskllm config check` looks at, by the names that it prints."""

# Longer texts may be a credential in the wrong place; no closed choice is longer.
_LONGEST_SHOWN = 24
_NOT_SHOWN = "a secret, not shown here"
_ALLOWED_BY_TYPE: Mapping[str, str] = {
    "model_type": "a section: names with values, indented below it",
    "model_attributes_type": "a section: names with values, indented below it",
    "dict_type": "a section: names with values, indented below it",
    "tuple_type": "a list",
    "string_type": "a text; put it in quotes",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "path_type": "a path; put it in quotes",
    "too_short": "at least one entry",
    "string_pattern_mismatch": "up to 128 letters, digits and . _ : / @ + -, "
    "a letter or digit first",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend.

    `path` is dotted (`server.port`), or the name of a variable or file. `found`
    never shows a secret. `nearest` is the right name that looks most like the
    wrong one, `origin` where the value was read; both may be empty. `check` is the
    check that found it; a warning stops nothing.
    """

    path: str
    found: str
    allowed: str
    nearest: str = ""
    origin: str = ""
    check: CheckName = "values"
    is_warning: bool = False

    def text(self) -> str:
        """Return the problem as lines for a person, without a line feed at the end."""
        lines = [self._place(), f"  found: {self.found}", f"  allowed: {self.allowed}"]
        if self.nearest:
            lines.append(f"  nearest: {self.nearest}")
        return "\n".join(lines)

    def _place(self) -> str:
        if self.origin.startswith(f"{self.path}:"):
            return self.origin  # the path is the file itself
        return f"{self.path} ({self.origin})" if self.origin else self.path


class ConfigError(Exception):
    """The configuration cannot be used; `problems` names everything to mend."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Tell all problems at once."""
        self.problems = tuple(problems)
        count = len(self.problems)
        head = f"The configuration has {count} problem{'s' if count > 1 else ''}:"
        super().__init__("\n\n".join([head, *(each.text() for each in self.problems)]))


def placed(problem: Problem, origins: Mapping[str, str]) -> Problem:
    """Return the problem with the origin of its value.

    Where the value has none it is that of the section around it; and a section
    itself may have it from the first value that was set in it.
    """
    path = problem.path
    if path not in origins:
        path = _first_below(path, origins) or path
    while path and path not in origins:
        path = path.rpartition(".")[0]
    return replace(problem, origin=origins.get(path, problem.origin))


def _first_below(path: str, origins: Mapping[str, str]) -> str:
    below = (
        each
        for each, origin in origins.items()
        if each.startswith(f"{path}.") and origin != "default"
    )
    return next(below, "")


def wrong_value(
    found: str, allowed: str, check: CheckName = "values"
) -> PydanticCustomError:
    """Return the error that a validator raises: what it saw and what it takes."""
    return PydanticCustomError(
        "wrong_value",
        "found: {found}; allowed: {allowed}",
        {"found": found, "allowed": allowed, "check": check},
    )


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the one of `names` most like `name`, whatever the case, or ''."""
    by_folded = {each.casefold(): each for each in names}
    matches = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[matches[0]] if matches else ""


def problem_of(error: ErrorDetails, root: Shape, hidden: Iterable[str]) -> Problem:
    """Put one finding of pydantic into our words.

    Args:
        error: As `ValidationError.errors()` lists it.
        root: The shape of the settings that were validated.
        hidden: Paths whose value came through `${...}`; it is not shown.
    """
    keys = [part for part in error["loc"] if part != "[key]"]
    path = ".".join(map(str, keys))
    if error["type"] == "extra_forbidden":
        return unknown_name(path, str(keys[-1]), shape_at(root, keys[:-1]), root)
    context = error.get("ctx", {})
    shape = shape_at(root, keys)
    found = describe(error["input"], shape, path in set(hidden))
    allowed = _ALLOWED_BY_TYPE.get(error["type"]) or _allowed(error["msg"])
    if error["type"] == "missing":
        found, allowed = "nothing", f"a value; {path} is required"
    if error["type"] == "wrong_value":
        found, allowed, check = context["found"], context["allowed"], context["check"]
        return Problem(path, found, allowed, check=check)
    if error["type"] == "literal_error":
        names = str(context["expected"]).replace(" or ", ", ").replace("'", "")
        choices = names.split(", ")
        return Problem(
            path, found, ", ".join(choices), nearest(str(error["input"]), choices)
        )
    return Problem(path, found, allowed)


def unknown_name(path: str, key: str, parent: Shape, root: Shape) -> Problem:
    """Return the problem of a name that `parent` does not have.

    The nearest right one is looked for in `parent` first, then in all of `root`.
    """
    names = field_names(parent)
    return Problem(
        path,
        "an unknown name",
        ", ".join(names),
        nearest(key, names) or _elsewhere(key, root),
        check="names",
    )


def describe(value: object, shape: Shape, hidden: bool = False) -> str:
    """Return what can be told of a value: nothing of a secret, else at most 24 signs.

    Args:
        value: As it was read.
        shape: What stands at its place; None when nothing does.
        hidden: It came out of a variable, so it may be a credential.
    """
    if is_secret(shape):
        return _NOT_SHOWN
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a section"
    if isinstance(value, list | tuple):
        return "a list"
    return _describe_scalar(value, shown=is_value(shape) and not hidden)


def _describe_scalar(value: object, shown: bool) -> str:
    if isinstance(value, int) and value.bit_length() > 64:
        return "a very large number"
    text = str(value)
    if not shown or len(text) > _LONGEST_SHOWN:
        return f"a text of {len(text)} characters"
    return repr(value) if isinstance(value, str) else text.lower()


def _elsewhere(key: str, root: Shape) -> str:
    """Return the path of a setting with this name in another section, or ''."""
    model = as_model(root)
    paths = [path for path, _ in settings_of(model)] if model else []
    by_name = {path.rpartition(".")[2]: path for path in reversed(paths)}
    return by_name.get(nearest(key, by_name), "")


def _allowed(message: str) -> str:
    # pydantic's sentences all begin alike; what follows is what we want to say.
    return message.removeprefix("Input should be ").removeprefix("Value should be ")
