"""Whom a request may go to: values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from flaskllm.core.errors import LLMAPIError
from flaskllm.llm.catalog import Route
from flaskllm.llm.fitting import Sizes
from flaskllm.llm.health.standings import Obstacle
from flaskllm.llm.types import CompletionRequest, Deployment, EmbeddingRequest


@dataclass(frozen=True, slots=True)
class Candidate:
    """A deployment, and the name of the route that led to it.

    Attributes:
        alias: The route's name.
        deployment: The deployment, as this request sees it.
        weight: Its share in the route.
        score: The number by which the route's strategy placed it; None where there
            was nothing to place.
        expected_cost_nanos: What the request is expected to cost there; None where
            nobody asked, or no price is known.
        obstacle: Why it may not be asked, as far as that was looked at.
    """

    alias: str
    deployment: Deployment
    weight: int = 1
    score: float | None = None
    expected_cost_nanos: int | None = None
    obstacle: Obstacle | None = None

    @property
    def name(self) -> str:
        """Return the deployment's name."""
        return self.deployment.name


Left = Literal["lacking", "too_long", "no_price", "not_local"]
"""Why a deployment is left out: for good, as long as the settings stand."""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A deployment that was left out of a request, and what for.

    `lacking` is told with the names of the needs that it does not meet, `too_long`
    with both sizes.
    """

    alias: str
    deployment: str
    reason: Left
    details: str = ""


@dataclass(frozen=True, slots=True)
class Lineup:
    """The candidates, and why the others were left out before money was spent.

    `candidates` stand route by route, those of a fallback behind those of the route
    itself. `routes` are by their names, `sizes` measures the request.
    """

    request: CompletionRequest | EmbeddingRequest
    candidates: tuple[Candidate, ...]
    objections: tuple[LLMAPIError, ...]
    routes: Mapping[str, Route]
    sizes: Sizes
    excluded: tuple[Exclusion, ...] = ()

    @property
    def streams(self) -> bool:
        """Tell whether the answer is wanted as a stream."""
        return isinstance(self.request, CompletionRequest) and self.request.stream
