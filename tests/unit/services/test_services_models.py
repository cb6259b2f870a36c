"""A caller is told which models it may name."""

import pytest
from fakes import FakeClock

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
    assert models.list(False) == (
        ModelEntry("fast", CREATED, "flaskllm"),
        ModelEntry("qwen3", CREATED, "box"),
    )


def test_who_may_name_providers_sees_the_configured_deployments_too(models):
    assert [entry.id for entry in models.list(True)] == [
        "fast",
        "qwen3",
        "openai/gpt-4o-mini",
    ]


FOUND = {
    "an alias": ("fast", False, "flaskllm"),
    "a pattern's match": ("gpt-9", False, "flaskllm"),
    "a listed model": ("qwen3", False, "box"),
    "a provider's model": ("openai/gpt-4o-mini", True, "openai"),
    "with slashes": ("box/meta/llama", True, "box"),
}


@pytest.mark.parametrize(("model", "direct", "owner"), FOUND.values(), ids=FOUND)
def test_a_model_is_found_by_its_name(models, model, direct, owner):
    assert models.find(model, direct) == ModelEntry(model, CREATED, owner)


def test_an_unknown_model_is_not_found_and_the_nearest_are_named(models):
    with pytest.raises(ModelNotFound) as caught:
        models.find("qwen")

    assert "qwen3" in caught.value.details


def test_a_providers_model_is_not_found_by_who_may_not_name_it(models):
    with pytest.raises(ModelNotFound):
        models.find("openai/gpt-4o-mini")


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
