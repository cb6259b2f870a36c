"""The models that an Ollama server has, and what it tells of each.

Sources: https://docs.ollama.com/api/tags and https://docs.ollama.com/api/show.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ValidationError

from flaskllm.core.errors import LLMProtocolError
from flaskllm.llm.providers.counts import MOST_TOKENS
from flaskllm.llm.providers.listing import ListedModel

_CAPABILITIES: Mapping[str, str] = {
    "completion": "json",  # the server bends any model to a grammar
    "tools": "tools",
    "vision": "vision",
    "thinking": "thinking",
    "embedding": "embeddings",
}


class _Model(BaseModel):
    name: str


class _Tags(BaseModel):
    models: list[_Model]


class _Details(BaseModel):
    # Absent before 0.6.4.
    capabilities: list[str] | None = None
    model_info: dict[str, Any] | None = None


def read_listing(data: bytes) -> tuple[ListedModel, ...]:
    """Return the models that `/api/tags` lists: their names, and nothing else.

    Raises:
        LLMProtocolError: There is no list.
    """
    try:
        tags = _Tags.model_validate_json(data)
    except ValidationError:
        raise LLMProtocolError(
            details="The upstream's reply holds no list of models."
        ) from None
    return tuple(ListedModel(model.name) for model in tags.models)


def read_details(data: bytes, model: str) -> ListedModel:
    """Return what `/api/show` tells of a model.

    The window is the one that it was trained with; what it is served with is asked
    for by each request.

    Raises:
        LLMProtocolError: It tells nothing.
    """
    try:
        details = _Details.model_validate_json(data)
    except ValidationError:
        raise LLMProtocolError(
            details="The upstream's reply holds no details of a model."
        ) from None
    found = ListedModel(model, context_window=_window(details.model_info or {}))
    if details.capabilities is None:
        return found
    named = (_CAPABILITIES.get(each) for each in details.capabilities)
    return replace(found, capabilities=frozenset(each for each in named if each))


def _window(told: Mapping[str, Any]) -> int | None:
    """Return the value at `<architecture>.context_length`."""
    window = told.get(f"{told.get('general.architecture')}.context_length")
    if isinstance(window, int) and 0 < window <= MOST_TOKENS:
        return window
    return None
