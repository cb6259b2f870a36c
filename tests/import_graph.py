"""Who imports whom, read off the sources: no module is run."""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from source_tree import Source

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True, order=True)
class Import:
    """`importer` imports `imported`: dotted names.

    `late` says that it happens inside a function, when that is called.
    """

    importer: str
    imported: str
    late: bool = False


def find_imports(sources: Iterable[Source]) -> tuple[Import, ...]:
    """Return every import, those for type checkers left out.

    A name of ours is that of the module: `from a.b import c` is an import of
    `a.b.c` when that is a file, else of `a.b`.
    """
    sources = tuple(sources)
    modules = {source.module for source in sources}
    found = {
        Import(source.module, name, late)
        for source in sources
        for node, late in _statements(source.tree)
        for name in _names(node, modules)
    }
    return tuple(sorted(found - {Import(each, each) for each in modules}))


def find_cycles(imports: Iterable[Import]) -> list[list[str]]:
    """Return the groups of modules that import each other, each sorted.

    Tarjan's algorithm (1972): strongly connected components with more than one
    member, or with a member that imports itself.
    """
    graph: dict[str, list[str]] = {}
    for each in imports:
        graph.setdefault(each.importer, []).append(each.imported)
        graph.setdefault(each.imported, [])
    return sorted(
        sorted(group)
        for group in _components(graph)
        if len(group) > 1 or group[0] in graph[group[0]]
    )


def find_upward(
    imports: Iterable[Import], floors: Sequence[Sequence[str]]
) -> list[Import]:
    """Return the imports that do not run downward.

    Args:
        imports: What is looked at.
        floors: The rooms of each floor, the highest floor first. Rooms of one
            floor are blind to each other; a room may import itself.
    """
    rooms = {room: floor for floor, names in enumerate(floors) for room in names}
    return [each for each in imports if not _runs_downward(each, rooms)]


def within(name: str, *packages: str) -> bool:
    """Tell whether a dotted name is one of the packages or stands below one."""
    return any(name == each or name.startswith(f"{each}.") for each in packages)


def _runs_downward(each: Import, rooms: Mapping[str, int]) -> bool:
    importer = _room(each.importer, rooms)
    imported = _room(each.imported, rooms)
    if importer is None or imported is None or importer == imported:
        return True
    return rooms[importer] < rooms[imported]


def _room(name: str, rooms: Iterable[str]) -> str | None:
    return next((room for room in rooms if within(name, room)), None)


def _statements(
    node: ast.AST, late: bool = False
) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for child in _children(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, late
        else:
            yield from _statements(child, late or isinstance(child, _FUNCTIONS))


def _children(node: ast.AST) -> Iterable[ast.AST]:
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return node.orelse
    return ast.iter_child_nodes(node)


def _names(node: ast.Import | ast.ImportFrom, modules: set[str]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    if node.level:
        raise ValueError(f"line {node.lineno}: an import names its module in full")
    for alias in node.names:
        full = f"{node.module}.{alias.name}"
        yield full if full in modules else str(node.module)


def _components(graph: Mapping[str, Sequence[str]]) -> list[list[str]]:
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(node: str) -> None:
        order[node] = low[node] = len(order)
        stack.append(node)
        for after in graph[node]:
            if after not in order:
                visit(after)
                low[node] = min(low[node], low[after])
            elif after in stack:
                low[node] = min(low[node], order[after])
        if low[node] == order[node]:
            at = stack.index(node)
            groups.append(stack[at:])
            del stack[at:]

    for node in graph:
        if node not in order:
            visit(node)
    return groups
