"""The sections about the gateway itself: names, defaults, ranges and meaning."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from flaskllm.core.config_problems import wrong_value
from flaskllm.core.config_types import Seconds, StrongSecret, TimeZone, Whole

SECTION = ConfigDict(
    extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True
)


class ServerSettings(BaseModel):
    """Where the gateway listens, and whom it believes."""

    model_config = SECTION

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

    @property
    def local_url(self) -> str:
        """Where this machine reaches it, also when it listens on every interface."""
        loopback = {"0.0.0.0": "127.0.0.1", "::": "::1"}
        reached = loopback.get(self.host, self.host)
        return f"http://{self.model_copy(update={'host': reached}).bind}"


class LimitSettings(BaseModel):
    """How often a peer may knock, and where the limits of API tokens are counted."""

    model_config = SECTION

    authentication_failures_per_minute: Whole = Field(
        20, ge=1, le=1_000_000, description="Refused API tokens per peer and minute."
    )
    unauthenticated_per_minute: Whole = Field(
        120,
        ge=1,
        le=1_000_000,
        description="Requests without an API token per peer and minute.",
    )
    store: Literal["auto", "memory", "database"] = Field(
        "auto",
        description="Where the limits of API tokens are counted: in memory, by each "
        "web process for itself, or in the database, by all together. auto is Redis "
        "where `redis_url` names one, and memory where there is one web process.",
    )


class StreamTimeouts(BaseModel):
    """What a deployment or a route changes of the time-outs, in seconds."""

    model_config = SECTION

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

    model_config = SECTION

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


class HealthSettings(BaseModel):
    """When a deployment that fails is left alone, and for how long."""

    model_config = SECTION

    failures_in_a_row: Whole = Field(
        5, ge=1, le=1000, description="After so many its breaker opens."
    )
    cool_down_seconds: Seconds = Field(
        5.0, description="How long it is left alone the first time, about."
    )
    longest_cool_down_seconds: Seconds = Field(
        20.0, description="How long at most, when its probes fail again and again."
    )
    probe_idle_seconds: Whole = Field(
        60,
        ge=0,
        le=86_400,
        description="A provider that nobody asked for so long is asked for its list of "
        "models, which costs nothing; 0 for never.",
    )

    @model_validator(mode="after")
    def _grows(self) -> Self:
        first, longest = self.cool_down_seconds, self.longest_cool_down_seconds
        if longest < first:
            raise wrong_value(
                f"longest_cool_down_seconds {longest:g}, cool_down_seconds {first:g}",
                "a longest_cool_down_seconds that is not below cool_down_seconds",
            )
        return self


class AccountingSettings(BaseModel):
    """How money is counted."""

    model_config = SECTION

    time_zone: TimeZone = Field(
        "UTC",
        description="The time zone in which days, weeks and months of budgets and "
        "reports begin, such as Europe/Berlin.",
    )
    planned_output_tokens: Whole = Field(
        4096,
        ge=1,
        le=10_000_000,
        description="The longest answer that is reserved money for where neither the "
        "caller nor the deployment caps it.",
    )
