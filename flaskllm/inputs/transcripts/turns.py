"""The normal form of a transcript: turns of speakers in the order of time.

Captions repeat themselves, cut sentences in pieces and put the speaker in front
of the text. Here repetition goes, names become speakers, and neighbours of one
speaker are joined.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from flaskllm.inputs.document import Document, Kind, Notice, Origin, Part, Person
from flaskllm.inputs.text import Line
from flaskllm.inputs.transcripts.cues import Cue
from flaskllm.inputs.transcripts.names import find_names
from flaskllm.inputs.transcripts.people import participants

# Turns longer than this are hard to cite. A turn ends at the first sentence end
# past the lower size, and at the upper size in any case.
_TURN_CHARACTERS = 700
MAX_TURN_CHARACTERS = 1_000
# A longer silence begins a new turn.
_GAP_MS = 2_000
# Captions that touch or overlap may repeat each other; later it was said twice.
_TOUCH_MS = 60
# How many words of the last caption the next one may repeat.
_ROLLING_WORDS = 60
_SENTENCE_END = (".", "!", "?", "…", "。", "！", "？")


def named(cues: Iterable[Cue]) -> list[Cue]:
    """Return cues with the name in front of their text taken as the speaker.

    A cue without a name continues the one before, as Zoom's captions do. A file
    with voice tags already says who speaks; there a colon is text.
    """
    listed = list(cues)
    if any(cue.speaker for cue in listed):
        return listed
    names = find_names([cue.text for cue in listed])
    found: list[Cue] = []
    speaker: str | None = None
    for cue in listed:
        name, text = names.split(cue.text)
        speaker = name or speaker
        if text:
            found.append(replace(cue, speaker=speaker, text=text))
    return found


def spoken_lines(lines: Sequence[Line]) -> list[Cue]:
    """Return the cues of plain text with `Name: text` lines, or none.

    A line without a name belongs to the speaker before it.
    """
    filled = [line for line in lines if line.text.strip()]
    names = find_names([line.text.strip() for line in filled])
    if not names.known:
        return []
    cues: list[Cue] = []
    speaker: str | None = None
    for line in filled:
        found, text = names.split(line.text.strip())
        speaker = found or speaker
        if text:
            cues.append(Cue(text, line.start, line.end, speaker))
    return cues


def to_document(
    cues: Iterable[Cue],
    *,
    kind: Kind,
    form: str = "text",
    people: Sequence[Person] = (),
    sent_at: datetime | None = None,
    may_roll: bool = True,
    warnings: Sequence[Notice] = (),
) -> Document:
    """Return the document of a transcript; it has no part when no cue has text.

    Args:
        cues: What was said, in the order of the file.
        kind: What the document is.
        form: As `Document.form` has it.
        people: Whom the file names beside those who speak in it.
        sent_at: When the meeting began, aware, where the file tells it.
        may_roll: Whether a cue may show the words of the one before again, as
            captions on a screen do.
        warnings: What was found before.
    """
    ordered = _ordered(cues)
    turns = _turns(_unrepeated(ordered) if may_roll else ordered)
    speakers = dict.fromkeys(turn.speaker for turn in turns if turn.speaker)
    present, notices = participants(tuple(speakers), people)
    return Document(
        kind,
        turns,
        present,
        sent_at=sent_at,
        warnings=(*warnings, *notices),
        form=form,
    )


def _turns(cues: Iterable[Cue]) -> tuple[Part, ...]:
    return tuple(
        Part(
            id=f"t{number}",
            kind="turn",
            text=cue.text,
            origin=Origin("", cue.start, cue.end),
            speaker=cue.speaker,
            start_ms=cue.start_ms,
            end_ms=cue.end_ms,
        )
        for number, cue in enumerate(_joined(cues), start=1)
    )


def _ordered(cues: Iterable[Cue]) -> list[Cue]:
    """Return cues by their start; one without a time stays behind its neighbour."""
    keyed: list[tuple[int, Cue]] = []
    latest = 0
    for cue in cues:
        latest = latest if cue.start_ms is None else cue.start_ms
        keyed.append((latest, cue))
    return [cue for _, cue in sorted(keyed, key=lambda pair: pair[0])]


def _unrepeated(cues: Iterable[Cue]) -> Iterator[Cue]:
    """Yield cues without the words that the speaker's last caption showed already."""
    latest: dict[str | None, Cue] = {}
    for cue in cues:
        last = latest.get(cue.speaker)
        latest[cue.speaker] = cue
        repeated = _repeated_words(last, cue) if last is not None else 0
        if not repeated:
            yield cue
            continue
        text = " ".join(cue.text.split()[repeated:])
        if text:
            yield replace(cue, text=text)


def _repeated_words(last: Cue, cue: Cue) -> int:
    """Return how many words at the start of a cue end the cue before it.

    Rolling captions repeat a line; at least three words must agree, or all.
    """
    if last.end_ms is None or cue.start_ms is None:
        return 0
    if cue.start_ms > last.end_ms + _TOUCH_MS:
        return 0
    before, words = last.text.split(), cue.text.split()
    if before == words:
        return len(words)
    longest = min(len(before), len(words), _ROLLING_WORDS)
    return next(
        (size for size in range(longest, 2, -1) if before[-size:] == words[:size]), 0
    )


def _joined(cues: Iterable[Cue]) -> Iterator[Cue]:
    """Yield cues with neighbours of one speaker as one turn of a sane length."""
    texts: list[str] = []
    turn: Cue | None = None
    for piece in (piece for cue in cues for piece in _pieces(cue)):
        if turn is not None and _continues(turn, texts, piece):
            texts.append(piece.text)
            turn = replace(
                turn,
                start=min(turn.start, piece.start),
                end=max(turn.end, piece.end),
                end_ms=_latest(turn.end_ms, piece.end_ms),
            )
            continue
        if turn is not None:
            yield replace(turn, text=" ".join(texts))
        turn, texts = piece, [piece.text]
    if turn is not None:
        yield replace(turn, text=" ".join(texts))


def _continues(turn: Cue, texts: list[str], piece: Cue) -> bool:
    size = sum(map(len, texts)) + len(texts)
    if turn.speaker != piece.speaker or size + len(piece.text) > MAX_TURN_CHARACTERS:
        return False
    if size > _TURN_CHARACTERS and texts[-1].endswith(_SENTENCE_END):
        return False
    if turn.end_ms is None:
        # Where only starts are known, what begins together was said together.
        return (turn.start_ms, None) == (piece.start_ms, piece.end_ms)
    if piece.start_ms is None:
        return False
    return piece.start_ms - turn.end_ms <= _GAP_MS


def _latest(one: int | None, other: int | None) -> int | None:
    times = [time for time in (one, other) if time is not None]
    return max(times, default=None)


def _pieces(cue: Cue) -> Iterator[Cue]:
    """Yield a cue, cut when it alone is longer than a turn."""
    start = 0
    while len(cue.text) - start > MAX_TURN_CHARACTERS:
        end = _cut(cue.text, start)
        yield replace(cue, text=cue.text[start:end].strip())
        start = end
    yield replace(cue, text=cue.text[start:].strip())


def _cut(text: str, start: int) -> int:
    """Return where to end a turn: after a sentence, else a word, else anywhere."""
    limit = start + MAX_TURN_CHARACTERS
    for marks in (_SENTENCE_END, (" ",)):
        ends = [text.rfind(mark, start + _TURN_CHARACTERS, limit) for mark in marks]
        if max(ends) >= 0:
            return max(ends) + 1
    return limit
