"""SubRip captions: numbered cues with a comma in their times."""

from dataclasses import replace

from flaskllm.inputs.document import Document
from flaskllm.inputs.text import Lines
from flaskllm.inputs.transcripts.captions import from_cues
from flaskllm.inputs.transcripts.cues import RawCue, read_cues


def parse_srt(lines: Lines, *, field_name: str) -> Document:
    """Return the document of a SubRip file.

    Raises:
        InvalidInputError: No cue has text.
    """
    cues = [_without_number(cue) for cue in read_cues(lines.lines)]
    return from_cues(cues, lines, form=lambda _: "srt", field_name=field_name)


def _without_number(cue: RawCue) -> RawCue:
    """Return a cue without the number that a missing time line left in its text."""
    first = cue.lines[0].text.strip()
    if cue.times is None and first.isdecimal() and len(cue.lines) > 1:
        return replace(cue, lines=cue.lines[1:])
    return cue
