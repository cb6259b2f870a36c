"""How long one attempt may take depends on whether there is elsewhere to go."""

import pytest
from router_scene import DIGEST, FakeLocal, answer, scene, status

from flaskllm.core.clock import Deadline


def given_seconds(shown, name):
    """Return how long the first attempt at a deployment was given, in seconds."""
    _, deadline, *_ = shown.senders[name].sent[0]
    started_seconds = shown.clock.monotonic() - sum(
        sender.seconds * len(sender.sent) for sender in shown.senders.values()
    )
    return deadline.at_seconds - started_seconds


def test_a_whole_answer_may_not_use_up_what_a_fallback_needs():
    shown = scene(a=[answer()], b=[], deadline_seconds=300.0)

    shown.complete()

    assert given_seconds(shown, "a") == 120.0


def test_the_deadline_holds_when_it_comes_first():
    shown = scene(a=[answer()], b=[], deadline_seconds=20.0)

    shown.complete()

    assert given_seconds(shown, "a") == 20.0


@pytest.mark.parametrize("offline", [None, FakeLocal()], ids=["nothing", "offline"])
def test_the_last_upstream_gets_all_the_time(offline):
    shown = scene(offline=offline, a=[answer()], deadline_seconds=300.0)

    shown.complete(DIGEST)

    assert given_seconds(shown, "a") == 300.0


def test_the_last_of_several_gets_what_is_left():
    shown = scene(a=[status(503)], b=[answer()], deadline_seconds=300.0)

    shown.complete()

    assert isinstance(shown.senders["b"].sent[0][1], Deadline)
    assert given_seconds(shown, "b") == 300.0
