"""Cues become a document, whatever caption format they came from."""

from collections.abc import Sequence

from flaskllm.core.errors import InvalidInputError
from flaskllm.inputs.document import Document, Notice
from flaskllm.inputs.text import Lines, removal_notices
from flaskllm.inputs.transcripts.cues import RawCue, voices
from flaskllm.inputs.transcripts.turns import named, to_document


def from_cues(cues: Sequence[RawCue], lines: Lines, *, field_name: str) -> Document:
    """Return the document of caption cues.

    Raises:
        InvalidInputError: No cue has text.
    """
    spoken = named(voice for cue in cues for voice in voices(cue))
    if not spoken or not any(cue.times for cue in cues):
        raise InvalidInputError.of(
            field_name,
            "the transcript has no cue with text",
            "cues of a line such as 00:00:01.000 --> 00:00:04.000 and the text "
            "below it",
        )
    warnings = removal_notices(lines)
    untimed = sum(cue.times is None for cue in cues)
    if untimed:
        detail = f"Pieces of text that have no time: {untimed}."
        warnings.append(Notice("cue_without_time", detail))
    return to_document(spoken, kind="meeting", warnings=warnings)
