"""The section about what comes in: mail and meetings that senders deliver.

What a sender needs, and what may be ordered of a digest, is told by those who know
it: `wiring` checks both at the start.
"""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, Field, SecretStr

from flaskllm.core.config_problems import wrong_value
from flaskllm.core.config_sections import SECTION
from flaskllm.core.config_types import Credential

SenderName = Literal[
    "sendgrid",
    "mailgun",
    "postmark",
    "ses",
    "cloudmailin",
    "zoom",
    "fireflies",
    "fathom",
    "read_ai",
    "graph",
    "generic",
]
MADE_IDS = "inb_"
"""What the ids begin with of endpoints that the admin API makes."""
NOBODY: Final = ""
"""The id of no API token: what a setting of the wrong form is read as."""

_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_TOKEN_ID = re.compile(r"[0-9A-Za-z]{12}")


def _check_id(value: str) -> str:
    if value.startswith(MADE_IDS):
        found = f"a name that begins with {MADE_IDS}"
        raise wrong_value(found, "another one: the admin API makes those", "inbound")
    if not _ID.fullmatch(value):
        allowed = "up to 40 small letters, digits and . _ -; it stands in an address"
        raise wrong_value("a name that cannot be an id", allowed, "inbound")
    return value


def _forget_other(value: str) -> str:
    """Return an id as it is, and nobody's for what is none.

    That may be the API token itself, which no listing may show. It is no error here:
    the command that shows the ids has to work.
    """
    return value if _TOKEN_ID.fullmatch(value) else NOBODY


InboundId = Annotated[str, AfterValidator(_check_id)]
TokenId = Annotated[str, AfterValidator(_forget_other)]


class InboundSettings(BaseModel):
    """One inbound endpoint: who delivers, how that is proven, what is made of it."""

    model_config = SECTION

    sender: SenderName = Field(
        description="Who delivers; it decides the form, the proof and the answers."
    )
    secret: SecretStr | None = Field(
        None,
        examples=["${ZOOM_SECRET}"],
        description="The signing secret, verification token or public key that the "
        "sender shows; for generic and graph one of yours.",
    )
    username: str | None = Field(
        None,
        examples=["support-mail"],
        description="Of the credentials in the address, for senders that sign nothing.",
    )
    password: SecretStr | None = Field(
        None,
        examples=["${INBOUND_PASSWORD}"],
        description="The same; 16 or more characters.",
    )
    topics: tuple[str, ...] = Field(
        (),
        examples=[("arn:aws:sns:eu-west-1:123456789012:mail",)],
        description="For ses: the SNS topics that may deliver, by their ARNs.",
    )
    api_key: Credential | None = Field(
        None,
        examples=["${FIREFLIES_API_KEY}"],
        description="For fireflies: with what transcripts are fetched.",
    )
    mapping: dict[str, str] = Field(
        {},
        examples=[{"content": "$.body"}],
        description="For generic: where our fields stand in the delivery, as JSON "
        "paths; source may be the word itself, such as meeting.",
    )
    api_token: TokenId | None = Field(
        None,
        examples=["4fGh2kLm9pQr"],
        description="The id of the API token that the jobs belong to and that pays. "
        "The bootstrap API token when left out.",
    )
    recipients: tuple[str, ...] = Field(
        (),
        examples=[("support@in.example.org",)],
        description="Mail to others is taken and not digested; @in.example.org means "
        "all of a domain. Empty means everybody.",
    )
    digest: dict[str, Any] = Field(
        {},
        examples=[{"type": "action_items"}],
        description="What is made of it, in the fields of the webhook.",
    )
    callback_url: SecretStr | None = Field(
        None,
        examples=["https://hooks.example.org/done"],
        description="Where the end of each job is told.",
    )
    endpoint: str | None = Field(
        None,
        examples=["end_0123"],
        description="An endpoint of that API token that is told instead.",
    )
