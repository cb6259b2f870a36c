"""The three forms of an answer: whole, streamed, vectors; each kept and told again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from flaskllm.core.clock import Clock
from flaskllm.llm.prices import cost_nanos, price_of
from flaskllm.llm.router import Router
from flaskllm.llm.streaming import StreamAnswer
from flaskllm.llm.streams import Chunk
from flaskllm.llm.types import (
    Answer,
    Completion,
    CompletionRequest,
    Deployment,
    EmbeddingAnswer,
    Usage,
)
from flaskllm.services.caching.entries import Entry
from flaskllm.services.caching.prints import is_whole_in_canon, wants_usage
from flaskllm.services.caching.streams import Recording, Retold

AnswerT = TypeVar("AnswerT")

Conclude = Callable[[Entry], None]
GiveUp = Callable[[BaseException | None], None]


class Form(Protocol[AnswerT]):
    """How an answer of one form is kept, and told again."""

    def can_tell(self, entry: Entry) -> bool:
        """Tell whether what is kept can be told in this form."""
        ...

    def tell(self, entry: Entry) -> AnswerT:
        """Return what is kept as an answer."""
        ...

    def keep(self, answer: AnswerT, conclude: Conclude, give_up: GiveUp) -> AnswerT:
        """Return the answer; one of the two hears of it, once it is whole or is not.

        `give_up` hears of what no model said, too; None of what is for nobody else.
        """
        ...


@dataclass(frozen=True, slots=True)
class Whole:
    """A completion at once."""

    def can_tell(self, entry: Entry) -> bool:
        """Tell whether it is a completion."""
        return entry.completion is not None

    def tell(self, entry: Entry) -> Answer:
        """Return it whole; what was streamed in the canonical form."""
        return entry.answer()

    def keep(self, answer: Answer, conclude: Conclude, give_up: GiveUp) -> Answer:
        """Return it; it is whole already."""
        if answer.deployment.degraded:
            give_up(None)
            return answer
        said = answer.completion
        entry = _entry(answer.alias, answer.deployment, said.usage)
        conclude(replace(entry, completion=said, dropped=answer.dropped))
        return answer


@dataclass(frozen=True, slots=True)
class Streamed:
    """A completion piece by piece.

    `request` is what is asked for, `router` reads again what was passed on, and `clock`
    times who reads it.
    """

    router: Router
    request: CompletionRequest
    clock: Clock

    def can_tell(self, entry: Entry) -> bool:
        """Tell whether it is a completion, with all that is wanted of it."""
        is_there = entry.completion is not None
        return is_there and (self._is_raw(entry) or is_whole_in_canon(self.request))

    def tell(self, entry: Entry) -> StreamAnswer:
        """Return a stream of it: its own events, else in few chunks."""
        return Retold(entry, is_raw=self._is_raw(entry))

    def keep(
        self, answer: StreamAnswer, conclude: Conclude, give_up: GiveUp
    ) -> StreamAnswer:
        """Return the stream, which is gathered as it passes."""

        def read_again(events: bytes) -> Iterator[Chunk]:
            deployment = answer.deployment
            return iter(self.router.read_again(deployment, self.request, events))

        def whole(said: Completion, events: bytes | None) -> None:
            if answer.deployment.degraded:
                give_up(None)
                return
            entry = _entry(answer.alias, answer.deployment, said.usage)
            has_usage = wants_usage(self.request)
            told = replace(entry, completion=said, dropped=answer.dropped)
            conclude(replace(told, events=events, has_usage=has_usage))

        return Recording(answer, read_again, whole, give_up, self.clock)

    def _is_raw(self, entry: Entry) -> bool:
        is_same = entry.has_usage == wants_usage(self.request)
        return entry.events is not None and is_same


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors."""

    def can_tell(self, entry: Entry) -> bool:
        """Tell whether there are vectors."""
        return entry.vectors is not None

    def tell(self, entry: Entry) -> EmbeddingAnswer:
        """Return them."""
        return entry.embedding_answer()

    def keep(
        self, answer: EmbeddingAnswer, conclude: Conclude, give_up: GiveUp
    ) -> EmbeddingAnswer:
        """Return them; they are there already."""
        found = answer.embeddings
        entry = _entry(answer.alias, answer.deployment, found.usage)
        conclude(replace(entry, vectors=found))
        return answer


def _entry(alias: str, deployment: Deployment, usage: Usage) -> Entry:
    price = price_of(deployment)
    return Entry(
        alias,
        (deployment.name, deployment.provider, deployment.kind, deployment.model),
        at_seconds=0.0,
        nanos=None if price is None else cost_nanos(price, usage),
    )
