"""How deployments, routes and upstreams look in the answers that show them."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from flaskllm.core.money import dollars
from flaskllm.llm.health.standings import Standing, State
from flaskllm.llm.terms import Price
from flaskllm.llm.types import Deployment


class ObstacleData(BaseModel):
    """What keeps requests away from a deployment."""

    reason: str = Field(
        description="cooling (its breaker is open), limited (of its requests or "
        "tokens), credential (not accepted), busy, or disabled by an operator."
    )
    seconds: float | None = Field(
        description="How long it still lasts; null where nobody knows."
    )


class StandingData(BaseModel):
    """How a deployment stands, as the process that answers knows it."""

    state: State = Field(description="Its breaker's.")
    obstacle: ObstacleData | None = Field(description="Null: it may be asked now.")
    found_elsewhere: bool = Field(
        description="Another process found what is in the way, and told this one."
    )
    overridden: bool = Field(description="An operator decides, not the breaker.")
    failures_in_a_row: int = Field(description="Since its last whole answer.")
    in_flight: int = Field(description="Attempts that are under way.")
    headroom: float = Field(
        description="The free part of its limits per minute, from 0 to 1; 1 where no "
        "limit is known."
    )
    first_token_seconds: float | None = Field(
        description="Moving average of streams; null before the first."
    )
    answer_seconds: float | None = Field(
        description="Moving average of whole answers; null before the first."
    )


class TermsData(BaseModel):
    """US dollars for a million tokens."""

    input: float
    output: float
    cache_read: float | None = Field(description="Null: as much as other input.")
    cache_write: float | None = Field(description="Null: as much as other input.")
    reasoning: float | None = Field(description="Null: as much as other output.")


class TierData(TermsData):
    """What all tokens cost once the input is so long."""

    above: int = Field(description="The input has more tokens than this.")


class PriceData(TermsData):
    """What a deployment costs."""

    tiers: list[TierData] = Field(description="For long inputs, in rising order.")


class DeploymentData(BaseModel):
    """What is known of a deployment."""

    name: str
    provider: str
    kind: str = Field(description="The provider's.")
    model: str = Field(description="The upstream's name for it.")
    context_window: int | None = Field(description="Tokens; null when unknown.")
    max_output_tokens: int | None = Field(description="Null when unknown.")
    capabilities: list[str] | None = Field(
        description="Null when unknown, and then believed to have them all."
    )
    price: PriceData | None = Field(description="Null when unknown, never free.")
    tags: list[str]


class StateMeta(BaseModel):
    """Which settings hold."""

    settings_version: str = Field(
        description="What tells the settings in force from others."
    )


Reason = Literal[
    "lacking",
    "too_long",
    "no_price",
    "not_local",
    "cooling",
    "limited",
    "credential",
    "busy",
    "disabled",
]


def standing_data(standing: Standing) -> StandingData:
    """Return how a deployment stands."""
    obstacle = standing.obstacle
    return StandingData(
        state=standing.state,
        obstacle=(
            ObstacleData(reason=obstacle.reason, seconds=rounded(obstacle.seconds))
            if obstacle
            else None
        ),
        found_elsewhere=bool(standing.told_by),
        overridden=standing.is_overridden,
        failures_in_a_row=standing.failures_in_a_row,
        in_flight=standing.in_flight,
        headroom=round(standing.headroom, 3),
        first_token_seconds=rounded(standing.first_token_seconds),
        answer_seconds=rounded(standing.answer_seconds),
    )


def deployment_data(deployment: Deployment, price: Price | None) -> DeploymentData:
    """Return what is known of a deployment."""
    known = deployment.capabilities
    return DeploymentData(
        name=deployment.name,
        provider=deployment.provider,
        kind=deployment.kind,
        model=deployment.model,
        context_window=deployment.context_window,
        max_output_tokens=deployment.max_output_tokens,
        capabilities=None if known is None else sorted(known),
        price=_price_data(price),
        tags=sorted(deployment.tags),
    )


def rounded(seconds: float | None) -> float | None:
    """Return seconds to the millisecond; None stays None."""
    return None if seconds is None else round(seconds, 3)


def _price_data(price: Price | None) -> PriceData | None:
    if price is None:
        return None
    tiers = [
        TierData(above=tier.above_tokens, **_terms(tier.price)) for tier in price.tiers
    ]
    return PriceData(tiers=tiers, **_terms(price))


def _terms(price: Price) -> dict[str, Any]:
    names = TermsData.model_fields
    return {name: dollars(getattr(price, name)) for name in names}
