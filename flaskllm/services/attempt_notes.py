"""What is logged and counted of an attempt that has ended."""

import logging
from collections.abc import Callable
from typing import Final

from flaskllm.core import logs
from flaskllm.core.errors import CallerGone, LLMAnswerDiffers
from flaskllm.core.metrics import Metrics
from flaskllm.llm.cached import CacheNote
from flaskllm.llm.types import Attempt, Outcome
from flaskllm.services.account import Account

# A stream that cannot be joined to another is left by ourselves.
_NO_CUT: Final = frozenset({"OK", LLMAnswerDiffers.code})

_log = logging.getLogger(__name__)


def note_attempt(metrics: Metrics, attempt: Attempt, outcome: Outcome) -> None:
    """Write the line of an attempt, and count it."""
    _log_attempt(attempt, outcome)
    _count(metrics, attempt, outcome)


def note_cache(metrics: Metrics, note: CacheNote) -> None:
    """Write the line of what the cache answered, and count what became of a request."""
    source = note.source
    saved_nanos = 0 if source is None else source.saved_nanos or 0
    metrics.cache.count_request(note.outcome, note.reason or "", saved_nanos)
    if source is not None:
        logs.event(
            _log,
            logging.INFO,
            "answer_remembered",
            outcome=note.outcome,
            alias=source.alias,
            deployment=source.deployment,
            provider=source.provider,
            model=source.model,
            age_seconds=round(source.age_seconds, 3),
        )


def hearer_of(
    metrics: Metrics, account: Account, told: list[CacheNote] | None = None
) -> Callable[[CacheNote], None]:
    """Return what hears of the cache for one account; `told` is added to."""

    def cached(note: CacheNote) -> None:
        if told is not None:
            told.append(note)
        note_cache(metrics, note)
        if note.source is not None:
            account.remember(note.source)

    return cached


def _log_attempt(attempt: Attempt, outcome: Outcome) -> None:
    logs.event(
        _log,
        logging.INFO if outcome.code == "OK" else logging.WARNING,
        "attempt_ended",
        error=None,  # it is told by its code and details, never by a traceback
        attempt=attempt.number,
        alias=attempt.alias,
        deployment=attempt.deployment.name,
        provider=attempt.deployment.provider,
        model=attempt.deployment.model,
        decision=attempt.decision,
        code=outcome.code,
        seconds=round(outcome.latency_seconds, 3),
        tokens_input=outcome.usage.tokens_input,
        tokens_output=outcome.usage.tokens_output,
        **({"details": outcome.details} if outcome.details else {}),
    )


def _count(metrics: Metrics, attempt: Attempt, outcome: Outcome) -> None:
    name, used = attempt.deployment.label, outcome.usage
    metrics.count_attempt(
        name, attempt.deployment.provider, outcome.code, outcome.latency_seconds
    )
    metrics.count_tokens(
        name,
        {
            "input_uncached": used.input_uncached,
            "input_cache_read": used.input_cache_read,
            "input_cache_write": used.input_cache_write,
            "output_text": used.output_text,
            "output_reasoning": used.output_reasoning,
        },
    )
    metrics.count_malformed(name, outcome.malformed)
    if outcome.first_token_seconds is None:
        return
    metrics.time_first_token(name, outcome.first_token_seconds)
    if outcome.code not in _NO_CUT:
        is_gone = outcome.code == CallerGone.code
        metrics.count_cut("caller" if is_gone else "upstream")
