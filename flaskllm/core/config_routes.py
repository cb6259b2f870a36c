"""The sections about models: providers, deployments and routes."""

from itertools import pairwise
from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from flaskllm.core.config_kinds import ProviderKind
from flaskllm.core.config_problems import wrong_value
from flaskllm.core.config_sections import SECTION, StreamTimeouts
from flaskllm.core.config_types import (
    BaseURL,
    Credential,
    Dollars,
    Name,
    Rescue,
    Tokens,
    Weight,
    Whole,
)
from flaskllm.core.sensitive import OnSensitive

StrategyName = Literal[
    "weighted",
    "round_robin",
    "least_busy",
    "usage",
    "lowest_latency",
    "cheapest",
    "adaptive",
]


class ProviderSettings(BaseModel):
    """One upstream service."""

    model_config = SECTION

    kind: ProviderKind = Field(description="The dialect that the upstream speaks.")
    base_url: BaseURL | None = Field(
        None,
        description="The address as an SDK takes it. Only azure and "
        "openai_compatible need it, the others have one of their own.",
    )
    api_key: Credential | None = Field(
        None,
        description="Our credential at the upstream; hosted services need it.",
    )
    api_version: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9.-]{1,32}$",
        description="Azure's api-version; 2024-10-21 when left out.",
    )
    models: Literal["discover"] | None = Field(
        None,
        description="discover offers every model that the upstream lists, without "
        "deployments of their own.",
    )
    allow_plain_http: bool = Field(
        False,
        description="Allow an http:// address outside loopback and private networks.",
    )


class DeploymentLimits(BaseModel):
    """How much may be asked of a deployment."""

    model_config = SECTION

    requests_per_minute: Whole | None = Field(
        None, ge=1, le=10_000_000, description="Requests in any minute, per process."
    )
    tokens_per_minute: Tokens | None = Field(
        None, description="Tokens in and out in any minute, per process."
    )
    concurrent_requests: Whole | None = Field(
        None, ge=1, le=100_000, description="Requests under way at once, per process."
    )


class PriceTerms(BaseModel):
    """What tokens cost, in US dollars for a million."""

    model_config = SECTION

    input: Dollars = Field(description="Dollars for a million tokens of input.")
    output: Dollars = Field(description="Dollars for a million tokens of output.")
    cache_read: Dollars | None = Field(
        None, description="For input that the upstream has kept; as input if left out."
    )
    cache_write: Dollars | None = Field(
        None, description="For input that the upstream keeps; as input if left out."
    )
    reasoning: Dollars | None = Field(
        None, description="For thoughts; as output if left out."
    )


class PriceTier(PriceTerms):
    """What all tokens cost once the input is so long."""

    above: Tokens = Field(
        description="Where the input has more tokens than this, all cost what stands "
        "here."
    )


class PriceSettings(PriceTerms):
    """What a model costs, in US dollars for a million tokens."""

    tiers: tuple[PriceTier, ...] = Field(
        (), description="Other prices for long inputs, in rising order."
    )

    @model_validator(mode="after")
    def _rises(self) -> Self:
        bounds = [tier.above for tier in self.tiers]
        if any(one >= other for one, other in pairwise(bounds)):
            raise wrong_value(str(bounds), "tiers whose `above` rises")
        return self


class DeploymentSettings(BaseModel):
    """One callable model at a provider."""

    model_config = SECTION

    provider: Name = Field(description="The name of a provider above.")
    model: str = Field(
        min_length=1,
        max_length=256,
        # It goes into rows and log lines, of which some hold no NUL.
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="The upstream's name of the model.",
    )
    context_window: Tokens | None = Field(
        None, description="Tokens that fit in; unknown and unchecked when left out."
    )
    max_output_tokens: Tokens | None = Field(
        None, description="Tokens that may come out; unknown when left out."
    )
    capabilities: tuple[Name, ...] | None = Field(
        None,
        description="What the model can do; unknown and allowed when left out, else "
        "exactly these.",
    )
    tags: tuple[Name, ...] = Field((), description="Labels of your own.")
    timeouts: StreamTimeouts = Field(
        StreamTimeouts(), description="What this deployment changes of the time-outs."
    )
    limits: DeploymentLimits = Field(
        DeploymentLimits(), description="How much may be asked of it."
    )
    price: PriceSettings | None = Field(
        None, description="What it costs, where the known prices are not yours."
    )


class RouteSettings(BaseModel):
    """Which deployments answer to a name."""

    model_config = SECTION

    alias: Name | None = Field(
        None, description="The public model name. Exactly one of these three."
    )
    pattern: str | None = Field(
        None,
        min_length=1,
        max_length=128,
        description="Model names with * and ?. Exactly one of these three.",
    )
    capability: Name | None = Field(
        None, description="What the model must be able to. Exactly one of these three."
    )
    strategy: StrategyName = Field(
        "weighted", description="How the deployments are put in order."
    )
    deployments: dict[Name, Weight] = Field(
        min_length=1, description="Each deployment with its weight."
    )
    fallbacks: tuple[Name, ...] = Field(
        (),
        description="Aliases to go on with when all deployments failed, in order; "
        "offline is the built-in extractive provider, for digests only.",
    )
    timeouts: StreamTimeouts = Field(
        StreamTimeouts(), description="What this route changes of the time-outs."
    )
    rescue: Rescue = Field(
        "match",
        description="What happens when a stream breaks off after text was shown: match "
        "lets another deployment go on if it repeats that text, continue may also ask "
        "it for the rest, off ends with an error.",
    )
    require_price: bool = Field(
        False, description="Refuse deployments whose price is not known."
    )
    on_sensitive: OnSensitive = Field(
        "ignore",
        description="local sends a request whose text matches a rule of privacy only "
        "to deployments that are tagged local.",
    )
    cache_ttl_seconds: Whole | None = Field(
        None,
        ge=1,
        le=2_592_000,
        description="Keep its answers so long, and give them to equal requests; when "
        "left out none is kept.",
    )
    cache_any_temperature: bool = Field(
        False,
        description="Keep answers to requests whose temperature is not 0, or not "
        "given, too.",
    )
    cache_shared: bool = Field(
        False,
        description="Give what one API token was answered to all others, too.",
    )
    single_flight: bool | None = Field(
        None,
        description="Ask the upstream once for equal requests of one API token that "
        "come at the same time. When left out, where the answer may be kept.",
    )
    second_price: Dollars = Field(
        0.001,
        description="For adaptive: what an answer that comes a second earlier is "
        "worth, in dollars.",
    )

    @model_validator(mode="after")
    def _keeps_something(self) -> Self:
        for name in ("cache_any_temperature", "cache_shared"):
            if getattr(self, name) and self.cache_ttl_seconds is None:
                raise wrong_value(f"{name} alone", "cache_ttl_seconds beside it")
        return self
