"""The one loop of attempts: from a request to an answer.

Tenacity turns the loop, and `llm/walk.py` tells it what follows a failure. Whole
answers, streams and vectors differ in the one attempt only (`llm/upstreams.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import TypeVar

from tenacity import Retrying

from flaskllm.core.errors import LLMTimeout
from flaskllm.llm import retry
from flaskllm.llm.candidates import Describe, Lineup, line_up, line_up_embedding
from flaskllm.llm.catalog import Catalog
from flaskllm.llm.open_stream import OpenStream
from flaskllm.llm.providers import LocalProvider, Provider
from flaskllm.llm.senders import Sender
from flaskllm.llm.settlement import Settlement
from flaskllm.llm.strategies.spread import EvenDraws
from flaskllm.llm.streaming import StreamAnswer
from flaskllm.llm.types import (
    Answer,
    Attempt,
    Call,
    Completion,
    CompletionRequest,
    Deployment,
    EmbeddingAnswer,
    EmbeddingRequest,
    Embeddings,
)
from flaskllm.llm.upstreams import Upstreams
from flaskllm.llm.walk import Walk

_Result = TypeVar("_Result")
# What an attempt brought, and the rate limits that its upstream told with it.
_Told = tuple[_Result, Mapping[str, str]]


def _as_given(
    deployments: Sequence[Deployment], request: CompletionRequest
) -> Sequence[Deployment]:
    return deployments


class Router:
    """Asks one deployment after the other until one answers.

    `providers` and `senders` are keyed by the provider's name, `offline`
    included; a provider that answers by itself needs no sender. A router holds
    no state but how many draws it made, and serves any number of threads. `describe`
    fills in what the settings do not say of deployments.
    """

    def __init__(
        self,
        catalog: Catalog,
        providers: Mapping[str, Provider | LocalProvider],
        senders: Mapping[str, Sender],
        policy: retry.Policy,
        random: Random,
        describe: Describe = _as_given,
    ) -> None:
        self._catalog = catalog
        self._upstreams = Upstreams(providers, senders)
        self._policy = policy
        self._random = random
        self._draws = EvenDraws(random)
        self._describe = describe

    def complete(self, request: CompletionRequest, call: Call) -> Answer:
        """Return the first answer that a deployment gives before the deadline.

        After the deadline only a fallback that needs no upstream is still asked.
        `call.before` and `call.after` frame every attempt; `call.wait` sleeps
        between them, in pieces while there is a caller who may hang up.

        Raises:
            ModelNotFound: The request names a model that is not there.
            InvalidInputError: It asks for what no deployment of the model can do.
            LLMAPIError: No deployment answered. The error is the one that tells
                most; if the same request may succeed later it says when.
            CallerGone: Nobody waits for the answer any more.
        """
        asked = replace(request, stream=False)

        def attempt(walk: Walk, settlement: Settlement) -> _Told[Completion]:
            patience = walk.current.deployment.timeouts.answer_seconds
            limit = patience if walk.has_elsewhere else None
            completion = self._upstreams.complete(asked, call, settlement, limit)
            return completion, settlement.rate_limits

        walk, (completion, rate_limits) = self._go(self._line_up(asked), call, attempt)
        return Answer(
            completion,
            alias=walk.current.alias,
            deployment=walk.current.deployment,
            attempts=walk.number,
            failures=walk.failures,
            dropped=self._upstreams.dropped(asked, walk.current.deployment),
            rate_limits=rate_limits,
        )

    def stream(self, request: CompletionRequest, call: Call) -> StreamAnswer:
        """Return a streamed answer once its first token is there.

        What goes wrong before is a fallback that nobody notices: an error within
        the stream, and a token that is late too. The attempt of the answer is told
        to `call.after` when the answer ends or is closed.

        Raises:
            ModelNotFound: The request names a model that is not there.
            InvalidInputError: It asks for what no deployment of the model can do.
            LLMAPIError: No deployment answered, as for `complete`.
            CallerGone: Nobody waits for the answer any more.
        """
        asked = replace(request, stream=True)

        def attempt(walk: Walk, settlement: Settlement) -> _Told[OpenStream]:
            patience = walk.current.deployment.timeouts.first_token_seconds
            limit = patience if walk.has_elsewhere else None
            source = self._upstreams.open(asked, call, settlement, limit)
            return source, settlement.rate_limits

        walk, (source, rate_limits) = self._go(self._line_up(asked), call, attempt)
        deployment = walk.current.deployment
        wire = asked.body.wire if asked.body else None
        return StreamAnswer(
            alias=walk.current.alias,
            deployment=deployment,
            attempts=walk.number,
            failures=walk.failures,
            dropped=self._upstreams.dropped(asked, deployment),
            is_raw=wire in self._upstreams.wires(deployment),
            source=source,
            rate_limits=rate_limits,
        )

    def embed(self, request: EmbeddingRequest, call: Call) -> EmbeddingAnswer:
        """Return a vector for each input.

        Raises:
            ModelNotFound: The request names a model that is not there.
            InvalidInputError: No deployment of the model has vectors.
            LLMAPIError: No deployment answered, as for `complete`.
            CallerGone: Nobody waits for the answer any more.
        """

        def attempt(walk: Walk, settlement: Settlement) -> _Told[Embeddings]:
            embeddings = self._upstreams.embed(request, call, settlement)
            return embeddings, settlement.rate_limits

        walk, (embeddings, rate_limits) = self._go(
            self._line_up_embedding(request), call, attempt
        )
        return EmbeddingAnswer(
            embeddings,
            alias=walk.current.alias,
            deployment=walk.current.deployment,
            attempts=walk.number,
            failures=walk.failures,
            rate_limits=rate_limits,
        )

    def _line_up(self, request: CompletionRequest) -> Lineup:
        return line_up(
            self._catalog, request, self._draws, self._upstreams, self._describe
        )

    def _line_up_embedding(self, request: EmbeddingRequest) -> Lineup:
        is_able = self._upstreams.is_embedder
        lineup = line_up_embedding(self._catalog, request, self._draws, is_able)
        takers = tuple(
            each
            for each in lineup.candidates
            if self._upstreams.takes_inputs(request, each.deployment)
        )
        # Where nobody takes them, the first one tells the caller which it refuses.
        return replace(lineup, candidates=takers) if takers else lineup

    def _go(
        self,
        lineup: Lineup,
        call: Call,
        attempt: Callable[[Walk, Settlement], _Result],
    ) -> tuple[Walk, _Result]:
        """Turn the loop until an attempt succeeds, and return where it stands then."""
        if not lineup.candidates:
            raise retry.telling(lineup.objections)
        walk = Walk(lineup, call, self._policy, self._random, self._upstreams.is_local)
        loop = Retrying(
            retry=walk.may_go_on,
            after=walk.decide,
            wait=walk.wait_seconds,
            stop=walk.is_over,
            sleep=walk.sleep,
            retry_error_callback=walk.give_up,
        )
        turns = iter(loop)
        while True:
            turn = next(turns)  # raises what ends the walk
            # Not `with turn`: that would keep the result as well, at some cost.
            try:
                return walk, self._attempt(walk, call, attempt)
            except BaseException as error:
                turn.retry_state.set_exception((type(error), error, None))

    def _attempt(
        self,
        walk: Walk,
        call: Call,
        attempt: Callable[[Walk, Settlement], _Result],
    ) -> _Result:
        """Ask the current deployment once; how it failed is told."""
        deployment = walk.current.deployment
        if call.deadline.passed() and not self._upstreams.is_local(deployment):
            raise LLMTimeout(details="The deadline passed before the model was asked.")
        made = Attempt(walk.number, walk.current.alias, deployment)
        settlement = Settlement(made, call)
        try:
            return attempt(walk, settlement)
        except BaseException as error:
            settlement.tell_error(error)
            raise
