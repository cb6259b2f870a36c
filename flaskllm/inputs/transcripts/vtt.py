"""WebVTT, as Zoom, Teams and caption services write it.

The format is https://www.w3.org/TR/webvtt1/; notes, style sheets and regions
are left out, voices become speakers. Graph's metadata of a Teams transcript is
WebVTT with a JSON object in each cue.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from flaskllm.inputs.document import Document
from flaskllm.inputs.text import Line, Lines, clean_line
from flaskllm.inputs.transcripts.captions import from_cues
from flaskllm.inputs.transcripts.cues import Cue, RawCue, is_time_line, read_cues
from flaskllm.inputs.transcripts.json_meetings import teams_cue
from flaskllm.inputs.transcripts.json_text import UnreadableJsonError, read_json

_BLOCKS = ("NOTE", "STYLE", "REGION")
_TEAMS_ID = re.compile(r"\s*[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}/.*")
_VOICE = re.compile(r"<v[\s.>]", re.IGNORECASE)


def parse_vtt(lines: Lines, *, field_name: str) -> Document:
    """Return the document of a WebVTT file.

    Raises:
        InvalidInputError: No cue has text.
    """
    cues = read_cues(lines.lines)
    first = next((at for at, cue in enumerate(cues) if cue.times), len(cues))
    # What stands before the first cue without a time is the head of the file.
    spoken = [cue for cue in cues[first:] if not _is_block(cue)]
    metadata = list(_metadata(spoken))
    if metadata:
        return from_cues(
            spoken,
            lines,
            form=lambda _: "teams_json",
            field_name=field_name,
            spoken=metadata,
        )
    return from_cues(
        spoken,
        lines,
        form=lambda voices: _form(lines.lines, voices),
        field_name=field_name,
    )


def _is_block(cue: RawCue) -> bool:
    if cue.times is not None:
        return False
    words = cue.lines[0].text.split(maxsplit=1)
    return words[0] in _BLOCKS


def _form(lines: Sequence[Line], voices: Sequence[Cue]) -> str:
    """Return who writes such a file: Teams and Zoom have their own identifiers."""
    if any(_TEAMS_ID.fullmatch(line.text) for line in lines):
        return "teams_vtt"
    times = [at for at, line in enumerate(lines) if is_time_line(line.text)]
    is_numbered = all(at and lines[at - 1].text.strip().isdecimal() for at in times)
    has_names = any(cue.speaker for cue in voices)
    has_tags = any(_VOICE.search(line.text) for line in lines)
    return "zoom_vtt" if is_numbered and has_names and not has_tags else "webvtt"


def _metadata(cues: Sequence[RawCue]) -> Iterator[Cue]:
    """Yield what Teams' objects say; nothing where the cues are no objects."""
    for raw in cues:
        written = "\n".join(line.text for line in raw.lines).strip()
        if not written.startswith("{") or '"spokenText"' not in written:
            continue
        try:
            value = read_json(written)
        except UnreadableJsonError:
            continue
        start_ms, end_ms = raw.times or (None, None)
        for cue in teams_cue(value):
            yield replace(
                cue,
                text=clean_line(cue.text),
                start=raw.lines[0].start,
                end=raw.lines[-1].end,
                start_ms=start_ms,
                end_ms=end_ms,
            )
