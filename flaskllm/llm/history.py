"""What was tried for a request, and what could be: values to decide by."""

from collections.abc import Mapping
from dataclasses import dataclass

from flaskllm.core.errors import APIError
from flaskllm.llm.health.standings import Obstacle


@dataclass(frozen=True, slots=True)
class Failure:
    """One attempt that failed, at this moment of the monotonic clock."""

    deployment: str
    error: APIError
    at_seconds: float


@dataclass(frozen=True, slots=True)
class Option:
    """A deployment that the request may go to, and how it stands now.

    `alias` is the route that led to it, `model` the upstream's name for its model,
    `window` its context window in tokens, None when unknown. `obstacle` says why it
    may not be asked at this moment.
    """

    alias: str
    model: str
    window: int | None = None
    obstacle: Obstacle | None = None


@dataclass(frozen=True, slots=True)
class History:
    """A request so far.

    Attributes:
        options: All deployments that it may go to, by their names.
        untried: Those that were not asked yet, in the order to ask them; after the
            deadline only those that need no upstream.
        now_seconds: The monotonic clock.
        remaining_seconds: What is left until the request's deadline.
        draw: A fresh random number in [0, 1), for the jitter.
        failures: Oldest first; the one to decide about is the last.
        objections: Why deployments were left out before any attempt.
        retried: The deployment of each retry so far, in order.
        had_last_resort: Whether one was asked, or refused, as the last resort.
        may_continue: Whether a deployment whose answer does not repeat what was
            shown may be asked, in other words, to go on with it.
        is_rescue: Whether an answer broke off of which something was shown.
    """

    options: Mapping[str, Option]
    untried: tuple[str, ...]
    now_seconds: float
    remaining_seconds: float
    draw: float
    failures: tuple[Failure, ...] = ()
    objections: tuple[APIError, ...] = ()
    retried: tuple[str, ...] = ()
    had_last_resort: bool = False
    may_continue: bool = False
    is_rescue: bool = False
