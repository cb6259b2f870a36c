"""Ask a model so that sensitive text stays local where a route says so."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

from flaskllm.core.errors import APIError
from flaskllm.core.sensitive import LOCAL, Found, Rules
from flaskllm.llm.confined import Confined
from flaskllm.llm.confining import UNREADABLE, has_unreadable, texts_of
from flaskllm.llm.router import Router
from flaskllm.llm.types import Call, CompletionRequest, Deployment, EmbeddingRequest


class _Answered(Protocol):
    @property
    def deployment(self) -> Deployment: ...


_Request = TypeVar("_Request", CompletionRequest, EmbeddingRequest)
_Answer = TypeVar("_Answer", bound=_Answered)


@dataclass(frozen=True, slots=True)
class Confining:
    """Holds requests back from upstreams. `rules` None looks at nothing.

    What already requires a tag is passed on: whoever set it puts it on record.
    """

    router: Router
    rules: Rules | None

    def around(
        self, ask: Callable[[_Request, Call], _Answer]
    ) -> Callable[[_Request, Call], _Answer]:
        """Return `ask`, with sensitive text sent to local deployments alone.

        Besides what `ask` raises: NoModelConfigured when there are none, nothing was
        sent then; and what `call.confined` raises.
        """
        return ask if self.rules is None else partial(self._ask, ask)

    def _ask(
        self, ask: Callable[[_Request, Call], _Answer], request: _Request, call: Call
    ) -> _Answer:
        found = self._find(request, call)
        if not found:
            return ask(request, call)
        try:
            answer = ask(replace(request, required_tag=LOCAL), call)
        except APIError as error:
            tell_refused(call, Confined(found, code=error.code))
            raise
        try:
            call.confined(Confined(found, (answer.deployment.name,)))
        except BaseException:
            close = getattr(answer, "close", None)
            if close is not None:  # a stream
                close()
            raise
        return answer

    def _find(self, request: CompletionRequest | EmbeddingRequest, call: Call) -> Found:
        if self.rules is None or request.required_tag is not None:
            return {}
        if not self.router.is_confining(request, call):
            return {}
        found = dict(self.rules.find(texts_of(request)))
        return found | ({UNREADABLE: 1} if has_unreadable(request) else {})


def tell_refused(call: Call, confined: Confined) -> None:
    """Have it on record that nothing was answered; the error itself is told anyway."""
    with suppress(APIError):
        call.confined(confined)
