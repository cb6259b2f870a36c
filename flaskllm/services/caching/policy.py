"""What may be answered from the cache, and what may be kept in it. Pure."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from flaskllm.llm.cached import Bypass, CacheTerms, CacheWish
from flaskllm.llm.types import Completion, CompletionRequest, EmbeddingRequest

# An answer that is cut off or withheld is one that the next try may better.
_WHOLE: Final = frozenset({"stop", "tool_calls"})


def bypass_of(
    request: CompletionRequest | EmbeddingRequest, wish: CacheWish, principal_id: str
) -> Bypass | None:
    """Return why neither the cache nor another's answer is for this request, if so.

    Whether its text is sensitive is not looked at here.
    """
    if not principal_id:
        return "nobody"
    if wish.is_sensitive:
        return "sensitive"
    if request.required_tag is not None:
        return "confined"
    if not wish.stores:
        return "no_store"
    return None


def is_settled(
    request: CompletionRequest | EmbeddingRequest, terms: CacheTerms
) -> bool:
    """Tell whether the route keeps the answer to such a request.

    Vectors have no temperature. A template's questions are ours, and say none; who
    asks for a digest twice wants the same facts twice.
    """
    if terms.ttl_seconds is None:
        return False
    if terms.any_temperature or isinstance(request, EmbeddingRequest):
        return True
    if request.template is not None and request.temperature is None:
        return True
    return request.temperature == 0


def is_shared_flight(terms: CacheTerms, *, is_kept: bool) -> bool:
    """Tell whether equal requests at the same time are asked once."""
    return is_kept if terms.single_flight is None else terms.single_flight


def is_worth_keeping(
    completion: Completion, schema: Mapping[str, Any] | None = None
) -> bool:
    """Tell whether an answer is whole, was not refused, and can be used.

    One that was to be JSON by a schema must be an object that has what is required
    there: kept, a bad one would fail each repetition. No pattern of it is run.
    """
    if completion.finish_reason not in _WHOLE or completion.refusal:
        return False
    return schema is None or _has_required(completion.text, schema)


def _has_required(text: str, schema: Mapping[str, Any]) -> bool:
    try:
        told = orjson.loads(text)
    except ValueError:
        return False
    return isinstance(told, dict) and told.keys() >= set(schema.get("required", ()))
