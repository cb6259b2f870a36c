"""The environment as a source: `.env` beneath it, `${NAME}` out of it."""

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv.parser import parse_stream

from flaskllm.core.config_problems import Problem
from flaskllm.core.config_yaml import LARGEST_BYTES

DOTENV = ".env"
# `$${` is a literal `${`; a default may hold anything but a brace.
_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<inside>[^{}]*)\}|\$\{")
_INSIDE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>.*))?", re.S)


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of the process over those of `.env`.

    `from_file` names the ones that only `.env` has.
    """

    values: Mapping[str, str]
    from_file: frozenset[str] = frozenset()

    def given(self, name: str) -> str | None:
        """Return a variable's value; None when it is not set, or empty."""
        return self.values.get(name) or None

    def origin(self, name: str) -> str:
        """Return where a variable was read, for a person."""
        return f"{DOTENV} {name}" if name in self.from_file else f"environment {name}"


@dataclass(frozen=True, slots=True)
class Expanded:
    """A text after its references were replaced.

    `names` are the variables that went in, `faults` what could not be replaced:
    pairs of what was found and what is allowed.
    """

    text: str
    names: tuple[str, ...]
    faults: tuple[tuple[str, str], ...]


def read_environment(
    environ: Mapping[str, str], folder: Path
) -> tuple[Environment, list[Problem]]:
    """Return the environment with the `.env` of `folder` beneath it.

    A variable of `.env` never replaces one that the process has, not even an
    empty one. Values are taken as they stand: `${...}` in them is not replaced.
    """
    text, problems = _read(folder / DOTENV)
    beneath: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            problems.append(_unreadable_line(binding.original.line))
        elif binding.key is not None and binding.value is not None:
            beneath[binding.key] = binding.value
    from_file = frozenset(beneath) - frozenset(environ)
    return Environment({**beneath, **environ}, from_file), problems


def expand(text: str, environment: Environment) -> Expanded:
    """Return `text` with `${NAME}` and `${NAME:-default}` replaced.

    The default also stands in for an empty variable, as in a shell. What cannot
    be replaced stays as it is and is told in `faults`.
    """
    names: list[str] = []
    faults: list[tuple[str, str]] = []

    def replace(match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        inside = _INSIDE.fullmatch(match["inside"] or "")
        if inside is None:
            faults.append(_MALFORMED)
            return match[0]
        names.append(inside["name"])
        value = _value(inside["name"], inside["default"], environment)
        if value is None:
            faults.append(_unset(inside["name"]))
        return match[0] if value is None else value

    return Expanded(_REFERENCE.sub(replace, text), tuple(names), tuple(faults))


def expand_all(
    section: dict[str, object],
    environment: Environment,
    tell: Callable[[str, Expanded], None],
    path: str = "",
) -> dict[str, object]:
    """Return a plain tree with every text in it expanded.

    `tell` hears the path and the result of each text that held a reference.
    """
    return {
        key: _expand_value(each, environment, tell, f"{path}.{key}" if path else key)
        for key, each in section.items()
    }


def _expand_value(
    value: object,
    environment: Environment,
    tell: Callable[[str, Expanded], None],
    path: str,
) -> object:
    if isinstance(value, dict):
        return expand_all(value, environment, tell, path)
    if isinstance(value, list):
        return [
            _expand_value(each, environment, tell, f"{path}.{index}")
            for index, each in enumerate(value)
        ]
    if not isinstance(value, str):
        return value
    expanded = expand(value, environment)
    if expanded.names or expanded.faults:
        tell(path, expanded)
    return expanded.text


_MALFORMED = (
    "a reference that cannot be read",
    "${NAME}, ${NAME:-default}, or $${ for a literal ${",
)


def _value(name: str, default: str | None, environment: Environment) -> str | None:
    if default is not None:
        return environment.given(name) or default
    return environment.values.get(name)


def _unset(name: str) -> tuple[str, str]:
    return (
        f"${{{name}}}, which is not set",
        f"set {name}, or write ${{{name}:-default}}",
    )


def _read(path: Path) -> tuple[str, list[Problem]]:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
        if len(data) > LARGEST_BYTES:
            return "", [_problem("more than 1 MiB", "at most 1 MiB")]
        return data.decode(), []
    except FileNotFoundError:
        return "", []
    except UnicodeDecodeError as error:
        return "", [_problem(f"no UTF-8 at byte {error.start}", "UTF-8")]
    except OSError as error:
        found = f"it cannot be read: {error.strerror}"
        return "", [_problem(found, "a file that this process may read")]


def _unreadable_line(line: int) -> Problem:
    found = f"line {line} cannot be read"
    return _problem(found, "NAME=value", origin=f"{DOTENV}:{line}")


def _problem(found: str, allowed: str, origin: str = "") -> Problem:
    return Problem(DOTENV, found, allowed, origin=origin, check="dotenv")
