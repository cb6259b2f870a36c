"""The services that show routing, on a catalogue and a health of the tests."""

from random import Random

from fakes import FakeClock
from routing_scene import FakeHealth, make_catalog

from flaskllm.llm.explaining import Explainer
from flaskllm.llm.upstreams import Upstreams
from flaskllm.services.health import Providers
from flaskllm.services.overrides import Overrides
from flaskllm.services.routes import Routes


class MemoryRows:
    """The table of overrides, in memory."""

    def __init__(self):
        self._rows = {}

    def put(self, row, actor):
        self._rows[row.deployment] = row

    def remove(self, deployment, actor, at):
        return self._rows.pop(deployment, None) is not None

    def list(self):
        return tuple(self._rows.values())


def make_overrides():
    return Overrides(
        MemoryRows(), FakeHealth(), make_catalog, FakeClock(), threaded=False
    )


def make_providers():
    return Providers(make_catalog, FakeHealth(), make_overrides())


def make_routes():
    explainer = Explainer(
        make_catalog(),
        Upstreams({}, {}),
        None,
        Random(1),
        lambda deployments, request: deployments,
    )
    return Routes(make_catalog, lambda: explainer, FakeHealth(), lambda: None)
