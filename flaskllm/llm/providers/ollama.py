"""Ollama's own dialect, for chats and embeddings, and the models it has.

Its OpenAI route cannot set the context, and cuts what is longer without a word:
a long mail would be half read. So this is the only one that is spoken.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from flaskllm.core import json_text
from flaskllm.core.clock import Clock
from flaskllm.core.errors import LLMAPIError, LLMProtocolError
from flaskllm.llm.parts import Thinking
from flaskllm.llm.providers import ollama_errors
from flaskllm.llm.providers.listing import ListedModel
from flaskllm.llm.providers.ollama_models import read_details, read_listing
from flaskllm.llm.providers.ollama_reply import (
    Reply,
    Said,
    first_number,
    read_calls,
    read_finish,
    read_reply,
    read_usage,
    refuse_cut_prompt,
)
from flaskllm.llm.providers.ollama_request import (
    chat_body,
    dropped_fields,
    embed_body,
)
from flaskllm.llm.providers.ollama_stream import OllamaStream
from flaskllm.llm.types import (
    Completion,
    CompletionRequest,
    Deployment,
    EmbeddingRequest,
    Embeddings,
    Usage,
    Wire,
)
from flaskllm.net.transport import HttpReply, HttpRequest

DEFAULT_BASE_URL = "http://127.0.0.1:11434"

_ROUTES = ("/v1", "/api")
_LONGEST_NAME = 200
# An error within a stream has no status of its own.
_WITHIN_STREAM = 500


def root_of(base_url: str) -> str:
    """Return the server's address, whichever of its routes was given."""
    for route in _ROUTES:
        base_url = base_url.removesuffix(route).rstrip("/")
    return base_url


@dataclass(frozen=True, slots=True)
class Ollama:
    """A provider for one server. `root` is its address without a path's end."""

    root: str
    api_key: str | None = field(repr=False)
    clock: Clock
    wires: frozenset[Wire] = frozenset()
    fetches_images: bool = False
    takes_token_numbers: bool = False

    def encode(self, request: CompletionRequest, deployment: Deployment) -> HttpRequest:
        """Return the POST to `/api/chat`.

        Raises:
            InvalidInputError: The messages hold what this dialect cannot say.
        """
        return self._post("/api/chat", chat_body(request, deployment))

    def dropped(
        self, request: CompletionRequest, deployment: Deployment
    ) -> tuple[str, ...]:
        """Return the fields of the caller's body that `encode` leaves out."""
        return dropped_fields(request, deployment)

    def decode(self, reply: HttpReply, request: CompletionRequest) -> Completion:
        """Return the completion in a reply with status 200.

        Raises:
            LLMProtocolError: It is not what the dialect promises.
            LLMContextTooLong: The server has cut the input.
            LLMAPIError: It holds an error in spite of its status.
        """
        parsed = read_reply(reply.body)
        if parsed.error:
            raise self._explain_line(reply.body)
        if parsed.message is None or not parsed.done:
            raise LLMProtocolError(details="The upstream's reply holds no answer.")
        refuse_cut_prompt(parsed, request)
        return _completion(parsed, parsed.message, request)

    def read_stream(self, request: CompletionRequest) -> OllamaStream:
        """Return who reads the stream that answers this request."""
        return OllamaStream(request, self._explain_line)

    def explain(self, reply: HttpReply) -> LLMAPIError:
        """Return the error that this reply stands for."""
        return ollama_errors.explain(reply, self.clock.now())

    def encode_embedding(
        self, request: EmbeddingRequest, deployment: Deployment
    ) -> HttpRequest:
        """Return the POST to `/api/embed`.

        Raises:
            InvalidInputError: An input is a list of token numbers.
        """
        return self._post("/api/embed", embed_body(request, deployment))

    def decode_embedding(self, reply: HttpReply) -> Embeddings:
        """Return the vectors in a reply with status 200, in the order of the inputs.

        Raises:
            LLMProtocolError: It is not what the dialect promises.
        """
        try:
            parsed = _Vectors.model_validate_json(reply.body)
        except ValidationError:
            raise LLMProtocolError(
                details="The upstream's reply holds no vectors."
            ) from None
        count = parsed.prompt_eval_count or 0
        return Embeddings(
            vectors=tuple(parsed.embeddings),
            usage=Usage(input_uncached=count, source="provider") if count else Usage(),
            model=parsed.model[:_LONGEST_NAME],
        )

    def encode_listing(self) -> HttpRequest:
        """Return the GET of `/api/tags`: every model that was pulled."""
        return HttpRequest("GET", f"{self.root}/api/tags", self._headers(), b"")

    def decode_listing(self, reply: HttpReply) -> tuple[ListedModel, ...]:
        """Return the models in a reply with status 200, by name alone.

        Raises:
            LLMProtocolError: It is not what the dialect promises.
        """
        return read_listing(reply.body)

    def encode_show(self, model: str) -> HttpRequest:
        """Return the POST to `/api/show`, which tells one model's details."""
        return self._post("/api/show", {"model": model})

    def decode_show(self, reply: HttpReply, model: str) -> ListedModel:
        """Return what a reply with status 200 tells of a model.

        Raises:
            LLMProtocolError: It is not what the dialect promises.
        """
        return read_details(reply.body, model)

    def _post(self, path: str, body: Mapping[str, Any]) -> HttpRequest:
        headers = {"content-type": "application/json", **self._headers()}
        data = json_text.dump(body)
        return HttpRequest("POST", f"{self.root}{path}", headers, data)

    def _headers(self) -> dict[str, str]:
        headers = {"accept": "application/json"}
        if self.api_key:
            headers["authorization"] = f"Bearer {self.api_key}"
        return headers

    def _explain_line(self, line: bytes) -> LLMAPIError:
        return self.explain(HttpReply(_WITHIN_STREAM, {}, line))


class _Vectors(BaseModel):
    model: str = ""
    embeddings: list[list[float]]
    prompt_eval_count: int | None = None


def _completion(reply: Reply, said: Said, request: CompletionRequest) -> Completion:
    text, thoughts = said.content or "", said.thinking or ""
    calls = tuple(read_calls(said, first_number(request)))
    written = "".join([thoughts, text, *(call.name + call.arguments for call in calls)])
    return Completion(
        text=text,
        finish_reason=read_finish(reply, bool(calls)),
        usage=read_usage(reply, request, written),
        model=(reply.model or "")[:_LONGEST_NAME],
        tool_calls=calls,
        thinking=(Thinking(thoughts),) if thoughts else (),
    )
