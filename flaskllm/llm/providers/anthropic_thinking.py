"""How hard to think, said to Anthropic's models, and the cap that must hold it.

Sources: Anthropic's pages on extended thinking (a budget is at least 1,024 and less
than `max_tokens`; a forced tool and most sampling are refused beside it) and on
effort.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flaskllm.llm.parts import Message, Thinking, ToolCall
from flaskllm.llm.providers.anthropic_models import Abilities
from flaskllm.llm.tokens import output_cap
from flaskllm.llm.types import CompletionRequest, Deployment

# `max_tokens` is required; this is for a request and a deployment without a cap.
DEFAULT_CAP = 4096
LEAST_BUDGET = 1024

# Tokens of thought for a model that takes a budget and no effort; a word that is
# not here counts as medium.
BUDGETS: Mapping[str, int] = {
    "minimal": 1024,
    "low": 4096,
    "medium": 10_240,
    "high": 24_576,
    "xhigh": 32_768,
    "max": 49_152,
}
# The other way round: the effort for a budget up to so many tokens, else high.
_EFFORTS: tuple[tuple[int, str], ...] = ((4096, "low"), (16_384, "medium"))
_LEVELS: Mapping[str, str] = {
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "xhigh",
    "max": "max",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """The cap on the answer, thoughts included, and the fields about thinking."""

    max_tokens: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    effort: str | None = None

    @property
    def thinks(self) -> bool:
        """Tell whether thoughts are asked for, so that sampling must stay out."""
        return self.fields.get("thinking", {}).get("type") in ("enabled", "adaptive")


def wants_thoughts(request: CompletionRequest) -> bool:
    """Tell whether the request asks for thoughts, by a budget or by an effort."""
    if request.thinking_tokens is not None:
        return request.thinking_tokens > 0
    return request.effort not in (None, "none")


def plan_thinking(
    request: CompletionRequest,
    deployment: Deployment,
    abilities: Abilities,
    *,
    is_forced: bool,
) -> Plan:
    """Return the cap and how the wish for thoughts is said to this model.

    The cap is the request's, else the deployment's, else the default above what
    thoughts take. A budget that does not fit below the cap is halved to it. Where
    thoughts are impossible (a forced tool, a turn before the results of tools
    whose thoughts are lost, a cap too low) none are asked for.
    """
    said = output_cap(request, deployment) or deployment.max_output_tokens
    quiet = Plan(said or DEFAULT_CAP)
    if request.thinking_tokens is None and request.effort is None:
        return quiet
    if not wants_thoughts(request):
        return _without_thoughts(quiet, abilities)
    if is_forced:
        return quiet
    if abilities.adapts and not (abilities.budgets and request.thinking_tokens):
        return Plan(
            quiet.max_tokens,
            {"thinking": {"type": "adaptive", "display": "summarized"}},
            _level(request, abilities),
        )
    if not abilities.budgets or _has_lost_thoughts(request.messages):
        return quiet
    return _with_budget(_budget(request), said)


def _without_thoughts(quiet: Plan, abilities: Abilities) -> Plan:
    if abilities.off == "never":
        return Plan(quiet.max_tokens, effort="low")
    if abilities.off == "disabled":
        return Plan(quiet.max_tokens, {"thinking": {"type": "disabled"}})
    return quiet


def _with_budget(budget: int, said: int | None) -> Plan:
    cap = said or budget + DEFAULT_CAP
    if budget >= cap:
        budget = cap // 2
    if budget < LEAST_BUDGET:
        return Plan(cap)
    return Plan(cap, {"thinking": {"type": "enabled", "budget_tokens": budget}})


def _budget(request: CompletionRequest) -> int:
    if request.thinking_tokens:
        return max(LEAST_BUDGET, request.thinking_tokens)
    return BUDGETS.get(request.effort or "", BUDGETS["medium"])


def _level(request: CompletionRequest, abilities: Abilities) -> str:
    if request.thinking_tokens:
        fitting = (name for most, name in _EFFORTS if request.thinking_tokens <= most)
        return next(fitting, "high")
    level = _LEVELS.get(request.effort or "", "medium")
    # The generation that takes both has no such level.
    return "high" if level == "xhigh" and abilities.budgets else level


def _has_lost_thoughts(messages: tuple[Message, ...]) -> bool:
    """Tell whether the calls whose results come last have no thoughts with a proof.

    Callers who speak another dialect cannot send them back, and with a budget the
    upstream refuses such a turn.
    """
    for message in reversed(messages):
        if message.role == "user":
            return False
        if message.role == "assistant":
            parts = message.parts
            proven = any(
                isinstance(part, Thinking) and can_replay(part) for part in parts
            )
            return not proven and any(isinstance(part, ToolCall) for part in parts)
    return False


def can_replay(thought: Thinking) -> bool:
    """Tell whether a thought may go back: another upstream's carries no proof."""
    return thought.signature is not None or thought.redacted is not None
