"""What is new in a mail whose thread is known, sentence by sentence. Pure.

A mail quotes those before it, and each program quotes in its own way: with marks,
below a header, wrapped anew, cut at the end. So what was read is known by the prints
of its sentences, wherever their lines end. What the mail's own text says is new, also
where it repeats a sentence: "please pay by Friday" means another Friday a week later.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import groupby
from typing import Final

from flaskllm.core.folding import fold
from flaskllm.inputs import quote_marks
from flaskllm.inputs.document import Document, Origin, Part
from flaskllm.services.digests.ground import Ground

EARLIER: Final = "earlier"
"""The id of the part that tells a model what earlier mails said."""

_ELISION = "\n[...]\n"
_PRINT_BYTES = 8
# A shorter sentence ("Yes.") is known by the one before it, too.
_FEWEST_WORDS = 4
# So much of a mail's own text in a row was quoted by a program that marks no quotes.
_RUN_SENTENCES = 3
_RUN_CHARACTERS = 200
_BORDER = re.compile(r"(?<=[.!?:;…])\s+|(?<=[。！？])|\n[^\S\n]*\n\s*")
_WORD = re.compile(r"\w+")
_Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Sentence:
    """Code points `start` up to, not with, `end` of a part; `print` is known again."""

    start: int
    end: int
    print: str


@dataclass(frozen=True, slots=True)
class News:
    """A mail as a model reads it, and how many characters it does not read again."""

    ground: Ground
    known_characters: int


def prints_of(document: Document) -> tuple[str, ...]:
    """Return what the sentences of a mail are known by, each once, in order."""
    sentences = (each for _, found in _sentences(document) for each in found)
    return tuple(dict.fromkeys(sentence.print for sentence in sentences))


def news_of(ground: Ground, seen: Set[str], told: Sequence[str]) -> News:
    """Return what is new in a mail.

    Where all of its own text is known, that is shown all the same.

    Args:
        ground: The whole mail.
        seen: What the sentences of earlier mails are known by.
        told: Lines about earlier mails that go before it.
    """
    document = ground.document
    shown = {part.id: _everything(part) for part in document.parts}
    new = {part.id: _new_in(part, found, seen) for part, found in _sentences(document)}
    own = [part.id for part in document.parts if part.kind == "body"]
    has_own = any(new.get(part_id) for part_id in own)
    shown |= new if has_own else {each: new[each] for each in new.keys() - set(own)}
    kept = sum(end - start for each in shown.values() for start, end in each)
    known = sum(len(part.text) for part in document.parts) - kept
    if not known and not told:
        return News(ground, 0)
    return News(_with(ground, shown, told), known)


def _sentences(document: Document) -> Iterator[tuple[Part, list[Sentence]]]:
    """Yield the parts of a mail that have sentences, with them."""
    before = ""
    for part in document.parts:
        if part.kind == "subject":
            continue
        lead = _lead(part.text) if part.kind == "quoted" else 0
        # A mail begins there, as it did when it was sent.
        before, found = "" if lead else before, []
        for start, end in _spans(part, lead):
            folded = fold(part.text[start:end]).text.strip()
            words = _WORD.findall(folded)
            if not words:
                continue
            is_short = len(words) < _FEWEST_WORDS
            found.append(Sentence(start, end, _print(folded, before * is_short)))
            before = folded
        if found:
            yield part, found


def _spans(part: Part, start: int) -> Iterator[_Span]:
    """Yield the sentences of a part from there on."""
    for border in _BORDER.finditer(part.text, start):
        if border.start() > start:
            yield start, border.start()
        start = border.end()
    if start < len(part.text):
        yield start, len(part.text)


def _lead(text: str) -> int:
    """Return how many characters the lines take that say who is quoted."""
    lines = text.split("\n")
    at = int(quote_marks.is_original_mark(lines[0]))
    if at < len(lines):
        length, _ = quote_marks.attribution_length(lines, at)
        at += quote_marks.header_length(lines, at) or length
    return min(len(text), sum(len(line) + 1 for line in lines[:at]))


def _print(folded: str, before: str) -> str:
    told = f"{before}\n{folded}".encode("utf-8", "surrogatepass")
    return blake2b(told, digest_size=_PRINT_BYTES).hexdigest()


def _new_in(part: Part, sentences: Sequence[Sentence], seen: Set[str]) -> list[_Span]:
    """Return the stretches of a part that are shown; all of it where none is known."""
    shown: list[_Span] = []
    follows = False
    for is_known, group in groupby(sentences, lambda each: each.print in seen):
        run = list(group)
        if is_known and (part.kind != "body" or _is_history(run)):
            follows = False
            continue
        start = shown.pop()[0] if follows else run[0].start
        shown.append((start, run[-1].end))
        follows = True
    is_whole = shown == [(sentences[0].start, sentences[-1].end)]
    return _everything(part) if is_whole else shown


def _is_history(run: Sequence[Sentence]) -> bool:
    """Tell whether known sentences in a mail's own text are an unmarked quote."""
    characters = run[-1].end - run[0].start
    return len(run) >= _RUN_SENTENCES and characters >= _RUN_CHARACTERS


def _everything(part: Part) -> list[_Span]:
    return [(0, len(part.text))]


def _with(
    ground: Ground, shown: Mapping[str, Sequence[_Span]], told: Sequence[str]
) -> Ground:
    """Return the ground of these stretches; nothing is proved on it."""
    parts, flagged = [], {}
    for part in ground.document.parts:
        if spans := shown.get(part.id):
            text = _ELISION.join(part.text[start:end] for start, end in spans)
            parts.append(replace(part, text=text))
            flagged[part.id] = tuple(_moved(ground.flagged.get(part.id, ()), spans))
    if told:
        text = "\n".join(told)
        parts.insert(0, Part(EARLIER, "quoted", text, Origin("", 0, 0)))
    document = replace(ground.document, parts=tuple(parts))
    return replace(ground, document=document, flagged=flagged, days={})


def _moved(flagged: Iterable[_Span], spans: Sequence[_Span]) -> Iterator[_Span]:
    """Yield flagged spans where they stand in the joined stretches."""
    offset = 0
    for start, end in spans:
        for first, last in flagged:
            if first < end and last > start:
                yield (
                    max(first, start) - start + offset,
                    min(last, end) - start + offset,
                )
        offset += end - start + len(_ELISION)
