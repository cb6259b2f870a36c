"""A YAML file becomes a plain tree; what YAML can do to harm is refused.

Neither aliases (a kilobyte may unfold to gigabytes), merge keys, tags, nor names
twice in one section are read. Dates stay text: `api_version: 2024-10-21` is one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from flaskllm.core.config_problems import Problem

LARGEST_BYTES = 1024 * 1024
DEEPEST = 16
_SURROGATE = re.compile("[\ud800-\udfff]")
_TAG = "tag:yaml.org,2002:"
_SCALAR_TAGS = {f"{_TAG}{kind}" for kind in ("str", "int", "float", "bool", "null")}


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a file holds.

    `lines` gives the line, from 1, of each dotted path. Where `problems` is not
    empty, what they name is missing from `values`.
    """

    values: dict[str, object] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read(path: Path) -> Parsed:
    """Return what the file at `path` holds; it never raises."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
        if len(data) > LARGEST_BYTES:
            return _refuse(str(path), "more than 1 MiB", "at most 1 MiB")
        return parse(data.decode("utf-8-sig"), path.name)
    except UnicodeDecodeError as error:
        return _refuse(str(path), f"no UTF-8 at byte {error.start}", "UTF-8")
    except OSError as error:
        found = f"it cannot be read: {error.strerror}"
        return _refuse(str(path), found, "a file that this process may read")


def parse(text: str, name: str) -> Parsed:
    """Return what a YAML text holds; `name` is the file's, for the problems."""
    try:
        loader = _Loader(text)
        return _Reading(loader, name).read(loader.get_single_node())
    except yaml.YAMLError as error:
        found, line = _place(error)
        return _refuse(name, found, "one YAML document", f"{name}:{line}" * bool(line))


def _refuse(name: str, found: str, allowed: str, origin: str = "") -> Parsed:
    problem = Problem(name, found, allowed, origin=origin, check="file")
    return Parsed(problems=[problem])


def _place(error: yaml.YAMLError) -> tuple[str, int]:
    """Return what is wrong and in which line; 0 where that is not known."""
    # The error's own text quotes the file, where a credential may stand.
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return "a character that YAML does not allow", 0
    mark = error.problem_mark
    found = f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
    return found, mark.line + 1


class _Loader(yaml.SafeLoader):
    """The safe loader, without aliases, with bounded depth, with dates as text."""

    depth = 0
    yaml_implicit_resolvers = {  # noqa: RUF012, the library's own shape
        sign: [pair for pair in pairs if pair[0] != f"{_TAG}timestamp"]
        for sign, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: yaml.Node | None, index: object) -> yaml.Node | None:
        """Return the next node; raise where it is an alias, or too deep."""
        if self.check_event(yaml.AliasEvent):
            self._stop("an alias (*name), which is not read here")
        self.depth += 1
        if self.depth > DEEPEST:
            self._stop(f"more than {DEEPEST} levels")
        node = super().compose_node(parent, index)  # type: ignore[arg-type]
        self.depth -= 1
        return node

    def _stop(self, problem: str) -> None:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        raise yaml.composer.ComposerError(None, None, problem, mark)


@dataclass(slots=True)
class _Reading:
    """One pass over the nodes of one file."""

    loader: _Loader
    name: str
    parsed: Parsed = field(default_factory=Parsed)

    def read(self, root: yaml.Node | None) -> Parsed:
        """Return the tree; an empty file is an empty section."""
        value = self._value(root, "") if root is not None else None
        if isinstance(value, dict):
            self.parsed.values.update(value)
        elif value is not None:
            self._tell(self.name, "no section at the top", "names with values")
        return self.parsed

    def _value(self, node: yaml.Node, path: str) -> object:
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return dict(self._pairs(node, path))
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return [
                self._at(f"{path}.{index}", each)
                for index, each in enumerate(node.value)
            ]
        if isinstance(node, yaml.ScalarNode) and node.tag in _SCALAR_TAGS:
            return self._scalar(node, path)
        self._tell(path or self.name, "a tag (!name)", "a plain value", node)
        return None

    def _pairs(self, node: yaml.MappingNode, path: str) -> Iterator[tuple[str, object]]:
        seen: set[str] = set()
        for key, value in node.value:
            if key.tag != f"{_TAG}str" or not _is_text(key.value):
                where = path or self.name
                self._tell(where, "a name that is no text", "names in quotes", key)
                continue
            where = f"{path}.{key.value}" if path else key.value
            if key.value in seen:
                self._tell(where, "the same name twice", "each name once", key)
                continue
            seen.add(key.value)
            yield key.value, self._at(where, value, key)

    def _at(self, path: str, node: yaml.Node, key: yaml.Node | None = None) -> object:
        self.parsed.lines[path] = (key or node).start_mark.line + 1
        return self._value(node, path)

    def _scalar(self, node: yaml.ScalarNode, path: str) -> object:
        try:
            value: object = self.loader.construct_object(node)
        except (ValueError, LookupError):
            # `0x_`, `!!bool maybe`, or more digits than Python reads.
            allowed = "a text in quotes, a number, true or false"
            self._tell(path, "a value that YAML cannot read", allowed, node)
            return None
        return value

    def _tell(
        self, path: str, found: str, allowed: str, node: yaml.Node | None = None
    ) -> None:
        origin = f"{self.name}:{node.start_mark.line + 1}" if node else ""
        problem = Problem(path, found, allowed, origin=origin, check="file")
        self.parsed.problems.append(problem)


def _is_text(value: object) -> bool:
    """Tell whether it is a text, without half of a surrogate pair."""
    return isinstance(value, str) and not _SURROGATE.search(value)
