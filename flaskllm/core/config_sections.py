"""The sections of the settings: their names, defaults, ranges and meaning."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from flaskllm.core.config_kinds import ProviderKind
from flaskllm.core.config_types import (
    BaseURL,
    Credential,
    Name,
    Seconds,
    StrongSecret,
    Tokens,
    Weight,
    Whole,
)

_SECTION = ConfigDict(
    extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True
)


class ServerSettings(BaseModel):
    """Where the gateway listens, and whom it believes."""

    model_config = _SECTION

    host: str = Field(
        "127.0.0.1",
        min_length=1,
        description="The address to listen on; 0.0.0.0 for every interface.",
    )
    port: Whole = Field(
        8000, ge=0, le=65535, description="The port to listen on; 0 for any free one."
    )
    threads: Whole = Field(
        32, ge=1, le=256, description="Requests that one worker process serves at once."
    )
    workers: Whole = Field(1, ge=1, le=64, description="Worker processes.")
    trusted_hosts: tuple[str, ...] = Field(
        (),
        examples=[("llm.example.org", ".intern.example.org")],
        description="Host names that requests may carry; a leading dot also admits "
        "the names below it. Empty admits every name.",
    )
    proxy_hops: Whole = Field(
        0,
        ge=0,
        le=10,
        description="Reverse proxies in front whose X-Forwarded headers are believed.",
    )
    require_https: bool = Field(
        False, description="Refuse plain http, and send Strict-Transport-Security."
    )
    allowed_origins: tuple[str, ...] = Field(
        (),
        examples=[("https://app.example.org",)],
        description="Origins of web pages, besides our own, that may open a WebSocket.",
    )
    metrics_token: StrongSecret | None = Field(
        None,
        examples=["${FLASKLLM_SERVER__METRICS_TOKEN}"],
        description="A bearer token for /metrics. Without it only this machine may "
        "read them.",
    )

    @property
    def bind(self) -> str:
        """`host:port`, an IPv6 address in brackets (RFC 3986, section 3.2.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class LimitSettings(BaseModel):
    """How often a peer may knock."""

    model_config = _SECTION

    authentication_failures_per_minute: Whole = Field(
        20, ge=1, le=1_000_000, description="Refused API tokens per peer and minute."
    )
    unauthenticated_per_minute: Whole = Field(
        120,
        ge=1,
        le=1_000_000,
        description="Requests without an API token per peer and minute.",
    )


class StreamTimeouts(BaseModel):
    """What a deployment or a route changes of the time-outs, in seconds."""

    model_config = _SECTION

    first_byte_seconds: Seconds | None = Field(
        None, description="The longest silence of an upstream before its first byte."
    )
    first_token_seconds: Seconds | None = Field(
        None,
        description="The longest wait for the first token of a stream when another "
        "deployment could answer.",
    )
    chunk_gap_seconds: Seconds | None = Field(
        None, description="The longest silence within a stream."
    )
    answer_seconds: Seconds | None = Field(
        None,
        description="The longest wait for an answer that is not streamed when another "
        "deployment could answer.",
    )


class TimeoutSettings(BaseModel):
    """How long an upstream may take, in seconds."""

    model_config = _SECTION

    connect_seconds: Seconds = Field(
        5.0,
        description="The longest wait for a connection to an upstream; a slow look-up "
        "of its name may overrun it.",
    )
    deadline_seconds: Seconds = Field(
        300.0, description="The longest a request may take, retries included."
    )
    first_byte_seconds: Seconds = Field(
        30.0,
        description="The longest silence of a streaming upstream before its first "
        "token.",
    )
    first_token_seconds: Seconds | None = Field(
        None,
        description="The longest wait for the first token of a stream when another "
        "deployment could answer. 10 when left out, 120 for ollama, vllm and llamacpp, "
        "which may load a model first.",
    )
    chunk_gap_seconds: Seconds = Field(
        15.0, description="The longest silence within a stream."
    )
    answer_seconds: Seconds = Field(
        120.0,
        description="The longest wait for an answer that is not streamed when another "
        "deployment could answer.",
    )


class ProviderSettings(BaseModel):
    """One upstream service."""

    model_config = _SECTION

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


class DeploymentSettings(BaseModel):
    """One callable model at a provider."""

    model_config = _SECTION

    provider: Name = Field(description="The name of a provider above.")
    model: str = Field(
        min_length=1, max_length=256, description="The upstream's name of the model."
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


class RouteSettings(BaseModel):
    """Which deployments answer to a name."""

    model_config = _SECTION

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
    strategy: Literal["weighted"] = Field(
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
