"""The loop: the k-th call fails, for k = 1, 2, ... until none is left to fail."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from kth_failure import Edge, Shot
from kth_faults import THREADS, Fault
from kth_scenes import CHAT, Scenario
from kth_stage import Base, Stage, Told, base_of, wrongs_of

_NEVER = 10**9
_ANYTHING = Base(_NEVER, _NEVER)


@dataclass
class Result:
    """What came of some rounds.

    Attributes:
        rounds: In how many of them a call failed.
        done: Of these, runs that succeeded in spite of it.
        told: Runs that ended with a typed error.
        wrongs: All that does not hold, in sentences.
    """

    rounds: int = 0
    done: int = 0
    told: int = 0
    wrongs: list[str] = field(default_factory=list)

    def count(self, outcome: str) -> None:
        """Count a round in which a call failed."""
        self.rounds += 1
        self.done += outcome == "done"
        self.told += outcome == "told"

    def note(self, shot: Shot, outcome: str, wrongs: Iterable[str]) -> None:
        """Keep what was wrong in a round."""
        told = f"{shot.fault.name} at {shot.hit or 'nothing'}, k={shot.k}: {outcome}"
        self.wrongs += [f"{told}: {each}" for each in wrongs]

    def __str__(self) -> str:
        return (
            f"{self.rounds} calls failed: {self.done} runs succeeded, "
            f"{self.told} ended with a typed error"
        )


def numbers(calls: int, most: int | None) -> Iterator[int]:
    """Yield which calls are to fail: `most` of so many, all of them without `most`."""
    if most is None or most >= calls:
        yield from range(1, calls + 1)
    else:
        yield from (1 + number * (calls - 1) // most for number in range(1, most + 1))


def calls_of(edge: Edge, fault: Fault, act: Callable[[], object]) -> int:
    """Return how many calls this could hit while something is done."""
    with edge.failing(fault, _NEVER) as shot:
        act()
    return _NEVER - shot.left


def loop(
    stage: Stage, scenario: Scenario, faults: Iterable[Fault], most: int | None
) -> Result:
    """Let the calls of a scenario fail, each in a round of its own."""
    stage.make_tokens()
    stage.ask("POST", "/v1/chat/completions", CHAT)  # begins what runs beside it
    scenario.prepare(stage)
    result = Result()
    for _ in range(2):
        result.wrongs += _without_fault(scenario, stage)
    base = base_of(stage)
    for fault in faults:
        _all_rounds(stage, scenario, fault, most, base, result)
    return result


def _all_rounds(
    stage: Stage,
    scenario: Scenario,
    fault: Fault,
    most: int | None,
    base: Base,
    result: Result,
) -> None:
    stage.turn += 1
    _begin(stage, scenario, fault)
    calls = calls_of(stage.edge, fault, lambda: scenario.run(stage))
    result.wrongs += scenario.check(stage)
    for k in numbers(calls, most):
        _round(stage, scenario, fault, k, base, result)
    # What threads do at their own times makes it a few more or less.
    k = calls + 1
    while most is None and _round(stage, scenario, fault, k, base, result):
        k += 1


def _without_fault(scenario: Scenario, stage: Stage) -> list[str]:
    stage.turn += 1
    stage.pass_time()
    scenario.before(stage)
    scenario.run(stage)
    return list(scenario.check(stage))


def _begin(stage: Stage, scenario: Scenario, fault: Fault) -> None:
    stage.pass_time()
    scenario.before(stage)
    stage.cool()
    if fault in THREADS:
        stage.start()  # threads are begun once for a process


def _round(
    stage: Stage, scenario: Scenario, fault: Fault, k: int, base: Base, result: Result
) -> bool:
    """Do one round; tell whether a call failed in it."""
    stage.turn += 1
    _begin(stage, scenario, fault)
    wrongs: list[str] = []
    with stage.edge.failing(fault, k) as shot:
        outcome = _outcome(scenario, stage, wrongs)
    stage.pass_time()
    if shot.hit:
        result.count(outcome)
        if _outcome(scenario, stage, wrongs) == "told":
            wrongs.append("the second try failed")
    elif outcome != "done":
        wrongs.append("it failed without a fault")
    wrongs += scenario.check(stage)
    # Those of the process before live on beside us.
    wrongs += wrongs_of(stage, _ANYTHING if fault in THREADS else base)
    result.note(shot, outcome, wrongs)
    return bool(shot.hit)


def _outcome(scenario: Scenario, stage: Stage, wrongs: list[str]) -> str:
    try:
        scenario.run(stage)
    except Told:
        return "told"
    except Exception as error:
        wrongs.append(f"{type(error).__name__}: {error}")
        return "wrong"
    return "done"
