"""What is known of a mail thread: its facts, and what was read of it. Pure.

Each fact says in which mail it was proved, when that was sent and by whom.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Any, Final

from flaskllm.services.digests.types import ActionItem, DateFact, Evidence, Statement

MOST_FACTS: Final = 100
"""Of each kind; the oldest are forgotten."""

MOST_FACT_BYTES: Final = 256 * 1024
"""Of all facts as JSON."""

MOST_PRINTS: Final = 10_000
MOST_MAILS: Final = 1_000

MOST_NAMES: Final = 200
"""Of people; those whom no mail has named for the longest time are forgotten."""

_FORM = 1

Fact = ActionItem | Statement | DateFact
KINDS: Final[Mapping[str, type[Fact]]] = {
    "action_items": ActionItem,
    "decisions": Statement,
    "open_questions": Statement,
    "risks": Statement,
    "amounts": Statement,
    "dates": DateFact,
    "points": Statement,
}
"""What is known of a thread, by the fields that facts come in."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail of a thread: what tells it from others, when it was sent, and by whom.

    `at` is aware, and no later than when it arrived.
    """

    id: str
    at: datetime
    by: str | None


@dataclass(frozen=True, slots=True)
class Known:
    """A fact, and the mail that it was proved in.

    Its evidence has a place only where the quote stands in the document at hand. Once
    it was kept, its `speaker` is who wrote the quote; the mail may have quoted them.
    """

    mail: Mail
    fact: Fact


Facts = Mapping[str, Sequence[Known]]


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known of a thread.

    Attributes:
        facts: By kind, in the order of their mails.
        mails: What the sentences are known by that each mail was the first to hold;
            by the ids of mails, the last one that was read at the end.
        forgotten: How many facts were too many to be kept.
        names: Whom the mails name, the last ones first; a fact may speak of any of
            them, and redaction hides them there.
    """

    facts: Facts = field(default_factory=dict)
    mails: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    forgotten: int = 0
    names: tuple[str, ...] = ()

    def but(self, mail: Mail) -> "Memory":
        """Return what is known without what this mail itself has told.

        A mail that comes again is so read as it was at first.
        """
        facts = {
            name: tuple(known for known in each if known.mail.id != mail.id)
            for name, each in self.facts.items()
        }
        mails = {each: told for each, told in self.mails.items() if each != mail.id}
        return replace(self, facts=facts, mails=mails)

    @property
    def seen(self) -> frozenset[str]:
        """Return what all sentences are known by."""
        return frozenset(chain.from_iterable(self.mails.values()))

    def every(self) -> list[Known]:
        """Return all facts in the order of their mails."""
        known = (each for facts in self.facts.values() for each in facts)
        return sorted(known, key=_sent)

    def texts(self) -> tuple[str, ...]:
        """Return the quotes and the words of all facts, and who they name."""
        return tuple(text for known in self.every() for text in _texts(known))

    def people(self) -> tuple[str, ...]:
        """Return who wrote, who has to do something and who was named, each once."""
        told = (_people_in(known) for known in self.every())
        names = chain(chain.from_iterable(told), self.names)
        return tuple(dict.fromkeys(name for name in names if name))

    def with_mail(
        self,
        mail: Mail,
        facts: Facts,
        prints: Sequence[str],
        names: Iterable[str] = (),
    ) -> "Memory":
        """Return what is known once a mail was read.

        Args:
            mail: Which.
            facts: Those of the whole thread, as `join` returned them.
            prints: What its sentences are known by.
            names: Whom it names.
        """
        kept = _fitting(_unplaced(facts))
        lost = sum(map(len, facts.values())) - sum(map(len, kept.values()))
        others = self.but(mail)
        seen = others.seen  # made anew each time it is asked for
        new = tuple(each for each in prints if each not in seen)
        mails = _latest({**others.mails, mail.id: new})
        named = tuple(dict.fromkeys((*names, *others.names)))[:MOST_NAMES]
        return Memory(kept, mails, self.forgotten + lost, named)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {
            "form": _FORM,
            "mails": {each: list(prints) for each, prints in self.mails.items()},
            "forgotten": self.forgotten,
            "names": list(self.names),
            "facts": {name: _told(facts) for name, facts in self.facts.items()},
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Memory":
        """Read what `to_json` wrote.

        Raises:
            ValueError: Another version of the program wrote it.
        """
        try:
            if told["form"] != _FORM:
                raise ValueError("another form")
            facts = {
                name: tuple(_known(KINDS[name], each) for each in several)
                for name, several in told["facts"].items()
            }
            mails = {each: tuple(prints) for each, prints in told["mails"].items()}
            return cls(facts, mails, told["forgotten"], tuple(told["names"]))
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError("no memory of a thread") from error


def _sent(known: Known) -> datetime:
    return known.mail.at


def _texts(known: Known) -> tuple[str, ...]:
    fact = known.fact
    told = fact.task if isinstance(fact, ActionItem) else fact.text
    days = (getattr(fact, "date", None), getattr(fact, "due", None))
    return tuple(filter(None, (told, fact.evidence.quote, *_people_in(known), *days)))


def _people_in(known: Known) -> tuple[str | None, ...]:
    fact = known.fact
    return known.mail.by, fact.evidence.speaker, getattr(fact, "owner", None)


def _latest(mails: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return the last mails that may be kept."""
    kept: list[tuple[str, tuple[str, ...]]] = []
    left = MOST_PRINTS
    for mail_id, prints in reversed(list(mails.items())[-MOST_MAILS:]):
        left -= len(prints)
        if left < 0:
            break
        kept.append((mail_id, prints))
    return dict(reversed(kept))


def _unplaced(facts: Facts) -> dict[str, tuple[Known, ...]]:
    return {name: tuple(map(_unplaced_one, each)) for name, each in facts.items()}


def _unplaced_one(known: Known) -> Known:
    evidence = known.fact.evidence
    bare = Evidence(evidence.quote, evidence.verified, speaker=evidence.speaker)
    return Known(known.mail, replace(known.fact, evidence=bare))


def _fitting(facts: Facts) -> dict[str, tuple[Known, ...]]:
    """Return the latest facts that may be kept."""
    few = {name: tuple(each[-MOST_FACTS:]) for name, each in facts.items()}
    newest = sorted(
        ((known, name) for name, each in few.items() for known in each),
        key=lambda pair: _sent(pair[0]),
        reverse=True,
    )
    kept: set[Known] = set()
    left = MOST_FACT_BYTES
    for known, _ in newest:
        left -= len(json.dumps(_told([known])))
        if left < 0:
            break
        kept.add(known)
    return {name: tuple(k for k in each if k in kept) for name, each in few.items()}


def _told(facts: Iterable[Known]) -> list[dict[str, Any]]:
    return [
        {
            "mail": known.mail.id,
            "at": known.mail.at.isoformat(),
            "by": known.mail.by,
            **asdict(known.fact),
            "evidence": [known.fact.evidence.quote, known.fact.evidence.verified],
            "speaker": known.fact.evidence.speaker,
        }
        for known in facts
    ]


def _known(kind: type[Fact], told: Mapping[str, Any]) -> Known:
    values = dict(told)
    at = datetime.fromisoformat(values.pop("at"))
    mail = Mail(values.pop("mail"), at, values.pop("by"))
    speaker = values.pop("speaker", None)  # Once none was kept.
    quote, verified = values.pop("evidence")
    evidence = Evidence(quote, verified, speaker=speaker)
    return Known(mail, kind(**values, evidence=evidence))
