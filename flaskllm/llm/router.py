"""The one loop of attempts: from a request to an answer.

Whole answers, streams and vectors differ in the one attempt only
(`llm/upstreams.py`); what follows a failure is the walk's (`llm/walk.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, repeat
from random import Random
from typing import TypeVar

from flaskllm.core.errors import LLMAPIError, LLMTimeout
from flaskllm.llm.allowed import Allowed
from flaskllm.llm.candidates import (
    Describe,
    is_confining,
    line_up,
    line_up_embedding,
    resolve,
)
from flaskllm.llm.catalog import Catalog, Route
from flaskllm.llm.health import Health
from flaskllm.llm.lineup import Lineup
from flaskllm.llm.live_stream import LiveStream
from flaskllm.llm.open_stream import OpenStream
from flaskllm.llm.order import Order
from flaskllm.llm.outlook import Prospect, prospects_of
from flaskllm.llm.patience import Policy
from flaskllm.llm.places import Places
from flaskllm.llm.plans import plan_of
from flaskllm.llm.prices import price_of
from flaskllm.llm.providers import LocalProvider, Provider
from flaskllm.llm.read_again import read_again
from flaskllm.llm.rescue import Rescue
from flaskllm.llm.senders import Sender
from flaskllm.llm.settlement import Settlement
from flaskllm.llm.streaming import StreamAnswer
from flaskllm.llm.streams import Chunk
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
_Attempt = Callable[[Walk, Settlement], _Result]
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
    no state but how many turns each route had, and serves any number of threads.
    `describe` fills in what the settings do not say of deployments. `health` knows
    whom to leave alone; without it every deployment may always be asked.
    `usual_output_tokens` is the planned maximum of an answer that nobody caps.
    """

    def __init__(
        self,
        catalog: Catalog,
        providers: Mapping[str, Provider | LocalProvider],
        senders: Mapping[str, Sender],
        policy: Policy,
        random: Random,
        describe: Describe = _as_given,
        health: Health | None = None,
        usual_output_tokens: int = 4096,
    ) -> None:
        self._catalog = catalog
        self._upstreams = Upstreams(providers, senders)
        self._policy = policy
        self._usual_output_tokens = usual_output_tokens
        self._random = random
        self._describe = describe
        self._places = Places(health, self._upstreams.is_local)
        self._order = Order(random, self._places.look)
        self._has_keeping = any(not each.cache.is_nothing for each in catalog.routes)

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

        lineup = self._line_up(asked, call)
        walk, (completion, rate_limits) = self._go(lineup, call, attempt)
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
            source = self._open(asked, walk, settlement)
            return source, settlement.rate_limits

        lineup = self._line_up(asked, call)
        walk, (source, rate_limits) = self._go(lineup, call, attempt)
        deployment = walk.current.deployment
        wire = asked.body.wire if asked.body else None
        return LiveStream(
            source=source,
            walk=walk,
            rescue=Rescue(asked, walk, partial(self._go_on, walk), self._open),
            is_raw=wire in self._upstreams.wires(deployment),
            dropped=self._upstreams.dropped(asked, deployment),
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

        lineup = self._line_up_embedding(request, call)
        walk, (embeddings, rate_limits) = self._go(lineup, call, attempt)
        return EmbeddingAnswer(
            embeddings,
            alias=walk.current.alias,
            deployment=walk.current.deployment,
            attempts=walk.number,
            failures=walk.failures,
            rate_limits=rate_limits,
        )

    def is_confining(
        self, request: CompletionRequest | EmbeddingRequest, call: Call
    ) -> bool:
        """Tell whether sensitive text of this request must stay local.

        Raises:
            ModelNotFound: The request names a model that is not there.
            InvalidInputError: It names none where one is needed.
            NoModelConfigured: It names none, and there is none.
        """
        return is_confining(self._catalog, request, Allowed(call.aliases))

    def keeping(
        self, request: CompletionRequest | EmbeddingRequest, call: Call
    ) -> Route | None:
        """Return the request's route if it has a use for the cache.

        Raises:
            ModelNotFound: The request names a model that is not there.
            InvalidInputError: It names none where one is needed.
            NoModelConfigured: It names none, and there is none.
        """
        if not self._has_keeping:
            return None
        route = resolve(self._catalog, request, Allowed(call.aliases))
        return None if route.cache.is_nothing else route

    def read_again(
        self, deployment: Deployment, request: CompletionRequest, events: bytes
    ) -> Sequence[Chunk]:
        """Return in chunks what was streamed as it came.

        Raises:
            LLMAPIError: It cannot be read.
        """
        provider = self._upstreams.providers[deployment.provider]
        if isinstance(provider, LocalProvider):
            return ()  # it does not stream
        return read_again(provider, request, events)

    def outlook(self, request: CompletionRequest, call: Call) -> tuple[Prospect, ...]:
        """Return whom a request may go to, whatever its size; no model is asked.

        Raises:
            ModelNotFound: The request names a model that is not there.
            InvalidInputError: It asks for what no deployment of the model can do.
            NoModelConfigured: It names none, and there is none.
        """
        catalog, allowed = self._catalog, Allowed(call.aliases)
        lineup = line_up(
            catalog,
            request,
            self._upstreams,
            self._describe,
            allowed,
            of_any_size=True,
        )
        return prospects_of(lineup, self._places)

    def _open(
        self,
        request: CompletionRequest,
        walk: Walk,
        settlement: Settlement,
        reads: CompletionRequest | None = None,
    ) -> OpenStream:
        """Return the stream of the walk's present candidate, its first token there.

        It is read as the answer to `reads`, where that is another request.
        """
        patience = walk.current.deployment.timeouts.first_token_seconds
        limit = patience if walk.has_elsewhere else None
        return self._upstreams.open(request, walk.call, settlement, limit, reads)

    def _line_up(self, request: CompletionRequest, call: Call) -> Lineup:
        allowed = Allowed(call.aliases)
        return line_up(self._catalog, request, self._upstreams, self._describe, allowed)

    def _line_up_embedding(self, request: EmbeddingRequest, call: Call) -> Lineup:
        is_able, allowed = self._upstreams.is_embedder, Allowed(call.aliases)
        lineup = line_up_embedding(self._catalog, request, is_able, allowed)
        takers = tuple(
            each
            for each in lineup.candidates
            if self._upstreams.takes_inputs(request, each.deployment)
        )
        # Where nobody takes them, the first one tells the caller which it refuses.
        return replace(lineup, candidates=takers) if takers else lineup

    def _go(
        self, lineup: Lineup, call: Call, attempt: _Attempt[_Result]
    ) -> tuple[Walk, _Result]:
        """Return what the first attempt that succeeds brings, and how it came there."""
        walk = Walk(lineup, call, self._policy, self._random, self._order, self._places)
        return walk, walk.run(repeat(partial(self._attempt, walk, attempt)))

    def _go_on(
        self, walk: Walk, error: LLMAPIError, attempt: _Attempt[_Result]
    ) -> _Result:
        """Go on with a walk whose last attempt broke off after it had begun well.

        The same history, deadline and policy hold. The attempt that broke off must
        have been told.

        Raises:
            LLMAPIError: Nobody else could do it.
            CallerGone: Nobody waits for the answer any more.
        """

        def broke() -> _Result:
            raise error

        def again() -> _Result:
            return self._attempt(walk, attempt)

        return walk.run(chain((broke,), repeat(again)))

    def _attempt(self, walk: Walk, attempt: _Attempt[_Result]) -> _Result:
        """Ask the current deployment once; how it failed is told."""
        deployment, call = walk.current.deployment, walk.call
        if call.deadline.passed() and not self._upstreams.is_local(deployment):
            raise LLMTimeout(details="The deadline passed before the model was asked.")
        visit = walk.enter()
        made = self._announced(walk)
        settlement = Settlement(made, call, visit, walk.patience_seconds)
        try:
            return attempt(walk, settlement)
        except BaseException as error:
            settlement.tell_error(error)
            raise

    def _announced(self, walk: Walk) -> Attempt:
        """Return the attempt that is to be made, and what it may cost."""
        current = walk.current
        made = partial(
            Attempt, walk.number, current.alias, current.deployment, walk.decision
        )
        if self._upstreams.is_local(current.deployment):
            return made()
        plan = plan_of(walk.lineup, current, self._usual_output_tokens)
        return made(price_of(current.deployment), plan)
