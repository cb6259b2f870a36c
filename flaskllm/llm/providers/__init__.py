"""The provider factory, and what a provider is.

A provider translates between the canonical types and one dialect and does no
I/O: N dialects need N translators. To add a dialect, write its file and a row of
`_BUILDERS`; to add a service that speaks OpenAI's dialect, a row of
`compatible.DIALECTS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from flaskllm.core.clock import Clock
from flaskllm.core.errors import LLMAPIError
from flaskllm.llm.providers import compatible
from flaskllm.llm.providers.extractive import Extractive
from flaskllm.llm.providers.openai import OpenAI
from flaskllm.llm.types import Completion, CompletionRequest, Deployment
from flaskllm.net.transport import HttpReply, HttpRequest


class Provider(Protocol):
    """A translator for one upstream dialect. Safe to share between threads."""

    def encode(self, request: CompletionRequest, deployment: Deployment) -> HttpRequest:
        """Return the HTTP request that asks the deployment."""
        ...

    def decode(self, reply: HttpReply) -> Completion:
        """Return the completion in a reply with status 200.

        Usage that is missing or cannot be true has the source `none`. An answer
        that the model or its content policy withheld has the finish reason
        `content_filter`.

        Raises:
            LLMProtocolError: It is not what the dialect promises.
            LLMAPIError: It holds an error in spite of its status.
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


@dataclass(frozen=True, slots=True)
class _Place:
    """What a provider is built for."""

    kind: str
    base_url: str | None
    api_key: str | None = field(repr=False)
    clock: Clock


def build_provider(
    kind: str, base_url: str | None, api_key: str | None, clock: Clock
) -> Provider | LocalProvider:
    """Return the provider of this kind for one base URL and credential.

    Args:
        kind: A key of the table below.
        base_url: None takes the kind's default.
        api_key: None or empty where the upstream asks for none.
        clock: Tells when a date in `Retry-After` is.

    Raises:
        ValueError: The kind is unknown, or the base URL or the credential cannot
            be used; the text says which and why, without the credential.
    """
    if kind not in _BUILDERS:
        raise ValueError(
            f"provider kind {kind!r} is unknown; allowed: {', '.join(_BUILDERS)}"
        )
    return _BUILDERS[kind](_Place(kind, base_url, api_key or None, clock))


def _build_openai(place: _Place) -> Provider:
    dialect = compatible.DIALECTS[place.kind]
    return OpenAI(
        dialect=dialect,
        base_url=compatible.resolve_base_url(place.kind, place.base_url),
        api_key=compatible.check_api_key(place.kind, place.api_key),
        clock=place.clock,
    )


def _build_extractive(place: _Place) -> LocalProvider:
    return Extractive()


_BUILDERS: Mapping[str, Callable[[_Place], Provider | LocalProvider]] = {
    **dict.fromkeys(compatible.DIALECTS, _build_openai),
    "extractive": _build_extractive,
}
