"""What is remembered of the deployments, made as the settings want it."""

from random import SystemRandom

from flaskllm.core.clock import Clock
from flaskllm.core.config import Settings
from flaskllm.core.metrics import Metrics
from flaskllm.llm.health import Health, Policy


def build_health(settings: Settings, clock: Clock, metrics: Metrics) -> Health:
    """Return the health of all deployments, of which nothing is known yet."""
    told = settings.health
    policy = Policy(
        failures_in_a_row=told.failures_in_a_row,
        cool_down_seconds=told.cool_down_seconds,
        longest_cool_down_seconds=told.longest_cool_down_seconds,
        waiting_most=_waiting_most(settings),
    )
    # A fork must not repeat another worker's jitter.
    return Health(clock, SystemRandom(), policy, metrics)


def _waiting_most(settings: Settings) -> int | None:
    """Return how many threads one deployment may keep waiting.

    A quarter is left for the others, so that one that hangs does not take them all.
    """
    if len(settings.deployments) < 2:
        return None
    return max(1, settings.server.threads * 3 // 4)
