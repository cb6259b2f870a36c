"""Otter's text: a line with a name, two spaces and a time; below it what was said."""

import re
from collections.abc import Sequence

from flaskllm.core.errors import InvalidInputError
from flaskllm.inputs.document import Document
from flaskllm.inputs.text import Line, Lines, removal_notices
from flaskllm.inputs.transcripts.cues import Cue
from flaskllm.inputs.transcripts.json_values import clock
from flaskllm.inputs.transcripts.turns import to_document

_HEAD = re.compile(r"(\S.{0,79}?) {2,20}((?:\d{1,2}:)?\d{1,3}:\d{2})")
_CLOSING = re.compile(r"Transcribed by https://otter\.ai/?\s*", re.IGNORECASE)
_NOBODY = re.compile(r"unknown speaker", re.IGNORECASE)
_FEWEST_HEADS = 2


def begins_like_otter(head: Sequence[str]) -> bool:
    """Tell whether the first lines of a text are Otter's: two heads with words."""
    heads = 0
    for above, line, below in zip(["", *head], head, [*head[1:], ""], strict=False):
        is_head = _HEAD.fullmatch(line.rstrip()) is not None
        heads += is_head and not above.strip() and bool(below.strip())
        if line.strip() and not heads:
            return False
    filled = [line for line in head if line.strip()]
    is_closed = bool(filled) and _CLOSING.fullmatch(filled[-1].strip()) is not None
    return heads >= (1 if is_closed else _FEWEST_HEADS)


def parse_otter(lines: Lines, *, field_name: str) -> Document:
    """Return the document of Otter's text.

    Raises:
        InvalidInputError: Nobody says anything.
    """
    cues = _cues(lines.lines)
    if not cues:
        raise InvalidInputError.of(
            field_name,
            "the transcript has no text below its names",
            "lines such as `Ann Lee  0:04`, each with the text below it",
        )
    warnings = removal_notices(lines)
    return to_document(cues, kind="meeting", form="otter", warnings=warnings)


def _cues(lines: Sequence[Line]) -> list[Cue]:
    cues: list[Cue] = []
    speaker: str | None = None
    start_ms: int | None = None
    for line in lines:
        text = line.text.strip()
        head = _HEAD.fullmatch(line.text.rstrip())
        if head:
            name = " ".join(head[1].split())
            speaker = None if _NOBODY.fullmatch(name) else name
            start_ms = clock(head[2])
        elif text and not _CLOSING.fullmatch(text):
            cues.append(Cue(text, line.start, line.end, speaker, start_ms))
    return cues
