"""What a request may say of the cache, in its body."""

from pydantic import BaseModel, Field


class CacheFields(BaseModel):
    """Both may be left out."""

    cache: bool | None = Field(
        None, description="false asks the model, and keeps nothing of the answer."
    )
    sensitive: bool | None = Field(
        None, description="true keeps nothing of the answer in the cache."
    )
