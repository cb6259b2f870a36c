"""What is done about the limits that replies tell."""

import pytest
from health_scene import UNKNOWN, USED, Scene

from flaskllm.core.errors import LLMRateLimited

SPENT = {
    "x-ratelimit-limit-requests": "10",
    "x-ratelimit-remaining-requests": "0",
    "x-ratelimit-reset-requests": "7s",
}


def told(kind="requests", **said):
    return {f"x-ratelimit-{what}-{kind}": value for what, value in said.items()}


def heed(scene, headers, name="a"):
    visit = scene.visit(name)
    visit.heed(headers)
    visit.end(None, USED, 1.0)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (SPENT, 7.0),
        (told(remaining="0", reset="6m0s"), 60.0),
        (told("tokens", limit="100", remaining="0", reset="120ms"), 0.12),
        (
            {
                "anthropic-ratelimit-output-tokens-remaining": "0",
                "anthropic-ratelimit-output-tokens-reset": "2026-01-05T09:00:30Z",
            },
            30.0,
        ),
    ],
    ids=["requests", "longer than a minute", "tokens", "a moment"],
)
def test_a_limit_that_is_used_up_is_waited_for_until_its_reset(headers, seconds):
    scene = Scene()

    heed(scene, headers)

    reason, told_seconds = scene.refused()
    assert reason == "limited"
    assert told_seconds == pytest.approx(seconds)
    scene.clock.advance(seconds + 0.001)
    assert scene.look().obstacle is None


@pytest.mark.parametrize(
    "headers",
    [
        told(remaining="0"),
        told(remaining="0", reset="soon"),
        told(remaining="none", reset="9s"),
        told(limit="0", reset="9s"),
        told(remaining="0", reset="0s"),
        told(remaining="1", reset="9s"),
        {"content-type": "application/json"},
    ],
)
def test_nothing_is_waited_for_without_an_end_or_a_spent_limit(headers):
    scene = Scene()

    heed(scene, headers)

    assert scene.look().obstacle is None


def test_of_a_last_request_that_remains_only_one_makes_use():
    scene = Scene()
    heed(scene, told(limit="60", remaining="1", reset="59s"))

    scene.visit()

    # It fills up by one a second.
    assert scene.refused() == ("limited", pytest.approx(1.0))
    scene.clock.advance(1.0)
    scene.visit()


def test_without_the_whole_a_last_request_is_waited_for_until_the_reset():
    scene = Scene()
    heed(scene, told(remaining="1", reset="9s"))

    scene.visit()

    assert scene.refused() == ("limited", 9.0)


def test_the_newest_reply_is_believed():
    scene = Scene()
    first, second = scene.visit(), scene.visit()

    first.heed(SPENT)
    second.heed(told(limit="10", remaining="9", reset="1s"))

    assert scene.look().obstacle is None


def test_tokens_that_are_only_estimates_refuse_nobody():
    scene = Scene()
    heed(scene, told("tokens", limit="1000", remaining="50", reset="10s"))

    scene.visit(tokens=500)

    assert scene.look().obstacle is None
    assert scene.look().headroom == 0.0


def test_headroom_is_the_free_part_of_the_scarcer_and_fills_up_again():
    scene = Scene()

    heed(
        scene,
        told(limit="100", remaining="80", reset="20s")
        | told("tokens", limit="1000", remaining="500", reset="20s"),
    )

    assert scene.look().headroom == 0.5
    scene.clock.advance(10.0)
    assert scene.look().headroom == 0.75
    scene.clock.advance(20.0)
    assert scene.look().headroom == 1.0


@pytest.mark.parametrize(
    "headers", [told(remaining="5"), told(limit="0", remaining="0")]
)
def test_headroom_needs_a_whole(headers):
    scene = Scene()

    heed(scene, headers)

    assert scene.look().headroom == 1.0


def test_a_limit_without_a_reset_is_forgotten_after_a_minute():
    scene = Scene()
    heed(scene, told(limit="100", remaining="10"))
    assert scene.look().headroom == 0.1

    scene.clock.advance(60.0)

    assert scene.look().headroom == 1.0


def test_what_a_429_itself_says_goes_before_the_reset_of_everything():
    scene = Scene()
    visit = scene.visit()

    visit.heed(SPENT)
    visit.end(LLMRateLimited(retry_after_seconds=2.0), UNKNOWN, 0.1)

    assert scene.refused() == ("limited", 2.0)


def test_a_429_that_does_not_say_leaves_the_reset():
    scene = Scene()
    visit = scene.visit()

    visit.heed(SPENT)
    visit.end(LLMRateLimited(), UNKNOWN, 0.1)

    assert scene.refused() == ("limited", 7.0)
