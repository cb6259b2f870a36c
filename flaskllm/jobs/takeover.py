"""Who is dead: a decision about what was seen of the others, and nothing else."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from flaskllm.storage.workers import FRESH_SECONDS, WorkerRow

# Who was away for so many looks, be it stopped or on a machine that slept, knows
# nothing of the others any more: perhaps they slept as well.
_AWAY_LOOKS = 3


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a worker looks at the others and shows that it lives itself.

    `patience_seconds` is how long others may be silent.
    """

    look_seconds: float = 2.0
    patience_seconds: float = FRESH_SECONDS


USUAL_PACE: Final = Pace()


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen of one worker.

    Attributes:
        beats: As they were last.
        since_seconds: When they were first seen so, by our monotonic clock.
        is_alive: They have grown since we know it.
    """

    beats: int
    since_seconds: float
    is_alive: bool = False


@dataclass(frozen=True, slots=True)
class Watch:
    """What a worker knows of the others, and when it looked last."""

    sights: Mapping[str, Sight] = field(default_factory=dict)
    looked_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at the others.

    Attributes:
        workers: Those with a row, and oneself.
        executors: Who has workflows; one of them may have no row.
        at_seconds: By the monotonic clock.
    """

    workers: Sequence[WorkerRow]
    executors: AbstractSet[str]
    at_seconds: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from a look.

    Attributes:
        dead: Whose workflows are to be taken over, in order.
        is_settled: Nobody who has workflows may be dead without our knowing it.
        watch: For the next look.
    """

    dead: tuple[str, ...]
    is_settled: bool
    watch: Watch


def judge(
    watch: Watch,
    seen: Seen,
    own: WorkerRow,
    is_gone: Callable[[str], bool],
    pace: Pace,
) -> Verdict:
    """Return who is dead by what was seen now and before.

    A worker is dead when its process is gone from this machine, or when its beats
    have not grown for `pace.patience_seconds` while we looked. No clock of another
    machine counts.

    Args:
        watch: What was known.
        seen: What is seen now.
        own: The worker that looks.
        is_gone: Whether this process of our machine has surely ended.
        pace: How often we look, and how long others may be silent.
    """
    rows = {row.id: row for row in seen.workers if row.id != own.id}
    others = sorted(rows.keys() | (seen.executors - {own.id}))
    was_away = _was_away(watch, seen, pace)
    sights = {
        id: _look(None if was_away else watch.sights.get(id), _beats(rows, id), seen)
        for id in others
    }
    dead = tuple(
        id
        for id in others
        if _has_gone(rows.get(id), own, is_gone)
        or seen.at_seconds - sights[id].since_seconds >= pace.patience_seconds
    )
    left = {id: sight for id, sight in sights.items() if id not in dead}
    is_settled = all(
        sight.is_alive for id, sight in left.items() if id in seen.executors
    )
    return Verdict(dead, is_settled, Watch(left, seen.at_seconds))


def judge_claims(
    before: Mapping[str, float],
    claimed: Iterable[str],
    held: AbstractSet[str],
    at_seconds: float,
    pace: Pace,
) -> tuple[Mapping[str, float], tuple[str, ...]]:
    """Return what a worker has in the database and not in hand, and what it lost.

    Lost is what has been so for `pace.patience_seconds`. It may be claimed anew at
    once, so it is no longer among the first.

    Args:
        before: The first of what the last look returned: since when, by its id.
        claimed: What is the worker's own in the database, read before `held`.
        held: What it works on.
        at_seconds: By the monotonic clock.
        pace: How long it may be so.
    """
    unheld = {id: before.get(id, at_seconds) for id in claimed if id not in held}
    lost = tuple(
        id
        for id, since_seconds in unheld.items()
        if at_seconds - since_seconds >= pace.patience_seconds
    )
    return {id: unheld[id] for id in unheld.keys() - set(lost)}, lost


def _was_away(watch: Watch, seen: Seen, pace: Pace) -> bool:
    last = watch.looked_seconds
    usual_seconds = _AWAY_LOOKS * pace.look_seconds
    return last is not None and seen.at_seconds - last > usual_seconds


def _beats(rows: Mapping[str, WorkerRow], id: str) -> int:
    return rows[id].beats if id in rows else -1


def _look(before: Sight | None, beats: int, seen: Seen) -> Sight:
    if before is None:
        return Sight(beats, seen.at_seconds)
    if before.beats == beats:
        return before
    return Sight(beats, seen.at_seconds, is_alive=True)


def _has_gone(
    row: WorkerRow | None, own: WorkerRow, is_gone: Callable[[str], bool]
) -> bool:
    """Tell whether it ran on this machine and its process has ended."""
    if row is None or not own.host or row.host != own.host:
        return False
    return is_gone(row.process)
