"""One deployment's health: all that its attempts have told."""

from random import Random
from threading import Lock
from typing import Literal

from flaskllm.core.errors import (
    APIError,
    LLMCredentialRejected,
    LLMRateLimited,
    LLMTimeout,
)
from flaskllm.core.findings import Finding
from flaskllm.core.upstream_counts import Refused
from flaskllm.llm.health.averages import Paces
from flaskllm.llm.health.breaker import CLOSED
from flaskllm.llm.health.changes import Change
from flaskllm.llm.health.circuit import Circuit
from flaskllm.llm.health.key_ring import KeyRing
from flaskllm.llm.health.last_error import LastError
from flaskllm.llm.health.load import SOON_SECONDS, Load
from flaskllm.llm.health.policy import Policy
from flaskllm.llm.health.prints import Names
from flaskllm.llm.health.provider_health import ProviderHealth
from flaskllm.llm.health.seats import Asking, Seat
from flaskllm.llm.health.sharing import Held
from flaskllm.llm.health.standings import Obstacle, Standing
from flaskllm.llm.health.verdicts import Verdict, code_of
from flaskllm.llm.rate_limits import ToldLimit
from flaskllm.llm.strategies.choices import Record
from flaskllm.llm.types import Deployment

Override = Literal["open", "closed"]
"""What an operator decided: never ask it, or ask it whatever its breaker says."""

# What another process may have found.
_TOLD = ("cooling", "limited", "credential")


class DeploymentHealth:
    """The state of one deployment. Any number of threads may share it.

    Each method takes its lock for a moment and returns what changed, so that it can
    be logged when nobody waits for the lock any more.

    Attributes:
        deployment: As it was when it was first asked, at this `provider`.
        last_seconds: When it was last asked, on the monotonic clock.
        names: How all processes call it; None where this one is alone.
    """

    def __init__(
        self,
        deployment: Deployment,
        provider: ProviderHealth,
        policy: Policy,
        random: Random,
    ) -> None:
        """Start well, or as the provider stands where it could not be reached."""
        self.deployment = deployment
        self.last_seconds = 0.0
        self.provider = provider
        self._random = random
        self._lock = Lock()
        self._load = Load(deployment.limits, policy)
        self._circuit = Circuit(provider.breaker, policy, random)
        self._keys = KeyRing(provider, policy)
        self._paces = Paces()
        self._last_error = LastError()
        self._told_by = ""
        self.names: Names | None = None

    @property
    def is_idle(self) -> bool:
        """Tell whether no attempt is under way."""
        return self._load.in_flight == 0

    @property
    def is_open(self) -> bool:
        """Tell whether its breaker is open, or half open."""
        return self._circuit.breaker.until_seconds is not None

    def standing(
        self,
        override: Override | None,
        record: Record,
        now_seconds: float,
        is_repeat: bool = False,
    ) -> Standing:
        """Return how it stands, for a repeat or a first attempt; nothing changes."""
        asking = Asking(tokens=1, streams=False, is_repeat=is_repeat)
        with self._lock:
            breaker = self._circuit.breaker
            obstacle = self._obstacle(asking, override, now_seconds)
            return Standing(
                override or breaker.state(now_seconds),
                obstacle,
                self._load.in_flight,
                self._load.headroom(now_seconds),
                self._paces.first_tokens.seconds,
                self._paces.answers.seconds,
                breaker.failures_in_a_row,
                record,
                override is not None,
                self._last_error.code,
                self._last_error.age_seconds(now_seconds),
                self._teller(obstacle),
            )

    def enter(
        self, asking: Asking, override: Override | None, now_seconds: float
    ) -> Seat | Obstacle:
        """Take a seat for an attempt that begins now, or say what is in its way."""
        with self._lock:
            obstacle = self._obstacle(asking, override, now_seconds)
            if obstacle is not None:
                return obstacle
            taken_seconds = self._keys.use(now_seconds)
            if taken_seconds > 0.0:
                return Obstacle("credential", taken_seconds)
            # An operator who wants it asked does not want it asked one by one.
            is_probe = override is None and self._circuit.begin_probe()
            self._be_asked(now_seconds)
            self._load.count_in(asking.tokens, asking.is_repeat, now_seconds)
            era = self._circuit.breaker.era
            return Seat(asking, now_seconds, era, *self._keys.eras, is_probe)

    def confirm(self, seat: Seat, held: Held, now_seconds: float) -> None:
        """Take in that the seat was taken in the sight of all processes."""
        with self._lock:
            seat.held = held
            self._load.shared.allow(held.headroom, now_seconds)

    def turn_away(self, seat: Seat, refused: Refused, now_seconds: float) -> Obstacle:
        """Free a seat that all processes together have no room for; say why.

        No attempt was made.
        """
        tokens = seat.asking.tokens
        with self._lock:
            self._load.count_back(tokens, seat.at_seconds)
            if refused.reason == "probed":
                self._circuit.turn_away(seat, refused.seconds, now_seconds)
                return Obstacle("cooling", refused.seconds, is_probed=True)
            self._circuit.end_probe(seat)
            self._load.shared.refuse(refused, tokens, now_seconds)
            if refused.reason == "busy":
                return Obstacle("busy", min(refused.seconds, SOON_SECONDS))
            return Obstacle("limited", refused.seconds)

    def hear(self, finding: Finding, now_seconds: float) -> bool:
        """Take in what another process found; tell whether its breaker turned."""
        left_seconds = finding.left_seconds
        with self._lock:
            self._told_by = finding.told_by if left_seconds is not None else ""
            if finding.kind == "breaker":
                if left_seconds is None:
                    self.provider.breaker = CLOSED
                return self._circuit.hear(left_seconds, finding.times, now_seconds)
            if finding.kind == "credential":
                self._keys.hear(left_seconds, now_seconds)
            elif left_seconds is not None:
                self._load.hear_pause(left_seconds, finding.times, now_seconds)
            return False

    def heed(self, seat: Seat, told: tuple[ToldLimit, ...], now_seconds: float) -> None:
        """Take in a reply's headers: it has begun, and may tell its limits."""
        with self._lock:
            if not seat.asking.streams:
                self._stop_waiting(seat)
            self._load.heed(told, now_seconds - seat.at_seconds, now_seconds)

    def begin(self, seat: Seat, seconds: float, now_seconds: float) -> list[Change]:
        """Take in that a stream's first token is there, after so many seconds."""
        with self._lock:
            self._stop_waiting(seat)
            seat.first_token_seconds = seconds
            self._paces.first_tokens.add(seconds, now_seconds)
            changes = self._keys.accept(seat)
            changes += self._circuit.step(seat, "began", "", now_seconds)
            self._circuit.end_probe(seat)
            return self._noticed(changes)

    def leave(
        self,
        seat: Seat,
        verdict: Verdict,
        error: BaseException | None,
        seconds: float,
        used_tokens: int | None,
        now_seconds: float,
    ) -> list[Change]:
        """Take in how the attempt ended; its seat is free.

        Args:
            seat: Its seat.
            verdict: What the end says.
            error: What ended it, None after a whole answer.
            seconds: How long it took.
            used_tokens: In and out; None where nobody counted.
            now_seconds: The monotonic clock.
        """
        with self._lock:
            self._count_out(seat, used_tokens, now_seconds)
            self._last_error.take(code_of(verdict, error), now_seconds)
            if verdict == "succeeded":
                changes = self._succeed(seat, seconds, now_seconds)
            elif verdict == "failed":
                changes = self._fail(seat, error, seconds, now_seconds)
            else:
                changes = self._heed_refusal(seat, error, now_seconds)
            self._circuit.end_probe(seat)
            return self._noticed(changes)

    def go_down(self, error: APIError, now_seconds: float) -> list[Change]:
        """Take in that its provider cannot be reached: its breaker opens."""
        with self._lock:
            return self._circuit.go_down(error.code, now_seconds)

    def come_up(self, now_seconds: float) -> None:
        """Take in that its provider can be reached: a probe may go at once."""
        with self._lock:
            self._circuit.breaker = self._circuit.breaker.due(now_seconds)

    def renew_credential(self) -> None:
        """Start anew with another credential."""
        with self._lock:
            self._keys.renew()

    def _obstacle(
        self, asking: Asking, override: Override | None, now_seconds: float
    ) -> Obstacle | None:
        """Return what is in the way; of several, what takes an operator comes first."""
        if override == "open":
            return Obstacle("disabled")
        credential_seconds = self._keys.left_seconds(now_seconds)
        if credential_seconds > 0.0:
            return Obstacle("credential", credential_seconds)
        cooling = None
        if override is None:
            cooling = self._circuit.obstacle(asking.as_last_resort, now_seconds)
        return cooling or self._load.obstacle(
            asking.tokens, asking.is_repeat, now_seconds
        )

    def _teller(self, obstacle: Obstacle | None) -> str:
        """Return the other process that found what is in the way, if one did."""
        if obstacle is None or obstacle.reason not in _TOLD:
            return ""
        if obstacle.reason == "credential" and self.provider.told_by:
            return self.provider.told_by
        return self._told_by

    def _be_asked(self, now_seconds: float) -> None:
        self.last_seconds = self.provider.last_seconds = now_seconds

    def _count_out(
        self, seat: Seat, used_tokens: int | None, now_seconds: float
    ) -> None:
        self._be_asked(now_seconds)
        self._load.in_flight -= 1
        self._load.shared.leave()
        self._stop_waiting(seat)
        if used_tokens is not None:
            self._load.correct(
                seat.asking.tokens, used_tokens, seat.at_seconds, now_seconds
            )

    def _stop_waiting(self, seat: Seat) -> None:
        if seat.is_waiting:
            seat.is_waiting = False
            self._load.waiting -= 1

    def _succeed(self, seat: Seat, seconds: float, now_seconds: float) -> list[Change]:
        if not seat.asking.streams:
            self._paces.answers.add(seconds, now_seconds)
        self._load.answered(seat.at_seconds)
        changes = self._keys.accept(seat)
        return changes + self._circuit.step(seat, "succeeded", "", now_seconds)

    def _fail(
        self,
        seat: Seat,
        error: BaseException | None,
        seconds: float,
        now_seconds: float,
    ) -> list[Change]:
        if isinstance(error, LLMTimeout):
            self._paces.time_out(seat, seconds, now_seconds)
        return self._circuit.step(seat, "failed", self._last_error.code, now_seconds)

    def _heed_refusal(
        self, seat: Seat, error: BaseException | None, now_seconds: float
    ) -> list[Change]:
        """Take in a 429, or that our credential is not good; else nothing."""
        if isinstance(error, LLMCredentialRejected):
            return self._keys.reject(seat, error, now_seconds)
        if isinstance(error, LLMRateLimited):
            seconds = self._load.pause(
                error.retry_after_seconds,
                seat.at_seconds,
                now_seconds,
                self._random.random(),
            )
            times = self._load.unsaid
            return [Change("limited", error.code, seconds, times=times)]
        return []

    def _noticed(self, changes: list[Change]) -> list[Change]:
        """Return them; who closes tells that its provider is there for all."""
        if changes:
            self._told_by = ""
        if any(change.kind == "closed" for change in changes):
            self.provider.breaker = CLOSED
        return changes
