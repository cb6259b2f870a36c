"""Completions: everybody who wants a model comes through here."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from flaskllm.core.errors import BudgetExceeded, InvalidInputError, ModelNotFound
from flaskllm.core.sensitive import Rules
from flaskllm.llm.outlook import Prospect
from flaskllm.llm.router import Router
from flaskllm.llm.streaming import StreamAnswer
from flaskllm.llm.types import (
    Answer,
    Call,
    CompletionRequest,
    EmbeddingAnswer,
    EmbeddingRequest,
)
from flaskllm.services.caching.asking import Remembering
from flaskllm.services.confining import Confining

# A second budget may be spent too, and name another alias; then it is enough.
_MOST_CHANGES = 2

_Request = TypeVar("_Request", CompletionRequest, EmbeddingRequest)
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Completions:
    """Asks models. `router` gives the router of the settings as they stand now.

    Where a route keeps sensitive text local, `rules` find it; then only deployments
    tagged `local` are asked, and `call.confined` hears why before the answer is given.

    Where a route keeps answers, `memory` gives them to equal requests; what it gives
    costs nothing, and `call.cached` hears of it. Without it nothing is kept.

    Where a hard budget is spent and names an alias, that alias is asked instead,
    whatever names the caller may send: the operator chose it. It is asked with the
    same deadline, twice at most if another budget names another alias.

    What each use raises: ModelNotFound and InvalidInputError for a request that
    nothing can answer; LLMAPIError when no deployment could, whose `retryable`
    tells whether the same request may succeed later; BudgetExceeded when no money is
    left for it, also where the alias that should take over is gone or cannot do
    what is asked; CallerGone when nobody waits any more. And what `call.before`
    raises.
    """

    router: Callable[[], Router]
    rules: Rules | None = None
    memory: Remembering | None = None

    def complete(self, request: CompletionRequest, call: Call) -> Answer:
        """Return a whole answer."""
        router = self.router()
        ask = Confining(router, self.rules).around(router.complete)
        if self.memory is not None:
            ask = self.memory.completing(router, ask)
        return _within_budget(ask, request, call)

    def stream(self, request: CompletionRequest, call: Call) -> StreamAnswer:
        """Return a streamed answer whose first token is there; close it."""
        router = self.router()
        ask = Confining(router, self.rules).around(router.stream)
        if self.memory is not None:
            ask = self.memory.streaming(router, ask)
        return _within_budget(ask, request, call)

    def outlook(self, request: CompletionRequest, call: Call) -> tuple[Prospect, ...]:
        """Return whom a request may go to, whatever its size; nothing is spent."""
        return self.router().outlook(request, call)

    def embed(self, request: EmbeddingRequest, call: Call) -> EmbeddingAnswer:
        """Return a vector for each input."""
        router = self.router()
        ask = Confining(router, self.rules).around(router.embed)
        if self.memory is not None:
            ask = self.memory.embedding(router, ask)
        return _within_budget(ask, request, call)


def _within_budget(
    ask: Callable[[_Request, Call], _Answer], request: _Request, call: Call
) -> _Answer:
    """Return what `ask` answers, of the aliases of spent budgets where it must be."""
    try:
        return ask(request, call)
    except BudgetExceeded as error:
        refused = error
    asked: list[str] = []
    while refused.alias and refused.alias not in asked and len(asked) < _MOST_CHANGES:
        asked.append(refused.alias)
        try:
            return ask(*_under(refused.alias, request, call))
        except BudgetExceeded as error:
            refused = error
        except (ModelNotFound, InvalidInputError) as error:
            # The caller never named it: what they can mend is the budget, or wait.
            raise refused from error
    raise refused


def _under(alias: str, request: _Request, call: Call) -> tuple[_Request, Call]:
    return replace(request, model=alias), replace(call, aliases=None)
