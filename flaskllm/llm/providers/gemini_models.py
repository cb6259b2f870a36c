"""What Gemini's models take, told from their names, and how hard to think.

Sources: Google's pages on thinking (`thinkingBudget` up to 2.5, `thinkingLevel` from
3 on, never both), on thought signatures and on structured output.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flaskllm.llm.types import CompletionRequest

_VERSION = re.compile(r"gemini-(?P<major>\d{1,2})(?:\.(?P<minor>\d{1,2}))?(?!\d)")
_NEWEST = (99, 0)
_OLDEST = (0, 0)

# The levels that every model of the third generation takes; none switches it off.
_LEVELS: Mapping[str, str] = {
    "none": "low",
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
    "max": "high",
}
# Up to so many tokens of thought are this level, more are high.
_LEVEL_OF: tuple[tuple[int, str], ...] = ((4096, "low"), (16_384, "medium"))

# As Google's own OpenAI route maps them.
_BUDGETS: Mapping[str, int] = {
    "none": 0,
    "minimal": 1024,
    "low": 1024,
    "medium": 8192,
    "high": 24_576,
    "xhigh": 24_576,
    "max": 24_576,
}
# The least and the most that a model of generation 2.5 takes; 0 is off for all but
# the first, which cannot be stopped.
_PRO_RANGE = (128, 32_768)
_LITE_RANGE = (512, 24_576)
_FLASH_RANGE = (1, 24_576)


@dataclass(frozen=True, slots=True)
class Abilities:
    """What one model takes.

    Attributes:
        levels: `thinkingLevel`.
        budget: The range of `thinkingBudget`; None where there is none.
        must_think: A budget of 0 is refused.
        json_beside_tools: A JSON answer while tools are declared.
        checks_signatures: A call of a tool is refused without its signature.
    """

    levels: bool = False
    budget: tuple[int, int] | None = None
    must_think: bool = False
    json_beside_tools: bool = False
    checks_signatures: bool = False


def abilities_of(model: str) -> Abilities:
    """Return what the model takes; `gemini-flash-latest` counts as new."""
    name = model.lower()
    version = _version(name)
    if version >= (3, 0):
        return Abilities(levels=True, json_beside_tools=True, checks_signatures=True)
    if version < (2, 5):
        return Abilities()
    if "pro" in name:
        return Abilities(budget=_PRO_RANGE, must_think=True)
    return Abilities(budget=_LITE_RANGE if "lite" in name else _FLASH_RANGE)


def thinking_config(request: CompletionRequest, abilities: Abilities) -> dict[str, Any]:
    """Return how the wish for thoughts is said to this model; empty = not at all."""
    if request.thinking_tokens is None and request.effort is None:
        return {}
    wishes = request.thinking_tokens != 0 and request.effort != "none"
    if abilities.levels:
        return _with_thoughts({"thinkingLevel": _level(request)}, wishes)
    if abilities.budget is None:
        return {}
    budget = _clamped(_budget(request), abilities.budget, abilities.must_think)
    return _with_thoughts({"thinkingBudget": budget}, wishes)


def _version(name: str) -> tuple[int, int]:
    if "gemini" not in name:
        return _OLDEST  # Gemma and others that do not think
    found = _VERSION.search(name)
    return (int(found["major"]), int(found["minor"] or 0)) if found else _NEWEST


def _with_thoughts(config: dict[str, Any], wishes: bool) -> dict[str, Any]:
    return {**config, "includeThoughts": True} if wishes else config


def _level(request: CompletionRequest) -> str:
    if request.thinking_tokens is not None:
        fitting = (name for most, name in _LEVEL_OF if request.thinking_tokens <= most)
        return next(fitting, "high")
    return _LEVELS.get(request.effort or "", "medium")


def _budget(request: CompletionRequest) -> int:
    if request.thinking_tokens is not None:
        return request.thinking_tokens
    return _BUDGETS.get(request.effort or "", _BUDGETS["medium"])


def _clamped(budget: int, allowed: tuple[int, int], must_think: bool) -> int:
    if budget == 0 and not must_think:
        return 0
    return min(allowed[1], max(allowed[0], budget))
