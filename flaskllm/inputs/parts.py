"""Blocks of a mail or text become the parts of a document."""

from collections.abc import Sequence
from dataclasses import replace

from flaskllm.inputs.document import Origin, Part
from flaskllm.inputs.quotes import Block
from flaskllm.inputs.text import join


def to_parts(blocks: Sequence[Block], path: str, first: int = 1) -> list[Part]:
    """Return one part per block, numbered `p<first>` and on.

    Args:
        blocks: Blocks as `split` returns them.
        path: The MIME part they stand in, empty when there is none.
        first: The number of the first part.
    """
    return [
        Part(
            id=f"p{number}",
            kind=block.kind,
            text=join(block.lines),
            origin=_origin(block, path),
        )
        for number, block in enumerate(blocks, start=first)
    ]


def _origin(block: Block, path: str) -> Origin:
    """Return the place that holds every line: a calendar's are not in order."""
    start = min(line.start for line in block.lines)
    return Origin(path, start, max(line.end for line in block.lines))


def promote(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Return the parts such that something is content when anything can be.

    A mail that is all quote (a forward without a word) is about the quote; one
    that is all signature is about that.
    """
    kinds = {part.kind for part in parts}
    stand_in = "quoted" if "quoted" in kinds else "signature"
    if "body" in kinds or stand_in not in kinds:
        return tuple(parts)
    return tuple(
        replace(part, kind="body") if part.kind == stand_in else part for part in parts
    )
