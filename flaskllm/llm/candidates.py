"""Which deployments a request may go to, in the order to ask them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from flaskllm.core.errors import (
    InvalidInputError,
    LLMAPIError,
    LLMContextTooLong,
    NoModelConfigured,
)
from flaskllm.llm.catalog import AUTO, Catalog
from flaskllm.llm.strategies import STRATEGIES
from flaskllm.llm.tokens import estimate_messages, room_tokens
from flaskllm.llm.types import CompletionRequest, Deployment


@dataclass(frozen=True, slots=True)
class Candidate:
    """A deployment, and the name of the route that led to it."""

    alias: str
    deployment: Deployment


@dataclass(frozen=True, slots=True)
class Lineup:
    """The candidates, and why the others were left out before money was spent."""

    candidates: tuple[Candidate, ...]
    objections: tuple[LLMAPIError, ...]


def line_up(catalog: Catalog, request: CompletionRequest, random: Random) -> Lineup:
    """Return the deployments that the request's name leads to, each once.

    The route's own come first, in its strategy's order, then those of its
    fallbacks. Left out are those that lack a capability the request needs, and
    those whose context window is known and too small.

    Raises:
        InvalidInputError: The name is unknown, or missing where a deployment
            passes it on.
        NoModelConfigured: No name was given and there is no route.
    """
    named = tuple(_named(catalog, request, random))
    able = tuple(each for each in named if _is_able(each.deployment, request))
    fitting, too_small = _by_size(able, request)
    objections: list[LLMAPIError] = []
    if len(able) < len(named):
        objections.append(_lacking(named[0].alias))
    if too_small:
        objections.append(_too_long(too_small, request))
    return Lineup(fitting, tuple(objections))


def _named(
    catalog: Catalog, request: CompletionRequest, random: Random
) -> Iterator[Candidate]:
    """Yield each deployment of the chain of routes once."""
    with_offline = request.extraction is not None
    route = catalog.resolve(request.model, with_offline=with_offline)
    seen: set[str] = set()
    for each in catalog.chain(route, with_offline=with_offline):
        for name in STRATEGIES[each.strategy](each.weights, random):
            if name not in seen:
                seen.add(name)
                deployment = _with_model(catalog.deployment(name), request)
                yield Candidate(each.name, deployment)


def _with_model(deployment: Deployment, request: CompletionRequest) -> Deployment:
    """Put the caller's model name in the place of a `*`."""
    if deployment.model != "*":
        return deployment
    if request.model is None or request.model == AUTO:
        raise InvalidInputError.of(
            "model",
            f"is not named, and deployment {deployment.name!r} passes the name on",
            "a name that the upstream knows",
        )
    return replace(deployment, model=request.model)


def _is_able(deployment: Deployment, request: CompletionRequest) -> bool:
    """Tell whether nothing is known that the deployment lacks."""
    offered = deployment.capabilities
    return offered is None or request.json_schema is None or "json" in offered


def _by_size(
    candidates: tuple[Candidate, ...], request: CompletionRequest
) -> tuple[tuple[Candidate, ...], tuple[Candidate, ...]]:
    """Part the candidates that the input fits from those it does not."""
    if all(each.deployment.context_window is None for each in candidates):
        return candidates, ()
    needed = estimate_messages(request.messages)
    fitting: list[Candidate] = []
    too_small: list[Candidate] = []
    for each in candidates:
        room = room_tokens(each.deployment, request)
        (fitting if room is None or needed <= room else too_small).append(each)
    return tuple(fitting), tuple(too_small)


def _lacking(alias: str) -> NoModelConfigured:
    return NoModelConfigured(
        details=f"No deployment of {alias!r} that is left lists the capability "
        "'json'. Add it to a deployment that can answer in JSON.",
    )


def _too_long(
    too_small: tuple[Candidate, ...], request: CompletionRequest
) -> LLMContextTooLong:
    largest = max(each.deployment.context_window or 0 for each in too_small)
    room = max(room_tokens(each.deployment, request) or 0 for each in too_small)
    return LLMContextTooLong(
        details=f"The input is about {estimate_messages(request.messages)} tokens; "
        f"the largest context window is {largest} tokens, which leaves {room} for "
        "the input. Shorten the input, or name a model with a longer window.",
    )
