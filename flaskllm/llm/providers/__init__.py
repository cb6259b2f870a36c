"""The provider factory.

A provider translates between the canonical types and one dialect and does no
I/O: N dialects need N translators. To add a dialect, write its file and a row of
`_BUILDERS`; to add a service that speaks OpenAI's dialect, a row of
`compatible.DIALECTS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flaskllm.core.clock import Clock
from flaskllm.llm.providers import anthropic, azure, compatible, gemini, ollama
from flaskllm.llm.providers.addresses import check_base_url, check_credential
from flaskllm.llm.providers.extractive import Extractive
from flaskllm.llm.providers.listing import ListedModel as ListedModel
from flaskllm.llm.providers.openai import ListingOpenAI, OpenAI
from flaskllm.llm.providers.openai_endpoint import BearerEndpoint
from flaskllm.llm.providers.protocols import Describer as Describer
from flaskllm.llm.providers.protocols import Embedder as Embedder
from flaskllm.llm.providers.protocols import Lister as Lister
from flaskllm.llm.providers.protocols import LocalProvider as LocalProvider
from flaskllm.llm.providers.protocols import Provider as Provider
from flaskllm.llm.providers.protocols import TokenCounter as TokenCounter


@dataclass(frozen=True, slots=True)
class _Place:
    """What a provider is built for."""

    kind: str
    base_url: str | None
    api_key: str | None = field(repr=False)
    clock: Clock
    api_version: str | None = None


def build_provider(
    kind: str,
    base_url: str | None,
    api_key: str | None,
    clock: Clock,
    api_version: str | None = None,
) -> Provider | LocalProvider:
    """Return the provider of this kind for one base URL and credential.

    Args:
        kind: A key of the table below.
        base_url: None takes the kind's default.
        api_key: None or empty where the upstream asks for none.
        clock: Tells when a date in `Retry-After` is.
        api_version: Azure's, where it is asked for.

    Raises:
        ValueError: The kind is unknown, or the base URL or the credential cannot
            be used; the text says which and why, without the credential.
    """
    if kind not in _BUILDERS:
        raise ValueError(
            f"provider kind {kind!r} is unknown; allowed: {', '.join(_BUILDERS)}"
        )
    place = _Place(kind, base_url, api_key or None, clock, api_version)
    return _BUILDERS[kind](place)


def _build_openai(place: _Place) -> Provider:
    dialect = compatible.DIALECTS[place.kind]
    endpoint = BearerEndpoint(
        base_url=compatible.resolve_base_url(place.kind, place.base_url),
        api_key=compatible.check_api_key(place.kind, place.api_key),
    )
    build = ListingOpenAI if dialect.lists_models else OpenAI
    return build(dialect, endpoint, place.clock)


def _build_azure(place: _Place) -> Provider:
    endpoint = azure.resolve_endpoint(place.base_url, place.api_key, place.api_version)
    return OpenAI(azure.resolve_dialect(endpoint), endpoint, place.clock)


def _build_anthropic(place: _Place) -> Provider:
    default = anthropic.DEFAULT_BASE_URL
    base_url = check_base_url(place.kind, place.base_url, default)
    return anthropic.Anthropic(
        root=anthropic.root_of(base_url),
        api_key=check_credential(place.kind, place.api_key, needed=True) or "",
        clock=place.clock,
    )


def _build_gemini(place: _Place) -> Provider:
    default = gemini.DEFAULT_BASE_URL
    base_url = check_base_url(place.kind, place.base_url, default)
    return gemini.Gemini(
        root=gemini.root_of(base_url),
        api_key=check_credential(place.kind, place.api_key, needed=True) or "",
        clock=place.clock,
    )


def _build_ollama(place: _Place) -> Provider:
    default = ollama.DEFAULT_BASE_URL
    base_url = check_base_url(place.kind, place.base_url, default)
    return ollama.Ollama(
        root=ollama.root_of(base_url),
        api_key=check_credential(place.kind, place.api_key, needed=False),
        clock=place.clock,
    )


def _build_extractive(place: _Place) -> LocalProvider:
    return Extractive()


_BUILDERS: Mapping[str, Callable[[_Place], Provider | LocalProvider]] = {
    **dict.fromkeys(compatible.DIALECTS, _build_openai),
    "azure": _build_azure,
    "anthropic": _build_anthropic,
    "gemini": _build_gemini,
    "ollama": _build_ollama,
    "extractive": _build_extractive,
}

KINDS = tuple(_BUILDERS)
"""Every kind of provider."""
