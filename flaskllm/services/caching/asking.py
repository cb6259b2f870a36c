"""Around a question to a model: the cache, and equal requests that wait for one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from flaskllm.core.clock import Clock
from flaskllm.core.errors import LLMTimeout
from flaskllm.core.secrets import KeyRing, Purpose
from flaskllm.core.sensitive import Rules
from flaskllm.llm.cached import Bypass, CacheNote, CacheOutcome
from flaskllm.llm.confining import has_unreadable, texts_of
from flaskllm.llm.route import Route
from flaskllm.llm.router import Router
from flaskllm.llm.streaming import StreamAnswer
from flaskllm.llm.types import (
    Answer,
    Call,
    CompletionRequest,
    EmbeddingAnswer,
    EmbeddingRequest,
)
from flaskllm.services.caching import landing, policy
from flaskllm.services.caching.answers import Answers, Look, Place
from flaskllm.services.caching.entries import Entry
from flaskllm.services.caching.flights import Flights, Landed, Seat
from flaskllm.services.caching.forms import Embedded, Form, Streamed, Whole
from flaskllm.services.caching.marks import NOBODY, Labels
from flaskllm.services.caching.prints import print_for, print_of

_Request = TypeVar("_Request", CompletionRequest, EmbeddingRequest)
_Answer = TypeVar("_Answer")
_Ask = Callable[[_Request, Call], _Answer]


@dataclass(frozen=True, slots=True)
class Remembering:
    """Answers from what was answered before, where the route keeps answers.

    Attributes:
        answers: Those that are kept.
        flights: Who asks at present.
        keys: Whose key makes the prints of requests.
        clock: Dates what is kept.
        rules: Find sensitive text, which is never kept; None looks for none.
    """

    answers: Answers
    flights: Flights
    keys: KeyRing
    clock: Clock
    rules: Rules | None = None

    def completing(
        self, router: Router, ask: Callable[[CompletionRequest, Call], Answer]
    ) -> Callable[[CompletionRequest, Call], Answer]:
        """Return `ask`, whole answers, with what is remembered before it."""
        return lambda request, call: self._ask(router, Whole(), ask, request, call)

    def streaming(
        self, router: Router, ask: Callable[[CompletionRequest, Call], StreamAnswer]
    ) -> Callable[[CompletionRequest, Call], StreamAnswer]:
        """Return `ask`, streamed answers, with what is remembered before it."""

        def streamed(request: CompletionRequest, call: Call) -> StreamAnswer:
            asked = replace(request, stream=True)
            form = Streamed(router, asked)
            return self._ask(router, form, ask, asked, call)

        return streamed

    def embedding(
        self, router: Router, ask: Callable[[EmbeddingRequest, Call], EmbeddingAnswer]
    ) -> Callable[[EmbeddingRequest, Call], EmbeddingAnswer]:
        """Return `ask`, vectors, with what is remembered before it."""
        return lambda request, call: self._ask(router, Embedded(), ask, request, call)

    def _ask(
        self,
        router: Router,
        form: Form[_Answer],
        ask: _Ask[_Request, _Answer],
        request: _Request,
        call: Call,
    ) -> _Answer:
        route = router.keeping(request, call)
        if route is None:
            return ask(request, call)
        reason = self._bypass(request, call)
        if reason is None and not _is_concerned(request, call, route):
            reason = "temperature"
        if reason is not None:
            call.cached(CacheNote("bypass", reason))
            return ask(request, call)
        one = _One(self, form, route, request, call)
        return one.run(lambda: ask(request, call))

    def _bypass(
        self, request: CompletionRequest | EmbeddingRequest, call: Call
    ) -> Bypass | None:
        reason = policy.bypass_of(request, call.cache, call.principal_id)
        if reason is not None or self.rules is None:
            return reason
        if has_unreadable(request) or self.rules.find(texts_of(request)):
            return "sensitive"
        return None


def _is_concerned(request: Any, call: Call, route: Route) -> bool:
    is_kept = policy.is_settled(request, route.cache)
    return is_kept or policy.is_shared_flight(route.cache, is_kept=is_kept)


class _One(Generic[_Answer]):
    """One request to a route that keeps answers, or shares them."""

    def __init__(
        self,
        house: Remembering,
        form: Form[_Answer],
        route: Route,
        request: CompletionRequest | EmbeddingRequest,
        call: Call,
    ) -> None:
        """Find out what holds for it; nothing is asked."""
        self._house = house
        self._form = form
        self._route = route
        self._call = call
        terms = route.cache
        is_kept = policy.is_settled(request, terms)
        flies = policy.is_shared_flight(terms, is_kept=is_kept)
        # Who wants a fresh answer wants one of their own.
        self._flies = flies and call.cache.reads
        key, owner = house.keys.key(Purpose.CACHE), call.principal_id
        shared = print_of(key, route, request)
        own = print_for(key, shared, owner)
        self._flight_key = f"{owner}/{own}"
        self._place = None
        if is_kept and terms.ttl_seconds is not None:
            template = getattr(request, "template", None)
            self._place = Place(
                f"{NOBODY}/answer/{shared}"
                if terms.shared
                else f"{owner}/answer/{own}",
                Labels(route.name, template and template.partition("@")[0], owner),
                terms.ttl_seconds,
            )
        self._look = Look()
        self._schema = getattr(request, "json_schema", None)

    def run(self, ask: Callable[[], _Answer]) -> _Answer:
        """Return what is remembered, else what `ask` brings; keep that."""
        if not self._flies:
            entry = self._find()
            return self._ask(ask, None) if entry is None else self._recall("hit", entry)
        try:
            # First: of many equal requests one looks at the store.
            boarded = self._house.flights.board(self._flight_key, self._call)
        except LLMTimeout:  # a fallback may need no time
            return self._ask(ask, None)
        if isinstance(boarded, Landed):
            return self._join(boarded, ask)
        return self._fly(boarded, ask)

    def _fly(self, seat: Seat, ask: Callable[[], _Answer]) -> _Answer:
        """Return what is remembered or what another process brings, else ask."""
        try:
            entry, landed = self._find(), None
            if entry is None:
                landed = seat.claim(self._call)
            if entry is None and landed is None and self._is_shared:
                # Somebody may have asked, and be done, since the first look.
                entry = self._find()
            if landed is not None:
                seat.land(landed.text)
            elif entry is not None:
                seat.land(entry.to_text())
        except LLMTimeout:  # while another process asked
            seat.leave()
            return self._ask(ask, None)
        except BaseException:
            seat.leave()
            raise
        if landed is not None:
            return self._join(landed, ask)
        return self._ask(ask, seat) if entry is None else self._recall("hit", entry)

    @property
    def _is_shared(self) -> bool:
        return self._house.answers.shelf.store.is_shared

    def _find(self) -> Entry | None:
        if self._place is None:
            return None
        self._look = self._house.answers.find(self._place)
        found = self._look.entry if self._call.cache.reads else None
        return found if found is not None and self._form.can_tell(found) else None

    def _join(self, landed: Landed, ask: Callable[[], _Answer]) -> _Answer:
        entry = landing.read(landed.text)
        if entry is None or not self._form.can_tell(entry):
            return self._ask(ask, None)
        return self._recall("joined", entry)

    def _recall(self, outcome: CacheOutcome, entry: Entry) -> _Answer:
        source = entry.remembered(self._now())
        self._call.cached(CacheNote(outcome, source=source))
        return self._form.tell(entry)

    def _ask(self, ask: Callable[[], _Answer], seat: Seat | None) -> _Answer:
        self._call.cached(CacheNote("miss"))
        try:
            return self._form.keep(
                ask(),
                lambda entry: self._conclude(seat, entry),
                lambda error: self._give_up(seat, error),
            )
        except BaseException as error:  # or those who wait would wait for ever
            self._give_up(seat, error)
            raise

    def _conclude(self, seat: Seat | None, entry: Entry) -> None:
        """Keep an answer, and hand it to those who wait."""
        dated = replace(entry, at_seconds=self._now())
        if self._place is not None and self._is_worth_keeping(dated):
            self._house.answers.store(self._place, self._look, dated)
        if seat is None:
            return
        try:
            seat.land(dated.to_text())
        except ValueError:  # events that are no text
            seat.leave()

    def _is_worth_keeping(self, entry: Entry) -> bool:
        # What a fallback said is not what the route would say when it works.
        if entry.alias != self._route.name:
            return False
        said = entry.completion
        return said is None or policy.is_worth_keeping(said, self._schema)

    def _give_up(self, seat: Seat | None, error: BaseException | None) -> None:
        if seat is None:
            return
        text = landing.text_instead(error)
        # Others have more time than who asked, or their own limits.
        if text is None or self._call.deadline.passed():
            seat.leave()
        else:
            seat.land(text)

    def _now(self) -> float:
        return self._house.clock.now().timestamp()
