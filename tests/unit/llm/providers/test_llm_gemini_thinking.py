import pytest

from flaskllm.llm.parts import Message
from flaskllm.llm.providers.gemini_models import abilities_of, thinking_config
from flaskllm.llm.types import CompletionRequest

FLASH, LITE, PRO = "gemini-2.5-flash", "gemini-2.5-flash-lite", "gemini-2.5-pro"
NEW, LATEST = "gemini-3.1-pro-preview", "gemini-flash-latest"


def budget(tokens, shown=True):
    said = {"thinkingBudget": tokens}
    return {**said, "includeThoughts": True} if shown else said


def level(name, shown=True):
    said = {"thinkingLevel": name}
    return {**said, "includeThoughts": True} if shown else said


WISHES = {
    "nothing": (FLASH, {}, {}),
    "nothing of a new model": (NEW, {}, {}),
    "off": (FLASH, {"effort": "none"}, budget(0, shown=False)),
    "a budget of 0": (LITE, {"thinking_tokens": 0}, budget(0, shown=False)),
    "off, impossible": (PRO, {"effort": "none"}, budget(128, shown=False)),
    "an effort": (FLASH, {"effort": "medium"}, budget(8192)),
    "an unknown effort": (FLASH, {"effort": "heroic"}, budget(8192)),
    "a budget": (PRO, {"thinking_tokens": 30_000}, budget(30_000)),
    "a budget too large": (FLASH, {"thinking_tokens": 30_000}, budget(24_576)),
    "a budget too small": (LITE, {"thinking_tokens": 5}, budget(512)),
    "a model without": ("gemini-2.0-flash", {"effort": "high"}, {}),
    "another family": ("gemma-3-27b-it", {"effort": "high"}, {}),
    "an effort of a new model": (NEW, {"effort": "xhigh"}, level("high")),
    "an unknown effort of a new one": (NEW, {"effort": "heroic"}, level("medium")),
    "off for a new model": (NEW, {"effort": "none"}, level("low", shown=False)),
    "a small budget": (NEW, {"thinking_tokens": 4096}, level("low")),
    "a large budget": (NEW, {"thinking_tokens": 20_000}, level("high")),
    "the latest": (LATEST, {"thinking_tokens": 9000}, level("medium")),
}


@pytest.mark.parametrize(("model", "wish", "said"), WISHES.values(), ids=WISHES)
def test_a_wish_for_thoughts_is_said_as_the_model_takes_it(model, wish, said):
    request = CompletionRequest("fast", (Message("user", "Hi"),), **wish)

    assert thinking_config(request, abilities_of(model)) == said
