"""WebVTT, as Zoom, Teams and caption services write it.

The format is https://www.w3.org/TR/webvtt1/; notes, style sheets and regions
are left out, voices become speakers.
"""

from flaskllm.inputs.document import Document
from flaskllm.inputs.text import Lines
from flaskllm.inputs.transcripts.captions import from_cues
from flaskllm.inputs.transcripts.cues import RawCue, read_cues

_BLOCKS = ("NOTE", "STYLE", "REGION")


def parse_vtt(lines: Lines, *, field_name: str) -> Document:
    """Return the document of a WebVTT file.

    Raises:
        InvalidInputError: No cue has text.
    """
    cues = read_cues(lines.lines)
    first = next((at for at, cue in enumerate(cues) if cue.times), len(cues))
    # What stands before the first cue without a time is the head of the file.
    spoken = [cue for cue in cues[first:] if not _is_block(cue)]
    return from_cues(spoken, lines, field_name=field_name)


def _is_block(cue: RawCue) -> bool:
    if cue.times is not None:
        return False
    words = cue.lines[0].text.split(maxsplit=1)
    return words[0] in _BLOCKS
