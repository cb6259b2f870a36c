"""The one loop of attempts: from a request to an answer.

Tenacity turns the loop, and `llm/walk.py` tells it what follows a failure.
"""

import socket
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Protocol

from tenacity import Retrying

from flaskllm.core.clock import Deadline
from flaskllm.core.errors import APIError, LLMAPIError, LLMRefused, LLMTimeout
from flaskllm.llm import retry
from flaskllm.llm.candidates import line_up
from flaskllm.llm.catalog import Catalog
from flaskllm.llm.providers import LocalProvider, Provider
from flaskllm.llm.tokens import estimate_usage
from flaskllm.llm.types import (
    Answer,
    Attempt,
    Call,
    Completion,
    CompletionRequest,
    Deployment,
    Outcome,
    Usage,
)
from flaskllm.llm.walk import Walk
from flaskllm.net.transport import HttpReply, HttpRequest


class Sender(Protocol):
    """What carries a request to one upstream and brings the reply."""

    def send(
        self,
        request: HttpRequest,
        *,
        deadline: Deadline,
        caller: socket.socket | None = None,
        first_byte_seconds: float | None = None,
    ) -> HttpReply:
        """Return the whole reply, whatever its status.

        Raises:
            LLMTimeout: The deadline passed, or the connect time-out.
            LLMUnavailable: The upstream cannot be reached, or hung up.
            LLMProtocolError: What came is not HTTP, or too large.
            CallerGone: Nobody waits for the answer any more.
        """
        ...


class Router:
    """Asks one deployment after the other until one answers.

    `providers` and `senders` are keyed by the deployment's name, `offline`
    included; a provider that answers by itself needs no sender. A router holds
    no state of its own and serves any number of threads.
    """

    def __init__(
        self,
        catalog: Catalog,
        providers: Mapping[str, Provider | LocalProvider],
        senders: Mapping[str, Sender],
        policy: retry.Policy,
        random: Random,
    ) -> None:
        self._catalog = catalog
        self._providers = providers
        self._senders = senders
        self._policy = policy
        self._random = random

    def complete(self, request: CompletionRequest, call: Call) -> Answer:
        """Return the first answer that a deployment gives before the deadline.

        After the deadline only a fallback that needs no upstream is still asked.
        `call.before` and `call.after` frame every attempt; `call.wait` sleeps
        between them, in pieces while there is a caller who may hang up.

        Raises:
            InvalidInputError: The request names a model that is not there.
            LLMAPIError: No deployment answered. The error is the one that tells
                most; if the same request may succeed later it says when.
            CallerGone: Nobody waits for the answer any more.
        """
        lineup = line_up(self._catalog, request, self._random)
        if not lineup.candidates:
            raise retry.telling(lineup.objections)
        walk = Walk(lineup, call, self._policy, self._random, self._is_local)
        loop = Retrying(
            retry=walk.may_go_on,
            after=walk.decide,
            wait=walk.wait_seconds,
            stop=walk.is_over,
            sleep=walk.sleep,
            retry_error_callback=walk.give_up,
        )
        completion = loop(self._attempt, walk, request, call)
        return Answer(
            completion,
            alias=walk.current.alias,
            deployment=walk.current.deployment,
            attempts=walk.number,
            failures=walk.failures,
        )

    def _attempt(
        self, walk: Walk, request: CompletionRequest, call: Call
    ) -> Completion:
        """Ask the current deployment once, between `before` and `after`."""
        deployment, clock = walk.current.deployment, call.deadline.clock
        if call.deadline.passed() and not self._is_local(deployment):
            raise LLMTimeout(details="The deadline passed before the model was asked.")
        attempt = Attempt(walk.number, walk.current.alias, deployment)
        call.before(attempt)
        started_seconds = clock.monotonic()

        def tell(code: str, usage: Usage, details: str = "") -> None:
            latency_seconds = clock.monotonic() - started_seconds
            call.after(attempt, Outcome(code, latency_seconds, usage, details))

        try:
            completion = self._ask(deployment, request, call)
        except BaseException as error:
            tell(_code(error), Usage(), _details(error))
            raise
        # A refusal is an error with a bill: its tokens are told before it is raised.
        if completion.finish_reason == "content_filter":
            refused = LLMRefused(details="Its content policy withheld the answer.")
            tell(refused.code, completion.usage, refused.details)
            raise refused
        tell("OK", completion.usage)
        return completion

    def _is_local(self, deployment: Deployment) -> bool:
        return isinstance(self._providers[deployment.name], LocalProvider)

    def _ask(
        self, deployment: Deployment, request: CompletionRequest, call: Call
    ) -> Completion:
        provider = self._providers[deployment.name]
        if isinstance(provider, LocalProvider):
            return provider.answer(request)
        reply = self._senders[deployment.name].send(
            provider.encode(request, deployment),
            deadline=call.deadline,
            caller=call.caller,
        )
        if reply.status != 200:
            raise provider.explain(reply)
        return _completed(provider.decode(reply), request, deployment)


def _completed(
    completion: Completion, request: CompletionRequest, deployment: Deployment
) -> Completion:
    """Fill in what the upstream left out: its name, and a count that we can trust."""
    usage = completion.usage
    if usage.source == "none":
        usage = estimate_usage(request.messages, completion.text)
    return replace(completion, usage=usage, model=completion.model or deployment.model)


def _code(error: BaseException) -> str:
    return error.code if isinstance(error, APIError) else "INTERNAL_ERROR"


def _details(error: BaseException) -> str:
    """Return the details of an error about a model; others may repeat the caller."""
    return error.details if isinstance(error, LLMAPIError) else ""
