"""Histories of requests, for the tests of what is decided about them."""

from typing import TypeAlias

from flaskllm.llm.health.standings import Obstacle
from flaskllm.llm.history import Failure, History, Option
from flaskllm.llm.patience import Policy
from flaskllm.llm.retry import Decision

POLICY = Policy(retries=2, base_seconds=0.5, cap_seconds=8.0, longest_wait_seconds=3.0)
NOW = 100.0

Case: TypeAlias = tuple[History, Decision]


def history(
    *failures,
    untried=(),
    remaining=60.0,
    draw=0.5,
    objections=(),
    windows=None,
    aliases=None,
    models=None,
    obstacles=None,
    retried=(),
    had_last_resort=False,
    may_continue=False,
):
    """Build a history of (deployment, error) pairs, each a second after the last.

    All deployments are of one route and one model, but for those named; an obstacle
    is a reason and its seconds.
    """
    first = NOW - len(failures) + 1
    names = dict.fromkeys([*(name for name, _ in failures), *untried])
    blocked = {name: Obstacle(*each) for name, each in (obstacles or {}).items()}
    return History(
        options={
            name: Option(
                (aliases or {}).get(name, "main"),
                (models or {}).get(name, "m"),
                (windows or {}).get(name),
                blocked.get(name),
            )
            for name in names
        },
        untried=untried,
        now_seconds=NOW,
        remaining_seconds=remaining,
        draw=draw,
        failures=tuple(
            Failure(name, error, first + i) for i, (name, error) in enumerate(failures)
        ),
        objections=objections,
        retried=retried,
        had_last_resort=had_last_resort,
        may_continue=may_continue,
    )
