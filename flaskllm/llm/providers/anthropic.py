"""Anthropic's Messages dialect.

Sources: https://platform.claude.com/docs/en/api/messages, and its pages on listing
models and counting tokens.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from flaskllm.core import json_text
from flaskllm.core.clock import Clock
from flaskllm.core.errors import LLMAPIError, LLMProtocolError
from flaskllm.core.json_text import read_object
from flaskllm.llm.providers.anthropic_errors import explain, explain_object
from flaskllm.llm.providers.anthropic_reply import read_reply, to_completion
from flaskllm.llm.providers.anthropic_request import (
    left_out,
    passed_on,
    translated,
    uses_json_tool,
)
from flaskllm.llm.providers.anthropic_stream import AnthropicStream
from flaskllm.llm.providers.counts import read_count
from flaskllm.llm.providers.listing import ListedModel
from flaskllm.llm.types import Completion, CompletionRequest, Deployment, Wire
from flaskllm.net.transport import HttpReply, HttpRequest

DEFAULT_BASE_URL = "https://api.anthropic.com"

_VERSION = "2023-06-01"
_WIRE: Wire = "anthropic.messages"
# What a count of the input may be asked with; all else is about the answer.
_COUNTED = frozenset(
    {"model", "messages", "system", "tools", "tool_choice", "thinking"}
    | {"output_config", "cache_control", "context_management", "mcp_servers"}
)
# The dialect's word for each of ours; every model takes tools.
_CAPABILITIES: Mapping[str, str] = {
    "image_input": "vision",
    "structured_outputs": "json",
    "thinking": "thinking",
}


def root_of(base_url: str) -> str:
    """Return the address without `/v1`, with which some give it."""
    return base_url.removesuffix("/v1").rstrip("/")


@dataclass(frozen=True, slots=True)
class Anthropic:
    """A provider for one address and credential. `root` has no `/v1`."""

    root: str
    api_key: str = field(repr=False)
    clock: Clock
    wires: frozenset[Wire] = frozenset({_WIRE})
    fetches_images: bool = True

    def encode(self, request: CompletionRequest, deployment: Deployment) -> HttpRequest:
        """Return the POST to `/v1/messages`."""
        accept = "text/event-stream" if request.stream else "application/json"
        return self._post("/v1/messages", _body(request, deployment), request, accept)

    def dropped(
        self, request: CompletionRequest, deployment: Deployment
    ) -> tuple[str, ...]:
        """Return the fields of the caller's body that `encode` leaves out."""
        return () if _is_raw(request) else tuple(left_out(request, deployment))

    def decode(self, reply: HttpReply, request: CompletionRequest) -> Completion:
        """Return the completion in a reply with status 200.

        Raises:
            LLMProtocolError: It is not what the dialect promises.
            LLMAPIError: It is an error in spite of its status.
        """
        parsed = read_reply(reply.body)
        if parsed.error:
            raise explain_object(parsed.error)
        raw = reply.body if _is_raw(request) else None
        return to_completion(parsed, json_tool=uses_json_tool(request), raw=raw)

    def read_stream(self, request: CompletionRequest) -> AnthropicStream:
        """Return who reads the stream that answers this request."""
        json_tool = uses_json_tool(request)
        return AnthropicStream(is_raw=_is_raw(request), json_tool=json_tool)

    def explain(self, reply: HttpReply) -> LLMAPIError:
        """Return the error that this reply stands for."""
        return explain(reply, self.clock.now())

    def encode_count(
        self, request: CompletionRequest, deployment: Deployment
    ) -> HttpRequest:
        """Return the POST to `/v1/messages/count_tokens`."""
        body = _body(request, deployment)
        counted = {name: body[name] for name in body if name in _COUNTED}
        path = "/v1/messages/count_tokens"
        return self._post(path, counted, request, "application/json")

    def decode_count(self, reply: HttpReply) -> int:
        """Return the tokens of the input.

        Raises:
            LLMProtocolError: There is no count, or none that can be true.
        """
        count = read_count(read_object(reply.body) or {}, "input_tokens")
        if count <= 0:
            raise LLMProtocolError(details="The upstream's reply holds no count.")
        return count

    def encode_listing(self) -> HttpRequest:
        """Return the GET of all models; there are fewer than one page holds."""
        headers = self._headers("application/json")
        return HttpRequest("GET", f"{self.root}/v1/models?limit=1000", headers, b"")

    def decode_listing(self, reply: HttpReply) -> tuple[ListedModel, ...]:
        """Return the models that can be called.

        Raises:
            LLMProtocolError: It is not what the dialect promises.
        """
        try:
            listing = _Listing.model_validate_json(reply.body)
        except ValidationError:
            raise LLMProtocolError(
                details="The upstream's reply is not a list of models."
            ) from None
        return tuple(
            _listed(model) for model in listing.data if model.lifecycle != "retired"
        )

    def _post(
        self,
        path: str,
        body: dict[str, Any],
        request: CompletionRequest,
        accept: str,
    ) -> HttpRequest:
        headers = {**self._headers(accept), "content-type": "application/json"}
        if request.body is not None and _is_raw(request):
            headers |= {
                name: value
                for name, value in request.body.headers.items()
                if name.lower() == "anthropic-beta"
            }
        return HttpRequest("POST", self.root + path, headers, json_text.dump(body))

    def _headers(self, accept: str) -> dict[str, str]:
        return {
            "accept": accept,
            "anthropic-version": _VERSION,
            "x-api-key": self.api_key,
        }


def _is_raw(request: CompletionRequest) -> bool:
    """Tell whether the caller speaks this dialect too."""
    return request.body is not None and request.body.wire == _WIRE


def _body(request: CompletionRequest, deployment: Deployment) -> dict[str, Any]:
    build = passed_on if _is_raw(request) else translated
    return build(request, deployment)


class _Model(BaseModel):
    id: str
    lifecycle: str | None = None
    max_input_tokens: int | None = None
    max_tokens: int | None = None
    capabilities: dict[str, Any] | None = None


class _Listing(BaseModel):
    data: list[_Model]


def _listed(model: _Model) -> ListedModel:
    """Return the model; servers that only speak the dialect tell no more than ids."""
    return ListedModel(
        id=model.id,
        context_window=model.max_input_tokens or None,
        max_output_tokens=model.max_tokens or None,
        capabilities=_capabilities(model.capabilities),
    )


def _capabilities(told: dict[str, Any] | None) -> frozenset[str] | None:
    if told is None:
        return None
    return frozenset({"tools"}) | {
        ours
        for theirs, ours in _CAPABILITIES.items()
        if isinstance(told.get(theirs), dict) and told[theirs].get("supported") is True
    }
