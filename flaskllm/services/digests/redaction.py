"""Reversible redaction: placeholders before a model sees a text, the words after it.

E-mail addresses, telephone numbers, accounts, identity and other long numbers and the
names of known people become `[EMAIL_1]`, `[PHONE_1]`, `[NUMBER_1]` and `[PERSON_1]`;
the same value always the same one. The first name of the first person is
`[PERSON_1_FIRST]`. What is hidden is found again exactly: `reveal(hide(text))` is
`text`. Nothing is stored: a redaction lives as long as its digest is made, and what
it has hidden once it does not look through again.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, count
from threading import Lock
from typing import Any, Final

from flaskllm.inputs.document import Document
from flaskllm.services.digests.name_places import Names
from flaskllm.services.digests.placeholders import (
    KINDS,
    ending_for,
    pattern_for,
    tokens_of,
)
from flaskllm.services.digests.private_names import names_of
from flaskllm.services.digests.private_values import find_values

NOTE: Final = (
    "Names, addresses and numbers of the source stand as placeholders in square "
    "brackets, such as [{label}_1]. A placeholder is the name or number itself: repeat "
    "it exactly wherever you quote, name or mention it, and make up none."
)

# The keywords of a JSON Schema whose values are words; "format" is none.
_TELLING = frozenset({"title", "description", "default", "examples", "enum", "const"})
# Where no name and no number goes on: empty lines, the heading of a part, and clear
# ends of sentences. The same text in another piece of a document ends there too.
_BORDER = re.compile(
    r"\n{2,}|(?<=\])\n|(?<=[a-zß-öø-ÿ]{3}[.!?])\s+(?=[A-ZÀ-ÖØ-Þ])",
)
_MOST_KEPT = 65_536
"""Stretches between borders: more than a meeting of eight hours has sentences."""


@dataclass(frozen=True, slots=True)
class Revealed:
    """A value with its words back; `unknown` counts placeholders that never were."""

    value: Any
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class _Hit:
    start: int
    end: int
    kind: str
    person: int = -1
    form: str = ""


class Redaction:
    """The placeholders of one document. Any number of threads may use it.

    A text that already holds something like a placeholder gets others: their kinds
    then end in a letter that stands nowhere in it.
    """

    def __init__(self, names: Names, texts: Iterable[str] = ()) -> None:
        """Number what these texts hold, in their order.

        Args:
            names: Those to look for.
            texts: All that is known by now of what is going to be hidden.
        """
        known = tuple(texts)
        self._names = names
        self._ending = ending_for(known)
        self._pattern = pattern_for(self._ending)
        self._hidden = lru_cache(_MOST_KEPT)(self._hide)
        self._lock = Lock()
        self._by_value: dict[tuple[str, str], str] = {}
        self._values: dict[str, str] = {}
        self._people: dict[int, int] = {}
        self._spellings: dict[str, count[int]] = {}
        self._counts = dict.fromkeys(KINDS, 0)
        for number, name in enumerate(names.people):
            token = self._new_token(name, _Hit(0, 0, "PERSON", number))
            self._by_value[f"PERSON{number}", name] = token
            self._values[token] = name
        for text in known:
            self.hide(text)

    @classmethod
    def of(
        cls,
        document: Document,
        names: Iterable[str] = (),
        told: Iterable[str] = (),
    ) -> "Redaction":
        """Return the redaction of a document.

        Args:
            document: Its participants and speakers are names.
            names: More names to hide.
            told: Texts of the caller that go to the model as well.
        """
        texts = chain((part.text for part in document.parts), told)
        return cls(names_of(document, names), texts)

    @property
    def note(self) -> str:
        """Return what a model is told of placeholders."""
        return NOTE.format(label=f"PERSON{self._ending}")

    def hide(self, text: str) -> str:
        """Return a text with placeholders."""
        pieces, place = [], 0
        for border in _BORDER.finditer(text):
            pieces += [self._hidden(text[place : border.start()]), border[0]]
            place = border.end()
        return "".join((*pieces, self._hidden(text[place:])))

    def _hide(self, text: str) -> str:
        pieces, place = [], 0
        for hit in _hits(text, self._names):
            pieces += [text[place : hit.start], self._placeholder(text, hit)]
            place = hit.end
        return "".join((*pieces, text[place:]))

    def hide_json(self, value: Any) -> Any:
        """Return plain JSON with placeholders in its texts, not in its names."""
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, Mapping):
            return {name: self.hide_json(each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.hide_json(each) for each in value]
        return value

    def hide_schema(self, schema: Any) -> Any:
        """Return a JSON Schema with placeholders in what is said of values."""
        if isinstance(schema, list | tuple):
            return [self.hide_schema(each) for each in schema]
        if not isinstance(schema, Mapping):
            return schema
        return {
            name: self.hide_json(each) if name in _TELLING else self.hide_schema(each)
            for name, each in schema.items()
        }

    def hide_lines(self, text: str) -> str:
        """Return lines of JSON with placeholders in their texts."""
        # A line ends at "\n" alone: U+2028 and its like may stand within a text.
        lines = filter(None, text.split("\n"))
        hidden = (self.hide_json(json.loads(line)) for line in lines)
        return "\n".join(json.dumps(line, ensure_ascii=False) for line in hidden)

    def reveal(self, text: str) -> str:
        """Return a text with its words back.

        Placeholders are known in any case and as models spell them anew, also without
        brackets where their underscore is left. One that was never given out is taken
        out.
        """
        return str(self.reveal_json(text).value)

    def reveal_json(self, value: Any) -> Revealed:
        """Return plain JSON with its words back, names of fields included."""
        unknown = count()

        def put_back(found: re.Match[str]) -> str:
            return self._word_for(found, unknown)

        def revealed(each: Any) -> Any:
            if isinstance(each, str):
                return self._pattern.sub(put_back, each)
            if isinstance(each, Mapping):
                return {revealed(name): revealed(inner) for name, inner in each.items()}
            if isinstance(each, list | tuple):
                return [revealed(inner) for inner in each]
            return each

        return Revealed(revealed(value), next(unknown))

    def _word_for(self, found: re.Match[str], unknown: "count[int]") -> str:
        for token in tokens_of(found, self._ending):
            if token in self._values:
                return self._values[token] + (found["genitive"] or "")
        next(unknown)
        return ""

    def _placeholder(self, text: str, hit: _Hit) -> str:
        value = text[hit.start : hit.end]
        key = f"{hit.kind}{hit.person}", value
        with self._lock:
            token = self._by_value.get(key)
            if token is None:
                token = self._by_value[key] = self._new_token(value, hit)
                self._values[token] = value
        return f"[{token}]"

    def _new_token(self, value: str, hit: _Hit) -> str:
        label = f"{hit.kind}{self._ending}"
        if hit.kind != "PERSON":
            return f"{label}_{self._next(hit.kind)}"
        if hit.person not in self._people:
            self._people[hit.person] = self._next(hit.kind)
        base = f"{label}_{self._people[hit.person]}"
        usual = f"{base}_{hit.form}" if hit.form else base
        if usual not in self._values:
            return usual
        return f"{base}_V{next(self._spellings.setdefault(base, count(2)))}"

    def _next(self, kind: str) -> int:
        self._counts[kind] += 1
        return self._counts[kind]


def _hits(text: str, names: Names) -> Sequence[_Hit]:
    """Return what is to be hidden, in order; the first to claim a stretch has it."""
    claimed, hits = bytearray(len(text)), []
    for hit in _claims(text, names):
        if not any(claimed[hit.start : hit.end]):
            claimed[hit.start : hit.end] = b"\1" * (hit.end - hit.start)
            hits.append(hit)
    return sorted(hits, key=lambda hit: hit.start)


def _claims(text: str, names: Names) -> Iterator[_Hit]:
    yield from (_Hit(*span, kind) for kind, span in find_values(text))
    for named in names.find(text):
        yield _Hit(named.start, named.end, "PERSON", named.person, named.form)
