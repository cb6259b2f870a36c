"""The kinds of providers: what each needs, and the variable that its users have set."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ProviderKind = Literal[
    "openai",
    "anthropic",
    "gemini",
    "azure",
    "ollama",
    "vllm",
    "llamacpp",
    "groq",
    "mistral",
    "deepseek",
    "openrouter",
    "together",
    "huggingface",
    "xai",
    "fireworks",
    "perplexity",
    "cerebras",
    "nvidia",
    "sambanova",
    "moonshot",
    "zai",
    "openai_compatible",
    "extractive",
]


@dataclass(frozen=True, slots=True)
class Kind:
    """What the settings know of a kind.

    Attributes:
        needs: The keys that it cannot do without.
        variable: The usual variable of its credential; empty = none is usual.
        model: The model that becomes an alias when only the variable is set.
        lists_models: Whether its upstream tells which models it offers.
    """

    needs: tuple[str, ...] = ("api_key",)
    variable: str = ""
    model: str = ""
    lists_models: bool = True


KINDS: Mapping[ProviderKind, Kind] = {
    "openai": Kind(variable="OPENAI_API_KEY", model="gpt-4o-mini"),
    "anthropic": Kind(variable="ANTHROPIC_API_KEY", model="claude-haiku-4-5"),
    "gemini": Kind(variable="GEMINI_API_KEY", model="gemini-2.5-flash"),
    "azure": Kind(needs=("base_url", "api_key"), lists_models=False),
    "ollama": Kind(needs=()),
    "vllm": Kind(needs=()),
    "llamacpp": Kind(needs=()),
    "groq": Kind(variable="GROQ_API_KEY"),
    "mistral": Kind(variable="MISTRAL_API_KEY"),
    "deepseek": Kind(variable="DEEPSEEK_API_KEY"),
    "openrouter": Kind(variable="OPENROUTER_API_KEY"),
    "together": Kind(variable="TOGETHER_API_KEY"),
    "huggingface": Kind(variable="HF_TOKEN"),
    "xai": Kind(variable="XAI_API_KEY"),
    "fireworks": Kind(variable="FIREWORKS_API_KEY"),
    "perplexity": Kind(variable="PERPLEXITY_API_KEY", lists_models=False),
    "cerebras": Kind(variable="CEREBRAS_API_KEY"),
    "nvidia": Kind(variable="NVIDIA_API_KEY"),
    "sambanova": Kind(variable="SAMBANOVA_API_KEY"),
    "moonshot": Kind(variable="MOONSHOT_API_KEY"),
    "zai": Kind(variable="ZAI_API_KEY"),
    "openai_compatible": Kind(needs=("base_url",)),
    "extractive": Kind(needs=(), lists_models=False),
}
