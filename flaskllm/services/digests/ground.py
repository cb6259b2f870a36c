"""What facts are checked against: the document without what proves nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from flaskllm.core import entities, numerals
from flaskllm.inputs.document import Document, Part
from flaskllm.llm.types import Passage
from flaskllm.services.digests.instructions import (
    Span,
    blank,
    find_instructions,
    replace,
)
from flaskllm.services.digests.people import without_orders
from flaskllm.services.digests.quotes import Text
from flaskllm.services.digests.strokes import find_strokes

_LEFT_OUT = "[a passage that addresses the machine was left out]"
_CONTEXT = frozenset({"quoted", "signature"})


@dataclass(frozen=True)
class Ground:
    """A document with its reference time, ready to prove facts.

    `flagged` holds, by part id, the spans that talk to the machine. They are
    shown to no model and prove nothing; neither do `order_names`, display names
    that were orders. `reference` is aware: relative dates are read from it.
    `language` is that of the answer, `source_language` that of the document
    (None when it is too short to tell). `reference_is_assumed` when nobody gave
    the reference: it is the time of arrival. `earlier` is what earlier mails of a
    thread proved: words may come from there, quotes may not.
    """

    document: Document
    reference: datetime
    language: str
    source_language: str | None
    flagged: Mapping[str, tuple[Span, ...]]
    order_names: tuple[str, ...] = ()
    reference_is_assumed: bool = False
    earlier: tuple[str, ...] = ()
    # The days that a part names, by its id: reading a long one takes seconds.
    days: dict[str, frozenset[date]] = field(default_factory=dict, compare=False)

    @classmethod
    def of(
        cls,
        document: Document,
        reference: datetime,
        language: str,
        source_language: str | None,
    ) -> "Ground":
        """Look for instructions in every part and name, and keep where they stand."""
        document, order_names = without_orders(document)
        found = {part.id: find_instructions(part.text) for part in document.parts}
        flagged = {part_id: spans for part_id, spans in found.items() if spans}
        return cls(document, reference, language, source_language, flagged, order_names)

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """Return each part's text by id, flagged spans blanked, offsets kept."""
        return {
            part.id: blank(part.text, self.flagged.get(part.id, ()))
            for part in self.document.parts
        }

    @cached_property
    def quotable(self) -> Mapping[str, Text]:
        """Return the same texts, taken apart once for many quotes."""
        return {part_id: Text(text) for part_id, text in self.texts.items()}

    @cached_property
    def strokes(self) -> Mapping[str, tuple[Span, ...]]:
        """Return where text is struck out, by the ids of the parts that hold some."""
        found = {part_id: find_strokes(text) for part_id, text in self.texts.items()}
        return {part_id: spans for part_id, spans in found.items() if spans}

    @cached_property
    def live(self) -> Mapping[str, str]:
        """Return the texts without what is struck out, offsets kept."""
        struck = self.strokes
        return {
            part_id: blank(text, struck[part_id]) if part_id in struck else text
            for part_id, text in self.texts.items()
        }

    @cached_property
    def live_quotable(self) -> Mapping[str, Text]:
        """Return the same, taken apart once for many quotes."""
        return {
            part_id: Text(self.live[part_id]) if part_id in self.strokes else text
            for part_id, text in self.quotable.items()
        }

    @cached_property
    def text(self) -> str:
        """Return all text that may prove something, people's names included."""
        people = " ".join(
            f"{person.name or ''} {person.email or ''}"
            for person in self.document.participants
        )
        return "\n\n".join((*self.texts.values(), people, *self.earlier))

    @cached_property
    def links(self) -> frozenset[str]:
        """Return the links and addresses that an answer may repeat."""
        return entities.links_and_addresses(self.text)

    @cached_property
    def numbers(self) -> frozenset[str]:
        """Return every number that the text can mean, and the year it is read in."""
        return numerals.numbers(self.text) | {str(self.reference.year)}

    @cached_property
    def squeezed(self) -> str:
        """Return the letters and digits of the text alone, in capitals."""
        return entities.squeeze(self.text)

    def unknown_codes(self, wording: str) -> tuple[str, ...]:
        """Return the identifiers in a wording that the text holds in no spelling."""
        return tuple(
            code
            for code in entities.identifiers(wording)
            if entities.squeeze(code) not in self.squeezed
        )

    @cached_property
    def forbidden_codes(self) -> frozenset[str]:
        """Return the code-like words that stand in flagged spans only.

        They are in capitals; wording that may hold one is compared in capitals.
        """
        spans = (
            part.text[start:end]
            for part in self.document.parts
            for start, end in self.flagged.get(part.id, ())
        )
        flagged = " ".join((*spans, *self.order_names))
        return entities.code_words(flagged) - entities.code_words(self.text.upper())

    @property
    def people(self) -> tuple[str, ...]:
        """Return the names of everybody in the document."""
        names = (person.name for person in self.document.participants)
        return tuple(dict.fromkeys(name for name in names if name))

    def flagged_characters(self) -> int:
        """Return how many characters are kept from the model."""
        spans = (span for spans in self.flagged.values() for span in spans)
        return sum(end - start for start, end in spans) + sum(
            map(len, self.order_names)
        )

    def passages(self) -> tuple[Passage, ...]:
        """Return the parts for the provider that reads without a model.

        What a mail says in its body, its sender says. Struck-out text is left out.
        """
        people = self.document.participants
        sender = next((person.name for person in people if person.role == "from"), None)
        return tuple(
            Passage(
                part.id,
                self.live[part.id],
                sender if part.kind == "body" else part.speaker,
                _is_shown(part),
            )
            for part in self.document.parts
        )

    def rendered(self) -> str:
        """Return the document as a model reads it, each part under its id."""
        return "\n\n".join(self._render(part) for part in self.document.parts)

    def _render(self, part: Part) -> str:
        spans = self.flagged.get(part.id, ())
        text = replace(part.text, spans, lambda span: _LEFT_OUT)
        marks = (part.id, _mark(part), _stamp(part.start_ms), part.speaker)
        heading = " | ".join(mark for mark in marks if mark)
        return f"[{heading}]\n{text}"


def _is_shown(part: Part) -> bool:
    return part.kind not in _CONTEXT and part.kind != "subject"


def _mark(part: Part) -> str:
    return "" if part.kind == "turn" else part.kind


def _stamp(start_ms: int | None) -> str:
    if start_ms is None:
        return ""
    minutes, seconds = divmod(start_ms // 1000, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
