"""The services that speak OpenAI's chat dialect: rows of data, no code of theirs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

JsonMode = Literal["json_schema", "json_object"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs from one service to the next.

    Attributes:
        json_mode: How it is told to answer in JSON.
        output_cap: The field that caps the answer's tokens.
        base_url: Where it listens when nobody says otherwise; None = must be given.
        adds_version: Whether a base URL without `/v1` gets it.
        needs_api_key: Whether it never answers without a credential.
    """

    json_mode: JsonMode
    output_cap: str = "max_tokens"
    base_url: str | None = None
    adds_version: bool = False
    needs_api_key: bool = False


# OpenAI's reasoning models refuse max_tokens; the others know nothing else.
DIALECTS: Mapping[str, Dialect] = {
    "openai": Dialect(
        json_mode="json_schema",
        output_cap="max_completion_tokens",
        base_url="https://api.openai.com/v1",
        needs_api_key=True,
    ),
    "openai_compatible": Dialect(json_mode="json_object"),
    "vllm": Dialect(
        json_mode="json_schema",
        base_url="http://127.0.0.1:8000/v1",
        adds_version=True,
    ),
    "llamacpp": Dialect(
        json_mode="json_schema",
        base_url="http://127.0.0.1:8080/v1",
        adds_version=True,
    ),
    "ollama": Dialect(
        json_mode="json_schema",
        base_url="http://127.0.0.1:11434/v1",
        adds_version=True,
    ),
}


def resolve_base_url(kind: str, given: str | None) -> str:
    """Return the base URL to call, without a slash at its end.

    Raises:
        ValueError: None was given and the kind has no default, or what was given
            is no plain http(s) address.
    """
    dialect = DIALECTS[kind]
    base_url = (given or dialect.base_url or "").strip().rstrip("/")
    if not base_url:
        raise ValueError(f"provider kind {kind!r} needs a base_url")
    complaint = _complaint(base_url)
    if complaint:
        raise ValueError(f"base_url {complaint}")
    if dialect.adds_version and not base_url.endswith("/v1"):
        return f"{base_url}/v1"
    return base_url


def check_api_key(kind: str, api_key: str | None) -> str | None:
    """Return the credential if it can stand in a header.

    Raises:
        ValueError: It is missing where it is needed, or holds a space, a line
            break or a letter outside ASCII.
    """
    if api_key is None:
        if DIALECTS[kind].needs_api_key:
            raise ValueError(f"provider kind {kind!r} needs an api_key")
        return None
    if not (api_key.isascii() and api_key.isprintable() and " " not in api_key):
        raise ValueError("api_key holds a space, a line break or a foreign letter")
    return api_key


def _complaint(base_url: str) -> str:
    """Return what is wrong with an address, never the address: it may hold a secret."""
    try:
        parts = urlsplit(base_url)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return "is not an address"
    if parts.scheme not in ("http", "https") or not has_host:
        return "must start with http:// or https:// and name a host"
    if "@" in parts.netloc:
        return "must not hold a password; set api_key"
    if parts.query or parts.fragment:
        return "must not hold a query or a fragment"
    return ""
