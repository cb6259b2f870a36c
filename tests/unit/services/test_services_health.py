"""Ready means that the database answers; providers stand as their health says."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from routing_scene import LARGE, MINI, FakeHealth, make_catalog

from flaskllm.core.errors import ServiceUnavailable
from flaskllm.llm.health import Standing
from flaskllm.services.health import DeploymentHealth, Health, Providers
from flaskllm.services.overrides import Override


@dataclass
class SomeDatabase:
    error: Exception | None = None

    def check(self):
        if self.error:
            raise self.error


GOOD, AWAY = SomeDatabase(), SomeDatabase(ServiceUnavailable())


@pytest.mark.parametrize(
    ("database", "redis", "readiness"),
    [
        (GOOD, None, "ready"),
        (GOOD, GOOD, "ready"),
        (GOOD, AWAY, "degraded"),
        (AWAY, None, "not_ready"),
        (AWAY, AWAY, "not_ready"),
    ],
)
def test_ready_is_what_the_stores_say(database, redis, readiness):
    assert Health(database, redis).readiness() == readiness


def test_a_fault_of_ours_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        Health(SomeDatabase(ZeroDivisionError())).readiness()


class Decided:
    """What stands, as the test says."""

    def __init__(self, **overrides):
        self._overrides = overrides

    def standing(self):
        return self._overrides


OUT = Override("mini", "open", None, "anna", datetime(2030, 1, 1, tzinfo=UTC))


def deployments(providers):
    """Return the names of the deployments by provider."""
    return {
        each.name: [shown.deployment.name for shown in each.deployments]
        for each in providers.list()
    }


def test_providers_are_there_with_the_health_of_their_deployments():
    open_ = Standing("open", failures_in_a_row=5)
    health = FakeHealth({"mini": open_}, idle={"openai": 2.5})
    providers = Providers(make_catalog, health, Decided(mini=OUT))

    first, second = providers.list()

    assert (first.name, first.kind, first.idle_seconds) == ("openai", "openai", 2.5)
    assert first.deployments == (
        DeploymentHealth(MINI, open_, OUT),
        DeploymentHealth(LARGE, Standing(), None),
    )
    assert (second.name, second.idle_seconds) == ("box", None)


def test_what_needs_no_upstream_has_no_health():
    told = deployments(Providers(make_catalog, FakeHealth(), Decided()))

    assert told == {"openai": ["mini", "large"], "box": ["rack"]}


def test_of_listed_models_those_are_there_that_there_is_something_to_say_of():
    health = FakeHealth({"box/m-1": Standing(in_flight=1)})
    decided = Decided(**{"box/m-2": OUT})

    told = deployments(Providers(make_catalog, health, decided))

    assert told["box"] == ["rack", "box/m-1", "box/m-2"]
    told = deployments(Providers(make_catalog, FakeHealth(), decided))
    assert told["box"] == ["rack", "box/m-2"]
