from dataclasses import replace

import pytest

from flaskllm.core import config
from flaskllm.core.errors import InvalidInputError, ModelNotFound, NoModelConfigured
from flaskllm.llm.catalog import OFFLINE, Catalog, Route
from flaskllm.llm.known_models import look_up
from flaskllm.llm.types import Deployment
from flaskllm.llm.undescribed import with_model

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
    with pytest.raises(ModelNotFound):
        CATALOG.resolve("FAST")


def test_an_unknown_name_is_refused_with_the_names_that_are_known():
    with pytest.raises(ModelNotFound) as caught:
        CATALOG.resolve("gpt-9")

    (field,) = caught.value.fields
    assert field.path == "model"
    assert "'gpt-9'" in field.problem
    assert field.allowed == (
        "fast, local, qwen*, qwen*-coder, capability:code_generation"
    )
    assert field.allowed in caught.value.details


def test_an_unknown_name_is_refused_with_the_nearest_first():
    with pytest.raises(ModelNotFound) as caught:
        CATALOG.resolve("fats")

    assert caught.value.status == 404
    assert "the nearest: fast" in caught.value.details
    assert caught.value.fields[0].allowed.startswith("fast")


def test_an_unknown_capability_is_refused():
    with pytest.raises(ModelNotFound):
        CATALOG.resolve("capability:vision")


def test_a_very_long_name_is_not_repeated_whole():
    with pytest.raises(ModelNotFound) as caught:
        CATALOG.resolve("x" * 5000)

    assert len(caught.value.details) < 300


def test_offline_is_known_to_a_request_that_needs_no_model():
    route = CATALOG.resolve("offline", with_offline=True)

    assert dict(route.weights) == {"offline": 1}
    assert CATALOG.deployment("offline") is OFFLINE
    assert OFFLINE.degraded


def test_offline_is_an_unknown_name_to_every_other_request():
    with pytest.raises(ModelNotFound) as caught:
        CATALOG.resolve("offline")

    assert "offline" not in caught.value.fields[0].allowed


def test_offline_stands_among_the_names_of_a_request_that_may_use_it():
    with pytest.raises(ModelNotFound) as caught:
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


def test_a_name_where_nothing_is_configured_is_told_how_to_add_a_model():
    with pytest.raises(NoModelConfigured) as caught:
        catalog().resolve("gpt-4o")

    assert "OPENAI_API_KEY" in caught.value.details


def test_a_name_beyond_the_api_token_tells_what_it_takes():
    with pytest.raises(ModelNotFound) as caught:
        WIDE.resolve("openai/gpt-4o")

    assert "--direct-models" in caught.value.details


def test_where_the_default_is_for_digests_only_the_aliases_are_named():
    with pytest.raises(InvalidInputError) as caught:
        catalog(FAST, LOCAL, default_route="offline").resolve(None)

    (field,) = caught.value.fields
    assert (field.path, field.allowed) == ("model", "fast, local")


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


class Shelf:
    """One upstream's list: `box` offers two models."""

    def find(self, model, provider=None):
        if model in self.names() and provider in (None, "box"):
            return Deployment(f"box/{model}", "box", "ollama", model, 4096)
        return None

    def names(self):
        return ("gemma3:4b", "fast")


SAMPLES = {
    "openai": Deployment("openai", "openai", "openai", "*"),
    "box": Deployment("box", "box", "ollama", "*"),
}
WIDE = Catalog(CATALOG.routes, DEPLOYMENTS, "local", SAMPLES, Shelf())


class TestDirect:
    def test_a_configured_deployment_is_found_by_its_provider_and_model(self):
        route = WIDE.resolve("openai/gpt-4o-mini", direct=True)

        assert (route.name, route.made) == ("openai/gpt-4o-mini", MINI)
        assert dict(route.weights) == {"mini": 1}

    def test_a_listed_model_is_taken_as_its_upstream_describes_it(self):
        route = WIDE.resolve("box/gemma3:4b", direct=True)

        assert route.made.context_window == 4096

    def test_any_other_model_is_made_like_the_providers_sample(self):
        made = WIDE.resolve("openai/o9-pro/preview", direct=True).made

        assert (made.name, made.provider, made.kind, made.model) == (
            "openai/o9-pro/preview",
            "openai",
            "openai",
            "o9-pro/preview",
        )

    def test_what_is_known_of_the_model_fills_in_what_nobody_said(self):
        made = WIDE.resolve("openai/gpt-4o-2024-08-06", direct=True).made
        known = look_up("gpt-4o")

        assert made.context_window == known.context_window
        assert made.max_output_tokens == known.max_output_tokens
        assert made.capabilities is None

    def test_what_was_said_goes_before_what_is_known(self):
        said = Deployment("s", "s", "openai", "*", 64, 32, frozenset({"json"}))

        made = with_model(said, "gpt-4o")

        assert made == replace(said, model="gpt-4o")

    def test_its_chain_is_itself(self):
        route = WIDE.resolve("openai/o9", direct=True)

        assert WIDE.chain(route) == (route,)

    def test_it_is_unknown_to_who_may_not_name_it(self):
        with pytest.raises(ModelNotFound):
            WIDE.resolve("openai/gpt-4o-mini")

    @pytest.mark.parametrize(
        "name", ["nobody/gpt", "openai/", "openai", "openai/../admin", "openai/a b"]
    )
    def test_what_cannot_be_passed_on_is_unknown(self, name):
        with pytest.raises(ModelNotFound):
            WIDE.resolve(name, direct=True)

    def test_an_alias_and_a_pattern_go_first(self):
        alias = Route(alias="openai/x", weights={"llama": 1})
        pattern = Route(pattern="box/*", weights={"mini": 1})
        narrow = Catalog((alias, pattern), DEPLOYMENTS, None, SAMPLES)

        assert narrow.resolve("openai/x", direct=True) is alias
        assert narrow.resolve("box/y", direct=True) is pattern


class TestDiscovered:
    def test_a_listed_model_needs_no_route(self):
        route = WIDE.resolve("gemma3:4b")

        assert (route.name, route.made.name) == ("gemma3:4b", "box/gemma3:4b")

    def test_an_alias_goes_first(self):
        assert WIDE.resolve("fast") is FAST

    def test_a_listed_name_can_be_the_nearest(self):
        with pytest.raises(ModelNotFound) as caught:
            WIDE.resolve("gemma3")

        assert "gemma3:4b" in caught.value.details
