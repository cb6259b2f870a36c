"""The people of a document, and who of them a sentence addresses or names."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flaskllm.llm.extraction.reading import Sentence
from flaskllm.llm.extraction.words import split_words

_PAUSE = re.compile(r"\s?[,:–—]\s|\s-\s")
# "Okay, so Dev, ...": this many small words may come before the name.
_MOST_SMALL_WORDS = 2
_CLAUSE_START = re.compile(r"[,;:–—…(]|\.{2,}|\s-\s")
# What opens a sentence without a comma too and is no part of a name.
_OPENERS = re.compile(
    "ah|alright|anyway|fine|good|great|hm+|maybe|now|oh|ok|okay|perfect|right|so|super|"
    "sure|then|well|yeah|yep|yes|"
    "ach|also|dann|genau|gut|ja|klar|na|nun|prima|schön|tja",
    re.IGNORECASE,
)
_MOST_NAME_WORDS = 3


@dataclass(frozen=True, slots=True)
class People:
    """Whole names by how people are called: in full, by first or by last name.

    The keys are in folded case. A name that two of them share calls nobody.
    """

    names: Mapping[str, str]

    def find_addressed(self, text: str) -> str | None:
        """Return the whole name of whom a sentence calls at its start or end."""
        *before, last = _PAUSE.split(text)
        ends = (*before[:2], last) if before else ()
        found = (self.names.get(name) for end in ends for name in _possible_names(end))
        return next(filter(None, found), None)

    def complete(self, name: str) -> str:
        """Return the whole name of a speaker, or the name as it is."""
        return self.names.get(name.casefold(), name)

    def words(self) -> frozenset[str]:
        """Return all the words of all their names, in folded case."""
        return frozenset(
            word for name in self.names.values() for word in split_words(name)
        )


def read_people(sentences: Iterable[Sentence], others: Iterable[str] = ()) -> People:
    """Return the speakers of a document and the others who belong to it.

    A whole name is always its bearer's, even when others share a part of it.
    """
    speakers = (sentence.speaker for sentence in sentences)
    whole: dict[str, str] = {}
    called = defaultdict(set)
    for person in filter(None, (*speakers, *others)):
        words = [word.strip(",()") for word in person.split()]
        key = " ".join(words).casefold()
        name = whole.setdefault(key, person)
        for word in (*words[:1], *words[-1:]):
            called[word.casefold()].add(name)
    parts = {word: name for word, (name, *rest) in called.items() if not rest}
    return People({word: name for word, name in (parts | whole).items() if word})


def find_opening_name(before: str) -> str | None:
    """Return the name that alone opens the last clause of a text, else None.

    "Okay, Sam" and "Well Sam" give "Sam": words of talk are no part of a name,
    and a name holds neither comma nor colon.
    """
    words = _CLAUSE_START.split(before)[-1].split()
    while words and _OPENERS.fullmatch(words[0]):
        del words[0]
    are_capital = all(word[0].isupper() for word in words)
    if not are_capital or not 1 <= len(words) <= _MOST_NAME_WORDS:
        return None
    return " ".join(words)


def _possible_names(piece: str) -> list[str]:
    """Return the piece in folded case, without its first words one after another."""
    words = piece.strip(" ?!.…").casefold().split()
    return [" ".join(words[skip:]) for skip in range(_MOST_SMALL_WORDS + 1)]
