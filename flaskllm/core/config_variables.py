"""Settings out of variables: `FLASKLLM_SECTION__NAME`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from flaskllm.core.config_environ import Environment
from flaskllm.core.config_model import Settings
from flaskllm.core.config_problems import Problem, nearest
from flaskllm.core.config_shape import (
    Shape,
    field_names,
    is_list_of_sections,
    is_named,
    is_value,
    item_of,
    settings_of,
    step,
)

PREFIX = "FLASKLLM_"
FILE_VARIABLE = "FLASKLLM_CONFIG"
# What else bears our prefix: the file and the tests.
_NO_SETTINGS = (
    FILE_VARIABLE,
    "FLASKLLM_TEST_ENGINE",
    "FLASKLLM_TEST_REQUIRE",
    "FLASKLLM_TEST_ROUNDS",
    "FLASKLLM_TEST_SAMPLES",
    "FLASKLLM_TEST_SPEND_DOLLARS",
)


@dataclass(slots=True)
class Draft:
    """A configuration while it is put together.

    `values` is a plain tree and `origins` tells where each dotted path was read.
    `hidden` are the paths whose value came through `${...}` and is not shown,
    `unread` those that a problem names already.
    """

    values: dict[str, object] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)


def variable_of(path: str) -> str:
    """Return the variable that sets a dotted path."""
    return PREFIX + path.upper().replace(".", "__")


def overlay(draft: Draft, environment: Environment) -> None:
    """Put every `FLASKLLM_...` variable into the draft; an empty one is not set.

    `__` parts the levels. Letters of either case match, and `_` also matches
    `-` and `.` in the operator's own names. A list of texts is parted by commas.
    """
    for name in _variables(environment):
        segments = name.removeprefix(PREFIX).split("__")
        keys, shape = _resolve(draft.values, segments)
        if len(keys) < len(segments) or not is_value(shape):
            draft.problems.append(_unknown(name, segments[: len(keys)], shape))
            continue
        value = environment.values[name]
        texts = [each.strip() for each in value.split(",")]
        if _set(draft.values, keys, texts if item_of(shape) else value):
            path = ".".join(keys)
            draft.origins[path] = environment.origin(name)
            draft.hidden.discard(path)


def has_variables(environment: Environment, section: str) -> bool:
    """Tell whether a variable sets something in a section, such as `PROVIDERS__`."""
    return bool(_variables(environment, section))


def _variables(environment: Environment, section: str = "") -> list[str]:
    return sorted(
        name
        for name in environment.values
        if name.startswith(PREFIX + section)
        and name not in _NO_SETTINGS
        and environment.given(name) is not None
    )


def _resolve(
    values: dict[str, object], segments: Sequence[str]
) -> tuple[list[str], Shape]:
    """Return the keys that segments stand for, as far as they can be followed."""
    keys: list[str] = []
    node: object = values
    shape: Shape = Settings
    for segment in segments:
        key = _match(segment, shape, node)
        below = step(shape, key)
        if not key or below is None:
            break
        keys.append(key)
        node, shape = _child(node, key), below
    return keys, shape


def _match(segment: str, shape: Shape, node: object) -> str:
    """Return the key that a segment means at this place, or ''."""
    if is_list_of_sections(shape):
        length = len(node) if isinstance(node, list) else 0
        index = int(segment) if segment.isdecimal() else length + 1
        return str(index) if index <= length else ""  # the next one may be added
    names = node if is_named(shape) and isinstance(node, dict) else field_names(shape)
    folded = {_fold(name): name for name in names}
    return folded.get(_fold(segment), segment.lower() if is_named(shape) else "")


def _fold(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")


def _child(node: object, key: str) -> object:
    if isinstance(node, list):
        return node[int(key)] if int(key) < len(node) else None
    return node.get(key) if isinstance(node, dict) else None


def _set(values: dict[str, object], keys: Sequence[str], value: object) -> bool:
    """Set a value, making sections on the way; False where the file bars the way.

    That is a value where a section belongs: a problem of the file, which the
    types will tell.
    """
    node: object = values
    shape: Shape = Settings
    for key in keys[:-1]:
        shape = step(shape, key)
        node = _enter(node, key, [] if is_list_of_sections(shape) else {})
    if isinstance(node, dict):
        node[keys[-1]] = value
    return isinstance(node, dict)


def _enter(node: object, key: str, empty: object) -> object:
    if isinstance(node, list):
        if int(key) == len(node):
            node.append(empty)
        return node[int(key)]
    if not isinstance(node, dict):
        return None
    if node.get(key) is None:
        node[key] = empty
    return node[key]


def _unknown(name: str, walked: Sequence[str], shape: Shape) -> Problem:
    start = PREFIX + "".join(f"{segment}__" for segment in walked)
    below = {
        f"{start}{key.upper()}": is_value(step(shape, key))
        for key in field_names(shape)
    }
    allowed = ", ".join(
        each if value else f"{each}__*" for each, value in below.items()
    )
    is_section = name == start.rstrip("_") and not is_value(shape)
    found = "a section, which has no value" if is_section else "an unknown name"
    allowed = allowed or (start.rstrip("_") if is_value(shape) else f"{start}*")
    near = _nearest_variable(name, below)
    return Problem(name, found, allowed, near, check="variables")


def _nearest_variable(name: str, below: Iterable[str]) -> str:
    plain = [variable_of(path) for path, _ in settings_of(Settings) if "<" not in path]
    # Without the prefix, which would make all of them look alike.
    names = {
        each.removeprefix(PREFIX): each for each in (*below, *plain, *_NO_SETTINGS)
    }
    bare = name.removeprefix(PREFIX)
    by_end = {each.rpartition("__")[2]: each for each in names}
    found = nearest(bare, names) or by_end.get(bare.rpartition("__")[2], "")
    return names.get(found, "")
