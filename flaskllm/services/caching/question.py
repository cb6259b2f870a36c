"""One request to a route that keeps answers, or shares them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic

from flaskllm.core.clock import Clock
from flaskllm.core.errors import LLMAPIError, LLMTimeout
from flaskllm.llm.cached import CacheNote, CacheOutcome
from flaskllm.llm.route import Route
from flaskllm.llm.types import Call, CompletionRequest, EmbeddingRequest
from flaskllm.services.caching import landing, policy
from flaskllm.services.caching.answers import Answers, Look, Place
from flaskllm.services.caching.entries import Entry
from flaskllm.services.caching.flights import Flights, Landed, Seat
from flaskllm.services.caching.forms import AnswerT, Form
from flaskllm.services.caching.marks import NOBODY, Labels
from flaskllm.services.caching.prints import print_for, print_of


@dataclass(frozen=True, slots=True)
class Subject:
    """What a request is about, for what is remembered.

    Attributes:
        alias: The route that it leads to.
        flight: The key of those who may share its answer now; None shares none.
        place: Where its answer lies; None where it is not kept.
        schema: Of the JSON that is wanted, if any.
    """

    alias: str
    flight: str | None
    place: Place | None
    schema: Mapping[str, Any] | None


def subject_of(
    key: bytes,
    route: Route,
    request: CompletionRequest | EmbeddingRequest,
    call: Call,
) -> Subject:
    """Return what this request is about; `key` makes its prints."""
    terms, owner = route.cache, call.principal_id
    is_kept = policy.is_settled(request, terms)
    shared = print_of(key, route, request)
    own = print_for(key, shared, owner)
    # Who wants a fresh answer wants one of their own.
    flies = policy.is_shared_flight(terms, is_kept=is_kept) and call.cache.reads
    place = None
    if is_kept and terms.ttl_seconds is not None:
        template = getattr(request, "template", None)
        place = Place(
            f"{NOBODY}/answer/{shared}" if terms.shared else f"{owner}/answer/{own}",
            Labels(route.name, template and template.partition("@")[0], owner),
            terms.ttl_seconds,
        )
    schema = getattr(request, "json_schema", None)
    return Subject(route.name, f"{owner}/{own}" if flies else None, place, schema)


@dataclass(slots=True)
class Question(Generic[AnswerT]):
    """Asks what is remembered, those who ask the same now, or a model: see `answer`."""

    answers: Answers
    flights: Flights
    clock: Clock
    subject: Subject
    form: Form[AnswerT]
    call: Call
    _look: Look = field(default_factory=Look, init=False)

    def answer(self, ask: Callable[[], AnswerT]) -> AnswerT:
        """Return what is remembered, else what `ask` brings; keep that."""
        if self.subject.flight is None:
            entry = self._find()
            return self._ask(ask, None) if entry is None else self._recall("hit", entry)
        try:
            # First: of many equal requests one looks at the store.
            boarded = self.flights.board(self.subject.flight, self.call)
        except LLMTimeout:  # a fallback may need no time
            return self._ask(ask, None)
        if isinstance(boarded, Landed):
            return self._join(boarded, ask)
        return self._fly(boarded, ask)

    def _fly(self, seat: Seat, ask: Callable[[], AnswerT]) -> AnswerT:
        """Return what is remembered or what another process brings, else ask."""
        try:
            found = self._seek(seat)
            if found is not None:
                _land(seat, found)
        except LLMTimeout:  # while another process asked
            seat.leave()
            return self._ask(ask, None)
        except BaseException:
            seat.leave()
            raise
        if found is None:
            return self._ask(ask, seat)
        if isinstance(found, Landed):
            return self._join(found, ask)
        return self._recall("hit", found)

    def _seek(self, seat: Seat) -> Entry | Landed | None:
        """Return what is there by now; None where it is for this seat to ask."""
        found = self._find() or seat.claim(self.call, self._kept)
        if found is None and self._is_shared:
            # Somebody may have asked, and be done, since the first look.
            return self._find()
        return found

    @property
    def _is_shared(self) -> bool:
        return self.answers.shelf.store.is_shared

    def _find(self) -> Entry | None:
        if self.subject.place is None:
            return None
        self._look = self.answers.find(self.subject.place)
        found = self._look.entry if self.call.cache.reads else None
        return found if found is not None and self.form.can_tell(found) else None

    def _kept(self) -> str | None:
        """Return what lies there now as it is handed over."""
        entry = self._find()
        return None if entry is None else entry.to_text()

    def _join(self, landed: Landed, ask: Callable[[], AnswerT]) -> AnswerT:
        try:
            entry = landing.read(landed.text)
        except LLMAPIError:  # theirs is ours too, and no upstream was asked for it
            self.call.cached(CacheNote("joined"))
            raise
        if entry is None or not self.form.can_tell(entry):
            return self._ask(ask, None)
        return self._recall("joined", entry)

    def _recall(self, outcome: CacheOutcome, entry: Entry) -> AnswerT:
        source = entry.remembered(self._now())
        self.call.cached(CacheNote(outcome, source=source))
        return self.form.tell(entry)

    def _ask(self, ask: Callable[[], AnswerT], seat: Seat | None) -> AnswerT:
        self.call.cached(CacheNote("miss"))
        try:
            return self.form.keep(
                ask(),
                lambda entry: self._conclude(seat, entry),
                lambda error: self._give_up(seat, error),
            )
        except BaseException as error:  # or those who wait would wait for ever
            self._give_up(seat, error)
            raise

    def _conclude(self, seat: Seat | None, entry: Entry) -> None:
        """Keep an answer, and hand it to those who wait."""
        dated, place = replace(entry, at_seconds=self._now()), self.subject.place
        is_kept = (
            place is not None
            and self._is_worth_keeping(dated)
            and self.answers.store(place, self._look, dated)
        )
        if seat is None:
            return
        try:
            seat.land(dated.to_text(), is_kept=is_kept)
        except ValueError:  # events that are no text
            seat.leave()

    def _is_worth_keeping(self, entry: Entry) -> bool:
        # What a fallback said is not what the route would say when it works.
        if entry.alias != self.subject.alias:
            return False
        said = entry.completion
        return said is None or policy.is_worth_keeping(said, self.subject.schema)

    def _give_up(self, seat: Seat | None, error: BaseException | None) -> None:
        if seat is None:
            return
        text = landing.text_instead(error)
        # Others have more time than who asked, or their own limits.
        if text is None or self.call.deadline.passed():
            seat.leave()
        else:
            seat.land(text)

    def _now(self) -> float:
        return self.clock.now().timestamp()


def _land(seat: Seat, found: Entry | Landed) -> None:
    """Give those who wait what was found; without them it is not made text again."""
    if isinstance(found, Landed):
        seat.land(found.text)
    elif seat.turn.is_awaited:
        seat.land(found.to_text(), is_kept=True)
    else:
        seat.leave()
