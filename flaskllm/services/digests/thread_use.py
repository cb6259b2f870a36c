"""A mail of a known thread in the making: what is asked, what holds, what is kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from flaskllm.core.folding import fold
from flaskllm.llm.tokens import estimate
from flaskllm.services.digests.answers import Quoted
from flaskllm.services.digests.case import Case
from flaskllm.services.digests.evidence import prove
from flaskllm.services.digests.ground import Ground
from flaskllm.services.digests.private_names import people_of
from flaskllm.services.digests.saying import Counts
from flaskllm.services.digests.shielding import Earlier
from flaskllm.services.digests.thread_joining import join
from flaskllm.services.digests.thread_memory import KINDS, Known, Memory
from flaskllm.services.digests.thread_news import News, news_of, prints_of
from flaskllm.services.digests.thread_writers import writer_of
from flaskllm.services.digests.threads import (
    Audience,
    Thread,
    Threads,
    read_memory,
    thread_of,
)
from flaskllm.services.digests.types import ActionItem, DateFact, Evidence

MOST_EARLIER_TOKENS: Final = 500
"""Of what a model is told of earlier mails when it is asked for new facts."""

# A title is as good as a task: what a mail is about comes last.
_TOLD = ("action_items", "decisions", "amounts", "dates", "open_questions", "risks")


@dataclass(frozen=True, slots=True)
class ThreadUse:
    """A mail of a thread.

    Attributes:
        threads: Keep what is known.
        thread: Which one, and which mail.
        memory: What other mails have told.
        ground: The whole mail; what `memory` holds may be said as well.
        news: What of it is asked about.
    """

    threads: Threads
    thread: Thread
    memory: Memory
    ground: Ground
    news: News

    @classmethod
    def of(
        cls, threads: Threads, thread: Thread, memory: Memory, case: Case
    ) -> "ThreadUse":
        """Return how a mail is read whose thread is known so far."""
        others = memory.but(thread.mail)
        ground = replace(case.ground, earlier=others.texts())
        news = news_of(case.ground, others.seen, _lines(others))
        return cls(threads, thread, others, ground, news)

    @property
    def is_known(self) -> bool:
        """Tell whether other mails of the thread were read."""
        return bool(self.memory.mails)

    @property
    def earlier(self) -> Earlier:
        """Return what is told of other mails."""
        return Earlier(self.memory.texts(), self.memory.people())

    def join(self, fields: Mapping[str, Any], counts: Counts) -> dict[str, Any]:
        """Return the fields of the whole thread; facts stand in the order of mails."""
        joined = self._joined(self.memory, fields)
        elsewhere = sum(
            known.mail.id != self.thread.mail.id and known.fact.evidence.offset is None
            for name, facts in joined.items()
            if name != "points"
            for known in facts
        )
        counts["facts_of_earlier_mails"] += elsewhere
        counts["known_text_left_out"] += self.news.known_characters
        counts["earlier_facts_forgotten"] += self.memory.forgotten
        facts = {
            name: tuple(known.fact for known in each) for name, each in joined.items()
        }
        return {**fields, **facts}

    def keep(self, fields: Mapping[str, Any]) -> None:
        """Remember this mail: its facts, whom it names, and that it was read."""
        document = self.ground.document
        prints, names = prints_of(document), people_of(document)

        def learn(latest: Memory) -> Memory:
            others = latest.but(self.thread.mail)
            facts = self._joined(others, self._with_writers(fields))
            return others.with_mail(self.thread.mail, facts, prints, names)

        self.threads.keep(self.thread, learn)

    def _joined(
        self, memory: Memory, fields: Mapping[str, Any]
    ) -> dict[str, tuple[Known, ...]]:
        earlier = {
            name: [_placed(known, self.ground) for known in facts]
            for name, facts in memory.facts.items()
        }
        return join(earlier, self.thread.mail, self._in_order(fields))

    def _with_writers(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return facts of this mail that say who wrote the words that prove them."""
        document, sender = self.ground.document, self.thread.mail.by

        def attributed(fact: Any) -> Any:
            writer = writer_of(fact.evidence, document, sender)
            return replace(fact, evidence=replace(fact.evidence, speaker=writer))

        return {
            name: tuple(map(attributed, fields[name]))
            for name in KINDS
            if name in fields
        }

    def _in_order(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return facts of this mail: what it quotes was said before what it says."""
        kinds = {part.id: part.kind for part in self.ground.document.parts}

        def is_said(fact: Any) -> bool:
            return kinds.get(fact.evidence.part or "") != "quoted"

        return {
            name: sorted(fields[name], key=is_said) for name in KINDS if name in fields
        }


def open_thread(
    threads: Threads | None,
    case: Case,
    whose: Audience | None,
    arrived: datetime,
    keep: Callable[[str, Callable[[], Any]], Any],
) -> ThreadUse | None:
    """Return how a mail is read as one of its thread; None where it is read alone.

    Args:
        threads: Keep what is known; None keeps nothing.
        case: The mail, and what is to be made of it.
        whose: Whose threads count; None is nobody's.
        arrived: When the mail came.
        keep: Runs a piece of work once, whoever goes on with the digest.
    """
    if threads is None or not threads.keep_for or whose is None:
        return None
    thread = thread_of(case, whose, arrived)
    if thread is None:
        return None
    # What was known at first stays: the facts that were paid for are those of its news.
    told = keep("thread", lambda: threads.recall(thread).to_json())
    return ThreadUse.of(threads, thread, read_memory(told), case)


def _placed(known: Known, ground: Ground) -> Known:
    """Return a fact with the place of its quote in this mail, where it is quoted."""
    evidence = known.fact.evidence
    found = _find(evidence.quote, ground) or Evidence(evidence.quote, False)
    placed = replace(found, verified=evidence.verified, speaker=evidence.speaker)
    return Known(known.mail, replace(known.fact, evidence=placed))


def _find(quote: str, ground: Ground) -> Evidence | None:
    """Return evidence for the words of an earlier mail: where they are quoted first."""
    wanted = fold(quote).text.strip()
    parts = sorted(ground.document.parts, key=lambda part: part.kind != "quoted")
    for part in parts:
        # Most are nowhere or in one part: the others are not searched word by word.
        if wanted in ground.quotable[part.id].folded.text:
            cited = Quoted.model_construct(quote=quote, part=part.id)
            found = prove(cited, ground)
            if found.verified:
                return found
    return None


def _lines(memory: Memory) -> tuple[str, ...]:
    """Return the latest of what is known, as lines in the order of the mails."""
    chosen, left = [], MOST_EARLIER_TOKENS
    told = {name: memory.facts.get(name, ()) for name in _TOLD}
    every = ((known, name) for name, facts in told.items() for known in facts)
    for known, name in sorted(every, key=lambda each: each[0].mail.at, reverse=True):
        line = f"{name}: {_line(known)}"
        left -= estimate(line) + 1
        if left < 0:
            break
        chosen.append(line)
    return tuple(reversed(chosen))


def _line(known: Known) -> str:
    fact = known.fact
    if isinstance(fact, ActionItem):
        due = fact.due or fact.due_text
        details = (fact.owner, f"due {due}" if due else None, fact.status)
        return f"{fact.task} ({', '.join(filter(None, details))})"
    if isinstance(fact, DateFact) and fact.date:
        return f"{fact.date} {fact.text}"
    return fact.text
