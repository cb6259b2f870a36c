"""How a deployment stands: what everybody may read of its health."""

from dataclasses import dataclass
from typing import Literal

from flaskllm.llm.strategies.choices import NOTHING_LEARNED, Record

State = Literal["closed", "open", "half_open"]
"""A breaker: closed lets requests through, half open lets one through as a probe."""

Reason = Literal[
    "cooling",  # its breaker is open, or another request is the probe
    "limited",  # it told us to wait, or its own limits are used up
    "credential",  # the upstream does not accept our credential
    "busy",  # too many attempts are under way, or repeats are used up
    "disabled",  # an operator took it out
]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a deployment may not be asked now, and for how long; None is unknown.

    `is_probed` tells that a request is just finding out whether it has passed.
    """

    reason: Reason
    seconds: float | None = None
    is_probed: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """One deployment at one moment, as this process knows it.

    Attributes:
        state: Its breaker's.
        obstacle: Why it may not be asked now; None means that it may.
        in_flight: Attempts under way.
        headroom: The free part of its limits, see `Choice.headroom`.
        first_token_seconds: The moving average of streams, None before the first.
        answer_seconds: The same of whole answers.
        failures_in_a_row: Since the last success.
        record: What the asking route has learned.
        is_overridden: An operator decides over its state, not the breaker.
        last_error: The code of the last attempt that failed; empty without one.
        last_error_seconds_ago: How long ago it failed; None without one.
        told_by: The other process that found what is in the way; empty where this
            one did.
    """

    state: State = "closed"
    obstacle: Obstacle | None = None
    in_flight: int = 0
    headroom: float = 1.0
    first_token_seconds: float | None = None
    answer_seconds: float | None = None
    failures_in_a_row: int = 0
    record: Record = NOTHING_LEARNED
    is_overridden: bool = False
    last_error: str = ""
    last_error_seconds_ago: float | None = None
    told_by: str = ""
