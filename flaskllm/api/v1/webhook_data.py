"""What the webhook answers: the digest, and how it was made."""

from typing import Any

from pydantic import BaseModel, Field

from flaskllm.core import errors
from flaskllm.llm.types import UsageSource
from flaskllm.services.digests.types import Digest, DigestType

DIGEST_ERRORS: tuple[type[errors.APIError], ...] = (
    errors.BudgetExceeded,
    errors.PayloadTooLarge,
    errors.LLMContextTooLong,
    errors.CallerGone,
    errors.LLMAPIError,
    errors.LLMProtocolError,
    errors.LLMRequestRejected,
    errors.LLMCredentialRejected,
    errors.LLMRefused,
    errors.LLMRateLimited,
    errors.LLMServerError,
    errors.LLMUnavailable,
    errors.NoModelConfigured,
    errors.LLMTimeout,
)
"""What making a digest may fail with, beyond what every route may."""


class WebhookData(BaseModel):
    """The digest."""

    id: str
    type: DigestType
    text: str = Field(description="The digest in the form that was asked for.")
    digest: Digest


class WebhookUsage(BaseModel):
    """What the models used for it."""

    tokens_input: int
    tokens_output: int
    source: UsageSource = Field(description="Who counted.")


class WebhookMeta(BaseModel):
    """How the digest was made."""

    request_id: str
    processing_time: float = Field(description="Seconds.")
    provider: str
    model: str
    format: str = Field(
        description="What the document was read as: mail, zoom_vtt, fireflies, text ..."
    )
    usage: WebhookUsage
    cost: float | None = Field(description="US dollars; null when not known.")
    cached: bool
    degraded: bool = Field(description="True when a model did not make all of it.")
    warnings: list[str]
    metadata: dict[str, Any] = Field({}, description="Yours, when you gave any.")


class WebhookReply(BaseModel):
    """The digest, and how it was made."""

    data: WebhookData
    meta: WebhookMeta
