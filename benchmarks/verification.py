"""Print how well true quotes are told from altered ones, class by class.

    python benchmarks/verification.py [FOLDER] [--seed 7] [--pairs 200]

Quotes are sentences of the planted documents that come with flaskllm, and of the
meetings and mails of FOLDER (else FLASKLLM_TEST_SAMPLES): `transcripts/qmsum-*.json`
and `email/*.eml`. Each class is made of pairs of a true and a false quote:

- a class of lies pairs each quote, letter by letter, with its altered form;
- a class of true variants pairs the variant with the same variant of a lie, the
  quote with one word changed.

What counts as false is decided without our code, see `spoken`: a quote is true
when all its words, fillers and punctuation aside, stand in this order in one turn or
part. One that stops beside a negation is false though its words stand there.
"""

import argparse
import os
import random
import re
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice, pairwise
from pathlib import Path

from alterations import FALSE, FILLERS, TRUE, Alter, Quote, change_word
from extractive import load

from flaskllm import inputs
from flaskllm.core import languages
from flaskllm.core.errors import LLMAPIError
from flaskllm.core.sentences import split
from flaskllm.inputs.document import Document, Origin, Part
from flaskllm.services.digests.answers import Quoted
from flaskllm.services.digests.evidence import prove, proves_enough
from flaskllm.services.digests.ground import Ground

PLANTED = Path(__file__).parents[1] / "flaskllm" / "cli" / "samples" / "planted"
_REFERENCE = datetime(2026, 1, 5, 9, tzinfo=UTC)
_MEDIA_TYPES = {".eml": "message/rfc822", ".vtt": "text/vtt"}
_WORDS = range(4, 26)
# Quotes are drawn until a class is full; some offer nothing that it changes.
_DRAWS_PER_PAIR = 60


@dataclass(frozen=True, slots=True)
class Case:
    """A true and a false quote, and the source that they are looked up in."""

    ground: Ground
    true: str
    false: str


@dataclass(frozen=True, slots=True)
class Row:
    """How a class went: `hits` of `pairs` true quotes held, and `lies` false ones."""

    name: str
    pairs: int
    hits: int
    lies: int
    seconds: float

    @property
    def precision(self) -> float:
        """Return the share of what was accepted that is true; 1 when nothing was."""
        accepted = self.hits + self.lies
        return self.hits / accepted if accepted else 1.0

    @property
    def recall(self) -> float:
        """Return the share of true quotes that were accepted."""
        return self.hits / self.pairs if self.pairs else 0.0

    @property
    def ms_per_quote(self) -> float:
        """Return the milliseconds that a quote takes, true or false."""
        return self.seconds * 1000 / (2 * self.pairs) if self.pairs else 0.0


class Source:
    """A document, and the quotes that can be drawn from it."""

    def __init__(self, document: Document) -> None:
        """Take the sentences of every part that a model reads."""
        language = languages.detect(document.text()) or "en"
        self.ground = Ground.of(document, _REFERENCE, language, language)
        # What addresses the machine is blank there, and proves nothing.
        shown = (part for part in document.parts if part.kind != "subject")
        parts = [self.ground.texts[part.id] for part in shown]
        self.texts = tuple(map(spoken, parts))
        words = dict.fromkeys(" ".join(parts).split())
        vocabulary = tuple(word for word in words if re.fullmatch(r"\w{2,}", word))
        self.quotes = tuple(
            quote
            for text, following in pairwise((*parts, ""))
            for quote in _sentences(text, following, language, vocabulary)
        )

    def count(self, quote: str) -> int:
        """Return how often all words of the quote stand in this order in a part."""
        words = spoken(quote)
        return sum(text.count(words) for text in self.texts)


def spoken(text: str) -> str:
    """Return the words of a text alone, between spaces, without fillers."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    words = re.findall(r"[^\W_']+(?:'[^\W_]+)*|[^\w\s.,;:!?()\"“”…–—*|'-]", plain)
    return f" {' '.join(word for word in words if word not in FILLERS)} "


def _sentences(
    text: str, following: str, language: str, vocabulary: tuple[str, ...]
) -> Iterator[Quote]:
    for span in split(text, language):
        sentence = text[span.start : span.end]
        words = sentence.split()
        is_prose = sum(map(str.isalpha, sentence)) > 0.7 * len(sentence)
        if len(words) in _WORDS and is_prose and "\n" not in sentence and vocabulary:
            after = text[span.end :]
            yield Quote(sentence, text[: span.start], after, following, vocabulary)


def read_sources(folder: Path | None) -> list[Source]:
    """Return the planted documents, and those of the folder, by name."""
    paths = [path for path in sorted(PLANTED.iterdir()) if path.suffix in _MEDIA_TYPES]
    documents = [_parse(path) for path in paths]
    if folder:
        documents += [_parse(path) for path in sorted(folder.glob("email/*.eml"))]
        documents += [
            Document(
                "meeting",
                tuple(
                    Part(turn.id, "turn", turn.text, Origin("", 0, 0), turn.speaker)
                    for turn in meeting.turns
                ),
            )
            for meeting in load(folder)
        ]
    sources = [Source(document) for document in documents if document]
    return [source for source in sources if source.quotes]


def _parse(path: Path) -> Document | None:
    try:
        media_type = _MEDIA_TYPES[path.suffix]
        return inputs.parse(path.read_bytes(), media_type=media_type, source=None)
    except LLMAPIError:
        return None  # a sample that is malformed on purpose


def is_accepted(quote: str, ground: Ground) -> bool:
    """Tell whether a fact with this quote would be kept; no part is cited."""
    evidence = prove(Quoted(quote=quote), ground)
    return evidence.verified and proves_enough(evidence, ground)


def make_lies(
    name: str, sources: Sequence[Source], dice: random.Random, pairs: int
) -> Iterator[Case]:
    """Yield pairs of a quote and what a class of lies makes of it."""
    for source, quote in _draw(sources, dice, pairs):
        told = FALSE[name](quote, dice)
        # A cut stands there, and must not stand elsewhere without the negation.
        held = 1 if name == "cut beside a negation" else 0
        if told and source.count(told) == held:
            yield Case(source.ground, quote.text, told)


def make_variants(
    name: str, sources: Sequence[Source], dice: random.Random, pairs: int
) -> Iterator[Case]:
    """Yield pairs of a true variant of a quote and the same variant of a lie."""
    for source, quote in _draw(sources, dice, pairs):
        true = TRUE[name](quote, dice)
        lie = change_word(quote, dice)
        false = TRUE[name](_with_text(quote, lie), dice) if lie else None
        if true and false and not source.count(false):
            yield Case(source.ground, true, false)


def _with_text(quote: Quote, text: str) -> Quote:
    return Quote(text, quote.before, quote.after, quote.next_part, quote.vocabulary)


def _draw(
    sources: Sequence[Source], dice: random.Random, pairs: int
) -> Iterator[tuple[Source, Quote]]:
    for _ in range(pairs * _DRAWS_PER_PAIR):
        source = dice.choice(sources)
        yield source, dice.choice(source.quotes)


_Make = Callable[[str, Sequence[Source], random.Random, int], Iterator[Case]]


def measure(sources: Sequence[Source], seed: int, pairs: int) -> Iterator[Row]:
    """Yield a row for each class, at most `pairs` pairs each."""
    kinds: Sequence[tuple[dict[str, Alter], _Make]] = (
        (dict(FALSE), make_lies),
        (dict(TRUE), make_variants),
    )
    for alterations, make in kinds:
        for name in alterations:
            dice = random.Random(f"{seed} {name}")
            yield judge(name, list(islice(make(name, sources, dice, pairs), pairs)))


def judge(name: str, cases: Sequence[Case]) -> Row:
    """Look every quote of a class up, and count."""
    started = time.perf_counter()
    hits = sum(is_accepted(case.true, case.ground) for case in cases)
    lies = sum(is_accepted(case.false, case.ground) for case in cases)
    return Row(name, len(cases), hits, lies, time.perf_counter() - started)


def total(rows: Sequence[Row]) -> Row:
    """Return all classes as one."""
    pairs, hits = sum(row.pairs for row in rows), sum(row.hits for row in rows)
    lies, seconds = sum(row.lies for row in rows), sum(row.seconds for row in rows)
    return Row("**all**", pairs, hits, lies, seconds)


def show(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of the table."""
    yield "| class | pairs | precision | recall | ms per quote |"
    yield "|---|---|---|---|---|"
    for row in (*rows, total(rows)):
        figures = f"{row.precision:.3f} | {row.recall:.3f} | {row.ms_per_quote:.2f}"
        yield f"| {row.name} | {row.pairs} | {figures} |"


def main() -> None:
    """Print the table; fail when the floors do not hold."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", default=os.getenv("FLASKLLM_TEST_SAMPLES"))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--pairs", type=int, default=200)
    options = parser.parse_args()
    sources = read_sources(Path(options.folder) if options.folder else None)
    for source in sources:
        is_accepted("warm up: take the text apart", source.ground)
    rows = list(measure(sources, options.seed, options.pairs))
    print("\n".join(show(rows)))
    if total(rows).precision < 0.99 or total(rows).recall < 0.95:
        sys.exit("below the floors: precision 0.99, recall 0.95")


if __name__ == "__main__":
    main()
