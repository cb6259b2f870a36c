"""Around a question to a model: the cache, and equal requests that wait for one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from flaskllm.core.clock import Clock
from flaskllm.core.secrets import KeyRing, Purpose
from flaskllm.core.sensitive import Rules
from flaskllm.llm.cached import Bypass, CacheNote
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
from flaskllm.services.caching import policy
from flaskllm.services.caching.answers import Answers
from flaskllm.services.caching.flights import Flights
from flaskllm.services.caching.forms import Embedded, Form, Streamed, Whole
from flaskllm.services.caching.question import Question, subject_of

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
            form = Streamed(router, asked, self.clock)
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
        subject = subject_of(self.keys.key(Purpose.CACHE), route, request, call)
        question = Question(self.answers, self.flights, self.clock, subject, form, call)
        return question.answer(lambda: ask(request, call))

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
