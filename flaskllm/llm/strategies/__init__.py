"""Strategies order the deployments of a route. Each is pure and has its own file."""

from collections.abc import Callable, Mapping
from random import Random

from flaskllm.llm.strategies import weighted

Strategy = Callable[[Mapping[str, int], Random], tuple[str, ...]]

# The name that a route's `strategy` setting uses.
STRATEGIES: Mapping[str, Strategy] = {"weighted": weighted.order}
