import pytest

from flaskllm.llm.known_models import KnownModel, family_of, look_up

_SEEING = frozenset({"json", "tools", "vision"})
_ALL = _SEEING | {"thinking"}

KNOWN = {
    "gpt-4o": KnownModel(128_000, 16_384, _SEEING, "o200k"),
    "gpt-4o-2024-08-06": KnownModel(128_000, 16_384, _SEEING, "o200k"),
    "GPT-4o-Mini": KnownModel(128_000, 16_384, _SEEING, "o200k"),
    "gpt-4o-2024-05-13": KnownModel(
        128_000, 4_096, frozenset({"tools", "vision"}), "o200k"
    ),
    "gpt-4": KnownModel(8_192, 8_192, None, "cl100k"),
    "gpt-4-0613": KnownModel(8_192, 8_192, None, "cl100k"),
    "gpt-4.1-nano-2025-04-14": KnownModel(1_047_576, 32_768, _SEEING, "o200k"),
    "gpt-5-mini": KnownModel(400_000, 128_000, _ALL, "o200k"),
    "gpt-5-chat-latest": KnownModel(128_000, 16_384, None, "o200k"),
    "o3-mini-2025-01-31": KnownModel(200_000, 100_000, _ALL - {"vision"}, "o200k"),
    "claude-sonnet-4-20250514": KnownModel(200_000, 64_000, _ALL, "claude"),
    "claude-sonnet-4-5@20250929": KnownModel(200_000, 64_000, _ALL, "claude"),
    "anthropic/claude-sonnet-4.5": KnownModel(200_000, 64_000, _ALL, "claude"),
    "anthropic/claude-3.5-sonnet": KnownModel(200_000, 8_192, _SEEING, "claude"),
    "models/gemini-2.5-flash": KnownModel(1_048_576, 65_536, _ALL, "tekken"),
    "gemini-2.5-flash-image": KnownModel(None, None, None, "tekken"),
    "llama3.1:8b": KnownModel(131_072, None, None, "cl100k"),
    "meta-llama/Llama-3.1-8B-Instruct": KnownModel(131_072, None, None, "cl100k"),
    "accounts/fireworks/models/llama-v3p1-8b-instruct": KnownModel(
        131_072, None, None, "cl100k"
    ),
    "text-embedding-3-small": KnownModel(
        8_192, None, frozenset({"embeddings"}), "cl100k"
    ),
}


@pytest.mark.parametrize(("model", "known"), KNOWN.items(), ids=KNOWN)
def test_a_known_model_is_found_under_every_name_of_it(model, known):
    assert look_up(model) == known


UNKNOWN = [
    "",
    "mine",
    "gpt-4.5-preview",
    "gpt-4oh",
    "claude-opus-4-9",
    "claude-opus-4-9-20270101",
    "gpt-5-9",
    "mistral-large-latest",
    "/",
]


@pytest.mark.parametrize("model", UNKNOWN)
def test_of_another_version_or_a_moving_name_nothing_is_said(model):
    assert look_up(model) is None


FAMILIES = {
    "gpt-3.5-turbo": "cl100k",
    "gpt-4-turbo": "cl100k",
    "gpt-4o": "o200k",
    "gpt-6": "careful",
    "openai/gpt-oss-120b": "o200k",
    "o4-mini": "o200k",
    "claude-something-new": "claude",
    "gemma3:27b": "tekken",
    "qwen2.5:7b": "qwen",
    "Qwen/Qwen3-8B": "qwen",
    "deepseek-chat": "qwen",
    "mistral:7b": "sentencepiece",
    "mistral-7b-instruct": "sentencepiece",
    "mistral-nemo": "tekken",
    "mixtral-8x7b": "sentencepiece",
    "phi3:mini": "sentencepiece",
    "phi-4": "cl100k",
    "mine": "careful",
    "": "careful",
}


@pytest.mark.parametrize(("model", "family"), FAMILIES.items(), ids=FAMILIES)
def test_the_family_is_that_of_the_longest_start_of_the_name(model, family):
    assert family_of(model) == family
