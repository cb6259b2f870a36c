"""A document as the list of its sentences, ready to be ranked and picked."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from flaskllm.core import dates
from flaskllm.core.languages import detect
from flaskllm.core.sentences import split
from flaskllm.llm.extraction.words import count_words, find_terms
from flaskllm.llm.types import Extraction, Passage

# Longer than this is no sentence: captions without full stops, tables, code. It
# is read in pieces, so that a quote stays a line and no fact.
_LONGEST_SENTENCE = 1_000
_PIECE_LENGTH = 200
# A passage of its own language (an English disclaimer, a forwarded mail) shows it
# from about three lines on; a shorter one is in the language of the document.
_TELLING_LENGTH = 200
# Three to seven seconds of work, some 400 pages. No deadline ends the reading, so a
# longer document is cut; else it would hold a thread for half a minute.
_MOST_CHARACTERS = 1_000_000
# Latin, Arabic, full-width, Armenian, Ethiopic and Greek.
_QUESTION = re.compile(r"[?؟？՞፧\u037e]\W*$")
_BULLET = re.compile(r"(?:[-*+•‣◦▪·]\s+|>\s*)+(?=\S)")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, as it stands in its passage.

    `part` is the passage's id, `text` verbatim, `terms` the words of substance in
    order, `mentions` the dates that it names, `length` in words. A sentence that
    is not `shown` may not be picked.
    """

    part: str
    speaker: str | None
    text: str
    language: str
    terms: tuple[str, ...]
    mentions: tuple[dates.DateMention, ...]
    length: int
    shown: bool

    @property
    def is_question(self) -> bool:
        """Tell whether the text ends in a question mark of any script."""
        return _QUESTION.search(self.text) is not None

    @property
    def folded(self) -> str:
        """Return the text on one line, with plain apostrophes."""
        return " ".join(self.text.replace("’", "'").split())


def read(extraction: Extraction) -> tuple[Sentence, ...]:
    """Return all sentences of the first million characters, in reading order.

    The words decide the language; that of the extraction is what the reader
    wants, and only the guess for a text that is too short to tell.
    """
    passages = tuple(_cut(extraction.passages))
    language = _detect(passages) or extraction.language
    return tuple(
        sentence
        for passage in passages
        for sentence in _read_passage(passage, language)
    )


def _cut(passages: Iterable[Passage]) -> Iterator[Passage]:
    """Yield the passages up to the cap, the last one cut behind a whole word."""
    left = _MOST_CHARACTERS
    for passage in passages:
        if len(passage.text) > left:
            end = passage.text.rfind(" ", 0, left + 1)
            yield replace(passage, text=passage.text[: end if end > 0 else left])
            return
        yield passage
        left -= len(passage.text)


def _detect(passages: Iterable[Passage]) -> str | None:
    return detect("\n".join(passage.text for passage in passages if passage.shown))


def _read_passage(passage: Passage, language: str) -> Iterator[Sentence]:
    if len(passage.text) >= _TELLING_LENGTH:
        language = detect(passage.text) or language
    for span in split(passage.text, language):
        for text in _pieces(passage.text[span.start : span.end]):
            yield Sentence(
                part=passage.id,
                speaker=passage.speaker,
                text=text,
                language=language,
                terms=tuple(find_terms(text, language)),
                mentions=dates.find(text, language),
                length=count_words(text),
                shown=passage.shown,
            )


def _pieces(text: str) -> Iterator[str]:
    """Yield a sentence without its bullet, cut at spaces when it is overlong."""
    bullet = _BULLET.match(text)
    rest = text[bullet.end() :] if bullet else text
    if len(rest) <= _LONGEST_SENTENCE:
        yield rest
        return
    while len(rest) > _PIECE_LENGTH:
        space = rest.rfind(" ", 1, _PIECE_LENGTH)
        end = space if space > 0 else _PIECE_LENGTH
        yield rest[:end]
        rest = rest[end:].lstrip()
    yield rest
