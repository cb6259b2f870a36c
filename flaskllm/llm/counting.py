"""How many tokens an input takes: as its upstream counts, else an estimate."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from flaskllm.core import logs
from flaskllm.core.clock import Deadline
from flaskllm.core.errors import LLMAPIError
from flaskllm.core.sensitive import LOCAL
from flaskllm.llm.allowed import Allowed
from flaskllm.llm.candidates import is_confining, leading
from flaskllm.llm.catalog import Catalog
from flaskllm.llm.known_models import family_of
from flaskllm.llm.providers import LocalProvider, Provider, TokenCounter
from flaskllm.llm.senders import Sender
from flaskllm.llm.tokens import estimate_request
from flaskllm.llm.types import Call, CompletionRequest, Deployment

_log = logging.getLogger(__name__)

_COUNTING_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class TokenCount:
    """The tokens of an input, and whether nobody but us has counted them."""

    tokens: int
    is_estimated: bool


@dataclass(frozen=True, slots=True)
class Counting:
    """Counts inputs. `providers` and `senders` are keyed by the provider's name."""

    catalog: Catalog
    providers: Mapping[str, Provider | LocalProvider]
    senders: Mapping[str, Sender]

    def count(self, request: CompletionRequest, call: Call) -> TokenCount:
        """Return the count of the upstream that most likely answers this request.

        Where that counts for nothing it is asked, for ten seconds at most; without
        its answer, and of all others, the count is an estimate.

        Raises:
            ModelNotFound: The request names a model that is not there.
            InvalidInputError: It names none where one is needed.
            NoModelConfigured: It names none, and there is none.
            CallerGone: Nobody waits for the answer any more.
        """
        allowed = Allowed(call.aliases)
        deployment = leading(self.catalog, request, allowed)
        provider = self.providers[deployment.provider]
        # Nobody looks at what is only counted: where sensitive text stays local, all.
        may_see = LOCAL in deployment.tags or not is_confining(
            self.catalog, request, allowed
        )
        if may_see and isinstance(provider, TokenCounter):
            try:
                return TokenCount(
                    self._ask(provider, request, deployment, call), is_estimated=False
                )
            except LLMAPIError as error:
                _tell(deployment, error)
        return TokenCount(
            estimate_request(request, family_of(deployment.model)), is_estimated=True
        )

    def _ask(
        self,
        provider: TokenCounter,
        request: CompletionRequest,
        deployment: Deployment,
        call: Call,
    ) -> int:
        seconds = min(_COUNTING_SECONDS, call.deadline.remaining_seconds())
        reply = self.senders[deployment.provider].send(
            provider.encode_count(request, deployment),
            deadline=Deadline.after(seconds, call.deadline.clock),
            caller=call.caller,
        )
        if reply.status != 200:
            raise provider.explain(reply)
        return provider.decode_count(reply)


def _tell(deployment: Deployment, error: LLMAPIError) -> None:
    logs.event(
        _log,
        logging.WARNING,
        "tokens_not_counted",
        deployment=deployment.name,
        provider=deployment.provider,
        code=error.code,
    )
