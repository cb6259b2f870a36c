import pytest

from flaskllm.core import config
from flaskllm.core.errors import InvalidInputError, NoModelConfigured
from flaskllm.llm.catalog import OFFLINE, Catalog, Route
from flaskllm.llm.types import Deployment

MINI = Deployment("mini", "openai", "openai", "gpt-4o-mini")
LLAMA = Deployment("llama", "box", "ollama", "llama3.1:8b")
DEPLOYMENTS = {"mini": MINI, "llama": LLAMA}

FAST = Route(alias="fast", weights={"mini": 1}, fallbacks=("local",))
LOCAL = Route(alias="local", weights={"llama": 1}, fallbacks=("offline",))
ANY_QWEN = Route(pattern="qwen*", weights={"llama": 1})
QWEN_CODER = Route(pattern="qwen*-coder", weights={"mini": 1})
CODE = Route(capability="code_generation", weights={"llama": 1})
CATALOG = Catalog(
    (FAST, LOCAL, ANY_QWEN, QWEN_CODER, CODE), DEPLOYMENTS, default_route="local"
)


def catalog(*routes, default_route=None):
    return Catalog(routes, DEPLOYMENTS, default_route)


RESOLVED = {
    "an alias": ("fast", FAST),
    "a pattern": ("qwen3", ANY_QWEN),
    "the pattern with the longest literal part": ("qwen3-coder", QWEN_CODER),
    "a capability": ("capability:code_generation", CODE),
    "no name": (None, LOCAL),
    "auto": ("auto", LOCAL),
}


@pytest.mark.parametrize(("model", "route"), RESOLVED.values(), ids=RESOLVED)
def test_a_name_leads_to_its_route(model, route):
    assert CATALOG.resolve(model) is route


def test_an_alias_goes_before_a_pattern_that_matches_it_too():
    exact = Route(alias="qwen3", weights={"mini": 1})

    assert catalog(ANY_QWEN, exact).resolve("qwen3") is exact


def test_of_equal_patterns_the_first_wins():
    first = Route(pattern="q*3", weights={"mini": 1})
    second = Route(pattern="*n3", weights={"llama": 1})

    assert catalog(first, second).resolve("qwen3") is first


def test_a_name_is_case_sensitive():
    with pytest.raises(InvalidInputError):
        CATALOG.resolve("FAST")


def test_an_unknown_name_is_refused_with_the_names_that_are_known():
    with pytest.raises(InvalidInputError) as caught:
        CATALOG.resolve("gpt-9")

    (field,) = caught.value.fields
    assert field.path == "model"
    assert "'gpt-9'" in field.problem
    assert field.allowed == (
        "fast, local, qwen*, qwen*-coder, capability:code_generation"
    )


def test_an_unknown_capability_is_refused():
    with pytest.raises(InvalidInputError):
        CATALOG.resolve("capability:vision")


def test_a_very_long_name_is_not_repeated_whole():
    with pytest.raises(InvalidInputError) as caught:
        CATALOG.resolve("x" * 5000)

    assert len(caught.value.details) < 300


def test_offline_is_known_to_a_request_that_needs_no_model():
    route = CATALOG.resolve("offline", with_offline=True)

    assert dict(route.weights) == {"offline": 1}
    assert CATALOG.deployment("offline") is OFFLINE
    assert OFFLINE.degraded


def test_offline_is_an_unknown_name_to_every_other_request():
    with pytest.raises(InvalidInputError) as caught:
        CATALOG.resolve("offline")

    assert "offline" not in caught.value.fields[0].allowed


def test_offline_stands_among_the_names_of_a_request_that_may_use_it():
    with pytest.raises(InvalidInputError) as caught:
        CATALOG.resolve("gpt-9", with_offline=True)

    assert caught.value.fields[0].allowed.endswith("offline")


def test_without_a_default_the_first_alias_is_it():
    assert catalog(ANY_QWEN, LOCAL, FAST).resolve(None) is LOCAL


def test_with_patterns_only_a_name_must_be_given():
    with pytest.raises(InvalidInputError, match="not valid") as caught:
        catalog(ANY_QWEN).resolve(None)

    assert "default_route is not set" in caught.value.details


@pytest.mark.parametrize("empty", [catalog(), catalog(default_route="offline")])
def test_without_a_route_offline_is_the_default(empty):
    assert empty.resolve(None, with_offline=True).alias == "offline"


@pytest.mark.parametrize("empty", [catalog(), catalog(default_route="offline")])
def test_without_a_route_what_needs_a_model_is_told_how_to_add_one(empty):
    with pytest.raises(NoModelConfigured, match="No language model") as caught:
        empty.resolve(None)

    assert "OPENAI_API_KEY" in caught.value.details


def test_the_chain_holds_each_fallback_once_the_nearer_first():
    top = Route(alias="top", weights={"mini": 1}, fallbacks=("left", "right"))
    left = Route(alias="left", weights={"mini": 1}, fallbacks=("far", "top"))
    right = Route(alias="right", weights={"mini": 1}, fallbacks=("left", "offline"))
    far = Route(alias="far", weights={"mini": 1}, fallbacks=("top",))
    circular = catalog(top, left, right, far)

    assert circular.chain(top) == (top, left, right, far)
    names = [route.name for route in circular.chain(top, with_offline=True)]
    assert names == ["top", "left", "right", "far", "offline"]


def test_only_aliases_are_listed():
    assert CATALOG.aliases() == ("fast", "local")


def test_a_deployment_is_found_by_its_name():
    assert CATALOG.deployment("mini") is MINI


COMPLAINTS = {
    "reserved alias": (Route(alias="offline", weights={"mini": 1}), "reserved"),
    "reserved auto": (Route(alias="auto", weights={"mini": 1}), "reserved"),
    "strategy": (Route(alias="a", strategy="best", weights={"mini": 1}), "'best'"),
    "no deployment": (Route(alias="a"), "has no deployment"),
    "unknown deployment": (Route(alias="a", weights={"maxi": 1}), "'maxi'"),
    "weight": (Route(alias="a", weights={"mini": 0}), "above 0"),
    "fallback": (
        Route(alias="a", weights={"mini": 1}, fallbacks=("nowhere",)),
        "'nowhere'",
    ),
}


@pytest.mark.parametrize(("route", "words"), COMPLAINTS.values(), ids=COMPLAINTS)
def test_a_route_that_leads_nowhere_stops_the_start(route, words):
    with pytest.raises(ValueError, match=words):
        catalog(route)


def test_a_default_route_that_is_no_alias_stops_the_start():
    with pytest.raises(ValueError, match="default_route: 'slow'"):
        catalog(FAST, LOCAL, default_route="slow")


def test_the_name_of_the_built_in_deployment_is_reserved():
    with pytest.raises(ValueError, match=r"deployments\.offline"):
        Catalog((), {"offline": MINI})


def test_a_route_may_name_the_built_in_deployment():
    route = Route(alias="a", weights={"offline": 1})

    assert catalog(route).resolve("a") is route


def test_the_built_in_deployment_has_the_name_that_the_settings_reserve():
    assert OFFLINE.name == config.OFFLINE
