"""The section about digests of any length."""

from pydantic import BaseModel, Field

from flaskllm.core.config_sections import SECTION
from flaskllm.core.config_types import Whole


class DigestSettings(BaseModel):
    """How documents are digested that take several calls."""

    model_config = SECTION

    parallel_calls: Whole = Field(
        4,
        ge=1,
        le=32,
        description="Pieces of one long document that models are asked about at once; "
        "one by one where there are no threads.",
    )
    most_inline_calls: Whole = Field(
        8,
        ge=1,
        le=100_000,
        description="A digest that takes more calls to models becomes a job by itself, "
        "where jobs are accepted and a worker is there.",
    )
    thread_days: Whole = Field(
        30,
        ge=0,
        le=3650,
        description="How long after its last mail what is known of a thread is kept; 0 "
        "keeps none.",
    )
