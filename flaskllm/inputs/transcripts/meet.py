"""Google Meet's document: a title, who attended, a time every five minutes, names.

The times are headings; what stands below one was said after it, nobody knows when
exactly.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from itertools import pairwise

from flaskllm.core.errors import InvalidInputError
from flaskllm.inputs.document import Document, Person
from flaskllm.inputs.text import Line, Lines, removal_notices
from flaskllm.inputs.transcripts.cues import Cue
from flaskllm.inputs.transcripts.json_values import clock
from flaskllm.inputs.transcripts.names import Names, find_names
from flaskllm.inputs.transcripts.turns import to_document

_TITLE = re.compile(r".*[-–—] ?(?:Transcript|Transkript|Transcription|Transcripción)")
_ATTENDEES = re.compile(r"(?:Attendees|Teilnehmer|Participants|Asistentes|Invited):?")
_TRANSCRIPT = re.compile(r"\W*(?:Transcript|Transkript|Transcription|Transcripción)\W*")
_TIME = re.compile(r"\d{2}:\d{2}:\d{2}")
_REMARK = re.compile(
    r"This editable transcript was computer generated.*|"
    r"(?:Transcription|Meeting) ended after \d{2}:\d{2}:\d{2}.*",
    re.IGNORECASE,
)
_BEGAN = re.compile(
    r"\((\d{4}-\d{2}-\d{2})[ a-z]{1,6}(\d{1,2}:\d{2}) ?GMT([+-]\d{1,2})?(?::(\d{2}))?"
)
_HEAD_LINES = 15


def begins_like_meet(head: Sequence[str]) -> bool:
    """Tell whether the first lines of a text are those of Meet's document."""
    filled = [line.strip() for line in head if line.strip()][:_HEAD_LINES]
    marks = (_TITLE, _ATTENDEES, _TRANSCRIPT, _TIME, _REMARK)
    found = {
        number
        for number, mark in enumerate(marks)
        if any(mark.fullmatch(line) for line in filled)
    }
    return 3 in found and len(found) >= 3  # a time, and two other marks


def parse_google_meet(lines: Lines, *, field_name: str) -> Document:
    """Return the document of Meet's text.

    Raises:
        InvalidInputError: Nobody says anything.
    """
    filled = [line for line in lines.lines if line.text.strip()]
    first = next(
        (at for at, line in enumerate(filled) if _TIME.fullmatch(line.text.strip())),
        len(filled),
    )
    attendees = _attendees(filled[:first])
    cues = _cues(filled[first:], attendees)
    if not cues:
        raise InvalidInputError.of(
            field_name,
            "the transcript has no text below its times",
            "lines such as 00:05:00, and below it lines such as `Ann Lee: Hello`",
        )
    return to_document(
        cues,
        kind="meeting",
        form="google_meet",
        people=[Person(name, None, "participant") for name in attendees],
        sent_at=_began_at(filled[:first]),
        warnings=removal_notices(lines),
    )


def _attendees(head: Sequence[Line]) -> list[str]:
    texts = [line.text.strip() for line in head]
    for above, names in pairwise(texts):
        if _ATTENDEES.fullmatch(above):
            return [name.strip() for name in names.split(",") if name.strip()]
    return []


def _cues(lines: Sequence[Line], attendees: Sequence[str]) -> list[Cue]:
    spoken = [
        line
        for line in lines
        if not _TIME.fullmatch(line.text.strip())
        and not _REMARK.fullmatch(line.text.strip())
    ]
    found = find_names([line.text.strip() for line in spoken])
    names = Names(found.known | frozenset(attendees))
    cues: list[Cue] = []
    start_ms: int | None = None
    speaker: str | None = None
    for line in lines:
        text = line.text.strip()
        if _TIME.fullmatch(text):
            start_ms = clock(text)
            continue
        if _REMARK.fullmatch(text):
            continue
        name, said = names.split(text)
        speaker = name or speaker
        if said:
            cues.append(Cue(said, line.start, line.end, speaker, start_ms))
    return cues


def _began_at(head: Sequence[Line]) -> datetime | None:
    """Return the moment in the title; None where it names no zone."""
    match = _BEGAN.search(head[0].text) if head else None
    if match is None:
        return None
    try:
        local = datetime.fromisoformat(f"{match[1]}T{match[2].zfill(5)}")
        minutes = int(match[4] or 0)
        hours = int(match[3] or 0)
        offset = timedelta(hours=hours, minutes=-minutes if hours < 0 else minutes)
        return local.replace(tzinfo=timezone(offset))
    except ValueError:
        return None
