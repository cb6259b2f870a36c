"""OpenAI's chat dialect, for OpenAI and for everything that speaks it.

Source: https://platform.openai.com/docs/api-reference/chat
"""

from dataclasses import dataclass, replace
from typing import Any

from flaskllm.core.clock import Clock
from flaskllm.core.errors import LLMAPIError
from flaskllm.core.json_text import dump, load
from flaskllm.llm.providers import openai_embeddings
from flaskllm.llm.providers.compatible import Dialect
from flaskllm.llm.providers.listing import ListedModel
from flaskllm.llm.providers.openai_endpoint import EVENTS, JSON, Endpoint
from flaskllm.llm.providers.openai_errors import explain, status_within
from flaskllm.llm.providers.openai_models import read_models
from flaskllm.llm.providers.openai_reply import (
    error_within,
    parse_reply,
    read_completion,
)
from flaskllm.llm.providers.openai_request import (
    dropped_fields,
    encode_body,
    passed_on,
    wires,
)
from flaskllm.llm.providers.openai_stream import OpenAIStream
from flaskllm.llm.types import (
    Completion,
    CompletionRequest,
    Deployment,
    EmbeddingRequest,
    Embeddings,
    Wire,
)
from flaskllm.net.transport import HttpReply, HttpRequest


@dataclass(frozen=True, slots=True)
class OpenAI:
    """A provider for one endpoint, in one service's dialect."""

    dialect: Dialect
    endpoint: Endpoint
    clock: Clock
    fetches_images: bool = True
    takes_token_numbers: bool = True

    @property
    def wires(self) -> frozenset[Wire]:
        """Return the callers' dialects that are passed on as they are."""
        return wires(self.dialect)

    def encode(self, request: CompletionRequest, deployment: Deployment) -> HttpRequest:
        """Return the POST to `/chat/completions`, or to `/completions` for a text."""
        body = passed_on(request, self.dialect)
        is_text = body is not None and body.wire == "openai.text"
        return self._post(
            "completions" if is_text else "chat/completions",
            encode_body(request, deployment, self.dialect),
            accept=EVENTS if request.stream else JSON,
        )

    def dropped(
        self, request: CompletionRequest, deployment: Deployment
    ) -> tuple[str, ...]:
        """Return the fields of the caller's that the service would refuse."""
        return dropped_fields(request, self.dialect)

    def decode(self, reply: HttpReply, request: CompletionRequest) -> Completion:
        """Return the completion of the first choice.

        Usage that is missing or cannot be true has the source `none`. A refusal
        and a filtered answer have the finish reason `content_filter`.

        Raises:
            LLMProtocolError: It is not JSON, or has no choice or no content.
            LLMUnavailable: The upstream says that it broke the answer off.
            LLMAPIError: The body is an error object; some services send one with
                status 200.
        """
        is_raw = passed_on(request, self.dialect) is not None
        return read_completion(self._parse(reply), reply.body if is_raw else None)

    def read_stream(self, request: CompletionRequest) -> OpenAIStream:
        """Return who reads the stream that answers this request."""
        return OpenAIStream(request, passed_on(request, self.dialect), self.explain)

    def explain(self, reply: HttpReply) -> LLMAPIError:
        """Return the error that this reply stands for."""
        return explain(reply, self.clock.now())

    def encode_embedding(
        self, request: EmbeddingRequest, deployment: Deployment
    ) -> HttpRequest:
        """Return the POST to `/embeddings`."""
        body = openai_embeddings.encode_embedding(request, deployment, self.dialect)
        return self._post("embeddings", body)

    def decode_embedding(self, reply: HttpReply) -> Embeddings:
        """Return the vectors in the order of the inputs.

        Raises:
            LLMProtocolError: There is not one vector for each input.
            LLMAPIError: The body is an error object.
        """
        return openai_embeddings.read_embeddings(self._parse(reply))

    def _parse(self, reply: HttpReply) -> dict[str, Any]:
        parsed = parse_reply(reply.body)
        error = error_within(parsed)
        if error:
            raise self.explain(replace(reply, status=status_within(error)))
        return parsed

    def _post(self, path: str, body: dict[str, Any], accept: str = JSON) -> HttpRequest:
        return HttpRequest(
            method="POST",
            url=self.endpoint.url(path, str(body["model"])),
            headers={
                "content-type": JSON,
                "accept": accept,
                **self.endpoint.credentials(),
            },
            body=dump(body),
        )


@dataclass(frozen=True, slots=True)
class ListingOpenAI(OpenAI):
    """A provider whose service tells which models it offers."""

    def encode_listing(self) -> HttpRequest:
        """Return the GET of `/models`."""
        return HttpRequest(
            method="GET",
            url=self.endpoint.url("models", ""),
            headers={"accept": JSON, **self.endpoint.credentials()},
            body=b"",
        )

    def decode_listing(self, reply: HttpReply) -> tuple[ListedModel, ...]:
        """Return the models, with what the service tells of them.

        Raises:
            LLMProtocolError: It is no list of models.
        """
        try:
            listed = load(reply.body)
        except ValueError:
            listed = None
        return read_models(listed)
