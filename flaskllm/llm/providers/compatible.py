"""The services that speak OpenAI's chat dialect: rows of data, no code of theirs.

Each row says what a service's own reference says about its chat endpoint. Where
one takes every field it does not know in silence, nothing is dropped but what would
lead past our routes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from flaskllm.llm.providers.addresses import check_base_url, check_credential

JsonMode = Literal["json_schema", "json_object"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs from one service to the next.

    Attributes:
        json_mode: How it is told to answer in JSON.
        output_caps: The fields that may cap the answer's tokens; the first is
            the one for our own requests.
        base_url: Where it listens when nobody says otherwise; None = must be given.
        adds_version: Whether a base URL without `/v1` gets it.
        needs_api_key: Whether it never answers without a credential.
        drops: The fields that it refuses; `messages[].name` is one of a message.
        takes: The only fields that it takes; None = any.
        renames: What it calls some fields.
        speaks_text: Whether it has `/completions`.
        asks_usage: Whether it knows `stream_options`; else usage comes unasked.
        embeds_base64: Whether its vectors may be asked for as base64.
        lists_models: Whether `/models` tells which names it answers to.
        replays_thinking: Whether a turn that called tools must come back with the
            thoughts that it was given with.
        knows_developer: Whether a turn may be the developer's; else it is a system's.
        short_call_ids: Whether the id of a call must be nine letters and digits.
    """

    json_mode: JsonMode
    output_caps: tuple[str, ...] = ("max_tokens",)
    base_url: str | None = None
    adds_version: bool = False
    needs_api_key: bool = False
    drops: frozenset[str] = frozenset()
    takes: frozenset[str] | None = None
    renames: Mapping[str, str] = field(default_factory=dict)
    speaks_text: bool = False
    asks_usage: bool = True
    embeds_base64: bool = False
    lists_models: bool = True
    replays_thinking: bool = False
    knows_developer: bool = False
    short_call_ids: bool = False

    def refuses(self, name: str) -> bool:
        """Tell whether a field of the body must be left out."""
        if name in self.drops:
            return True
        return self.takes is not None and name not in self.takes


# Sampling that engines have and OpenAI's API answers with "unknown parameter".
_ENGINE_FIELDS = frozenset(
    {"top_k", "min_p", "top_a", "typical_p", "repetition_penalty"}
)
_BOTH_CAPS = ("max_completion_tokens", "max_tokens")

# What Mistral's reference lists; it answers 422 to every other field.
_MISTRAL_FIELDS = frozenset(
    {"model", "messages", "stream", "temperature", "top_p", "max_tokens", "stop"}
    | {"random_seed", "response_format", "tools", "tool_choice", "parallel_tool_calls"}
    | {"presence_penalty", "frequency_penalty", "n", "prediction", "prompt_mode"}
    | {"safe_prompt"}
)

# OpenAI's reasoning models refuse max_tokens; the others know nothing else.
DIALECTS: Mapping[str, Dialect] = {
    "openai": Dialect(
        json_mode="json_schema",
        output_caps=_BOTH_CAPS,
        base_url="https://api.openai.com/v1",
        needs_api_key=True,
        drops=_ENGINE_FIELDS,
        speaks_text=True,
        embeds_base64=True,
        knows_developer=True,
    ),
    "openai_compatible": Dialect(json_mode="json_object", speaks_text=True),
    "vllm": Dialect(
        json_mode="json_schema",
        base_url="http://127.0.0.1:8000/v1",
        adds_version=True,
        speaks_text=True,
        embeds_base64=True,
    ),
    "llamacpp": Dialect(
        json_mode="json_schema",
        base_url="http://127.0.0.1:8080/v1",
        adds_version=True,
        speaks_text=True,
    ),
    # console.groq.com/docs/openai: these are answered with 400.
    "groq": Dialect(
        json_mode="json_object",
        output_caps=_BOTH_CAPS,
        base_url="https://api.groq.com/openai/v1",
        needs_api_key=True,
        drops=_ENGINE_FIELDS
        | {"logprobs", "logit_bias", "top_logprobs", "messages[].name"},
    ),
    "mistral": Dialect(
        json_mode="json_schema",
        base_url="https://api.mistral.ai/v1",
        needs_api_key=True,
        takes=_MISTRAL_FIELDS,
        renames={"seed": "random_seed", "dimensions": "output_dimension"},
        asks_usage=False,
        short_call_ids=True,
    ),
    "deepseek": Dialect(
        json_mode="json_object",
        base_url="https://api.deepseek.com/v1",
        needs_api_key=True,
        replays_thinking=True,
    ),
    # openrouter.ai/docs: with these it would ask other models and hosts than our
    # routes name.
    "openrouter": Dialect(
        json_mode="json_schema",
        base_url="https://openrouter.ai/api/v1",
        needs_api_key=True,
        drops=frozenset({"models", "route", "provider", "fallbacks"}),
        speaks_text=True,
    ),
    "together": Dialect(
        json_mode="json_schema",
        base_url="https://api.together.xyz/v1",
        needs_api_key=True,
        speaks_text=True,
    ),
    "huggingface": Dialect(
        json_mode="json_schema",
        base_url="https://router.huggingface.co/v1",
        needs_api_key=True,
    ),
    "xai": Dialect(
        json_mode="json_schema",
        output_caps=_BOTH_CAPS,
        base_url="https://api.x.ai/v1",
        needs_api_key=True,
    ),
    "fireworks": Dialect(
        json_mode="json_schema",
        base_url="https://api.fireworks.ai/inference/v1",
        needs_api_key=True,
        speaks_text=True,
    ),
    "perplexity": Dialect(
        json_mode="json_schema",
        base_url="https://api.perplexity.ai",
        needs_api_key=True,
        asks_usage=False,
        lists_models=False,
    ),
    # inference-docs.cerebras.ai: these are answered with 400.
    "cerebras": Dialect(
        json_mode="json_schema",
        output_caps=("max_completion_tokens",),
        base_url="https://api.cerebras.ai/v1",
        needs_api_key=True,
        drops=_ENGINE_FIELDS | {"frequency_penalty", "logit_bias", "presence_penalty"},
    ),
    "nvidia": Dialect(
        json_mode="json_object",
        base_url="https://integrate.api.nvidia.com/v1",
        needs_api_key=True,
    ),
    "sambanova": Dialect(
        json_mode="json_schema",
        base_url="https://api.sambanova.ai/v1",
        needs_api_key=True,
    ),
    "moonshot": Dialect(
        json_mode="json_object",
        base_url="https://api.moonshot.ai/v1",
        needs_api_key=True,
        replays_thinking=True,
    ),
    "zai": Dialect(
        json_mode="json_object",
        base_url="https://api.z.ai/api/paas/v4",
        needs_api_key=True,
    ),
}


def resolve_base_url(kind: str, given: str | None) -> str:
    """Return the base URL to call, without a slash at its end.

    Raises:
        ValueError: None was given and the kind has no default, or what was given
            is no plain http(s) address.
    """
    dialect = DIALECTS[kind]
    base_url = check_base_url(kind, given, dialect.base_url)
    if dialect.adds_version and not base_url.endswith("/v1"):
        return f"{base_url}/v1"
    return base_url


def check_api_key(kind: str, api_key: str | None) -> str | None:
    """Return the credential if it can stand in a header.

    Raises:
        ValueError: It is missing where it is needed, or holds a space, a line
            break or a letter outside ASCII.
    """
    return check_credential(kind, api_key, needed=DIALECTS[kind].needs_api_key)
