"""What a provider is: translators without I/O, and what some can besides."""

from typing import Protocol, runtime_checkable

from flaskllm.core.errors import LLMAPIError
from flaskllm.llm.providers.listing import ListedModel
from flaskllm.llm.streams import StreamReader
from flaskllm.llm.types import (
    Completion,
    CompletionRequest,
    Deployment,
    EmbeddingRequest,
    Embeddings,
    Wire,
)
from flaskllm.net.transport import HttpReply, HttpRequest


class Provider(Protocol):
    """A translator for one upstream dialect. Safe to share between threads."""

    @property
    def wires(self) -> frozenset[Wire]:
        """Return the callers' dialects that this upstream speaks too.

        There `encode` passes the caller's own body on, `decode` keeps the
        upstream's (`Completion.raw`) and `read_stream` passes its events on.
        """
        ...

    @property
    def fetches_images(self) -> bool:
        """Tell whether the upstream takes an image by its address."""
        ...

    def encode(self, request: CompletionRequest, deployment: Deployment) -> HttpRequest:
        """Return the HTTP request that asks the deployment.

        With `request.stream` it asks for a stream, and for its usage.
        """
        ...

    def dropped(
        self, request: CompletionRequest, deployment: Deployment
    ) -> tuple[str, ...]:
        """Return the fields of the caller's body that `encode` leaves out.

        Some models of an upstream take less than others.
        """
        ...

    def decode(self, reply: HttpReply, request: CompletionRequest) -> Completion:
        """Return the completion in a reply with status 200.

        Usage that is missing or cannot be true has the source `none`. An answer
        that the model or its content policy withheld has the finish reason
        `content_filter`.

        Raises:
            LLMProtocolError: It is not what the dialect promises.
            LLMAPIError: It holds an error in spite of its status.
        """
        ...

    def read_stream(self, request: CompletionRequest) -> StreamReader:
        """Return who reads the stream that answers this request."""
        ...

    def explain(self, reply: HttpReply) -> LLMAPIError:
        """Return the error that a reply with another status stands for."""
        ...


@runtime_checkable
class Embedder(Protocol):
    """A provider whose upstream turns texts into vectors."""

    @property
    def takes_token_numbers(self) -> bool:
        """Tell whether an input may be a text that is cut into token numbers."""
        ...

    def encode_embedding(
        self, request: EmbeddingRequest, deployment: Deployment
    ) -> HttpRequest:
        """Return the HTTP request that asks for the vectors."""
        ...

    def decode_embedding(self, reply: HttpReply) -> Embeddings:
        """Return the vectors in a reply with status 200, in the order of the inputs.

        Raises:
            LLMProtocolError: It is not what the dialect promises.
        """
        ...


@runtime_checkable
class Lister(Protocol):
    """A provider whose upstream tells which models it offers."""

    def encode_listing(self) -> HttpRequest:
        """Return the HTTP request that asks for the list."""
        ...

    def decode_listing(self, reply: HttpReply) -> tuple[ListedModel, ...]:
        """Return the models in a reply with status 200.

        Raises:
            LLMProtocolError: It is not what the dialect promises.
        """
        ...


@runtime_checkable
class Describer(Protocol):
    """A lister whose list holds names alone, and whose upstream tells the rest."""

    def encode_show(self, model: str) -> HttpRequest:
        """Return the HTTP request that asks for one model's details."""
        ...

    def decode_show(self, reply: HttpReply, model: str) -> ListedModel:
        """Return what a reply with status 200 tells of the model.

        Raises:
            LLMProtocolError: It is not what the dialect promises.
        """
        ...


@runtime_checkable
class TokenCounter(Protocol):
    """A provider whose upstream counts the tokens of an input without answering it."""

    def encode_count(
        self, request: CompletionRequest, deployment: Deployment
    ) -> HttpRequest:
        """Return the HTTP request that asks for the count."""
        ...

    def decode_count(self, reply: HttpReply) -> int:
        """Return the count in a reply with status 200.

        Raises:
            LLMProtocolError: It is not what the dialect promises, or cannot be true.
        """
        ...

    def explain(self, reply: HttpReply) -> LLMAPIError:
        """Return the error that a reply with another status stands for."""
        ...


@runtime_checkable
class LocalProvider(Protocol):
    """A provider that answers by itself, without an upstream."""

    def answer(self, request: CompletionRequest) -> Completion:
        """Return the completion.

        Raises:
            NoModelConfigured: This takes a language model.
        """
        ...
