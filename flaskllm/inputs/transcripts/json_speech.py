"""What speech recognisers hand out as JSON: segments, utterances, phrases, words.

They tell voices apart and know no names. Units differ: seconds (Whisper,
Deepgram, AWS), milliseconds (AssemblyAI), ticks of 100 ns (Azure).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flaskllm.inputs.transcripts.cues import Cue
from flaskllm.inputs.transcripts.json_text import Placed
from flaskllm.inputs.transcripts.json_values import (
    Talk,
    at,
    cue,
    first_of,
    label,
    milliseconds,
    objects,
)

_TICKS = 1 / 10_000
_SENTENCE_ENDS = (".", "?", "!", "。", "？", "！")
# Words without sentences are cut here, and at a silence.
_MOST_WORDS = 40
_SILENCE_MS = 1_500


def read_whisper(value: Any) -> Talk:
    """Return the talk of Whisper, WhisperX, and whisper.cpp's `transcription`."""
    cues = [each for item in objects(value, "segments") for each in _seconds(item)]
    for item in objects(value, "transcription"):
        start = milliseconds(at(item, "offsets", "from"), 1)
        end = milliseconds(at(item, "offsets", "to"), 1)
        cues += cue(item.get("text"), label(item.get("speaker")), start, end)
    return Talk(cues)


def _seconds(item: dict[str, Any], text: str = "text") -> Iterator[Cue]:
    start = milliseconds(item.get("start"), 1000)
    end = milliseconds(item.get("end"), 1000)
    yield from cue(item.get(text), label(item.get("speaker")), start, end)


def read_assemblyai(value: Any) -> Talk:
    """Return the talk of AssemblyAI: milliseconds; words where no voices are told."""
    cues = [
        each
        for item in objects(value, "utterances")
        for each in cue(
            item.get("text"),
            label(item.get("speaker")),
            milliseconds(item.get("start"), 1),
            milliseconds(item.get("end"), 1),
        )
    ]
    if cues:
        return Talk(cues)
    words = [_word(item, item.get("text"), 1) for item in objects(value, "words")]
    return Talk(list(_grouped(words)) or list(cue(at(value, "text"), None, None, None)))


def read_deepgram(value: Any) -> Talk:
    """Return the talk of Deepgram: utterances, else paragraphs, else words."""
    said = [
        each
        for item in objects(value, "results", "utterances")
        for each in _seconds(item, "transcript")
    ]
    if said:
        return Talk(said)
    cues: list[Cue] = []
    for channel in objects(value, "results", "channels"):
        best = next(iter(objects(channel, "alternatives")), {})
        cues += (
            _paragraphs(best)
            or list(_grouped(_deepgram_words(best)))
            or list(cue(best.get("transcript"), None, None, None))
        )
    return Talk(cues)


def _paragraphs(alternative: dict[str, Any]) -> list[Cue]:
    return [
        each
        for paragraph in objects(alternative, "paragraphs", "paragraphs")
        for sentence in objects(paragraph, "sentences")
        for each in _seconds({**sentence, "speaker": paragraph.get("speaker")})
    ]


def _deepgram_words(alternative: dict[str, Any]) -> list["_Word | None"]:
    return [
        _word(item, first_of(item, "punctuated_word", "word"), 1000)
        for item in objects(alternative, "words")
    ]


def read_azure(value: Any) -> Talk:
    """Return the talk of Azure: batch, fast transcription, or one live result."""
    cues: list[Cue] = []
    for item in objects(value, "recognizedPhrases"):
        best = next(iter(objects(item, "nBest")), {})
        text = first_of(best, "display", "lexical")
        cues += _azure(item, text, ("offsetInTicks", "durationInTicks"), _TICKS)
    for item in objects(value, "phrases"):
        names = "offsetMilliseconds", "durationMilliseconds"
        cues += _azure(item, item.get("text"), names, 1)
    live = first_of(value, "DisplayText")
    if live is None:
        live = at(next(iter(objects(value, "NBest")), {}), "Display")
    cues += _azure(value, live, ("Offset", "Duration"), _TICKS)
    return Talk(cues)


def _azure(item: Any, text: Any, names: tuple[str, str], unit: float) -> Iterator[Cue]:
    start = milliseconds(at(item, names[0]), unit)
    lasts = milliseconds(at(item, names[1]), unit)
    end = None if start is None or lasts is None else start + lasts
    yield from cue(text, label(first_of(item, "speaker", "SpeakerId")), start, end)


def read_aws(value: Any) -> Talk:
    """Return the talk of Amazon Transcribe: segments, else words and marks."""
    results = at(value, "results")
    cues: list[Cue] = []
    for item in objects(results, "audio_segments"):
        start = milliseconds(item.get("start_time"), 1000)
        end = milliseconds(item.get("end_time"), 1000)
        cues += cue(
            item.get("transcript"), label(item.get("speaker_label")), start, end
        )
    if cues:
        return Talk(cues)
    speakers = _aws_speakers(results)
    words = [_aws_word(item, speakers) for item in objects(results, "items")]
    cues = list(_grouped(words))
    for item in () if cues else objects(results, "transcripts"):
        cues += cue(item.get("transcript"), None, None, None)
    return Talk(cues)


def _aws_speakers(results: Any) -> dict[Any, str | None]:
    """Return who speaks by the start of a word, as older files tell it."""
    return {
        str(item.get("start_time")): label(item.get("speaker_label"))
        for segment in objects(results, "speaker_labels", "segments")
        for item in objects(segment, "items")
    }


def _aws_word(item: dict[str, Any], speakers: dict[Any, str | None]) -> "_Word | None":
    best = next(iter(objects(item, "alternatives")), {})
    text = best.get("content")
    if not isinstance(text, Placed) or not text.strip():
        return None
    start = milliseconds(item.get("start_time"), 1000)
    end = milliseconds(item.get("end_time"), 1000)
    told = label(item.get("speaker_label"))
    speaker = told or speakers.get(str(item.get("start_time")))
    is_mark = item.get("type") == "punctuation"
    return _Word(text, speaker, start, end, is_mark)


@dataclass(frozen=True, slots=True)
class _Word:
    """A word, or a mark that stands right behind one."""

    text: Placed
    speaker: str | None
    start_ms: int | None
    end_ms: int | None
    is_mark: bool = False


def _word(item: dict[str, Any], text: Any, factor: float) -> _Word | None:
    if not isinstance(text, Placed) or not text.strip():
        return None
    start, end = item.get("start"), item.get("end")
    return _Word(
        text,
        label(item.get("speaker")),
        milliseconds(start, factor),
        milliseconds(end, factor),
    )


def _grouped(words: Sequence[_Word | None]) -> Iterator[Cue]:
    """Yield words as the sentences they form, one voice each."""
    group: list[_Word] = []
    for word in words:
        if word is None:
            continue
        if group and not word.is_mark and _ends(group, word):
            yield _sentence(group)
            group = []
        group.append(word)
    if group:
        yield _sentence(group)


def _ends(group: list[_Word], word: _Word) -> bool:
    last = group[-1]
    spoken = next((each for each in reversed(group) if not each.is_mark), last)
    if spoken.speaker != word.speaker or len(group) >= _MOST_WORDS:
        return True
    if last.text.endswith(_SENTENCE_ENDS):
        return True
    if spoken.end_ms is None or word.start_ms is None:
        return False
    return word.start_ms - spoken.end_ms > _SILENCE_MS


def _sentence(group: list[_Word]) -> Cue:
    text = "".join(("" if word.is_mark else " ") + word.text for word in group)
    starts = [word.start_ms for word in group if word.start_ms is not None]
    ends = [word.end_ms for word in group if word.end_ms is not None]
    return Cue(
        text.strip(),
        group[0].text.start,
        group[-1].text.end,
        group[0].speaker,
        min(starts, default=None),
        max(ends, default=None),
    )
