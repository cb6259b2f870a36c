"""What is told of a request that is explained: values."""

from collections.abc import Mapping
from dataclasses import dataclass

from flaskllm.core.errors import APIError
from flaskllm.llm.catalog import Route
from flaskllm.llm.health.standings import Reason, Standing
from flaskllm.llm.lineup import Left
from flaskllm.llm.types import Deployment

Why = Left | Reason
"""Why a deployment would not be asked: for good, or until its obstacle has passed."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A deployment that would be asked.

    Attributes:
        alias: The route that leads to it.
        deployment: The deployment, as the request sees it.
        weight: Its share in the route.
        score: The number by which the route's strategy placed it.
        tokens_input: How long the request is for its model, about.
        tokens_output: How long an answer is supposed to be.
        cost_nanos: What both cost; None where no price is known.
        standing: How it stands.
    """

    alias: str
    deployment: Deployment
    weight: int
    score: float | None
    tokens_input: int
    tokens_output: int
    cost_nanos: int | None
    standing: Standing


@dataclass(frozen=True, slots=True)
class Excluded:
    """A deployment that would not be asked now, and why.

    `details` says the numbers or the needs. `seconds` is how long an obstacle still
    lasts, None where nobody knows or where it never passes by itself. `standing` is
    None where it was not looked at.
    """

    alias: str
    deployment: Deployment
    reason: Why
    details: str = ""
    seconds: float | None = None
    standing: Standing | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a request would be routed now, in this process.

    Attributes:
        route: The route that the request's name leads to.
        fallbacks: The names of the routes behind it, the nearest first.
        strategies: Those of all these routes, by their names.
        candidates: Who would be asked, in this order.
        excluded: Who would not, in the order of their routes.
        last_resort: Where there is no candidate, the deployment that one request at
            a time may try all the same: its breaker is due first.
        error: What the caller would be told at once; None where somebody is asked.
    """

    route: Route
    fallbacks: tuple[str, ...]
    strategies: Mapping[str, str]
    candidates: tuple[Explained, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    last_resort: str | None = None
    error: APIError | None = None
