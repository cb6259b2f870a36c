"""A catalogue, the health of its deployments and their lists, as the tests set them."""

from dataclasses import dataclass, field

from flaskllm.llm.catalog import Catalog, Route
from flaskllm.llm.health.standings import Standing
from flaskllm.llm.types import Deployment

MINI = Deployment("mini", "openai", "openai", "gpt-4o-mini", context_window=128_000)
LARGE = Deployment("large", "openai", "openai", "gpt-4o")
RACK = Deployment("rack", "box", "vllm", "m-1", tags=frozenset({"local"}))
LOCAL = Deployment("local", "built-in", "extractive", "extractive", degraded=True)
SAMPLES = {
    "openai": Deployment("openai", "openai", "openai", "*"),
    "box": Deployment("box", "box", "vllm", "*"),
}


@dataclass
class Listed:
    """`box` has listed two models; to ask it is a mistake."""

    is_asked: bool = True

    def find(self, model, provider=None):
        assert not self.is_asked, "an upstream was asked for its list"
        if provider not in (None, "box") or model not in ("m-1", "m-2"):
            return None
        return Deployment(f"box/{model}", "box", "vllm", model)

    def names(self):
        assert not self.is_asked, "an upstream was asked for its list"
        return ("m-1", "m-2")

    def without_asking(self):
        return Listed(is_asked=False)


def make_catalog(**changed):
    """Return a catalogue with every kind of route."""
    routes = (
        Route(alias="fast", weights={"mini": 3, "large": 1}, fallbacks=("own",)),
        Route(alias="own", weights={"rack": 1}, strategy="least_busy", rescue="off"),
        Route(pattern="gpt-*", weights={"large": 1}),
        Route(capability="code", weights={"rack": 1}),
        Route(alias="digests", weights={"local": 1}),
    )
    deployments = {each.name: each for each in (MINI, LARGE, RACK, LOCAL)}
    given = {"samples": SAMPLES, "discovered": Listed(), **changed}
    return Catalog(routes, deployments, **given)


@dataclass
class FakeHealth:
    """Deployments stand as the test says; what it is told is kept."""

    standings: dict = field(default_factory=dict)
    idle: dict = field(default_factory=dict)
    silent: set = field(default_factory=set)
    overrides: list = field(default_factory=list)
    told: list = field(default_factory=list)

    def look(self, deployment, alias=""):
        return self.standings.get(deployment.name, Standing())

    def knows(self, name):
        return name in self.standings

    def idle_seconds(self, provider):
        return self.idle.get(provider)

    def is_silent(self, provider):
        return provider in self.silent

    def override(self, overrides):
        self.overrides.append(dict(overrides))

    def reached(self, provider):
        self.told.append((provider, "reached"))

    def unreachable(self, provider, error):
        self.told.append((provider, error.code))
