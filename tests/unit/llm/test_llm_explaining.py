"""An explanation says who would be asked, and why, and asks nobody."""

from dataclasses import replace
from random import Random

import pytest
from fakes import FakeClock

from flaskllm.core.errors import (
    InvalidInputError,
    LLMContextTooLong,
    LLMCredentialRejected,
    LLMUnavailable,
    ModelNotFound,
    NoModelConfigured,
)
from flaskllm.llm.allowed import EVERYTHING, Allowed
from flaskllm.llm.catalog import Catalog, Route
from flaskllm.llm.explaining import Explainer
from flaskllm.llm.health import Health
from flaskllm.llm.parts import Message
from flaskllm.llm.providers import build_provider
from flaskllm.llm.terms import Limits, Price
from flaskllm.llm.types import CompletionRequest, Deployment, JsonFormat, Tool, Usage
from flaskllm.llm.upstreams import Upstreams

ONE_DOLLAR = 1_000_000_000
PRICE = Price(ONE_DOLLAR, 2 * ONE_DOLLAR)
MINI = Deployment("mini", "box", "vllm", "m-1", price=PRICE)
LARGE = replace(MINI, name="large", model="m-2", price=None)
FAR = replace(MINI, name="far", model="m-3", price=None)
REQUEST = CompletionRequest("fast", (Message("user", "When is the launch?"),))


class Silent:
    """A sender that nobody may use."""

    def send(self, *_arguments, **_named):
        raise AssertionError("an upstream was asked")

    open = send


class SilentLists:
    """Lists that are known from before; to ask is a mistake."""

    def __init__(self, may_be_read=False):
        self._may_be_read = may_be_read

    def names(self):
        assert self._may_be_read, "an upstream was asked for its list"
        return ("m-9",)

    def find(self, model, provider=None):
        assert self._may_be_read, "an upstream was asked for its list"
        return replace(MINI, name="box/m-9", model="m-9") if model == "m-9" else None

    def without_asking(self):
        return SilentLists(may_be_read=True)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def health(clock):
    return Health(clock, Random(1))


@pytest.fixture
def explain(clock, health):
    """Explain a request by a route of mini and large, with far behind it."""

    def explain(request=REQUEST, *, strategy="weighted", **changed):
        known = {each.name: each for each in (MINI, LARGE, FAR)}
        known |= changed.get("deployments", {})
        routes = (
            Route(
                alias="fast",
                strategy=strategy,
                weights={"mini": 3, "large": 1},
                fallbacks=("behind",),
                require_price=changed.get("require_price", False),
            ),
            Route(alias="behind", weights={"far": 1, "mini": 1}),
        )
        provider = build_provider("vllm", None, None, clock)
        explainer = Explainer(
            Catalog(routes, known, discovered=SilentLists()),
            Upstreams({"box": provider}, {"box": Silent()}),
            changed.get("health", health),
            Random(7),
            changed.get("describe", lambda deployments, request: deployments),
        )
        return explainer.explain(request, changed.get("allowed", EVERYTHING))

    return explain


def fail(health, clock, deployment, error, times=5):
    for _ in range(times):
        visit = health.enter(deployment, "fast", tokens=1, streams=False)
        visit.end(error, Usage(), 0.1)


def names(told):
    return [each.deployment.name for each in told]


def test_the_candidates_stand_in_the_order_to_ask_them_with_what_decided(explain):
    told = explain(strategy="cheapest")

    assert (told.route.name, told.fallbacks) == ("fast", ("behind",))
    assert names(told.candidates) == ["mini", "large", "far"]
    assert [each.alias for each in told.candidates] == ["fast", "fast", "behind"]
    first, second, _ = told.candidates
    cost = first.tokens_input * 1000 + first.tokens_output * 2000
    assert (first.weight, first.cost_nanos) == (3, cost)
    assert first.tokens_output == 400
    assert (second.weight, second.cost_nanos) == (1, None)
    assert (told.excluded, told.last_resort, told.error) == ((), None, None)


def test_the_scores_are_those_of_the_strategy(explain):
    scores = {each.deployment.name: each.score for each in explain().candidates}

    assert scores == {"mini": 0.75, "large": 0.25, "far": 1.0}


def test_a_deployment_of_two_routes_stands_once_in_the_first(explain):
    aliases = {each.deployment.name: each.alias for each in explain().candidates}

    assert aliases["mini"] == "fast"


def test_what_is_known_of_their_health_is_told(explain, health, clock):
    visit = health.enter(MINI, "fast", tokens=1, streams=False)
    clock.advance(2.0)
    visit.end(None, Usage(), 2.0)
    health.enter(MINI, "fast", tokens=1, streams=False)

    told = explain(strategy="least_busy")

    assert names(told.candidates)[0] == "large"
    (mini,) = (each for each in told.candidates if each.deployment is MINI)
    assert mini.standing.in_flight == 1
    assert mini.standing.answer_seconds == pytest.approx(2.0)


def test_without_a_health_all_are_well(explain):
    assert len(explain(health=None).candidates) == 3


def test_who_cools_is_left_out_with_the_time_that_is_left(explain, health, clock):
    fail(health, clock, MINI, LLMUnavailable())

    told = explain()

    assert names(told.candidates) == ["large", "far"]
    (out,) = told.excluded
    assert (out.alias, out.deployment.name, out.reason) == ("fast", "mini", "cooling")
    assert 4.0 <= out.seconds <= 6.0
    assert out.standing.state == "open"
    assert out.standing.failures_in_a_row == 5


def test_an_operator_and_a_credential_leave_out_too(explain, health, clock):
    health.override({"mini": "open"})
    told = explain()
    assert [(each.reason, each.seconds) for each in told.excluded] == [
        ("disabled", None)
    ]

    fail(health, clock, LARGE, LLMCredentialRejected(), times=1)
    told = explain()

    assert told.candidates == ()
    assert {each.reason for each in told.excluded} == {"disabled", "credential"}
    assert told.last_resort is None
    assert isinstance(told.error, LLMCredentialRejected)
    assert told.error.retry_after_seconds == pytest.approx(60.0, abs=15.0)


def test_when_all_cool_the_one_that_is_due_first_is_the_last_resort(
    explain, health, clock
):
    for each in (LARGE, MINI, FAR):
        clock.advance(2.0)
        fail(health, clock, each, LLMUnavailable())

    told = explain()

    assert told.candidates == ()
    assert [each.reason for each in told.excluded] == ["cooling"] * 3
    assert told.last_resort == "large"
    assert told.error is None


NEEDY = {
    "tools": (replace(REQUEST, tools=(Tool("f"),)), "tools"),
    "JSON": (replace(REQUEST, json_format=JsonFormat()), "json"),
}


@pytest.mark.parametrize(("request_", "need"), NEEDY.values(), ids=list(NEEDY))
def test_what_a_deployment_lacks_is_named(explain, request_, need):
    poor = replace(MINI, capabilities=frozenset({"vision"}))

    told = explain(request_, deployments={"mini": poor})

    assert names(told.candidates) == ["large", "far"]
    (out,) = told.excluded
    assert (out.deployment, out.reason, out.details) == (poor, "lacking", need)
    assert out.standing is None


def test_what_all_lack_is_told_with_the_error_that_the_caller_gets(explain):
    poor = {
        each.name: replace(each, capabilities=frozenset())
        for each in (MINI, LARGE, FAR)
    }

    told = explain(replace(REQUEST, tools=(Tool("f"),)), deployments=poor)

    assert told.candidates == ()
    assert [(each.alias, each.deployment.name) for each in told.excluded] == [
        ("fast", "mini"),
        ("fast", "large"),
        ("behind", "far"),
    ]
    assert {each.details for each in told.excluded} == {"tools"}
    assert isinstance(told.error, InvalidInputError)
    assert [field.path for field in told.error.fields] == ["tools"]


def test_what_is_too_long_is_told_with_both_sizes(explain):
    small = replace(MINI, context_window=16, max_output_tokens=8)

    told = explain(deployments={"mini": small})

    assert names(told.candidates) == ["large", "far"]
    (out,) = told.excluded
    tokens = next(each.tokens_input for each in told.candidates)
    assert out.reason == "too_long"
    assert out.details == f"about {tokens} tokens of input, and room for 12"


def test_what_no_minute_has_room_for_is_too_long(explain):
    narrow = replace(MINI, limits=Limits(tokens_per_minute=2))

    (out,) = explain(deployments={"mini": narrow}).excluded

    assert out.reason == "too_long"
    assert out.details.endswith("tokens of input, and room for 2")


def test_what_is_too_long_for_all_ends_in_that_error(explain):
    small = {each.name: replace(each, context_window=2) for each in (MINI, LARGE, FAR)}

    told = explain(deployments=small)

    assert [each.reason for each in told.excluded] == ["too_long"] * 3
    assert isinstance(told.error, LLMContextTooLong)


def test_what_has_no_price_is_left_out_where_one_is_required(explain):
    told = explain(require_price=True)

    assert names(told.candidates) == ["mini", "far"]
    (out,) = told.excluded
    assert (out.deployment.name, out.reason) == ("large", "no_price")


def test_what_was_told_of_a_model_before_counts(explain):
    def describe(deployments, request):
        return [
            replace(each, context_window=2) if each.name == "mini" else each
            for each in deployments
        ]

    (out,) = explain(describe=describe).excluded

    assert (out.deployment.name, out.reason) == ("mini", "too_long")
    assert out.details.endswith("and room for 2")


def test_a_model_that_was_listed_before_is_known(explain):
    told = explain(replace(REQUEST, model="m-9"))

    assert names(told.candidates) == ["box/m-9"]


def test_an_unknown_model_is_told_with_the_nearest(explain):
    with pytest.raises(ModelNotFound, match="no model") as caught:
        explain(replace(REQUEST, model="fsat"))

    assert "fast" in caught.value.details


def test_a_name_that_has_to_be_passed_on_is_missed(explain):
    star = {"mini": replace(MINI, model="*")}

    with pytest.raises(InvalidInputError) as caught:
        explain(replace(REQUEST, model=None), deployments=star)

    assert caught.value.fields[0].path == "model"


def test_without_a_model_there_is_nothing_to_explain(clock):
    explainer = Explainer(
        Catalog((), {}), Upstreams({}, {}), None, Random(1), lambda known, _: known
    )

    with pytest.raises(NoModelConfigured):
        explainer.explain(REQUEST)


def test_an_allowed_name_is_told_with_all_that_stands_behind_it(explain):
    told = explain(allowed=Allowed(frozenset({"fast"})))

    assert told.route.name == "fast"
    assert told.fallbacks == ("behind",)
    assert "far" in names(told.candidates)


def test_a_name_that_is_not_allowed_is_not_found(explain):
    with pytest.raises(ModelNotFound):
        explain(replace(REQUEST, model="fast"), allowed=Allowed(frozenset({"behind"})))
