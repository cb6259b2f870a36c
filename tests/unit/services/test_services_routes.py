"""Routes are listed as the settings have them, with how their deployments stand."""

from dataclasses import replace

import pytest
from routing_scene import LARGE, MINI, FakeHealth, make_catalog

from flaskllm.llm.catalog import Catalog
from flaskllm.llm.health import Obstacle, Standing
from flaskllm.llm.prices import price_of
from flaskllm.llm.types import CompletionRequest
from flaskllm.services.routes import RouteMember, Routes


class Explaining:
    def __init__(self, current):
        self.current = current

    def explain(self, request, allowed):
        assert self.current, "what operators decided is not known yet"
        return f"explained {request.model} to {allowed.entries}"


@pytest.fixture
def health():
    return FakeHealth()


@pytest.fixture
def current():
    return []


@pytest.fixture
def routes(health, current):
    return Routes(
        make_catalog,
        lambda: Explaining(current),
        health,
        lambda: current.append("taken up"),
    )


def test_all_routes_are_there_in_the_order_of_the_settings(routes):
    told = [
        (each.name, each.kind, each.strategy, each.rescue, each.fallbacks)
        for each in routes.list()
    ]

    assert told == [
        ("fast", "alias", "weighted", "match", ("own",)),
        ("own", "alias", "least_busy", "off", ()),
        ("gpt-*", "pattern", "weighted", "match", ()),
        ("code", "capability", "weighted", "match", ()),
        ("digests", "alias", "weighted", "match", ()),
    ]


def test_their_deployments_stand_there_with_weight_price_and_standing(
    routes, health, current
):
    cooling = Standing("open", Obstacle("cooling", 3.0))
    health.standings["large"] = cooling

    fast = routes.list()[0]

    assert fast.members == (
        RouteMember(MINI, 3, price_of(MINI), Standing()),
        RouteMember(LARGE, 1, price_of(LARGE), cooling),
    )
    assert price_of(MINI) is not None
    assert current == ["taken up"]


def test_what_needs_no_upstream_is_always_well(routes, health):
    health.standings["local"] = Standing("open")

    (local,) = routes.list()[-1].members

    assert (local.standing, local.price) == (Standing(), None)


@pytest.mark.parametrize(
    ("default", "marked"), [(None, ["fast"]), ("own", ["own"]), ("offline", [])]
)
def test_the_route_for_who_names_no_model_is_marked(routes, default, marked):
    changed = replace(routes, catalog=lambda: make_catalog(default_route=default))

    assert [each.name for each in changed.list() if each.is_default] == marked


def test_without_routes_there_is_nothing_to_list(routes):
    assert replace(routes, catalog=lambda: Catalog((), {})).list() == ()


def test_a_request_is_explained_by_what_holds_now(routes):
    request = CompletionRequest("fast", ())

    assert routes.explain(request) == "explained fast to None"
    assert routes.explain(request, frozenset({"x"})).endswith(str(frozenset({"x"})))


SEEN = {
    "aliases": ({"own", "digests"}, [("own", True), ("digests", False)]),
    "a pattern by its text": ({"gpt-*"}, [("gpt-*", False)]),
    "a pattern is more than a name that it takes": ({"gpt-9"}, []),
    "a capability": ({"capability:code"}, [("code", False)]),
    "what begins so": ({"fa*", "capability:*"}, [("fast", True), ("code", False)]),
}


@pytest.mark.parametrize(("aliases", "seen"), SEEN.values(), ids=SEEN)
def test_who_has_a_list_sees_its_routes_and_its_own_default(routes, aliases, seen):
    listed = routes.list(frozenset(aliases))

    assert [(each.name, each.is_default) for each in listed] == seen
