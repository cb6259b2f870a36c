"""What a request does at the door: limits of one's own, and being turned away."""

from dataclasses import replace

import pytest
from fakes import FakeClock
from router_scene import REQUEST, FakeSender, Half, answer, scene

from flaskllm.core.clock import Deadline
from flaskllm.core.errors import LLMRateLimited, LLMUnavailable
from flaskllm.llm.catalog import Catalog, Route
from flaskllm.llm.health import Health, Obstacle
from flaskllm.llm.patience import Policy
from flaskllm.llm.providers import build_provider
from flaskllm.llm.router import Router
from flaskllm.llm.terms import Limits
from flaskllm.llm.types import Call, Deployment


def alone(limits=Limits(), health=None, steps=(), clock=None):  # noqa: B008 - frozen
    """Return a router before one deployment with limits of its own, and a call."""
    clock = clock or FakeClock()
    there = Deployment("a", "a", "vllm", "m", limits=limits)
    begun = []
    router = Router(
        Catalog((Route(alias="main", weights={"a": 1}),), {"a": there}),
        {"a": build_provider("vllm", None, None, clock)},
        {"a": FakeSender(clock, list(steps))},
        Policy(),
        Half(),
        health=health or Health(clock, Half()),
    )
    call = Call(
        Deadline.after(60.0, clock),
        clock.sleep,
        begun.append,
        lambda attempt, outcome: None,
    )
    return router, call, begun


class TestOwnLimits:
    def test_tokens_are_estimated_before_they_are_spent(self):
        limits = Limits(tokens_per_minute=30)
        router, call, begun = alone(limits, steps=[answer()])
        router.complete(REQUEST, call)  # of 17 tokens

        with pytest.raises(LLMRateLimited) as caught:
            router.complete(REQUEST, call)

        assert len(begun) == 1
        assert caught.value.retry_after_seconds == pytest.approx(60.0, abs=2.0)

    def test_an_answers_cap_counts_among_them(self):
        limits = Limits(tokens_per_minute=30)
        router, call, _ = alone(limits, steps=[answer()])

        result = router.complete(replace(REQUEST, max_output_tokens=5), call)

        assert result.attempts == 1

    def test_requests_are_counted(self):
        limits = Limits(requests_per_minute=1)
        router, call, begun = alone(limits, steps=[answer()] * 2)
        router.complete(REQUEST, call)

        with pytest.raises(LLMRateLimited) as caught:
            router.complete(REQUEST, call)

        assert len(begun) == 1
        assert caught.value.retry_after_seconds == pytest.approx(60.0, abs=2.0)


class Fickle(Health):
    """Looks well, and lets nobody in."""

    def __init__(self, clock, obstacle):
        super().__init__(clock, Half())
        self.obstacle = obstacle
        self.doors = []

    def enter(self, deployment, alias, **how):
        self.doors.append(how)
        return self.obstacle


FICKLE = {
    "limited for a moment": (Obstacle("limited", 1.0), 2, LLMRateLimited),
    "limited for no time": (Obstacle("limited", 0.0), 2, LLMRateLimited),
    "limited for good": (Obstacle("limited", None), 1, LLMRateLimited),
    "cooling": (Obstacle("cooling", 3.0), 2, LLMUnavailable),
    "busy": (Obstacle("busy", 1.0), 2, LLMRateLimited),
}


@pytest.mark.parametrize(("obstacle", "doors", "error"), FICKLE.values(), ids=FICKLE)
def test_who_is_turned_away_at_every_door_comes_to_an_end(obstacle, doors, error):
    clock = FakeClock()
    health = Fickle(clock, obstacle)
    router, call, begun = alone(health=health, clock=clock)

    with pytest.raises(error):
        router.complete(REQUEST, call)

    assert len(health.doors) == doors
    assert begun == []


class TestElsewhere:
    def given_seconds(self, shown):
        _, deadline, *_ = shown.senders["a"].sent[-1]
        return deadline.at_seconds - (shown.clock.monotonic() - 1.0)

    def test_a_fallback_that_may_not_be_asked_does_not_shorten_the_patience(self):
        shown = scene(a=[answer()], b=[], deadline_seconds=300.0)
        shown.health.override({"b": "open"})

        shown.complete()

        assert self.given_seconds(shown) == 300.0

    def test_one_that_may_be_asked_does(self):
        shown = scene(a=[answer()], b=[], deadline_seconds=300.0)

        shown.complete()

        assert self.given_seconds(shown) == 120.0
