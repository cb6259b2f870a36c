"""Single flight: of equal requests one is asked, and the others wait for its answer.

Within a process they wait for an event. Between processes whoever asks has a claim in
the store, which is short and lengthened as long as the process lives; the others look
whether its answer lies there by now. A claim that ends without one is taken by one of
those who wait.
"""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from flaskllm.core.clock import Clock
from flaskllm.core.errors import CallerGone, LLMTimeout, ServiceUnavailable
from flaskllm.core.ids import new_id
from flaskllm.llm.types import Call
from flaskllm.services.background import Rounds
from flaskllm.services.caching.entries import MOST_CHARACTERS
from flaskllm.services.caching.shelf import CacheStore, Shelf
from flaskllm.services.callers import has_hung_up

CLAIM_SECONDS: Final = 6.0
"""So long after the death of who asks, another one does."""

_RENEW_SECONDS: Final = 1.5
_LOOK_EVERY_SECONDS: Final = 0.25
# Between processes: at first an answer may be there at any moment.
_FIRST_WAIT_SECONDS: Final = 0.01
_LONGEST_WAIT_SECONDS: Final = 0.2
_GROWTH: Final = 1.3
# After so long nobody can still wait for an answer that is there.
_HANDED_OVER_SECONDS: Final = 15

Kept = Callable[[], str | None]
"""Returns what others have brought and kept, as text of theirs."""


@dataclass(slots=True)
class _Turn:
    """What the threads of one process that wait for the same have in common."""

    pid: int
    landed: threading.Event = field(default_factory=threading.Event)
    # None after `landed`: somebody else is to ask.
    text: str | None = None
    is_awaited: bool = False  # by somebody besides who asks


@dataclass(frozen=True, slots=True)
class Landed:
    """What the one that was asked has brought: text of whoever asked."""

    text: str = field(repr=False)


class Seat:
    """The right to ask for all. `land` or `leave` ends it; a second changes nothing."""

    def __init__(self, flights: "Flights", key: str, holder: str, turn: _Turn) -> None:
        """Keep what is needed, see `Flights.board`."""
        self._flights = flights
        self.key = key
        self.holder = holder
        self.turn = turn
        self._has_ended = False

    def claim(self, call: Call, kept: Kept) -> Landed | None:
        """Ask for all processes, see `Flights.claim`."""
        return self._flights.claim(self, call, kept)

    def land(self, text: str, *, is_kept: bool = False) -> None:
        """Give everybody who waits what was brought.

        What is kept other processes find where it lies: it is not handed over.
        """
        self._end(text, is_kept=is_kept)

    def leave(self) -> None:
        """Let one of those who wait ask instead."""
        self._end(None)

    def _end(self, text: str | None, *, is_kept: bool = False) -> None:
        if not self._has_ended:
            self._has_ended = True
            self._flights.end(self, text, is_kept=is_kept)


class Flights:
    """Who asks at present, and for what."""

    def __init__(
        self, shelf: Shelf, clock: Clock, *, threaded: bool, deadline_seconds: float
    ) -> None:
        """Keep the collaborators; nothing is opened or started.

        Args:
            shelf: Where the processes meet.
            clock: Times who waits.
            threaded: Whether a thread may lengthen claims; else they are as long as a
                request may take.
            deadline_seconds: How long one may take.
        """
        self._shelf = shelf
        self._clock = clock
        self._claim_seconds = CLAIM_SECONDS if threaded else deadline_seconds
        self._rounds = (
            Rounds(self.renew, _RENEW_SECONDS, "flights") if threaded else None
        )
        self._lock = threading.Lock()
        self._turns: dict[str, _Turn] = {}
        self._seats: dict[str, tuple[int, str]] = {}  # by holder: process and key

    def board(self, key: str, call: Call) -> Seat | Landed:
        """Return the right to ask, or what another thread brought meanwhile.

        Other processes are not looked at yet, see `claim`.

        Args:
            key: Equal for requests that may share an answer; it names their principal.
            call: Who waits, and how long.

        Raises:
            LLMTimeout: The deadline passed.
            CallerGone: Nobody waits for the answer any more.
        """
        while True:
            turn, is_ours = self._turn_of(key)
            if is_ours:
                return Seat(self, key, new_id("fly"), turn)
            self._wait(turn, call)
            if turn.text is not None:
                return Landed(turn.text)

    def claim(self, seat: Seat, call: Call, kept: Kept) -> Landed | None:
        """Return None once this seat asks for all processes, or what another brought.

        Raises:
            LLMTimeout: The deadline passed.
            CallerGone: Nobody waits for the answer any more.
        """
        if not self._shelf.store.is_shared:
            return None
        place, seconds = _claim_key(seat.key), self._claim_seconds
        while (other := self._claimed_by(place, seat.holder, seconds)) != seat.holder:
            text = self._await_other(place, other, call) or kept()
            if text is not None:
                return Landed(text)
        with self._lock:
            self._seats[seat.holder] = os.getpid(), place
        if self._rounds is not None:
            # Without a thread the claim ends by itself, and another asks as well.
            with suppress(ServiceUnavailable):
                self._rounds.begin()
        return None

    def end(self, seat: Seat, text: str | None, *, is_kept: bool) -> None:
        """Hand over what a seat brought, None for nothing; for `Seat` alone."""
        with self._lock:
            has_claim = self._seats.pop(seat.holder, None) is not None
            if self._turns.get(seat.key) is seat.turn:
                del self._turns[seat.key]
        # Who waits here need not wait for the store.
        seat.turn.text = text
        seat.turn.landed.set()
        if has_claim:
            handed = None if is_kept else text
            self._shelf.use(lambda store: _hand_over(store, seat, handed), None)

    def renew(self) -> None:
        """Lengthen the claims of this process; never raises."""
        here = os.getpid()
        with self._lock:
            own = {key: who for who, (pid, key) in self._seats.items() if pid == here}
        if own:
            self._shelf.use(lambda store: store.renew(own, self._claim_seconds), None)

    def _turn_of(self, key: str) -> tuple[_Turn, bool]:
        """Return the turn of a key, and whether it has just begun."""
        with self._lock:
            turn = self._turns.get(key)
            # A fork has its parent's, of which it will hear no more.
            if turn is not None and turn.pid == os.getpid():
                turn.is_awaited = True
                return turn, False
            turn = self._turns[key] = _Turn(os.getpid())
            return turn, True

    def _claimed_by(self, place: str, holder: str, seconds: float) -> str:
        """Claim a place; return who has it then. Without a store everybody asks."""
        return self._shelf.use(
            lambda store: store.claim(place, holder, seconds), otherwise=holder
        )

    def _await_other(self, place: str, other: str, call: Call) -> str | None:
        """Return what another process brought, or None once it holds the claim no more.

        Raises:
            LLMTimeout: The deadline passed.
            CallerGone: Nobody waits any more.
        """
        before, seconds = self._handed_over(place), _FIRST_WAIT_SECONDS
        while self._shelf.use(lambda store: store.held_by(place), None) == other:
            _check(call)
            call.wait(min(seconds, call.deadline.remaining_seconds()))
            seconds = min(seconds * _GROWTH, _LONGEST_WAIT_SECONDS)
        # It was handed over first, perhaps by one who was faster than we look.
        holder, text = self._handed_over(place)
        return text if holder == other or holder != before[0] else None

    def _handed_over(self, place: str) -> tuple[str, str | None]:
        key = _handed_key(place)
        handed = self._shelf.use(lambda store: store.get_dict(key)[key], None)
        holder, _, text = (handed or "").partition(" ")
        return holder, text if holder else None

    def _wait(self, turn: _Turn, call: Call) -> None:
        while True:
            left = call.deadline.remaining_seconds()
            if turn.landed.wait(min(_LOOK_EVERY_SECONDS, left)):
                return
            _check(call)


def _check(call: Call) -> None:
    if has_hung_up(call.caller):
        raise CallerGone
    if call.deadline.passed():
        raise LLMTimeout(
            details="The deadline passed while an equal request was being answered."
        )


def _hand_over(store: CacheStore, seat: Seat, text: str | None) -> None:
    """Let other processes have it, and give the claim back."""
    place = _claim_key(seat.key)
    if text is not None and len(text) <= MOST_CHARACTERS:
        store.set(_handed_key(place), f"{seat.holder} {text}", _HANDED_OVER_SECONDS)
    store.release(place, seat.holder)


def _claim_key(key: str) -> str:
    return key.replace("/", "/claim/", 1)


def _handed_key(place: str) -> str:
    return place.replace("/claim/", "/handed/", 1)
