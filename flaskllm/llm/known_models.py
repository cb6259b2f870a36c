"""What is known of the well-known models, as of November 2026.

Facts from the vendors' own pages: platform.openai.com/docs/models,
platform.claude.com/docs (models overview), ai.google.dev/gemini-api/docs/models,
docs.mistral.ai, docs.x.ai, docs.cohere.com, and the model cards of open weights. Left
out is what a vendor changes under the same name (`mistral-large-latest`), and what
everybody serves with another window (Qwen): an unknown window is not checked, a wrong
one refuses what would have been answered.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from flaskllm.llm.token_weights import Family

CAREFUL: Family = "careful"


@dataclass(frozen=True, slots=True)
class KnownModel:
    """One model, or several that are alike. What is not known is None.

    `context_window` holds input and answer together; both counts are in tokens.
    `capabilities` are among `json`, `tools`, `vision`, `embeddings`, `thinking`.
    """

    context_window: int | None
    max_output_tokens: int | None
    capabilities: frozenset[str] | None
    family: Family


@lru_cache(maxsize=1024)
def look_up(model: str) -> KnownModel | None:
    """Return what is known of a model under the name that its upstream gives it.

    A row holds for its name, and for its name with a date, a size or a variant
    behind (`gpt-4o-2024-08-06`, `llama3.1:8b`), but for no further version
    (`claude-opus-4` says nothing of `claude-opus-4-9`). The longest name wins.
    What stands before the last slash is left out of account, and so is case.
    """
    name = _bare(model)
    for start in _starts(name, _LONGEST_NAME):
        if start in _MODELS and _BEHIND.match(name, len(start)):
            window, output, capabilities = _MODELS[start]
            known = frozenset(capabilities.split()) if capabilities else None
            return KnownModel(window, output, known, family_of(model))
    return None


def family_of(model: str) -> Family:
    """Return whose tokenizer a model has, or the nearest that could be measured.

    Known by the longest start of its name; `careful` when there is none.
    """
    name = _bare(model)
    found = (start for start in _starts(name, _LONGEST_START) if start in _FAMILIES)
    return _FAMILIES.get(next(found, ""), CAREFUL)


def _bare(model: str) -> str:
    name = model.rpartition("/")[2].lower()
    return _DOTTED_CLAUDE.sub(r"\1-\2", name)


def _starts(name: str, longest: int) -> Iterator[str]:
    """Yield the starts of a name, the longest first."""
    for length in range(min(len(name), longest), 0, -1):
        yield name[:length]


# Nothing, or a separator, but not one with one or two digits behind: that is another
# version. Dates have four digits or more; sizes end in a letter.
_BEHIND = re.compile(r"$|(?!-\d{1,2}(?![\da-z]))[-:@]")
_DOTTED_CLAUDE = re.compile(r"(claude(?:-[a-z]+)?-\d)\.(\d)")

_CHAT = "json tools"
_SEEING = "json tools vision"
_THINKING = "json tools thinking"
_ALL = "json tools vision thinking"
_VECTORS = "embeddings"

# Name: context window, longest answer, capabilities ("" = not known).
_MODELS: Mapping[str, tuple[int | None, int | None, str]] = {
    # OpenAI
    "gpt-3.5-turbo": (16_385, 4_096, ""),
    "gpt-4": (8_192, 8_192, ""),
    "gpt-4-32k": (32_768, 32_768, ""),
    "gpt-4-1106-preview": (128_000, 4_096, ""),
    "gpt-4-0125-preview": (128_000, 4_096, ""),
    "gpt-4-turbo": (128_000, 4_096, ""),
    "gpt-4o": (128_000, 16_384, _SEEING),
    "gpt-4o-2024-05-13": (128_000, 4_096, "tools vision"),
    "gpt-4o-mini": (128_000, 16_384, _SEEING),
    "chatgpt-4o-latest": (128_000, 16_384, "vision"),
    "gpt-4.1": (1_047_576, 32_768, _SEEING),
    "gpt-4.1-mini": (1_047_576, 32_768, _SEEING),
    "gpt-4.1-nano": (1_047_576, 32_768, _SEEING),
    "gpt-5": (400_000, 128_000, _ALL),
    "gpt-5-chat": (128_000, 16_384, ""),
    "gpt-5.1": (400_000, 128_000, _ALL),
    "gpt-5.1-chat": (128_000, 16_384, ""),
    "gpt-5.2": (400_000, 128_000, _ALL),
    "gpt-5.2-chat": (128_000, 16_384, ""),
    "gpt-5.4": (1_050_000, 128_000, _ALL),
    "gpt-5.4-mini": (400_000, 128_000, _ALL),
    "gpt-5.4-nano": (400_000, 128_000, _ALL),
    "gpt-oss": (131_072, None, _THINKING),
    "o1": (200_000, 100_000, _ALL),
    "o1-preview": (128_000, 32_768, "thinking"),
    "o1-mini": (128_000, 65_536, "thinking"),
    "o3": (200_000, 100_000, _ALL),
    "o3-mini": (200_000, 100_000, _THINKING),
    "o4-mini": (200_000, 100_000, _ALL),
    "text-embedding-3-small": (8_192, None, _VECTORS),
    "text-embedding-3-large": (8_192, None, _VECTORS),
    "text-embedding-ada-002": (8_192, None, _VECTORS),
    # Anthropic
    "claude-3-haiku": (200_000, 4_096, _SEEING),
    "claude-3-opus": (200_000, 4_096, _SEEING),
    "claude-3-5-haiku": (200_000, 8_192, _SEEING),
    "claude-3-5-sonnet": (200_000, 8_192, _SEEING),
    "claude-3-7-sonnet": (200_000, 64_000, _ALL),
    "claude-sonnet-4": (200_000, 64_000, _ALL),
    "claude-opus-4": (200_000, 32_000, _ALL),
    "claude-opus-4-1": (200_000, 32_000, _ALL),
    "claude-haiku-4-5": (200_000, 64_000, _ALL),
    "claude-sonnet-4-5": (200_000, 64_000, _ALL),
    "claude-opus-4-5": (200_000, 64_000, _ALL),
    "claude-sonnet-4-6": (1_000_000, 128_000, _ALL),
    "claude-opus-4-6": (1_000_000, 128_000, _ALL),
    "claude-opus-4-7": (1_000_000, 128_000, _ALL),
    "claude-opus-4-8": (1_000_000, 128_000, _ALL),
    "claude-sonnet-5": (1_000_000, 128_000, _ALL),
    "claude-opus-5": (1_000_000, 128_000, _ALL),
    "claude-haiku-5-5": (1_000_000, 128_000, _ALL),
    "claude-sonnet-5-5": (1_000_000, 128_000, _ALL),
    "claude-opus-5-5": (1_000_000, 128_000, _ALL),
    "claude-fable-5-1": (1_000_000, 128_000, _ALL),
    # Google. Of the makers of images and speech nothing is said.
    "gemini-1.5-pro": (2_097_152, 8_192, _SEEING),
    "gemini-1.5-flash": (1_048_576, 8_192, _SEEING),
    "gemini-2.0-flash": (1_048_576, 8_192, _SEEING),
    "gemini-2.0-flash-lite": (1_048_576, 8_192, _SEEING),
    "gemini-2.0-flash-preview-image-generation": (None, None, ""),
    "gemini-2.5-pro": (1_048_576, 65_536, _ALL),
    "gemini-2.5-pro-preview-tts": (None, None, ""),
    "gemini-2.5-flash": (1_048_576, 65_536, _ALL),
    "gemini-2.5-flash-lite": (1_048_576, 65_536, _ALL),
    "gemini-2.5-flash-image": (None, None, ""),
    "gemini-2.5-flash-preview-tts": (None, None, ""),
    "gemini-3-pro": (1_048_576, 65_536, _ALL),
    "gemini-3-pro-image": (None, None, ""),
    "gemini-3-flash": (1_048_576, 65_536, _ALL),
    "gemini-3.1-pro": (1_048_576, 65_536, _ALL),
    "gemini-3.5-flash": (1_048_576, 65_536, _ALL),
    "gemini-embedding-001": (2_048, None, _VECTORS),
    # xAI
    "grok-3": (131_072, None, _CHAT),
    "grok-3-mini": (131_072, None, _THINKING),
    "grok-4": (256_000, None, _ALL),
    "grok-4-fast": (2_000_000, None, _ALL),
    # Mistral, by date only
    "mistral-large-2407": (128_000, None, _CHAT),
    "mistral-large-2411": (128_000, None, _CHAT),
    "mistral-medium-2505": (128_000, None, _SEEING),
    "mistral-small-2503": (128_000, None, _SEEING),
    "mistral-small-2506": (128_000, None, _SEEING),
    "pixtral-large-2411": (128_000, None, _SEEING),
    "open-mistral-nemo": (128_000, None, _CHAT),
    "mistral-embed": (8_192, None, _VECTORS),
    # Cohere
    "command-r": (128_000, 4_096, _CHAT),
    "command-r-plus": (128_000, 4_096, _CHAT),
    "command-a": (256_000, 8_192, _CHAT),
    # Llama 3, under the names that hosts give it
    "llama-3": (8_192, None, ""),
    "llama-3.1": (131_072, None, ""),
    "llama-3.2": (131_072, None, ""),
    "llama-3.3": (131_072, None, ""),
    "meta-llama-3": (8_192, None, ""),
    "meta-llama-3.1": (131_072, None, ""),
    "llama3": (8_192, None, ""),
    "llama3.1": (131_072, None, ""),
    "llama3.2": (131_072, None, ""),
    "llama3.3": (131_072, None, ""),
    "llama-v3-8b": (8_192, None, ""),
    "llama-v3-70b": (8_192, None, ""),
    "llama-v3p1": (131_072, None, ""),
    "llama-v3p3": (131_072, None, ""),
}

# By the start of the name. The vocabularies of Llama 3, DeepSeek, GLM, Kimi, Gemini,
# Gemma and Command could not be had: theirs is the measured one that is most alike in
# its size and in how it cuts digits, and is no smaller.
_FAMILIES: Mapping[str, Family] = {
    **dict.fromkeys(
        ("gpt-4", "gpt-3.5", "text-embedding", "llama-4", "phi-4"), "cl100k"
    ),
    **dict.fromkeys(("llama3", "llama-3", "llama-v3", "meta-llama-3"), "cl100k"),
    **dict.fromkeys(("gpt-4o", "gpt-4.", "gpt-5", "gpt-oss", "chatgpt"), "o200k"),
    **dict.fromkeys(("o1", "o3", "o4"), "o200k"),
    **dict.fromkeys(("qwen", "qwq", "deepseek", "glm", "kimi"), "qwen"),
    **dict.fromkeys(("gemini", "gemma", "command"), "tekken"),
    **dict.fromkeys(("mistral", "ministral", "magistral", "devstral"), "tekken"),
    **dict.fromkeys(("pixtral", "open-mistral-nemo"), "tekken"),
    **dict.fromkeys(("mistral:", "mistral-7b", "open-mistral-7b"), "sentencepiece"),
    **dict.fromkeys(("mixtral", "open-mixtral", "codestral"), "sentencepiece"),
    **dict.fromkeys(
        ("llama2", "llama-2", "phi3", "phi-3", "tinyllama"), "sentencepiece"
    ),
    "claude": "claude",
}

_LONGEST_NAME = max(map(len, _MODELS))
_LONGEST_START = max(map(len, _FAMILIES))
