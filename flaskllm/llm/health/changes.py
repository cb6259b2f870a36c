"""What changed about a deployment, told to the operator: once each, never a request."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flaskllm.core.logs import event
from flaskllm.core.metrics import Metrics
from flaskllm.llm.types import Deployment

_logger = logging.getLogger(__name__)

Kind = Literal[
    "opened",  # its breaker, from closed
    "probed",  # one attempt is let through an open breaker
    "reopened",  # that attempt failed
    "closed",  # its breaker
    "limited",  # its upstream asked for patience
    "rejected",  # our credential
    "accepted",  # our credential, after it was rejected
]


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    `code` is the error's that led to it, `seconds` is for how long nobody asks, at
    first. `provider_wide` tells that a credential is meant that all deployments of
    the provider have. `times` is how often in a row a breaker opened, or an upstream
    asked for patience without saying how long.
    """

    kind: Kind
    code: str = ""
    seconds: float = 0.0
    provider_wide: bool = False
    times: int = 0


_LINES: Mapping[Kind, tuple[int, str]] = {
    "opened": (logging.WARNING, "deployment_opened"),
    "closed": (logging.INFO, "deployment_closed"),
    "rejected": (logging.ERROR, "credential_rejected"),
    "accepted": (logging.INFO, "credential_accepted"),
}
# The value of the gauge.
_STATES: Mapping[Kind, int] = {"opened": 2, "reopened": 2, "probed": 1, "closed": 0}


def tell(
    change: Change,
    provider: str,
    deployment: Deployment | None = None,
    metrics: Metrics | None = None,
) -> None:
    """Write the change into the log and the metrics. No lock may be held."""
    if metrics is not None and deployment is not None:
        _count(change, deployment.label, metrics)
    line = _LINES.get(change.kind)
    if line is None:
        return
    level, name = line
    facts: dict[str, Any] = {"provider": provider}
    if deployment is not None and not change.provider_wide:
        facts["deployment"] = deployment.name
    if change.code:
        facts |= {"code": change.code, "seconds": round(change.seconds, 3)}
    event(_logger, level, name, **facts)


def _count(change: Change, label: str, metrics: Metrics) -> None:
    state = _STATES.get(change.kind)
    if state is not None:
        metrics.set_breaker(label, state)
    if change.kind == "opened":
        metrics.count_opening(label)
    elif change.kind == "limited":
        metrics.count_wait(label)
