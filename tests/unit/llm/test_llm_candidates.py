from dataclasses import replace
from random import Random

import pytest

from flaskllm.core.errors import (
    InvalidInputError,
    LLMContextTooLong,
    NoModelConfigured,
)
from flaskllm.llm.candidates import line_up
from flaskllm.llm.catalog import Catalog, Route
from flaskllm.llm.tokens import estimate_messages
from flaskllm.llm.types import CompletionRequest, Deployment, Extraction, Message

A = Deployment("a", "p", "openai", "model-a")
B = Deployment("b", "p", "openai", "model-b")
REQUEST = CompletionRequest("top", (Message("user", "word " * 100),))
DIGEST = replace(REQUEST, extraction=Extraction("summary", "en", ()))
JSON = replace(REQUEST, json_schema={"type": "object"})


def catalog(first, *others, fallbacks=()):
    """Route `top` to the first deployment, and each fallback alias to one more."""
    deployments = {each.name: each for each in (first, *others)}
    routes = [Route(alias="top", weights={first.name: 1}, fallbacks=fallbacks)]
    routes += [Route(alias=each.name, weights={each.name: 1}) for each in others]
    return Catalog(tuple(routes), deployments)


def names(lineup):
    return [each.deployment.name for each in lineup.candidates]


def test_the_fallbacks_stand_behind_the_route():
    lineup = line_up(catalog(A, B, fallbacks=("b",)), REQUEST, Random(1))

    assert [(c.alias, c.deployment) for c in lineup.candidates] == [
        ("top", A),
        ("b", B),
    ]
    assert lineup.objections == ()


def test_a_deployment_that_two_routes_share_stands_once():
    routes = (
        Route(alias="top", weights={"a": 1, "b": 1}, fallbacks=("rest",)),
        Route(alias="rest", weights={"a": 1, "b": 1}),
    )

    lineup = line_up(Catalog(routes, {"a": A, "b": B}), REQUEST, Random(1))

    assert sorted(names(lineup)) == ["a", "b"]


def test_offline_is_a_candidate_only_of_a_request_that_needs_no_model():
    routes = catalog(A, fallbacks=("offline",))

    assert names(line_up(routes, REQUEST, Random(1))) == ["a"]
    assert names(line_up(routes, DIGEST, Random(1))) == ["a", "offline"]


def test_a_star_passes_the_callers_name_on():
    star = replace(A, model="*")
    routes = (Route(pattern="qwen*", weights={"a": 1}),)

    lineup = line_up(
        Catalog(routes, {"a": star}), replace(REQUEST, model="qwen3"), Random(1)
    )

    assert lineup.candidates[0].deployment == replace(star, model="qwen3")


@pytest.mark.parametrize("model", [None, "auto"])
def test_a_star_needs_a_name_to_pass_on(model):
    request = replace(REQUEST, model=model)

    with pytest.raises(InvalidInputError, match="not valid") as caught:
        line_up(catalog(replace(A, model="*")), request, Random(1))

    assert caught.value.fields[0].path == "model"


CAPABILITIES = {
    "unknown": (None, True),
    "listed": (frozenset({"json", "tools"}), True),
    "not listed": (frozenset({"tools"}), False),
    "none": (frozenset(), False),
}


@pytest.mark.parametrize(
    ("capabilities", "is_asked"), CAPABILITIES.values(), ids=CAPABILITIES
)
def test_only_a_list_without_json_keeps_a_json_request_away(capabilities, is_asked):
    routes = catalog(replace(A, capabilities=capabilities), B, fallbacks=("b",))

    assert ("a" in names(line_up(routes, JSON, Random(1)))) is is_asked
    assert "a" in names(line_up(routes, REQUEST, Random(1)))


def test_when_nothing_can_answer_in_json_the_objection_says_so():
    lineup = line_up(catalog(replace(A, capabilities=frozenset())), JSON, Random(1))

    assert lineup.candidates == ()
    (objection,) = lineup.objections
    assert isinstance(objection, NoModelConfigured)
    assert "'json'" in objection.details
    assert "'top'" in objection.details


def test_a_window_that_is_too_small_is_skipped():
    routes = catalog(replace(A, context_window=50), B, fallbacks=("b",))

    assert names(line_up(routes, REQUEST, Random(1))) == ["b"]


def test_the_answers_cap_must_fit_the_window_too():
    needed = estimate_messages(REQUEST.messages)
    capped = replace(REQUEST, max_output_tokens=100)

    exact = catalog(replace(A, context_window=needed + 100))
    short = catalog(replace(A, context_window=needed + 99))

    assert names(line_up(exact, capped, Random(1))) == ["a"]
    assert names(line_up(short, capped, Random(1))) == []


def test_when_no_window_is_long_enough_the_objection_names_both_sizes():
    small = replace(A, context_window=64)
    larger = replace(B, context_window=96, max_output_tokens=16)

    lineup = line_up(catalog(small, larger, fallbacks=("b",)), REQUEST, Random(1))

    assert lineup.candidates == ()
    (objection,) = lineup.objections
    assert isinstance(objection, LLMContextTooLong)
    assert f"about {estimate_messages(REQUEST.messages)} tokens" in objection.details
    assert "largest context window is 96 tokens, which leaves 80" in objection.details


def test_offline_has_no_window():
    routes = catalog(replace(A, context_window=10), fallbacks=("offline",))

    assert names(line_up(routes, DIGEST, Random(1))) == ["offline"]
