"""A model as an upstream lists it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model that an upstream offers; what it does not tell is None.

    `capabilities` are among `json`, `tools`, `vision`, `embeddings`, `thinking`.
    """

    id: str
    context_window: int | None = None
    max_output_tokens: int | None = None
    capabilities: frozenset[str] | None = None
