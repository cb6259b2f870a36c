"""A route shares its load by weight, and its fallbacks are asked in order."""

from collections import Counter
from random import Random

import pytest
from fakes import FakeClock
from stream_scene import REQUEST, LineProvider, StreamSender, stream_scene

from flaskllm.core.clock import Deadline
from flaskllm.core.errors import LLMUnavailable
from flaskllm.llm.catalog import Catalog, Route
from flaskllm.llm.patience import Policy
from flaskllm.llm.router import Router
from flaskllm.llm.types import Call, Deployment
from flaskllm.net.transport import HttpReply

GOOD = HttpReply(200, {}, b"Friday.")


@pytest.mark.parametrize("seed", range(3))
def test_of_a_thousand_calls_each_deployment_gets_its_share_within_two_percent(seed):
    clock = FakeClock()
    asked = Counter()
    names = {"heavy": 3, "light": 1}
    call = Call(
        Deadline.after(60.0, clock),
        clock.sleep,
        lambda attempt: asked.update([attempt.deployment.name]),
        lambda attempt, outcome: None,
    )
    router = Router(
        Catalog(
            (Route(alias="main", weights=names),),
            {name: Deployment(name, name, "vllm", "m") for name in names},
        ),
        dict.fromkeys(names, LineProvider()),
        {name: StreamSender(clock, [GOOD] * 1000) for name in names},
        Policy(),
        Random(seed),
    )

    for _ in range(1000):
        router.complete(REQUEST, call)

    assert asked["heavy"] / 1000 == pytest.approx(0.75, abs=0.02)


def chain(*names):
    """Return routes of which each falls back to the next alone."""
    steps = zip(names, [*names[1:], None], strict=True)
    return tuple(
        Route(alias=name, weights={name: 1}, fallbacks=(after,) if after else ())
        for name, after in steps
    )


class TestChainOfThreeSteps:
    @pytest.mark.parametrize("n_failing", range(4))
    def test_the_first_step_that_can_answers(self, n_failing):
        names = "abcd"
        scripts = {
            name: [HttpReply(503, {}, b"") if place < n_failing else GOOD]
            for place, name in enumerate(names)
        }
        shown = stream_scene(routes=chain(*names), **scripts)

        answer = shown.router.complete(REQUEST, shown.call)

        assert (answer.alias, answer.attempts) == (names[n_failing], n_failing + 1)
        assert shown.clock.slept == []

    def test_when_none_can_the_error_says_when_to_come_back(self):
        down = [HttpReply(503, {}, b"")]
        shown = stream_scene(
            routes=chain("a", "b", "c"),
            policy=Policy(retries=0),
            a=down,
            b=down,
            c=down,
        )

        with pytest.raises(LLMUnavailable) as caught:
            shown.router.complete(REQUEST, shown.call)

        assert [attempt.alias for attempt in shown.begun] == ["a", "b", "c"]
        assert caught.value.retry_after_seconds == 5.0
