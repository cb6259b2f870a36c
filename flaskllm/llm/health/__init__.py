"""How deployments stand: breakers, limits, credentials, and what was learned of them.

`Health` is asked before every attempt at an upstream and told how it ended. It says
no to an attempt that would be in vain, and never makes one.
"""

from flaskllm.llm.health.policy import Policy
from flaskllm.llm.health.registry import Health
from flaskllm.llm.health.standings import Obstacle, Reason, Standing, State
from flaskllm.llm.health.visits import Visit

__all__ = ["Health", "Obstacle", "Policy", "Reason", "Standing", "State", "Visit"]
