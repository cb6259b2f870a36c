"""The sections about durable work: jobs, callbacks, outgoing mail."""

import ipaddress
import re
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    SecretStr,
    model_validator,
)

from flaskllm.core.config_problems import wrong_value
from flaskllm.core.config_sections import SECTION
from flaskllm.core.config_types import Seconds, Whole

# Everybody, or a domain with at most one name before it.
_MAIL_DOMAIN = re.compile(r"\*|(?:[^@\s]+@)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def _check_network(value: str) -> str:
    try:
        ipaddress.ip_network(value)
    except ValueError:
        raise wrong_value(repr(value), "a network such as 10.0.0.0/8") from None
    return value


def _check_mail_domain(value: str) -> str:
    if _MAIL_DOMAIN.fullmatch(value) is None:
        allowed = "a domain such as example.org, one address, or *"
        raise wrong_value(repr(value), allowed)
    return value.lower()


MailDomain = Annotated[str, AfterValidator(_check_mail_domain)]
Network = Annotated[str, AfterValidator(_check_network)]
Port = Annotated[Whole, Field(ge=1, le=65535)]


class JobSettings(BaseModel):
    """What is accepted now and done later."""

    model_config = SECTION

    enabled: bool = Field(
        True,
        description="Accept jobs. Without a worker they wait; turn it off where none "
        "will ever run.",
    )
    worker: bool = Field(
        True, description="`flaskllm serve` starts a worker beside the web server."
    )
    threads: Whole = Field(
        8, ge=1, le=256, description="Jobs that one worker process does at once."
    )
    poll_seconds: Seconds = Field(
        0.5, description="How often a worker looks for new jobs."
    )
    keep_days: Whole = Field(
        30,
        ge=1,
        le=3650,
        description="How long accepted documents, their results and the log of their "
        "deliveries are kept.",
    )
    deadline_seconds: Whole = Field(
        86_400,
        ge=1,
        le=2_592_000,
        description="A job that was not done so long after it was accepted is given "
        "up, unless its request says otherwise.",
    )
    most_waiting: Whole = Field(
        20_000,
        ge=1,
        le=10_000_000,
        description="Jobs of one API token that may wait at once.",
    )


class CallbackSettings(BaseModel):
    """Where callbacks may go."""

    model_config = SECTION

    allowed_networks: tuple[Network, ...] = Field(
        (),
        examples=[("10.0.0.0/8",)],
        description="Networks that are not public but may be called all the same. "
        "Empty allows none.",
    )
    allowed_ports: tuple[Port, ...] = Field(
        (443, 8443), description="The only ports that may be called."
    )
    allow_http: bool = Field(
        False, description="Let callbacks go without TLS, also to public addresses."
    )
    trusted_proxy: str | None = Field(
        None,
        examples=["http://proxy.server:3128"],
        description="A proxy that checks by itself where it goes; all callbacks go "
        "through it.",
    )


class MailSettings(BaseModel):
    """The mail server that takes outgoing mail."""

    model_config = SECTION

    smtp_host: str | None = Field(
        None,
        examples=["smtp.example.org"],
        description="Its name or address. Without one no mail is sent.",
    )
    smtp_port: Port = Field(587, description="Its port.")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the connection is made secret."
    )
    username: str | None = Field(
        None, examples=["flaskllm"], description="Who signs in; nobody if left out."
    )
    password: SecretStr | None = Field(
        None, examples=["${SMTP_PASSWORD}"], description="The password for it."
    )
    sender: str | None = Field(
        None,
        examples=["flaskllm <digests@example.org>"],
        description="Whom the mail comes from.",
    )
    allowed_domains: tuple[MailDomain, ...] = Field(
        (),
        examples=[("example.org", "team@example.com")],
        description="The only domains and addresses that mail may go to; * is all. "
        "Empty allows the domain of the sender.",
    )

    @model_validator(mode="after")
    def _has_sender(self) -> Self:
        if self.smtp_host and not self.sender:
            raise wrong_value("a smtp_host without a sender", "both, or neither")
        return self
