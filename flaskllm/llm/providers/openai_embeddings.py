"""Vectors in OpenAI's dialect.

Source: https://platform.openai.com/docs/api-reference/embeddings
"""

import math
import struct
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any

from flaskllm.core.errors import LLMProtocolError
from flaskllm.llm.providers.compatible import Dialect
from flaskllm.llm.providers.openai_reply import read_model
from flaskllm.llm.providers.openai_usage import read_embedding_usage
from flaskllm.llm.types import Deployment, EmbeddingRequest, Embeddings

_FLOAT_BYTES = 4


def encode_embedding(
    request: EmbeddingRequest, deployment: Deployment, dialect: Dialect
) -> dict[str, Any]:
    """Return the body of `POST /embeddings`.

    Base64 is asked for where it is offered: it is a quarter of the bytes and
    needs no parsing. Fields that say nothing are left out: vLLM refuses a null.
    """
    inputs = [each if isinstance(each, str) else list(each) for each in request.inputs]
    fields = {
        "model": deployment.model,
        "input": inputs,
        "encoding_format": "base64" if dialect.embeds_base64 else None,
        "dimensions": request.dimensions,
        "user": None if dialect.refuses("user") else request.user,
    }
    return {
        dialect.renames.get(name, name): value
        for name, value in fields.items()
        if value is not None
    }


def read_embeddings(reply: Mapping[str, Any]) -> Embeddings:
    """Return the vectors in the order of the inputs.

    Raises:
        LLMProtocolError: A vector is missing, empty, twice there or no vector.
    """
    data = reply.get("data")
    if not isinstance(data, list) or not data:
        raise _unreadable()
    entries = [each for each in data if isinstance(each, dict)]
    order = [each.get("index", place) for place, each in enumerate(entries)]
    vectors = {
        place: _read_vector(each.get("embedding"))
        for place, each in zip(order, entries, strict=True)
        if isinstance(place, int)
    }
    if vectors.keys() != set(range(len(data))):
        raise _unreadable()
    return Embeddings(
        vectors=tuple(vectors[place] for place in range(len(data))),
        usage=read_embedding_usage(reply.get("usage")),
        model=read_model(reply),
    )


def _read_vector(vector: Any) -> Sequence[float]:
    """Return a vector given as numbers, or as base64 of little-endian float32."""
    try:
        if isinstance(vector, str):
            data = b64decode(vector, validate=True)
            numbers = struct.unpack(f"<{len(data) // _FLOAT_BYTES}f", data)
        else:
            numbers = tuple(map(float, vector))
    except (ValueError, TypeError, OverflowError, struct.error):
        raise _unreadable() from None
    if not numbers or not all(map(math.isfinite, numbers)):
        raise _unreadable()
    return numbers


def _unreadable() -> LLMProtocolError:
    return LLMProtocolError(details="The upstream's reply holds no vectors.")
