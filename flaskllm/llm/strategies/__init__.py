"""Strategies order the deployments of a route. Each is pure and has its own file."""

from collections.abc import Mapping

from flaskllm.llm.strategies import (
    adaptive,
    cheapest,
    least_busy,
    lowest_latency,
    round_robin,
    usage,
    weighted,
)
from flaskllm.llm.strategies.choices import Strategy

# By the name that a route's `strategy` setting uses.
STRATEGIES: Mapping[str, Strategy] = {
    "weighted": weighted.order,
    "round_robin": round_robin.order,
    "least_busy": least_busy.order,
    "usage": usage.order,
    "lowest_latency": lowest_latency.order,
    "cheapest": cheapest.order,
    "adaptive": adaptive.order,
}
