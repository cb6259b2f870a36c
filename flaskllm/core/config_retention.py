"""The section about how long what happened is kept."""

from pydantic import BaseModel, Field

from flaskllm.core.config_sections import SECTION
from flaskllm.core.config_types import Whole


class RetentionSettings(BaseModel):
    """How long each kind of data is kept.

    Jobs and threads have theirs in their own sections.
    """

    model_config = SECTION

    usage_days: Whole = Field(
        400,
        ge=1,
        le=3650,
        description="How long each attempt is kept with its tokens and its cost.",
    )
    # Reports may be asked for five years of months.
    report_days: Whole = Field(
        1830,
        ge=62,
        le=3650,
        description="How long the sums are kept of which reports over time are made.",
    )
    # The longest period of a budget is a month, and none of it may be missing.
    ledger_days: Whole = Field(
        400,
        ge=62,
        le=3650,
        description="How long the entries of the ledger are kept, and what was spent "
        "on each day.",
    )
    audit_days: Whole = Field(
        730, ge=1, le=3650, description="How long the audit log is kept."
    )
    response_days: Whole = Field(
        30,
        ge=1,
        le=3650,
        description="How long responses are kept to which their callers may refer.",
    )
    idempotency_hours: Whole = Field(
        24,
        ge=1,
        le=720,
        description="How long the answer that belongs to an idempotency key is kept.",
    )
