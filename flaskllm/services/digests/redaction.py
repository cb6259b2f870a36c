"""Reversible redaction: placeholders before a model sees a text, the words after it.

E-mail addresses, telephone numbers, accounts, identity and other long numbers and the
names of known people become `[EMAIL_1]`, `[PHONE_1]`, `[NUMBER_1]` and `[PERSON_1]`;
the same value always the same one. The first name of the first person is
`[PERSON_1_FIRST]`. What is hidden is found again exactly: `reveal(hide(text))` is
`text`. Nothing is stored: a redaction lives as long as its digest is made.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from string import ascii_uppercase
from threading import Lock
from typing import Any, Final

from flaskllm.inputs.document import Document
from flaskllm.services.digests.private_names import Names, names_of
from flaskllm.services.digests.private_values import find_values

NOTE: Final = (
    "Names, addresses and numbers of the source stand as placeholders in square "
    "brackets, such as [{label}_1]. A placeholder is the name or number itself: repeat "
    "it exactly wherever you quote, name or mention it, and make up none."
)

# The keywords of a JSON Schema whose values are words; "format" is none.
_TELLING = frozenset({"title", "description", "default", "examples", "enum", "const"})
_KINDS = ("PERSON", "EMAIL", "PHONE", "NUMBER")


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
        self._nonce = _nonce_for(known)
        self._pattern = _pattern(self._nonce)
        self._lock = Lock()
        self._by_value: dict[tuple[str, str], str] = {}
        self._values: dict[str, str] = {}
        self._people: dict[int, int] = {}
        self._counts = dict.fromkeys(_KINDS, 0)
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
        return NOTE.format(label=f"PERSON{self._nonce}")

    def hide(self, text: str) -> str:
        """Return a text with placeholders."""
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

        Placeholders are known in any case, also without brackets where their
        underscore is left. One that was never given out is taken out.
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
        told = found.group("kind", "no", "form")
        if told[0] is None:
            told = found.group("bare_kind", "bare_no", "bare_form")
        kind, number, form = (part or "" for part in told)
        base = f"{kind.upper()}{self._nonce}_{int(number)}"
        for token in (f"{base}_{form.upper()}" if form else base, base):
            if token in self._values:
                return self._values[token]
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
        label = f"{hit.kind}{self._nonce}"
        if hit.kind != "PERSON":
            return f"{label}_{self._next(hit.kind)}"
        if hit.person not in self._people:
            self._people[hit.person] = self._next(hit.kind)
        base = f"{label}_{self._people[hit.person]}"
        usual = f"{base}_{hit.form}" if hit.form else base
        if usual not in self._values:
            return usual
        others = (f"{base}_V{number}" for number in count(2))
        return next(token for token in others if token not in self._values)

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


def _nonce_for(texts: Sequence[str]) -> str:
    """Return the first ending of kinds that makes no placeholder in these texts."""
    tried = chain(("",), ascii_uppercase, (f"Q{number}Q" for number in count()))
    return next(
        nonce for nonce in tried if not any(_is_like(nonce, text) for text in texts)
    )


def _is_like(nonce: str, text: str) -> bool:
    """Tell whether a text holds a placeholder, or would with its neighbours hidden."""
    bare = rf"(?:{'|'.join(_KINDS)}){nonce}\\?_\d"
    found = re.search(bare, text, re.IGNORECASE) or _pattern(nonce).search(text)
    return found is not None


def _pattern(nonce: str) -> re.Pattern[str]:
    """Return what finds placeholders as models write them.

    In brackets, which Markdown may escape; and bare, with its underscore: `number 3`
    is plain language.
    """
    kinds, forms = "|".join(_KINDS), r"FIRST|LAST|JOINED|MIDDLE\d{1,2}|V\d{1,9}"
    return re.compile(
        rf"(?P<escape>\\)?\[ ?(?P<kind>{kinds}){nonce}(?:\\?_|[ -])(?P<no>\d{{1,9}})"
        rf"(?:(?:\\?_|[ -])(?P<form>{forms}))? ?(?(escape)\\)\]"
        rf"|(?<![^\W_])(?P<bare_kind>{kinds}){nonce}\\?_(?P<bare_no>\d{{1,9}})"
        rf"(?:\\?_(?P<bare_form>{forms})|(?=s?(?![^\W_])))",
        re.IGNORECASE | re.ASCII,
    )
