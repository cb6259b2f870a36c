"""The fenced code blocks of a Markdown file, after CommonMark 0.31, section 4.5."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from source_tree import ROOT, project_files

_FENCE = re.compile(r"(?P<indent> *)(?P<fence>`{3,}|~{3,})(?P<info>[^`]*)")
# Prompts and test data are Markdown too, but tell nobody what to do.
_NO_DOCS = ("flaskllm/", "tests/")


@dataclass(frozen=True)
class Block:
    """What stands between two fences; `line` is that of the first, from 1."""

    path: str
    line: int
    info: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


def doc_files() -> tuple[str, ...]:
    """Return the Markdown files that people read."""
    return tuple(
        name
        for name in project_files()
        if name.endswith(".md") and not name.startswith(_NO_DOCS)
    )


def read_doc(name: str) -> str:
    """Return the text of a file, by its path from the root."""
    return (ROOT / name).read_text("utf-8")


def find_blocks(path: str, text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a text, in order, without their indentation.

    Raises:
        ValueError: A fence is never closed, or nothing says what is in a block.
    """
    lines = iter(enumerate(text.splitlines(), start=1))
    for number, line in lines:
        opening = _FENCE.fullmatch(line)
        if not opening:
            continue
        info = opening["info"].strip()
        if not info:
            raise ValueError(f"{path}:{number}: say what is in the block")
        yield Block(path, number, info, _read_body(path, number, opening, lines))


def _read_body(
    path: str, number: int, opening: re.Match[str], lines: Iterator[tuple[int, str]]
) -> str:
    indent, fence = len(opening["indent"]), opening["fence"]
    body = []
    for _, line in lines:
        bare = line.strip()
        if bare.startswith(fence) and set(bare) == {fence[0]}:
            return "".join(f"{each}\n" for each in body)
        body.append(line[min(indent, len(line) - len(line.lstrip(" "))) :])
    raise ValueError(f"{path}:{number}: the block is never closed")
