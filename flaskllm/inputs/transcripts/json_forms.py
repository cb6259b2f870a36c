"""Transcripts as JSON: which tool's shape it is, by the names of its keys.

A row a shape, the telling ones first. The words of a cue keep their place in the
file, as those of every other form do.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from flaskllm.core.errors import InvalidInputError
from flaskllm.inputs.document import Document, Notice
from flaskllm.inputs.text import (
    MAX_CHARACTERS,
    MAX_LINES,
    Lines,
    clean,
    removal_notices,
)
from flaskllm.inputs.transcripts import json_meetings, json_speech
from flaskllm.inputs.transcripts.cues import Cue
from flaskllm.inputs.transcripts.json_text import read_json
from flaskllm.inputs.transcripts.json_values import Talk, at, objects
from flaskllm.inputs.transcripts.turns import to_document

# Where senders put a transcript inside of something else, and how deep.
_WRAPPERS = ("data", "transcript", "payload", "body", "result", "meeting", "event")
_WRAPPED_DEPTH = 4


@dataclass(frozen=True, slots=True)
class JsonForm:
    """One shape: its name, how it is known, and how it is read."""

    name: str
    fits: Callable[[Any], bool]
    read: Callable[[Any], Talk]


def parse_json(text: str, *, field_name: str) -> Document | None:
    """Return the document of a JSON transcript; None where the shape is unknown.

    Raises:
        InvalidInputError: The shape is known, and nobody says anything.
        UnreadableJsonError: The text is no JSON.
    """
    found = _recognise(read_json(text))
    if found is None:
        return None
    form, talk = found
    kept = _Kept(talk.cues)
    cues = list(kept)
    if not cues:
        raise InvalidInputError.of(
            field_name,
            f"the transcript ({form.name}) holds no text",
            "a finished transcript",
        )
    return to_document(
        cues,
        kind="meeting",
        form=form.name,
        people=talk.people,
        sent_at=talk.began_at,
        may_roll=False,
        warnings=(*kept.warnings(), *talk.warnings),
    )


def _recognise(value: Any) -> tuple[JsonForm, Talk] | None:
    for candidate in _candidates(value, _WRAPPED_DEPTH):
        for form in JSON_FORMS:
            if form.fits(candidate):
                return form, form.read(candidate)
    return None


def _candidates(value: Any, depth: int) -> Iterator[Any]:
    """Yield a value and what it wraps, the outermost first."""
    yield value
    if depth == 0:
        return
    if isinstance(value, list) and len(value) == 1:
        yield from _candidates(value[0], depth - 1)
    for key in _WRAPPERS:
        inner = at(value, key)
        if isinstance(inner, (dict, list)):
            yield from _candidates(inner, depth - 1)


class _Kept:
    """Cues with clean texts, and what was taken out of them."""

    def __init__(self, cues: Iterable[Cue]) -> None:
        """Remember the cues; they are read once."""
        self._cues = cues
        self._removed = 0
        self._is_cut = False

    def __iter__(self) -> Iterator[Cue]:
        """Yield what is left of each, up to the caps of any text."""
        characters = 0
        for number, cue in enumerate(self._cues):
            characters += len(cue.text)
            if number >= MAX_LINES or characters > MAX_CHARACTERS:
                self._is_cut = True
                return
            cleaned = clean(cue.text)
            self._removed += cleaned.removed
            text = " ".join(cleaned.text.split())
            if text:
                yield replace(cue, text=text)

    def warnings(self) -> list[Notice]:
        """Return what a reader should know, after the cues were read."""
        return removal_notices(Lines((), invisible=self._removed, is_cut=self._is_cut))


def _first(value: Any, *path: str) -> dict[str, Any]:
    return next(iter(objects(value, *path)), {})


def _has(value: Any, *keys: str) -> bool:
    return isinstance(value, dict) and all(key in value for key in keys)


def _is_teams(value: Any) -> bool:
    inner = _first(value)
    entry = _first(value, "entries")
    return "spokenText" in inner or _has(entry, "text", "startOffset")


def _is_meet(value: Any) -> bool:
    for item in (_first(value), _first(value, "entries")):
        if _has(item, "participant", "text", "startTime"):
            return True
    return isinstance(at(value, "transcriptEntries"), list)


def _is_fireflies(value: Any) -> bool:
    listed = _first(value)
    if _has(listed, "sentence") and ("startTime" in listed or "speaker_name" in listed):
        return True
    sentences = at(value, "sentences")
    item = _first(value, "sentences")
    return isinstance(sentences, list) and (
        not sentences or "speaker_name" in item or "raw_text" in item
    )


def _is_fathom(value: Any) -> bool:
    return isinstance(at(_first(value, "transcript"), "speaker"), dict) and _has(
        _first(value, "transcript"), "text"
    )


def _is_read_ai(value: Any) -> bool:
    return isinstance(at(value, "transcript", "speaker_blocks"), list)


def _is_tldv(value: Any) -> bool:
    return _has(_first(value, "data"), "startTime", "text")


def _is_vexa(value: Any) -> bool:
    if not isinstance(at(value, "segments"), list):
        return False
    item = _first(value, "segments")
    return (
        _has(value, "native_meeting_id")
        or _has(item, "absolute_start_time", "text")
        or _has(item, "start_time", "text")
    )


def _is_azure(value: Any) -> bool:
    return (
        isinstance(at(value, "recognizedPhrases"), list)
        or "offsetMilliseconds" in _first(value, "phrases")
        or _has(value, "RecognitionStatus", "Offset")
    )


def _is_deepgram(value: Any) -> bool:
    results = at(value, "results")
    if isinstance(at(results, "channels"), list):
        return True
    return _has(_first(results, "utterances"), "transcript")


def _is_aws(value: Any) -> bool:
    results = at(value, "results")
    is_listed = isinstance(at(results, "transcripts"), list)
    return is_listed and _has(results, "items")


def _is_assemblyai(value: Any) -> bool:
    if _has(_first(value, "utterances"), "text", "start"):
        return True
    return _has(value, "words", "text", "audio_url") or _has(
        value, "words", "utterances", "text"
    )


def _is_whisper(value: Any) -> bool:
    if _has(_first(value, "segments"), "start", "text"):
        return True
    return _has(_first(value, "transcription"), "offsets", "text")


JSON_FORMS = (
    JsonForm("read_ai", _is_read_ai, json_meetings.read_read_ai),
    JsonForm("fathom", _is_fathom, json_meetings.read_fathom),
    JsonForm("fireflies", _is_fireflies, json_meetings.read_fireflies),
    JsonForm("google_meet_entries", _is_meet, json_meetings.read_meet_entries),
    JsonForm("teams_json", _is_teams, json_meetings.read_teams),
    JsonForm("tldv", _is_tldv, json_meetings.read_tldv),
    JsonForm("vexa", _is_vexa, json_meetings.read_vexa),
    JsonForm("azure_speech", _is_azure, json_speech.read_azure),
    JsonForm("deepgram", _is_deepgram, json_speech.read_deepgram),
    JsonForm("aws_transcribe", _is_aws, json_speech.read_aws),
    JsonForm("assemblyai", _is_assemblyai, json_speech.read_assemblyai),
    JsonForm("whisper", _is_whisper, json_speech.read_whisper),
)
