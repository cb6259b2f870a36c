"""The timed lines of caption files, shared by WebVTT and SubRip.

Both formats are a list of cues: perhaps an identifier, a line with two times, and
text up to an empty line. Broken files leave lines out, so every line is looked at
on its own: what belongs to no cue is kept as text without a time.
"""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flaskllm.inputs.text import Line, clean_line

_CLOCK = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
_TIMES = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}(?=\s|$)")
# A number, or the identifiers of Teams (a GUID, a slash, a counter).
_IDENTIFIER = re.compile(r"\s*(?:\d{1,9}|[0-9a-fA-F-]{36}(?:/\d+(?:-\d+)?)?)\s*")

# Only what captions use; anything else between angle brackets is text.
_TAG = re.compile(
    r"<(/?)(v|c|i|b|u|s|ruby|rt|lang|font)(?=[\s.>])(?:\.[\w.-]{0,80})?"
    r"(?:[ \t]+([^<>]{0,200}))?>|<[\d:.]{5,13}>|\{\\an?\d\}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Cue:
    """One thing somebody said. Times are None where the file has none."""

    text: str
    start: int
    end: int
    speaker: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None


@dataclass(frozen=True, slots=True)
class RawCue:
    """The lines of one cue as written, and its times when it has any."""

    lines: tuple[Line, ...]
    times: tuple[int, int] | None


def read_cues(lines: Sequence[Line]) -> list[RawCue]:
    """Return the cues of a caption file in the order of the file."""
    timed = {at for at, line in enumerate(lines) if _times(line.text)}
    identifiers = {at - 1 for at in timed if _is_identifier(lines, at - 1)}
    return list(_cues(lines, timed, identifiers))


def _cues(
    lines: Sequence[Line], timed: set[int], identifiers: set[int]
) -> Iterator[RawCue]:
    times: tuple[int, int] | None = None
    payload: list[Line] = []
    for at, line in enumerate(lines):
        is_border = at in timed or at in identifiers or not line.text.strip()
        if not is_border:
            payload.append(line)
            continue
        if payload:
            yield RawCue(tuple(payload), times)
            payload, times = [], None
        if at in timed:
            times = _times(line.text)
    if payload:
        yield RawCue(tuple(payload), times)


def _is_identifier(lines: Sequence[Line], at: int) -> bool:
    """Tell whether the line above a time line names the cue."""
    if at < 0 or not lines[at].text.strip():
        return False
    stands_alone = at == 0 or not lines[at - 1].text.strip()
    return stands_alone or _IDENTIFIER.fullmatch(lines[at].text) is not None


def is_time_line(text: str) -> bool:
    """Tell whether a line holds the two times of a cue."""
    return _TIMES.match(text) is not None


def _times(text: str) -> tuple[int, int] | None:
    if "-->" not in text:
        return None
    match = _TIMES.match(text)
    if match is None:
        return None
    numbers = match.groups()
    start, end = _milliseconds(*numbers[:4]), _milliseconds(*numbers[4:])
    return start, max(start, end)


def _milliseconds(hours: str | None, minutes: str, seconds: str, part: str) -> int:
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    return whole * 1000 + int(part.ljust(3, "0"))


def voices(raw: RawCue) -> Iterator[Cue]:
    """Yield what each voice says in a cue, tags and entities resolved.

    Text outside of a voice tag has no speaker.
    """
    text = "\n".join(line.text for line in raw.lines)
    speaker: str | None = None
    said: list[str] = []
    at = 0
    for match in _TAG.finditer(text):
        said.append(text[at : match.start()])
        at = match.end()
        if (match.group(2) or "").lower() != "v":
            continue
        yield from _cue(raw, speaker, said)
        is_end = bool(match.group(1))
        speaker = None if is_end else _resolved(match.group(3) or "") or None
        said = []
    said.append(text[at:])
    yield from _cue(raw, speaker, said)


def _cue(raw: RawCue, speaker: str | None, said: list[str]) -> Iterator[Cue]:
    text = _resolved("".join(said))
    if not text:
        return
    start_ms, end_ms = raw.times or (None, None)
    start, end = raw.lines[0].start, raw.lines[-1].end
    yield Cue(text, start, end, speaker, start_ms, end_ms)


def _resolved(text: str) -> str:
    return clean_line(html.unescape(text))
