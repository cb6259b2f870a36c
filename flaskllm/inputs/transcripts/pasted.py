"""Text that somebody copied out of a tool: a time in front, a name, the words.

`[00:12] Ann Lee: hello`, `(0:12) hello`, and Fathom's way to copy, a line such as
`@0:12 - Ann Lee (Example Ltd)` with the words below it.
"""

import re
from collections.abc import Sequence

from flaskllm.core.errors import InvalidInputError
from flaskllm.inputs.document import Document, Kind
from flaskllm.inputs.text import Line, Lines, removal_notices
from flaskllm.inputs.transcripts.cues import Cue
from flaskllm.inputs.transcripts.json_values import clock
from flaskllm.inputs.transcripts.names import find_names
from flaskllm.inputs.transcripts.turns import to_document

_CLOCK = r"(?:\d{1,2}:)?\d{1,3}:\d{2}(?:\.\d{1,3})?"
_TIMED = re.compile(rf"\s*(?:\[({_CLOCK})\]|\(({_CLOCK})\))\s*[-–]?\s*(.*)")
_FATHOM = re.compile(rf"@?({_CLOCK}) - (\S.{{0,119}})")
_COMPANY = re.compile(r"\s*\([^()]*\)$")
_FEWEST = 2
_SHARE = 0.3


def is_timed(head: Sequence[str]) -> bool:
    """Tell whether lines with a time in brackets make up a text's beginning."""
    filled = [line for line in head if line.strip()]
    timed = sum(_TIMED.match(line) is not None for line in filled)
    return timed >= max(_FEWEST, _SHARE * len(filled))


def begins_like_fathom(head: Sequence[str]) -> bool:
    """Tell whether a text is what Fathom copies: its heads, and its name or `@`."""
    heads = [line for line in head if _FATHOM.fullmatch(line.strip())]
    is_named = any("fathom.video" in line or "VIEW RECORDING" in line for line in head)
    is_marked = any(line.lstrip().startswith("@") for line in heads)
    return len(heads) >= (1 if is_named else _FEWEST) and (is_named or is_marked)


def timed_cues(lines: Sequence[Line]) -> list[Cue]:
    """Return the cues of lines with times in brackets.

    A line without a time belongs to the one before it.
    """
    filled = [line for line in lines if line.text.strip()]
    matches = [_TIMED.match(line.text) for line in filled]
    texts = [match[3].strip() for match in matches if match]
    names = find_names([text for text in texts if text])
    cues: list[Cue] = []
    speaker: str | None = None
    start_ms: int | None = None
    for line, match in zip(filled, matches, strict=True):
        text = line.text.strip()
        if match:
            start_ms = clock(match[1] or match[2])
            name, text = names.split(match[3].strip())
            speaker = name or (None if not names.known else speaker)
        if text:
            cues.append(Cue(text, line.start, line.end, speaker, start_ms))
    return cues


def parse_timed(lines: Lines, *, kind: Kind, field_name: str) -> Document:
    """Return the document of text with times in brackets.

    Raises:
        InvalidInputError: There are only times.
    """
    cues = timed_cues(lines.lines)
    if not cues:
        raise _no_words(field_name)
    return to_document(cues, kind=kind, warnings=removal_notices(lines))


def parse_fathom(lines: Lines, *, field_name: str) -> Document:
    """Return the document of what Fathom copies.

    Raises:
        InvalidInputError: There are only times and names.
    """
    cues: list[Cue] = []
    speaker: str | None = None
    start_ms: int | None = None
    is_head_over = False
    for line in lines.lines:
        head = _FATHOM.fullmatch(line.text.strip())
        if head:
            speaker = _COMPANY.sub("", head[2].replace("*", "")).strip() or None
            start_ms = clock(head[1])
            is_head_over = True
        elif is_head_over and line.text.strip():
            cues.append(Cue(line.text.strip(), line.start, line.end, speaker, start_ms))
    if not cues:
        raise _no_words(field_name)
    warnings = removal_notices(lines)
    return to_document(cues, kind="meeting", form="fathom", warnings=warnings)


def _no_words(field_name: str) -> InvalidInputError:
    return InvalidInputError.of(
        field_name,
        "the transcript has times and no words",
        "lines such as `[00:12] Ann Lee: hello`",
    )
