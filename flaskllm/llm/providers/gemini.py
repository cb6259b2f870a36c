"""Gemini's own dialect.

Sources: https://ai.google.dev/api/generate-content, /api/embeddings and /api/models
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from flaskllm.core import json_text
from flaskllm.core.clock import Clock
from flaskllm.core.errors import InvalidInputError, LLMAPIError, LLMProtocolError
from flaskllm.llm.providers.gemini_errors import explain, explain_object
from flaskllm.llm.providers.gemini_reply import read_reply, read_usage, to_completion
from flaskllm.llm.providers.gemini_request import left_out, translated
from flaskllm.llm.providers.gemini_stream import GeminiStream
from flaskllm.llm.providers.listing import ListedModel
from flaskllm.llm.types import (
    Completion,
    CompletionRequest,
    Deployment,
    EmbeddingRequest,
    Embeddings,
    Wire,
)
from flaskllm.net.transport import HttpReply, HttpRequest

DEFAULT_BASE_URL = "https://generativelanguage.googleapis.com"

_ROUTES = ("/openai", "/v1beta", "/v1")
_CHATS, _EMBEDS = "generateContent", "embedContent"


def root_of(base_url: str) -> str:
    """Return the server's address, whichever of its routes was given."""
    for route in _ROUTES:
        base_url = base_url.removesuffix(route).rstrip("/")
    return base_url


@dataclass(frozen=True, slots=True)
class Gemini:
    """A provider for one address and credential. `root` is without a route."""

    root: str
    api_key: str = field(repr=False)
    clock: Clock
    wires: frozenset[Wire] = frozenset()
    fetches_images: bool = True
    takes_token_numbers: bool = False

    def encode(self, request: CompletionRequest, deployment: Deployment) -> HttpRequest:
        """Return the POST to the model's own address."""
        body = translated(request, deployment)
        if request.stream:
            # Without alt=sse the stream would be one growing list.
            method = "streamGenerateContent?alt=sse"
            return self._post(deployment, method, body, "text/event-stream")
        return self._post(deployment, _CHATS, body)

    def dropped(
        self, request: CompletionRequest, deployment: Deployment
    ) -> tuple[str, ...]:
        """Return the fields of the caller's body that `encode` leaves out."""
        return tuple(left_out(request, deployment))

    def decode(self, reply: HttpReply, request: CompletionRequest) -> Completion:
        """Return the completion in a reply with status 200.

        Raises:
            LLMProtocolError: It is not what the dialect promises.
            LLMAPIError: It is an error in spite of its status.
        """
        parsed = read_reply(reply.body)
        if parsed.error:
            raise explain_object(parsed.error)
        return to_completion(parsed)

    def read_stream(self, request: CompletionRequest) -> GeminiStream:
        """Return who reads the stream that answers this request."""
        return GeminiStream()

    def explain(self, reply: HttpReply) -> LLMAPIError:
        """Return the error that this reply stands for."""
        return explain(reply, self.clock.now())

    def encode_embedding(
        self, request: EmbeddingRequest, deployment: Deployment
    ) -> HttpRequest:
        """Return the POST to `:batchEmbedContents`.

        Raises:
            InvalidInputError: An input is a list of token numbers.
        """
        path = f"models/{_bare(deployment.model)}"
        asked = [_embedding(text, path, request) for text in request.inputs]
        return self._post(deployment, "batchEmbedContents", {"requests": asked})

    def decode_embedding(self, reply: HttpReply) -> Embeddings:
        """Return the vectors in a reply with status 200, in the order of the inputs.

        Each has the length 1, as all other upstreams give it: here one that was cut
        to fewer dimensions has not.

        Raises:
            LLMProtocolError: It is not what the dialect promises.
        """
        parsed = _parse(_Vectors, reply, "holds no embeddings")
        return Embeddings(
            vectors=tuple(_normal(each.values) for each in parsed.embeddings),
            usage=read_usage(parsed.usage_metadata),
            model="",
        )

    def encode_listing(self) -> HttpRequest:
        """Return the GET of all models; there are fewer than one page holds."""
        url = f"{self.root}/v1beta/models?pageSize=1000"
        return HttpRequest("GET", url, self._headers("application/json"), b"")

    def decode_listing(self, reply: HttpReply) -> tuple[ListedModel, ...]:
        """Return the models for chats and for embeddings.

        Raises:
            LLMProtocolError: It is not what the dialect promises.
        """
        listing = _parse(_Listing, reply, "is not a list of models")
        return tuple(
            _listed(model)
            for model in listing.models
            if {_CHATS, _EMBEDS} & set(model.supported_generation_methods)
        )

    def _post(
        self,
        deployment: Deployment,
        method: str,
        body: dict[str, Any],
        accept: str = "application/json",
    ) -> HttpRequest:
        # Quoted whole: a name may come from the caller and must stay one name.
        name = quote(_bare(deployment.model), safe="")
        return HttpRequest(
            method="POST",
            url=f"{self.root}/v1beta/models/{name}:{method}",
            headers={**self._headers(accept), "content-type": "application/json"},
            body=json_text.dump(body),
        )

    def _headers(self, accept: str) -> dict[str, str]:
        return {"accept": accept, "x-goog-api-key": self.api_key}


def _bare(model: str) -> str:
    return model.removeprefix("models/")


def _embedding(
    text: str | tuple[int, ...], path: str, request: EmbeddingRequest
) -> dict[str, Any]:
    if not isinstance(text, str):
        raise InvalidInputError.of("input", "is a list of token numbers", "texts")
    said: dict[str, Any] = {"model": path, "content": {"parts": [{"text": text}]}}
    if request.dimensions is None:
        return said
    return {**said, "outputDimensionality": request.dimensions}


def _normal(vector: list[float]) -> Sequence[float]:
    length = math.sqrt(math.fsum(value * value for value in vector))
    return [value / length for value in vector] if length else vector


class _Shape(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class _Vector(_Shape):
    values: list[float]


class _Vectors(_Shape):
    embeddings: list[_Vector]
    usage_metadata: Any = None


class _Model(_Shape):
    name: str
    input_token_limit: int | None = None
    output_token_limit: int | None = None
    supported_generation_methods: list[str] = Field(default_factory=list)


class _Listing(_Shape):
    models: list[_Model]


_Told = TypeVar("_Told", bound=_Shape)


def _parse(shape: type[_Told], reply: HttpReply, complaint: str) -> _Told:
    try:
        return shape.model_validate_json(reply.body)
    except ValidationError:
        # From None: pydantic's text quotes the upstream's.
        raise LLMProtocolError(details=f"The upstream's reply {complaint}.") from None


def _listed(model: _Model) -> ListedModel:
    """Return the model; what a chat model can do beside is not told."""
    embeds = _EMBEDS in model.supported_generation_methods
    return ListedModel(
        id=_bare(model.name),
        context_window=model.input_token_limit or None,
        max_output_tokens=model.output_token_limit or None,
        capabilities=frozenset({"embeddings"}) if embeds else None,
    )
