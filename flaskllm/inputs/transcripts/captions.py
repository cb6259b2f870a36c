"""Cues become a document, whatever caption format they came from."""

from collections.abc import Callable, Sequence

from flaskllm.core.errors import InvalidInputError
from flaskllm.inputs.document import Document, Notice
from flaskllm.inputs.text import Lines, removal_notices
from flaskllm.inputs.transcripts.cues import Cue, RawCue, voices
from flaskllm.inputs.transcripts.turns import named, to_document


def from_cues(
    cues: Sequence[RawCue],
    lines: Lines,
    *,
    form: Callable[[Sequence[Cue]], str],
    field_name: str,
    spoken: Sequence[Cue] | None = None,
) -> Document:
    """Return the document of caption cues.

    Args:
        cues: The cues as written.
        lines: The file's lines, for what was taken out of them.
        form: Returns what the file is to be called, by its cues with their speakers.
        field_name: The field of an error.
        spoken: What the cues say, where they hold more than tags and names.

    Raises:
        InvalidInputError: No cue has text.
    """
    if spoken is None:
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
    return to_document(spoken, kind="meeting", form=form(spoken), warnings=warnings)
