"""Which deployments a request may go to, in the order to ask them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from random import Random

from flaskllm.core.errors import InvalidInputError, LLMAPIError
from flaskllm.llm.catalog import AUTO, Catalog, Route
from flaskllm.llm.fitting import fits, too_long
from flaskllm.llm.model_names import is_plain
from flaskllm.llm.needs import Dialects, Need, asked, cannot, lacking
from flaskllm.llm.strategies import STRATEGIES
from flaskllm.llm.types import CompletionRequest, Deployment, EmbeddingRequest
from flaskllm.llm.undescribed import with_model

Describe = Callable[[Sequence[Deployment], CompletionRequest], Sequence[Deployment]]
"""Returns the deployments with what was not known of them, as far as it matters."""


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


def line_up(
    catalog: Catalog,
    request: CompletionRequest,
    random: Random,
    dialects: Dialects,
    describe: Describe,
) -> Lineup:
    """Return the deployments that the request's name leads to, each once.

    The route's own come first, in its strategy's order, then those of its
    fallbacks. Left out are those that lack what the request needs, and those
    whose context window is known and too small.

    Args:
        catalog: Where names lead.
        request: What is asked.
        random: The strategies' source of chance.
        dialects: What the deployments can be told.
        describe: Fills in what the settings do not say of deployments.

    Raises:
        ModelNotFound: The name is unknown.
        InvalidInputError: It is missing where a deployment passes it on; or the
            caller asks for what none of the deployments can do.
        NoModelConfigured: No name was given and there is no route.
    """
    named = _named(catalog, request)
    found = tuple(_ordered(catalog, named, request, random))
    known = describe([each.deployment for each in found], request)
    able, missing = _by_needs(
        [Candidate(each.alias, told) for each, told in zip(found, known, strict=True)],
        request,
        dialects,
    )
    fit = fits([each.deployment for each in able], request)
    too_small = [
        each.deployment for each, does in zip(able, fit, strict=True) if not does
    ]
    objections: list[LLMAPIError] = []
    if missing:
        objections.append(lacking(missing, named[0].name))
    if too_small:
        objections.append(too_long(too_small, request))
    return Lineup(tuple(compress(able, fit)), tuple(objections))


def line_up_embedding(
    catalog: Catalog,
    request: EmbeddingRequest,
    random: Random,
    is_embedder: Callable[[Deployment], bool],
) -> Lineup:
    """Return the deployments that can turn texts into vectors, as `line_up` does.

    Raises:
        ModelNotFound: The name is unknown.
        InvalidInputError: It is missing where a deployment passes it on, or none
            of its deployments has vectors.
        NoModelConfigured: No name was given and there is no route.
    """
    routes = _named(catalog, request)
    able = tuple(
        each
        for each in _of_one_space(tuple(_ordered(catalog, routes, request, random)))
        if is_embedder(each.deployment) and _lists_embeddings(each.deployment)
    )
    if not able:
        problem = f"{routes[0].name!r} leads to no deployment that has embeddings"
        raise InvalidInputError.of("model", problem, "a model for embeddings")
    return Lineup(able, ())


def _of_one_space(candidates: tuple[Candidate, ...]) -> Iterator[Candidate]:
    """Yield those whose vectors can stand beside each other.

    That is what a route's own deployments promise; of a fallback's only those of
    the same model do, since each model has a space of its own.
    """
    own = candidates[0].alias
    models = {each.deployment.model for each in candidates if each.alias == own}
    for each in candidates:
        if each.alias == own or each.deployment.model in models:
            yield each


def leading(catalog: Catalog, request: CompletionRequest) -> Deployment:
    """Return the deployment that is the likeliest to be asked first.

    Raises:
        ModelNotFound: The name is unknown.
        InvalidInputError: It is missing where a deployment passes it on.
        NoModelConfigured: No name was given and there is no route.
    """
    route = _named(catalog, request)[0]
    heaviest = max(route.weights, key=route.weights.__getitem__)
    return _with_model(route.made or catalog.deployment(heaviest), request.model)


def _named(
    catalog: Catalog, request: CompletionRequest | EmbeddingRequest
) -> tuple[Route, ...]:
    """Return the chain of routes that the request's name begins."""
    with_offline = (
        isinstance(request, CompletionRequest) and request.extraction is not None
    )
    route = catalog.resolve(
        request.model, with_offline=with_offline, direct=request.direct
    )
    return catalog.chain(route, with_offline=with_offline)


def _ordered(
    catalog: Catalog,
    routes: tuple[Route, ...],
    request: CompletionRequest | EmbeddingRequest,
    random: Random,
) -> Iterator[Candidate]:
    """Yield each deployment of the routes once."""
    seen: set[str] = set()
    for route in routes:
        for name in STRATEGIES[route.strategy](route.weights, random):
            if name not in seen:
                seen.add(name)
                deployment = route.made or catalog.deployment(name)
                passed_on = _with_model(deployment, request.model)
                yield Candidate(route.name, _with_timeouts(passed_on, route))


def _with_timeouts(deployment: Deployment, route: Route) -> Deployment:
    if not route.timeouts:
        return deployment
    timeouts = replace(deployment.timeouts, **route.timeouts)
    return replace(deployment, timeouts=timeouts)


def _with_model(deployment: Deployment, model: str | None) -> Deployment:
    """Put the caller's model name in the place of a `*`."""
    if deployment.model != "*":
        return deployment
    if model is None or model == AUTO or not is_plain(model):
        raise InvalidInputError.of(
            "model",
            "names nothing that can be passed on, and deployment "
            f"{deployment.name!r} passes the name on",
            "a name that the upstream knows",
        )
    return with_model(deployment, model)


def _lists_embeddings(deployment: Deployment) -> bool:
    offered = deployment.capabilities
    return offered is None or "embeddings" in offered


def _by_needs(
    candidates: Sequence[Candidate], request: CompletionRequest, dialects: Dialects
) -> tuple[tuple[Candidate, ...], tuple[Need, ...]]:
    """Return the candidates that can do all of it, and what others are known to lack.

    Raises:
        InvalidInputError: The caller asks for what none of them can do.
    """
    needs = asked(request)
    unmet = {
        each.deployment.name: frozenset(
            need
            for need in needs
            if not need.is_met(request, each.deployment, dialects)
        )
        for each in candidates
    }
    able = tuple(each for each in candidates if not unmet[each.deployment.name])
    missing = tuple(
        need for need in needs if any(need in lacks for lacks in unmet.values())
    )
    if not able:
        _refuse(missing, tuple(unmet.values()), request)
    return able, missing


def _refuse(
    missing: tuple[Need, ...],
    unmet: tuple[frozenset[Need], ...],
    request: CompletionRequest,
) -> None:
    """Refuse what the caller asks for and no deployment can do.

    Named is what all of them lack; where each lacks something else, all of that.
    """
    everywhere = tuple(
        need for need in missing if all(need in lacks for lacks in unmet)
    )
    named = everywhere or missing
    own = [need for need in named if need.field(request)]
    if own:
        raise cannot(own, request)
