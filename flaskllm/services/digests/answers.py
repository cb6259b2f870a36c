"""What a model is asked for: one closed pydantic model per kind of answer.

The names are those of the digest. Models write small variations of them, which
are read here and nowhere else: a quote beside the fact instead of inside its
evidence, evidence as a bare string or a list, a due date in words or with a time,
`null` for what is empty, "unknown" for nobody, labels in capitals, numbers for
text. Unknown keys are dropped; everything else that does not fit is malformed and
is repaired once.
"""

import re
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from flaskllm.services.digests.types import EntityKind, Priority, Sentiment, Status

_NOBODY = frozenset(
    {"", "-", "null", "none", "n/a", "unknown", "unassigned", "not specified"}
)
# With a time of day behind it, the day alone is meant.
_ISO_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ][0-9:.,]+(?:Z|[+-].*)?)?")


def _read_nobody(value: Any) -> Any:
    is_nobody = isinstance(value, str) and value.strip().casefold() in _NOBODY
    return None if is_nobody else value


def _read_label(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _read_list(value: Any) -> Any:
    if value is None:
        return ()
    if isinstance(value, list):
        return [item for item in value if item is not None]
    return value


ItemT = TypeVar("ItemT")
Line = Annotated[str, Field(max_length=1_000)]
OptionalLine = Annotated[Line | None, BeforeValidator(_read_nobody)]
Several = Annotated[
    tuple[ItemT, ...], BeforeValidator(_read_list), Field(max_length=200)
]


class Answered(BaseModel):
    """The habits of all answers: frozen, extra keys dropped, numbers are text."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        coerce_numbers_to_str=True,
        hide_input_in_errors=True,  # it may be the source, and errors are logged
    )

    @model_validator(mode="before")
    @classmethod
    def _read_null_as_absent(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {
            name: item
            for name, item in value.items()
            if item is not None or cls._requires(name)
        }

    @classmethod
    def _requires(cls, name: str) -> bool:
        field = cls.model_fields.get(name)
        return field is not None and field.is_required()


class Quoted(Answered):
    """A quote, and the id of the part or turn that it was taken from."""

    quote: Annotated[str, Field(max_length=4_000)] = ""
    part: OptionalLine = None
    turn: OptionalLine = None

    @property
    def place(self) -> str | None:
        """Return the cited id, written as in the prompt, or None."""
        cited = self.turn or self.part
        return cited.strip(" []") if cited else None


class Proven(Answered):
    """Something that carries its evidence."""

    evidence: Quoted = Quoted()

    @model_validator(mode="before")
    @classmethod
    def _gather_evidence(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        evidence = value.get("evidence") or value.get("quote")
        if isinstance(evidence, list):
            # One place is enough to prove a fact.
            evidence = evidence[0] if evidence else None
        if isinstance(evidence, str | int | float):
            places = {key: value.get(key) for key in ("part", "turn")}
            evidence = {"quote": evidence, **places}
        return {**value, "evidence": evidence or {}}


class ActionItemAnswer(Proven):
    """Something to do, as a model states it."""

    task: Annotated[str, Field(min_length=1, max_length=1_000)]
    owner: OptionalLine = None
    due: OptionalLine = None
    due_text: OptionalLine = None
    status: Annotated[Status, BeforeValidator(_read_label)] = "open"

    @model_validator(mode="after")
    def _move_words_out_of_due(self) -> "ActionItemAnswer":
        day, words = _part_day(self.due, self.due_text)
        return self.model_copy(update={"due": day, "due_text": words})


class StatementAnswer(Proven):
    """A sentence with its proof."""

    text: Annotated[str, Field(min_length=1, max_length=1_000)]

    @model_validator(mode="before")
    @classmethod
    def _accept_bare_text(cls, value: Any) -> Any:
        # A bare string claims to be its own quote.
        return {"text": value, "evidence": value} if isinstance(value, str) else value


class DateAnswer(StatementAnswer):
    """A date, in ISO form when it is clear, and its words."""

    date: OptionalLine = None
    text: Line = ""

    @model_validator(mode="after")
    def _move_words_out_of_date(self) -> "DateAnswer":
        day, words = _part_day(self.date, self.text)
        return self.model_copy(update={"date": day, "text": words or ""})


class EntityAnswer(StatementAnswer):
    """A name, place, amount or address."""

    kind: Annotated[EntityKind, BeforeValidator(_read_label)] = "other"


class SummaryText(Answered):
    """The prose of a summary; an empty one says nothing."""

    short: Annotated[str, Field(max_length=4_000)]
    bullets: Several[Line] = ()

    @model_validator(mode="before")
    @classmethod
    def _accept_bare_text(cls, value: Any) -> Any:
        return {"short": value} if isinstance(value, str) else value


class ActionItemsAnswer(Answered):
    """What `action_items` wants."""

    action_items: Several[ActionItemAnswer]


class FactsAnswer(Answered):
    """What `summary` and `reply` are written from."""

    points: Several[StatementAnswer] = ()
    action_items: Several[ActionItemAnswer] = ()
    decisions: Several[StatementAnswer] = ()
    open_questions: Several[StatementAnswer] = ()
    risks: Several[StatementAnswer] = ()
    dates: Several[DateAnswer] = ()
    amounts: Several[StatementAnswer] = ()
    keywords: Several[Line] = ()
    priority: Annotated[
        Priority | None, BeforeValidator(_read_nobody), BeforeValidator(_read_label)
    ] = None
    # Written by the extractive provider only; a model is not asked for it here.
    summary: SkipJsonSchema[SummaryText | None] = None


class KeywordsAnswer(Answered):
    """What `keywords` wants."""

    keywords: Several[Line]


class EntitiesAnswer(Answered):
    """What `entities` wants."""

    entities: Annotated[
        tuple[EntityAnswer, ...], BeforeValidator(_read_list), Field(max_length=500)
    ]


class SentimentAnswer(Proven):
    """What `sentiment` wants."""

    sentiment: Annotated[Sentiment, BeforeValidator(_read_label)]


class ClassificationAnswer(Proven):
    """What `classification` wants."""

    label: Line


class TranslationAnswer(Answered):
    """What `translation` wants."""

    translation: Annotated[str, Field(min_length=1)]


class SummaryAnswer(Answered):
    """What the prose of `summary` is."""

    summary: SummaryText


class ReplyAnswer(Answered):
    """What the prose of `reply` is."""

    reply_draft: Annotated[str, Field(min_length=1, max_length=20_000)]


def _part_day(day: str | None, words: str | None) -> tuple[str | None, str | None]:
    """Return the ISO day of a date, and its words; what is no ISO date is words."""
    if day is None:
        return None, words
    iso = _ISO_DATE.fullmatch(day.strip())
    return (iso[1], words) if iso else (None, words or day)
