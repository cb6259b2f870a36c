"""What all processes together ask of one deployment: the arithmetic of it.

Requests and tokens of the last minute stand in buckets of one second, so that no span
of sixty seconds, wherever it begins, holds more than the limit. Two numbers, as in
`core.sliding`, would be fewer, but could let twice the limit through; an upstream
that counts in its own way would answer with 429.

Attempts under way, and the one that probes an open breaker, have a seat that ends by
itself: a process that was killed cannot give it back. All seconds are those since
1970, by the clock of the store, which all processes see alike.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import ceil, floor
from typing import Literal

MINUTE = 60
"""The span, in seconds, in which a limit per minute is never passed."""

# An attempt is made a moment after it was counted, and later than that when the
# machine is busy: what was counted last goes on counting until that has gone by too.
_SPAN = MINUTE + 1

# A clock that is behind the last count by no more than this waits for itself.
_SKEW_SECONDS = 2

Buckets = Mapping[int, int]
Seats = Mapping[str, int]
RefusedFor = Literal["probed", "limited", "busy"]


@dataclass(frozen=True, slots=True)
class Counts:
    """What stands under one key.

    Attributes:
        requests: By the second in which they began.
        tokens: The same, in and out.
        seats: Attempts under way: the second from which each does not count any more.
        probes: The same of the attempt that probes: one at most.
    """

    requests: Buckets = field(default_factory=dict)
    tokens: Buckets = field(default_factory=dict)
    seats: Seats = field(default_factory=dict)
    probes: Seats = field(default_factory=dict)

    @property
    def ends_at(self) -> int:
        """Return the second from which nothing of it counts any more; 0: nothing."""
        counted = [each + _SPAN + 1 for each in (*self.requests, *self.tokens)]
        return max((*counted, *self.seats.values(), *self.probes.values()), default=0)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an attempt asks for.

    Attributes:
        seat: Its name, which no other attempt has.
        tokens: In and out, as estimated, >= 0.
        requests_per_minute: A limit, None for none; so the next two.
        tokens_per_minute: Of input and output together.
        concurrent_requests: How many may be under way.
        seat_seconds: When its seat ends by itself; what is under way has ended then.
        probe_seconds: The same for the turn to probe; 0 = it probes nothing.
    """

    seat: str
    tokens: int = 0
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrent_requests: int | None = None
    seat_seconds: int = 360
    probe_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """The attempt may be made.

    `second` is the one under which it was counted, `headroom` the free part of the
    scarcer limit per minute afterwards, in [0, 1].
    """

    second: int
    headroom: float = 1.0


@dataclass(frozen=True, slots=True)
class Refused:
    """The attempt may not be made now, and nothing was counted.

    Attributes:
        reason: `limited` by what is counted in a minute, `busy` with what is under
            way, or `probed` by somebody else.
        seconds: Until there is room, if nobody comes before.
        any_seconds: The part of it that holds for an attempt of however few tokens.
    """

    reason: RefusedFor
    seconds: float
    any_seconds: float


@dataclass(frozen=True, slots=True)
class Given:
    """What is given back when an attempt has ended.

    Attributes:
        seat: Its name.
        second: The one under which it was counted.
        more_tokens: What it used beyond those reserved; below 0 for what is left.
    """

    seat: str
    second: int
    more_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted or given back, under a key."""

    key: str
    what: Wanted | Given


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of an order.

    Attributes:
        counts: What stands under its key afterwards.
        at: When that was, by the store's clock.
        answer: None where something was given back.
    """

    counts: Counts
    at: float
    answer: Taken | Refused | None = None


def settle(counts: Counts, what: Wanted | Given, now: float) -> Settled:
    """Return what comes of it at this moment; see `take` and `give`."""
    if isinstance(what, Given):
        return Settled(give(counts, what, now), now)
    counts, answer = take(counts, what, now)
    return Settled(counts, now, answer)


def take(counts: Counts, wanted: Wanted, now: float) -> tuple[Counts, Taken | Refused]:
    """Return the counts with this attempt, or as they are and why it may not be made.

    Args:
        counts: What stood.
        wanted: What it asks for.
        now: The store's clock.
    """
    counts, now = _moved(counts, wanted, now)
    refused = _probed(counts, wanted, now) or _limited(counts, wanted, now)
    refused = refused or _busy(counts, wanted, now)
    if refused is not None:
        return counts, refused
    second = floor(now)
    if wanted.requests_per_minute is not None:
        counts = replace(counts, requests=_plus(counts.requests, 1, second))
    if wanted.tokens_per_minute is not None:
        counts = replace(counts, tokens=_plus(counts.tokens, wanted.tokens, second))
    if wanted.concurrent_requests is not None:
        seats = {**counts.seats, wanted.seat: second + wanted.seat_seconds}
        counts = replace(counts, seats=seats)
    if wanted.probe_seconds:
        probes = {wanted.seat: second + wanted.probe_seconds}
        counts = replace(counts, probes=probes)
    return counts, Taken(second, _headroom(counts, wanted))


def give(counts: Counts, given: Given, now: float) -> Counts:
    """Return the counts without the seats of an attempt, its tokens put right.

    What it used beyond its estimate counts as of now. What it did not use is taken
    from the second in which it was reserved, if that still counts.
    """
    tokens, more = counts.tokens, given.more_tokens
    if more > 0:
        # Into the newest bucket, should the clock be behind it.
        tokens = _plus(tokens, more, max(floor(now), max(tokens, default=0)))
    elif more < 0 and given.second in tokens:
        left = max(0, tokens[given.second] + more)
        tokens = {**tokens, given.second: left}
    return Counts(
        counts.requests,
        tokens,
        _without(counts.seats, given.seat),
        _without(counts.probes, given.seat),
    )


def dump(counts: Counts) -> str:
    """Return the counts as JSON."""
    return json.dumps(
        {
            "requests": counts.requests,
            "tokens": counts.tokens,
            "seats": counts.seats,
            "probes": counts.probes,
        },
        separators=(",", ":"),
    )


def load(text: str) -> Counts:
    """Return the counts that `dump` wrote; nothing where the text is none of its."""
    try:
        read = json.loads(text)
        return Counts(
            _buckets(read["requests"]),
            _buckets(read["tokens"]),
            _seats(read["seats"]),
            _seats(read["probes"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return Counts()


def _moved(counts: Counts, wanted: Wanted, now: float) -> tuple[Counts, float]:
    """Return what still counts, and the time by which to go on.

    Where the clock was put back, the counts are put back with it; else they would
    count for as long as it was wrong. For a moment the last count's own time holds.
    """
    newest = max((*counts.requests, *counts.tokens), default=0)
    ahead_seconds = newest - floor(now)
    if 0 < ahead_seconds <= _SKEW_SECONDS:
        now, ahead_seconds = float(newest), 0
    back_seconds = max(0, ahead_seconds)
    oldest = floor(now) - _SPAN
    return (
        Counts(
            _fresh(counts.requests, oldest, back_seconds),
            _fresh(counts.tokens, oldest, back_seconds),
            _held(counts.seats, now, wanted.seat_seconds),
            _held(counts.probes, now, wanted.probe_seconds or MINUTE),
        ),
        now,
    )


def _fresh(buckets: Buckets, oldest: int, back_seconds: int) -> Buckets:
    moved = {second - back_seconds: count for second, count in buckets.items()}
    return {second: count for second, count in moved.items() if second >= oldest}


def _held(seats: Seats, now: float, most_seconds: int) -> Seats:
    """Return the seats that still count; none for longer than a new one would."""
    latest = ceil(now) + most_seconds
    return {seat: min(until, latest) for seat, until in seats.items() if until > now}


def _probed(counts: Counts, wanted: Wanted, now: float) -> Refused | None:
    if not wanted.probe_seconds or not counts.probes:
        return None
    left_seconds = max(counts.probes.values()) - now
    return Refused("probed", left_seconds, left_seconds)


def _limited(counts: Counts, wanted: Wanted, now: float) -> Refused | None:
    for_any = _room_in_seconds(counts.requests, 1, wanted.requests_per_minute, now)
    for_tokens = _room_in_seconds(
        counts.tokens, wanted.tokens, wanted.tokens_per_minute, now
    )
    seconds = max(for_any, for_tokens)
    return Refused("limited", seconds, for_any) if seconds > 0.0 else None


def _busy(counts: Counts, wanted: Wanted, now: float) -> Refused | None:
    most = wanted.concurrent_requests
    if most is None or len(counts.seats) < most:
        return None
    # One may be given back at any moment; this is when one is for certain.
    left_seconds = min(counts.seats.values()) - now
    return Refused("busy", left_seconds, left_seconds)


def _room_in_seconds(
    buckets: Buckets, amount: int, limit: int | None, now: float
) -> float:
    """Return when `amount` more fits under `limit`; 0.0 is now.

    An amount above the limit never fits: a minute is told for it.
    """
    if limit is None:
        return 0.0
    surplus = sum(buckets.values()) + amount - limit
    if surplus <= 0:
        return 0.0
    for second in sorted(buckets):
        surplus -= buckets[second]
        if surplus <= 0:
            return second + 1 + _SPAN - now
    return float(_SPAN + 1)


def _headroom(counts: Counts, wanted: Wanted) -> float:
    return min(
        _free(counts.requests, wanted.requests_per_minute),
        _free(counts.tokens, wanted.tokens_per_minute),
    )


def _free(buckets: Buckets, limit: int | None) -> float:
    if limit is None:
        return 1.0
    return max(0.0, 1.0 - sum(buckets.values()) / limit)


def _plus(buckets: Buckets, amount: int, second: int) -> Buckets:
    return {**buckets, second: buckets.get(second, 0) + amount}


def _without(seats: Seats, seat: str) -> Seats:
    return {name: until for name, until in seats.items() if name != seat}


def _buckets(read: Mapping[str, int]) -> Buckets:
    return {int(second): int(count) for second, count in read.items()}


def _seats(read: Mapping[str, int]) -> Seats:
    return {seat: int(until) for seat, until in read.items()}
