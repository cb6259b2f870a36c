"""The models that a service of OpenAI's dialect lists, with what it tells of them.

Sources: the references of `/models` of vLLM (`max_model_len`), OpenRouter
(`context_length`, `top_provider`, `architecture`), Groq (`context_window`), Mistral
(`max_context_length`, `capabilities`), Together (a bare list) and llama.cpp's server
(`meta`).
"""

from collections.abc import Mapping
from typing import Any

from flaskllm.core.errors import LLMProtocolError
from flaskllm.llm.providers.counts import read_count
from flaskllm.llm.providers.listing import ListedModel
from flaskllm.llm.providers.openai_reply import LONGEST_NAME

_Places = tuple[tuple[str | None, str], ...]

# Where each service tells it, in which group or in none; the first counts.
_WINDOWS: _Places = (
    (None, "max_model_len"),
    (None, "context_length"),
    (None, "context_window"),
    (None, "max_context_length"),
    # Not n_ctx_train: whoever starts the server chooses how much of it is served.
    ("meta", "n_ctx"),
)
_LONGEST_ANSWERS: _Places = (
    ("top_provider", "max_completion_tokens"),
    (None, "max_completion_tokens"),
)

# Mistral's names of what a model can do, and OpenRouter's parameters.
_ABLE: Mapping[str, str] = {"function_calling": "tools", "vision": "vision"}
_PARAMETERS: Mapping[str, str] = {
    "tools": "tools",
    "response_format": "json",
    "reasoning": "thinking",
}


def read_models(listed: Any) -> tuple[ListedModel, ...]:
    """Return the models in a list, which may stand in `data` or for itself.

    An entry without an id is left out.

    Raises:
        LLMProtocolError: There is no list.
    """
    entries = listed.get("data") if isinstance(listed, dict) else listed
    if not isinstance(entries, list):
        raise LLMProtocolError(details="The upstream's reply holds no list of models.")
    return tuple(
        _read_model(entry, entry["id"])
        for entry in entries
        if isinstance(entry, dict) and _is_name(entry.get("id"))
    )


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAME


def _read_model(entry: Mapping[str, Any], identity: str) -> ListedModel:
    return ListedModel(
        id=identity,
        context_window=_first(entry, _WINDOWS),
        max_output_tokens=_first(entry, _LONGEST_ANSWERS),
        capabilities=_read_capabilities(entry),
    )


def _first(entry: Mapping[str, Any], places: _Places) -> int | None:
    """Return the first count that can be true."""
    for group, name in places:
        holder = entry if group is None else entry.get(group)
        count = read_count(holder, name) if isinstance(holder, dict) else 0
        if count > 0:
            return count
    return None


def _read_capabilities(entry: Mapping[str, Any]) -> frozenset[str] | None:
    """Return what the model can do, or None when nothing is told."""
    able = entry.get("capabilities")
    if isinstance(able, dict):
        # Every model of Mistral's that chats can answer in JSON.
        chats = {"json"} if able.get("completion_chat") else set()
        return frozenset(chats | {_ABLE[name] for name in _ABLE if able.get(name)})
    parameters = entry.get("supported_parameters")
    if not isinstance(parameters, list):
        return None
    told = {_PARAMETERS[name] for name in _PARAMETERS if name in parameters}
    architecture = entry.get("architecture")
    inputs = (
        architecture.get("input_modalities") if isinstance(architecture, dict) else None
    )
    sees = isinstance(inputs, list) and "image" in inputs
    return frozenset(told | {"vision"} if sees else told)
