"""What Anthropic's models take, told from their names.

Each generation refuses with status 400 what an earlier one took, and the dialect
has no way to ask within a request. Sources: Anthropic's migration guides and its
pages on extended thinking, adaptive thinking, effort and structured outputs.
"""

import re
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Abilities:
    """What one model takes.

    Attributes:
        samples: `temperature`, `top_p` and `top_k`.
        budgets: `thinking` with `budget_tokens`.
        adapts: `thinking` of the type `adaptive`, and `output_config.effort`.
        schemas: `output_config.format` and tools with `strict`.
        off: How thinking is switched off: it is off when nothing is said, or
            with the type `disabled`, or never.
    """

    samples: bool = True
    budgets: bool = True
    adapts: bool = False
    schemas: bool = True
    off: Literal["unsaid", "disabled", "never"] = "unsaid"


# Others that speak the dialect (DeepSeek, Moonshot, llama.cpp): what is oldest in
# it, and "disabled", for some of them think unasked.
_OTHERS = Abilities(schemas=False, off="disabled")

# A generation ends before this version. What is newer than all is the last.
_GENERATIONS: tuple[tuple[tuple[int, int], Abilities], ...] = (
    ((3, 7), Abilities(budgets=False, schemas=False)),
    ((4, 1), Abilities(schemas=False)),
    ((4, 6), Abilities()),
    ((4, 7), Abilities(adapts=True)),
    ((5, 0), Abilities(samples=False, budgets=False, adapts=True)),
)
_FIFTH = Abilities(samples=False, budgets=False, adapts=True, off="disabled")
_NEWEST = Abilities(samples=False, budgets=False, adapts=True, off="never")
_THINK_AT_WILL = frozenset({"opus", "sonnet", "haiku"})

# claude-3-7-sonnet-20250219, claude-sonnet-4-20250514, claude-opus-4-1, also with a
# vendor's prefix or with dots. A date is no part of the version.
_NAME = re.compile(
    r"claude-(?:(?P<old>\d)(?:-(?P<old_minor>\d))?-)?(?P<family>[a-z]+)"
    r"(?:-(?P<new>\d{1,2})(?!\d)(?:-(?P<new_minor>\d{1,2})(?!\d))?)?"
)


def abilities_of(model: str) -> Abilities:
    """Return what the model takes; an unknown name of Anthropic's counts as new."""
    name = model.lower().replace(".", "-")
    if "claude" not in name:
        return _OTHERS
    found = _NAME.search(name)
    major = (found["old"] or found["new"]) if found else None
    if found is None or major is None:
        return _NEWEST
    version = (int(major), int(found["old_minor"] or found["new_minor"] or 0))
    for end, abilities in _GENERATIONS:
        if version < end:
            return abilities
    if version == (5, 0) and found["family"] in _THINK_AT_WILL:
        return _FIFTH
    return _NEWEST
