"""The project's own Python files, read but not run, and measures over them."""

import ast
import gc
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = "flaskllm"

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef

_BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try)
_BLOCKS = (*_BLOCKS, ast.TryStar, ast.Match)


@dataclass(frozen=True)
class Source:
    """One Python file: `path` counts from the root, with forward slashes."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed file."""
        return ast.parse(self.text, self.path)

    @property
    def lines(self) -> int:
        """How many lines it has."""
        return len(self.text.splitlines())

    @property
    def module(self) -> str:
        """The dotted name under which it is imported."""
        name = self.path.removesuffix(".py").replace("/", ".")
        return name.removesuffix(".__init__")


@cache
def project_files() -> tuple[str, ...]:
    """Return every file that belongs to the project, by its path from the root.

    That is what `.gitignore` lets pass; git itself need not be installed.
    """
    return tuple(sorted(_walk_folder(ROOT, _read_ignored())))


def python_files(folder: str = "") -> tuple[Source, ...]:
    """Return the Python files under `folder`."""
    return tuple(each for each in _parsed_files() if each.path.startswith(folder))


@cache
def _parsed_files() -> tuple[Source, ...]:
    """Return every Python file, parsed.

    The garbage collector is not to look through their million nodes: it would, at
    every full collection of every later test, for a second.
    """
    names = (name for name in project_files() if name.endswith(".py"))
    gc.disable()
    files = tuple(Source(name, (ROOT / name).read_text("utf-8")) for name in names)
    for each in files:
        _ = each.tree
    gc.enable()
    gc.freeze()
    return files


def package_files() -> tuple[Source, ...]:
    """Return the files of the package."""
    return python_files(f"{PACKAGE}/")


def as_source(path: str, text: str) -> Source:
    """Return a file that only a test knows."""
    return Source(path, textwrap.dedent(text))


def definitions(tree: ast.AST) -> Iterator[Definition]:
    """Yield every function and class, nested ones too."""
    for node in ast.walk(tree):
        if isinstance(node, Definition):
            yield node


def public_definitions(
    tree: ast.AST, prefix: str = ""
) -> Iterator[tuple[str, Definition]]:
    """Yield what others may use, by its dotted name; nothing private or local."""
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, Definition) or node.name.startswith("_"):
            continue
        yield f"{prefix}{node.name}", node
        if isinstance(node, ast.ClassDef):
            yield from public_definitions(node, f"{prefix}{node.name}.")


def assigned_names(tree: ast.Module | ast.ClassDef) -> Iterator[str]:
    """Yield the names that the body of a module or class binds to a value."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else ()
        targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
        yield from (target.id for target in targets if isinstance(target, ast.Name))


def length(node: Definition) -> int:
    """Return its lines, docstring included, decorators not."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def nesting(node: ast.AST, depth: int = 0) -> int:
    """Return how many blocks stand within each other at the deepest place.

    `elif` and `else` stand beside their `if`, as they do on the page.
    """
    deepest = depth
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Definition):
            continue  # it is measured by itself
        beside = isinstance(node, ast.If) and child in node.orelse and _is_elif(node)
        inner = depth + isinstance(child, _BLOCKS) - beside
        deepest = max(deepest, nesting(child, inner))
    return deepest


def _is_elif(node: ast.If) -> bool:
    (first, *rest) = node.orelse
    return (
        isinstance(first, ast.If) and not rest and first.col_offset == node.col_offset
    )


def _walk_folder(folder: Path, ignored: Sequence[str]) -> Iterator[str]:
    for entry in folder.iterdir():
        path = entry.relative_to(ROOT).as_posix()
        if _is_ignored(path, entry.name, ignored):
            continue
        if entry.is_dir():
            yield from _walk_folder(entry, ignored)
        else:
            yield path


def _is_ignored(path: str, name: str, ignored: Sequence[str]) -> bool:
    # A pattern that begins with a slash counts from the root, any other anywhere.
    return any(
        fnmatch(f"/{path}" if pattern.startswith("/") else name, pattern)
        for pattern in ignored
    )


def _read_ignored() -> tuple[str, ...]:
    lines = (ROOT / ".gitignore").read_text("utf-8").split()
    return (".git", *(line.rstrip("/") for line in lines))
