"""The section about the cache of answers."""

from typing import Literal

from pydantic import BaseModel, Field

from flaskllm.core.config_sections import SECTION
from flaskllm.core.config_types import Whole


class CacheSettings(BaseModel):
    """Where answers are kept, and how many."""

    model_config = SECTION

    store: Literal["auto", "memory", "database"] = Field(
        "auto",
        description="Where the answers of routes with cache_ttl_seconds lie: in the "
        "memory of each web process, or in the database. auto is Redis where redis_url "
        "is set, else memory where there is one web process.",
    )
    max_entries: Whole = Field(
        10_000,
        ge=1,
        le=10_000_000,
        description="Answers that are kept at most; Redis has a limit of its own.",
    )
    max_bytes: Whole = Field(
        268_435_456,
        ge=1_048_576,
        le=1_099_511_627_776,
        description="Bytes that they take at most; in memory characters.",
    )
    max_answer_bytes: Whole = Field(
        1_048_576,
        ge=1024,
        le=33_554_432,
        description="The longest answer that is kept, in bytes.",
    )
