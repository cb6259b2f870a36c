"""Whom the router leaves alone, and what a request does when that is everybody."""

from dataclasses import replace

import pytest
from router_scene import (
    DIGEST,
    REQUEST,
    FakeLocal,
    Half,
    answer,
    asked,
    codes,
    scene,
    status,
)

from flaskllm.core.errors import (
    BudgetExceeded,
    CallerGone,
    LLMContextTooLong,
    LLMCredentialRejected,
    LLMRateLimited,
    LLMTimeout,
    LLMUnavailable,
)
from flaskllm.core.metrics import Metrics
from flaskllm.llm.health import Obstacle, Standing
from flaskllm.llm.health import Policy as HealthPolicy
from flaskllm.llm.patience import Policy
from flaskllm.llm.router import Router
from flaskllm.llm.terms import Limits
from flaskllm.llm.types import Deployment

ONE_FAILURE = HealthPolicy(failures_in_a_row=1)
DOWN = status(503)


def decisions(shown):
    return [attempt.decision for attempt in shown.begun]


class TestBreaker:
    def test_who_is_cooling_is_not_asked(self):
        shown = scene(health_policy=ONE_FAILURE, a=[DOWN], b=[answer()] * 2)
        shown.complete()

        result = shown.complete()

        assert (result.deployment.name, result.attempts) == ("b", 1)
        assert asked(shown) == ["a", "b", "b"]
        assert decisions(shown)[2] == "fallback b: b; skipped a (cooling 4 s)"

    def test_that_it_was_passed_over_is_among_the_failures(self):
        shown = scene(
            health_policy=ONE_FAILURE, offline=FakeLocal(), a=[DOWN] * 3, b=[]
        )
        shown.health.override({"b": "open"})
        shown.complete(DIGEST)

        result = shown.complete(DIGEST)

        assert asked(shown) == ["a", "offline", "offline"]
        assert result.failures == ("LLM_UNAVAILABLE",)

    def test_one_probe_brings_it_back(self):
        shown = scene(health_policy=ONE_FAILURE, a=[DOWN, answer()], b=[answer()] * 2)
        shown.complete()
        shown.clock.advance(21.0)

        assert shown.complete().deployment.name == "a"
        assert shown.health.look(Deployment("a", "a", "vllm", "m")).state == "closed"

    def test_one_that_failed_is_not_repeated_when_that_opened_its_breaker(self):
        shown = scene(health_policy=ONE_FAILURE, a=[status(500)], b=[answer()])

        assert shown.complete().deployment.name == "b"
        assert shown.waited == []

    def test_when_all_are_open_the_one_due_first_is_the_last_resort(self):
        shown = scene(
            health_policy=ONE_FAILURE, a=[DOWN, answer()], b=[status(529), answer()]
        )
        with pytest.raises(LLMUnavailable):
            shown.complete()

        result = shown.complete()

        assert result.deployment.name == "a"
        assert decisions(shown)[2] == "last resort: a; skipped b (cooling 5 s)"

    def test_while_it_is_asked_others_are_told_when_to_come_back(self):
        shown = scene(health_policy=ONE_FAILURE, a=[DOWN, answer()], b=[])
        shown.health.override({"b": "open"})
        with pytest.raises(LLMUnavailable):
            shown.complete()
        place = shown.health.enter(
            Deployment("a", "a", "vllm", "m"),
            "main",
            tokens=0,
            streams=False,
            as_last_resort=True,
        )
        assert not isinstance(place, Obstacle)

        with pytest.raises(LLMUnavailable) as caught:
            shown.complete()

        assert caught.value.status == 503
        assert caught.value.retry_after_seconds == pytest.approx(5.0)
        assert caught.value.details == (
            "No deployment may be asked now: a (cooling 5 s), "
            "b (taken out by an operator)."
        )
        assert asked(shown) == ["a"]

    def test_it_is_one_request_at_a_time_for_all_of_them(self):
        shown = scene(health_policy=ONE_FAILURE, a=[DOWN], b=[DOWN])
        shown.senders["b"].seconds = 0.2
        with pytest.raises(LLMUnavailable):
            shown.complete()
        # Both are due within the second that others wait for a probe.
        shown.clock.advance(4.5)
        place = shown.health.enter(
            Deployment("a", "a", "vllm", "m"),
            "main",
            tokens=0,
            streams=False,
            as_last_resort=True,
        )
        assert not isinstance(place, Obstacle)

        with pytest.raises(LLMUnavailable) as caught:
            shown.complete()

        assert asked(shown) == ["a", "b"]
        assert "b (cooling" in caught.value.details


class TestLimited:
    def test_nothing_is_sent_into_a_known_429(self):
        limited = status(429, {"retry-after": "20"})
        shown = scene(a=[limited], b=[answer()] * 2)
        shown.complete()

        shown.complete()

        assert asked(shown) == ["a", "b", "b"]

    def test_a_header_that_nothing_remains_is_heeded(self):
        last = answer()
        said = {
            "x-ratelimit-limit-requests": "60",
            "x-ratelimit-remaining-requests": "0",
            "x-ratelimit-reset-requests": "20s",
        }
        shown = scene(a=[replace(last, headers=said)], b=[answer()])
        shown.complete()

        assert shown.complete().deployment.name == "b"

    def test_a_short_limit_is_waited_for_when_nobody_else_is_there(self):
        shown = scene(a=[status(429, {"retry-after": "4"}), answer()])
        with pytest.raises(LLMRateLimited):
            shown.complete()
        shown.clock.advance(2.0)

        result = shown.complete()

        assert (result.deployment.name, result.attempts) == ("a", 1)
        assert shown.waited == [pytest.approx(2.0)]
        assert decisions(shown)[1] == "wait: a"

    def test_a_long_one_is_a_429_with_the_shortest_time(self):
        shown = scene(
            a=[status(429, {"retry-after": "40"})],
            b=[status(429, {"retry-after": "20"})],
        )
        with pytest.raises(LLMRateLimited):
            shown.complete()

        with pytest.raises(LLMRateLimited) as caught:
            shown.complete()

        assert caught.value.retry_after_seconds == pytest.approx(20.0)
        assert asked(shown) == ["a", "b"]

    def test_what_is_supposed_of_an_answer_keeps_nobody_out_for_ever(self):
        shown = scene(a=[answer()], limits=Limits(tokens_per_minute=100))

        assert shown.complete().deployment.name == "a"

    def test_an_input_that_never_fits_is_told_so_and_not_to_come_back(self):
        shown = scene(a=[], limits=Limits(tokens_per_minute=5))

        with pytest.raises(LLMContextTooLong) as caught:
            shown.complete()

        assert caught.value.status == 413
        assert caught.value.retry_after_seconds is None


class TestCredential:
    def test_one_that_was_rejected_is_not_used_for_the_next_request(self):
        shown = scene(a=[status(401)], b=[answer()] * 2)
        shown.complete()

        assert shown.complete().deployment.name == "b"
        assert asked(shown) == ["a", "b", "b"]

    def test_where_there_is_no_other_the_error_says_so(self):
        shown = scene(a=[status(401)])
        for _ in range(2):
            with pytest.raises(LLMCredentialRejected) as caught:
                shown.complete()

        assert asked(shown) == ["a"]
        assert "a (credential rejected 60 s)" in caught.value.details


def test_what_an_operator_took_out_is_not_asked():
    shown = scene(a=[answer()])
    shown.health.override({"a": "open"})

    with pytest.raises(LLMUnavailable) as caught:
        shown.complete()

    assert "taken out by an operator" in caught.value.details
    assert asked(shown) == []


def test_when_repeats_are_used_up_the_next_is_asked_without_a_wait():
    faults = [status(500)] * 2
    frugal = HealthPolicy(failures_in_a_row=99, fewest_repeats=1, fewest_outcomes=99)
    metrics = Metrics()
    shown = scene(health_policy=frugal, metrics=metrics, a=faults * 2, b=[answer()] * 2)
    shown.complete()

    shown.complete()

    assert asked(shown) == ["a", "a", "b", "a", "b"]
    assert shown.waited == [0.25]
    refused = b'flaskllm_repeats_refused_total{deployment="a"} 1.0'
    assert refused in metrics.render()


class TestWhatCounts:
    """With one failure enough to open it, how an attempt ended shows in the breaker."""

    def state(self, shown):
        return shown.health.look(Deployment("a", "a", "vllm", "m"))

    @pytest.mark.parametrize(
        ("step", "seconds", "state"),
        [
            (CallerGone(), 1.0, "closed"),
            (status(400), 1.0, "closed"),
            (LLMTimeout(), 121.0, "open"),
            (LLMTimeout(), 60.0, "closed"),
            (LLMUnavailable(), 60.0, "open"),
        ],
        ids=["gone", "wrong", "its time-out", "the deadline", "down, late"],
    )
    def test_what_is_the_callers_fault_does_not(self, step, seconds, state):
        shown = scene(
            health_policy=ONE_FAILURE,
            deadline_seconds=min(seconds, 120.5),
            a=[step],
        )
        shown.senders["a"].seconds = seconds

        with pytest.raises((CallerGone, Exception)):
            shown.complete()

        assert self.state(shown).state == state
        assert self.state(shown).in_flight == 0

    def test_a_time_out_before_the_deadline_does(self):
        shown = scene(health_policy=ONE_FAILURE, a=[LLMTimeout()])

        with pytest.raises(LLMTimeout):
            shown.complete()

        assert self.state(shown).state == "open"

    def test_an_attempt_that_may_not_be_made_gives_its_place_back(self):
        def spend(attempt):
            raise BudgetExceeded

        shown = scene(health_policy=ONE_FAILURE, begin=spend, a=[])

        with pytest.raises(BudgetExceeded):
            shown.complete()

        assert self.state(shown) == Standing()
        assert codes(shown) == []

    @pytest.mark.parametrize("hint", [None, 30.0])
    def test_a_fallback_that_may_not_be_made_ends_the_walk_and_harms_nobody(self, hint):
        error = BudgetExceeded(retry_after_seconds=hint)
        error.alias = "local"

        def spend(attempt):
            if attempt.deployment.name == "b":
                raise error

        shown = scene(
            health_policy=ONE_FAILURE, begin=spend, a=[DOWN], b=[], c=[answer()]
        )
        with pytest.raises(BudgetExceeded) as caught:
            shown.complete()

        assert caught.value is error
        assert (error.status, error.alias) == (402, "local")
        assert error.retry_after_seconds == hint
        assert asked(shown) == ["a"]
        assert codes(shown) == ["LLM_UNAVAILABLE"]
        refused = shown.router._catalog.deployments["b"]
        assert shown.health.look(refused) == Standing()

    def test_what_needs_no_upstream_is_never_counted(self):
        shown = scene(offline=FakeLocal(), a=[DOWN] * 3)

        shown.complete(DIGEST)
        offline = next(a.deployment for a in shown.begun if a.alias == "offline")

        assert shown.health.look(offline) == Standing()


def test_without_a_health_everybody_may_be_asked():
    shown = scene(a=[DOWN] * 6, b=[DOWN] * 6)
    router = Router(
        shown.router._catalog,
        shown.router._upstreams.providers,
        shown.senders,
        Policy(retries=0),
        Half(),
    )

    for _ in range(6):
        with pytest.raises(LLMUnavailable):
            router.complete(REQUEST, shown.call)

    assert len(shown.begun) == 12


def test_a_name_that_a_caller_made_teaches_no_route_anything():
    shown = scene(a=[answer()] * 2)
    catalog = shown.router._catalog
    shown.router._catalog = replace(
        catalog, samples={"a": Deployment("a", "a", "vllm", "*")}
    )

    shown.complete()
    shown.complete(replace(REQUEST, model="a/m-9", direct=True))

    assert asked(shown) == ["a", "a/m-9"]
    assert list(shown.health._lessons._routes) == ["main"]
