"""What a caller may never choose: host, credential, headers, template of a chat.

The names are refused at any depth, but not where any JSON may stand: what messages
say, schemas and arguments of tools, JSON schemas, `metadata`.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from flaskllm.core.errors import InvalidInputError

# Each is spelt in lower case with underscores; dashes, capitals and nothing between
# the words count as well: apiBase. vLLM takes another host in `kv_transfer_params`.
NAMES = frozenset(
    {
        "api_base",
        "api_key",
        "api_type",
        "api_version",
        "authorization",
        "azure_ad_token",
        "azure_endpoint",
        "base_url",
        "custom_llm_provider",
        "default_headers",
        "default_query",
        "endpoint_url",
        "extra_body",
        "extra_headers",
        "extra_query",
        "headers",
        "host",
        "http_client",
        "kv_transfer_params",
        "mm_processor_kwargs",
        "mock_response",
        "model_list",
        "organization",
        "proxies",
        "proxy",
        "ssl_verify",
        "trust_remote_code",
        "user_config",
    }
)
STARTS = ("aws_", "chat_template", "guided_", "litellm_", "vertex_")

_Place: TypeAlias = tuple[str | None, ...]
_ANY = None  # any position in a list; no key of JSON is None

# Where any JSON may stand.
_FREE: frozenset[_Place] = frozenset(
    {
        ("metadata",),
        # OpenAI's chat
        ("messages", _ANY, "content"),
        ("messages", _ANY, "tool_calls", _ANY, "function", "arguments"),
        ("prediction", "content"),
        ("tools", _ANY, "function", "parameters"),
        ("response_format", "json_schema", "schema"),
        # as Together, Fireworks and llama.cpp's server, and vLLM, take it
        ("response_format", "schema"),
        ("structured_outputs", "json"),
        # its responses
        ("input", _ANY, "content"),
        ("input", _ANY, "arguments"),
        ("input", _ANY, "output"),
        ("tools", _ANY, "parameters"),
        ("text", "format", "schema"),
        # Anthropic's messages
        ("system",),
        ("tools", _ANY, "input_schema"),
        ("tools", _ANY, "input_examples"),
        ("output_format", "schema"),
        ("output_config", "format", "schema"),
    }
)

_LONGEST_SHOWN_STEP = 40
# A key as nearly all write it; and a letter of ASCII, a dash or an underscore that is
# written as an escape, as no encoder does, but who wants to hide a name.
_KEY = re.compile(rb'"([^"\\\s]{4,}+)"\s*+:')
_HIDDEN = re.compile(rb"\\u00(?:2[dD]|[4-7])")


def check(fields: Mapping[str, Any], body: bytes | None = None) -> None:
    """Refuse a request that names what a caller may not choose.

    Args:
        fields: The parsed body.
        body: The same as it came, where it is there: one look at it spares the
            walk through nearly every request.

    Raises:
        InvalidInputError: It names one; the path says where.
    """
    if body is not None and not _is_suspect(body):
        return
    for path in _walk(fields, (), ""):
        raise InvalidInputError.of(
            path, "is not for a caller to choose", "a request without this field"
        )


@lru_cache(maxsize=4096)
def is_forbidden(name: str) -> bool:
    """Tell whether a field of this name is refused, in any spelling."""
    plain = _plain(name)
    return plain in _PLAIN_NAMES or plain.startswith(_PLAIN_STARTS)


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


_PLAIN_NAMES = frozenset(map(_plain, NAMES))
_PLAIN_STARTS = tuple(map(_plain, STARTS))


def _is_suspect(body: bytes) -> bool:
    """Tell whether a forbidden name may stand anywhere as a key."""
    keys = set(_KEY.findall(body))
    named = any(is_forbidden(key.decode("latin-1")) for key in keys)
    return named or _HIDDEN.search(body) is not None


def _walk(value: object, place: _Place, shown: str) -> Iterator[str]:
    """Give the path of each forbidden name below `place`, which reads `shown`."""
    if place in _FREE:
        return
    if isinstance(value, Mapping):
        for name, below in value.items():
            step = f"{shown}{name[:_LONGEST_SHOWN_STEP]}"
            if is_forbidden(name):
                yield step
            yield from _walk(below, (*place, name), f"{step}.")
    elif isinstance(value, list):
        for position, below in enumerate(value):
            yield from _walk(below, (*place, _ANY), f"{shown}{position}.")
