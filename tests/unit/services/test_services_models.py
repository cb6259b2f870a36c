"""A caller is told which models it may name."""

import pytest
from fakes import FakeClock

from flaskllm.core.auth import Principal, Scope
from flaskllm.core.clock import Deadline
from flaskllm.core.errors import ModelNotFound
from flaskllm.llm.catalog import Catalog, Route
from flaskllm.llm.counting import Counting, TokenCount
from flaskllm.llm.parts import Message
from flaskllm.llm.types import Call, CompletionRequest, Deployment
from flaskllm.services.models import ModelEntry, Models

MINI = Deployment("mini", "openai", "openai", "gpt-4o-mini")
STAR = Deployment("any", "box", "vllm", "*")
LOCAL = Deployment("local", "built-in", "extractive", "extractive")
SAMPLES = {
    "openai": Deployment("openai", "openai", "openai", "*"),
    "box": Deployment("box", "box", "vllm", "*"),
}
CREATED = 1767603600


class Listed:
    """`box` lists three models; the last is gone a moment later."""

    def find(self, model, provider=None):
        if model in ("gone", "other") or model not in self.names():
            return None
        return Deployment(f"box/{model}", "box", "vllm", model)

    def names(self):
        return ("qwen3", "fast", "gone")


def whoever(*aliases, direct=False):
    """Return a principal with these allowed aliases, or with all names."""
    allowed = frozenset(aliases) if aliases else None
    scopes = frozenset({Scope.CHAT})
    return Principal("p", "p", scopes, "api", direct_models=direct, aliases=allowed)


ANYBODY, DIRECT = whoever(), whoever(direct=True)


@pytest.fixture
def models():
    catalog = Catalog(
        (
            Route(alias="fast", weights={"mini": 1}),
            Route(pattern="gpt-*", weights={"mini": 1}),
        ),
        {"mini": MINI, "any": STAR, "local": LOCAL},
        samples=SAMPLES,
        discovered=Listed(),
    )
    counting = Counting(catalog, {"openai": None}, {})  # who counts nothing
    return Models(lambda: catalog, lambda: counting, CREATED)


def test_aliases_come_first_then_what_upstreams_list_each_once(models):
    assert models.list(ANYBODY) == (
        ModelEntry("fast", CREATED, "flaskllm"),
        ModelEntry("qwen3", CREATED, "box"),
    )


def test_who_may_name_providers_sees_the_configured_deployments_too(models):
    assert [entry.id for entry in models.list(DIRECT)] == [
        "fast",
        "qwen3",
        "openai/gpt-4o-mini",
    ]


FOUND = {
    "an alias": ("fast", ANYBODY, "flaskllm"),
    "a pattern's match": ("gpt-9", ANYBODY, "flaskllm"),
    "a listed model": ("qwen3", ANYBODY, "box"),
    "a provider's model": ("openai/gpt-4o-mini", DIRECT, "openai"),
    "with slashes": ("box/meta/llama", DIRECT, "box"),
    "an allowed alias": ("fast", whoever("fast"), "flaskllm"),
    "what a pattern makes of an allowed name": ("gpt-9", whoever("gpt-9"), "flaskllm"),
    "what begins as allowed": ("gpt-9", whoever("gpt-*"), "flaskllm"),
}


@pytest.mark.parametrize(("model", "principal", "owner"), FOUND.values(), ids=FOUND)
def test_a_model_is_found_by_its_name(models, model, principal, owner):
    assert models.find(model, principal) == ModelEntry(model, CREATED, owner)


def test_an_unknown_model_is_not_found_and_the_nearest_are_named(models):
    with pytest.raises(ModelNotFound) as caught:
        models.find("qwen", ANYBODY)

    assert "qwen3" in caught.value.details


def test_a_providers_model_is_not_found_by_who_may_not_name_it(models):
    with pytest.raises(ModelNotFound):
        models.find("openai/gpt-4o-mini", ANYBODY)


SEEN = {
    "an alias": (whoever("fast"), ["fast"]),
    "a listed model": (whoever("qwen*"), ["qwen3"]),
    "what a pattern takes, and what nothing takes": (
        whoever("gpt-9", "fast", "gone", "absent"),
        ["fast", "gpt-9"],
    ),
    "a provider's models": (whoever("openai/*", direct=True), ["openai/gpt-4o-mini"]),
    "without the leave to name them": (whoever("openai/*"), []),
    "nothing": (whoever("absent"), []),
}


@pytest.mark.parametrize(("principal", "names"), SEEN.values(), ids=SEEN)
def test_who_has_a_list_sees_only_what_is_on_it(models, principal, names):
    assert [entry.id for entry in models.list(principal)] == names


@pytest.mark.parametrize("model", ["fast", "gpt-9", "qwen3"])
def test_what_is_not_allowed_is_not_found_and_not_named(models, model):
    with pytest.raises(ModelNotFound) as caught:
        models.find(model, whoever("other-name"))

    assert caught.value.details == f"model: {model!r} is unknown; allowed: none"


def test_the_tokens_of_a_request_are_estimated(models):
    short = CompletionRequest(None, (Message("user", "Ночь"),))
    long = CompletionRequest(None, (Message("user", "Ночь " * 100),))

    counted = models.estimate_tokens(short, "gpt-4o")
    assert 0 < counted < models.estimate_tokens(long, "gpt-4o")
    assert models.estimate_tokens(long, "gpt-4o") < models.estimate_tokens(long, "?")


def test_the_tokens_of_a_request_are_counted_for_its_model(models):
    call = Call(Deadline.after(9.0, FakeClock()), None, None, None)
    asked = CompletionRequest("fast", (Message("user", "Hello"),))

    assert models.count_tokens(asked, call) == TokenCount(
        models.estimate_tokens(asked, "gpt-4o-mini"), is_estimated=True
    )
