"""The health of a few deployments, on a clock that moves by hand."""

from random import Random

from fakes import FakeClock

from flaskllm.core.errors import LLMUnavailable
from flaskllm.core.metrics import Metrics
from flaskllm.llm.health import Health, Obstacle, Policy, Visit
from flaskllm.llm.terms import UNLIMITED
from flaskllm.llm.types import Deployment, Usage

USED = Usage(input_uncached=60, output_text=40, source="provider")
UNKNOWN = Usage()


class Middle(Random):
    """Always draws the middle: what is jittered comes out as it is."""

    def random(self):
        return 0.5


def deployment(name="a", provider="p", limits=UNLIMITED):
    return Deployment(name, provider, "openai", f"{name}-model", limits=limits)


class Scene:
    """Asks deployments, by their names, and ends what it asked."""

    def __init__(self, *deployments, policy=None, metrics=None):
        self.clock = FakeClock()
        self.metrics = metrics or Metrics()
        self.health = Health(self.clock, Middle(), policy or Policy(), self.metrics)
        self.deployments = {each.name: each for each in deployments or (deployment(),)}

    def enter(self, name="a", alias="r", tokens=100, streams=False, **how):
        """Return the visit, or the obstacle."""
        asked = self.deployments[name]
        return self.health.enter(asked, alias, tokens=tokens, streams=streams, **how)

    def visit(self, name="a", **how):
        """Return the visit; it is a mistake of the test if there is none."""
        visit = self.enter(name, **how)
        assert isinstance(visit, Visit), visit
        return visit

    def ask(self, name="a", error=None, seconds=1.0, usage=USED, **how):
        """Make an attempt that ends like this at once."""
        self.visit(name, **how).end(error, usage, seconds)

    def fail(self, name="a", times=1, error=None):
        for _ in range(times):
            self.ask(name, error or LLMUnavailable(), usage=UNKNOWN)

    def open(self, name="a"):
        """Let the breaker open, for five seconds."""
        self.fail(name, times=5)

    def look(self, name="a", alias="r"):
        return self.health.look(self.deployments[name], alias)

    def refused(self, name="a", **how):
        """Return the reason and seconds of the obstacle."""
        obstacle = self.enter(name, **how)
        assert isinstance(obstacle, Obstacle)
        return obstacle.reason, obstacle.seconds
