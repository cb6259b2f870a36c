"""Which deployments a request may go to, and why the others were left out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from flaskllm.core.errors import InvalidInputError
from flaskllm.core.sensitive import LOCAL
from flaskllm.llm.allowed import EVERYTHING, Allowed
from flaskllm.llm.catalog import AUTO, Catalog, Route
from flaskllm.llm.fitting import Sizes
from flaskllm.llm.lineup import Candidate, Lineup
from flaskllm.llm.model_names import is_plain
from flaskllm.llm.needs import Dialects
from flaskllm.llm.sieve import Sieve
from flaskllm.llm.types import CompletionRequest, Deployment, EmbeddingRequest
from flaskllm.llm.undescribed import with_model

Describe = Callable[[Sequence[Deployment], CompletionRequest], Sequence[Deployment]]
"""Returns the deployments with what was not known of them, as far as it matters."""


def line_up(
    catalog: Catalog,
    request: CompletionRequest,
    dialects: Dialects,
    describe: Describe,
    allowed: Allowed = EVERYTHING,
    *,
    of_any_size: bool = False,
) -> Lineup:
    """Return the deployments that the request's name leads to, each once.

    The route's own come first, then those of its fallbacks; within a route in the
    order of the settings, see `order` for what its strategy makes of that. Left out
    are those that lack what the request needs, those that are known to have no room
    for it, and those without a price where the route requires one.

    Args:
        catalog: Where names lead.
        request: What is asked.
        dialects: What the deployments can be told.
        describe: Fills in what the settings do not say of deployments.
        allowed: The names that this caller may send.
        of_any_size: Whether those without room for it are kept.

    Raises:
        ModelNotFound: The name is unknown, or not allowed.
        InvalidInputError: It is missing where a deployment passes it on; or the
            caller asks for what none of the deployments can do.
        NoModelConfigured: No name was given and there is no route; or none of the
            deployments has the tag that the request requires.
    """
    named = _named(catalog, request, allowed)
    found = tuple(_found(catalog, named, request))
    known = describe([each.deployment for each in found], request)
    described = [
        each if told is each.deployment else replace(each, deployment=told)
        for each, told in zip(found, known, strict=True)
    ]
    sizes, sieve = Sizes(request), Sieve(described)
    sieve.by_tag(request, named[0].name)
    sieve.by_needs(request, dialects, named[0].name)
    sieve.by_price(named)
    if not of_any_size:
        sieve.by_size(sizes)
    return _lineup(request, named, sizes, sieve)


def line_up_embedding(
    catalog: Catalog,
    request: EmbeddingRequest,
    is_embedder: Callable[[Deployment], bool],
    allowed: Allowed = EVERYTHING,
) -> Lineup:
    """Return the deployments that can turn texts into vectors, as `line_up` does.

    Raises:
        ModelNotFound: The name is unknown, or not allowed.
        InvalidInputError: It is missing where a deployment passes it on, or none
            of its deployments has vectors.
        NoModelConfigured: No name was given and there is no route.
    """
    routes = _named(catalog, request, allowed)
    able = [
        each
        for each in _of_one_space(tuple(_found(catalog, routes, request)))
        if is_embedder(each.deployment) and _lists_embeddings(each.deployment)
    ]
    if not able:
        problem = f"{routes[0].name!r} leads to no deployment that has embeddings"
        raise InvalidInputError.of("model", problem, "a model for embeddings")
    sizes, sieve = Sizes(request), Sieve(able)
    sieve.by_tag(request, routes[0].name)
    sieve.by_price(routes)
    sieve.by_size(sizes)
    return _lineup(request, routes, sizes, sieve)


def leading(
    catalog: Catalog, request: CompletionRequest, allowed: Allowed = EVERYTHING
) -> Deployment:
    """Return the deployment that is the likeliest to be asked first.

    Raises:
        ModelNotFound: The name is unknown, or not allowed.
        InvalidInputError: It is missing where a deployment passes it on.
        NoModelConfigured: No name was given and there is no route.
    """
    route = _named(catalog, request, allowed)[0]
    heaviest = max(route.weights, key=route.weights.__getitem__)
    return _with_model(route.made or catalog.deployment(heaviest), request.model)


def is_confining(
    catalog: Catalog,
    request: CompletionRequest | EmbeddingRequest,
    allowed: Allowed = EVERYTHING,
) -> bool:
    """Tell whether one of the request's routes keeps sensitive text local.

    The strictest of them decides for all: where an answer comes from is not known
    before.

    Raises:
        ModelNotFound: The name is unknown, or not allowed.
        InvalidInputError: It is missing where one is needed.
        NoModelConfigured: No name was given and there is no route.
    """
    if not any(route.on_sensitive == LOCAL for route in catalog.routes):
        return False
    routes = _named(catalog, request, allowed)
    return any(route.on_sensitive == LOCAL for route in routes)


def resolve(
    catalog: Catalog,
    request: CompletionRequest | EmbeddingRequest,
    allowed: Allowed = EVERYTHING,
) -> Route:
    """Return the route that the request's name leads to.

    Raises:
        ModelNotFound: The name is unknown, or not allowed.
        InvalidInputError: It is missing where one is needed.
        NoModelConfigured: No name was given and there is no route.
    """
    return catalog.resolve(
        request.model,
        with_offline=_takes_offline(request),
        direct=request.direct,
        allowed=allowed,
    )


def _takes_offline(request: CompletionRequest | EmbeddingRequest) -> bool:
    return isinstance(request, CompletionRequest) and request.extraction is not None


def _lineup(
    request: CompletionRequest | EmbeddingRequest,
    routes: Sequence[Route],
    sizes: Sizes,
    sieve: Sieve,
) -> Lineup:
    return Lineup(
        request,
        sieve.left,
        tuple(sieve.objections),
        {route.name: route for route in routes},
        sizes,
        tuple(sieve.excluded),
    )


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


def _named(
    catalog: Catalog, request: CompletionRequest | EmbeddingRequest, allowed: Allowed
) -> tuple[Route, ...]:
    """Return the chain of routes that the request's name begins."""
    route = resolve(catalog, request, allowed)
    return catalog.chain(route, with_offline=_takes_offline(request))


def _found(
    catalog: Catalog,
    routes: tuple[Route, ...],
    request: CompletionRequest | EmbeddingRequest,
) -> Iterator[Candidate]:
    """Yield each deployment of the routes once."""
    seen: set[str] = set()
    for route in routes:
        for name, weight in route.weights.items():
            if name not in seen:
                seen.add(name)
                deployment = route.made or catalog.deployment(name)
                passed_on = _with_model(deployment, request.model)
                yield Candidate(route.name, _with_timeouts(passed_on, route), weight)


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
