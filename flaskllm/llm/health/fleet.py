"""This process among the others: what is counted together, told and heard."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from threading import Lock

from flaskllm.core.clock import Clock
from flaskllm.core.findings import FORGOTTEN_SECONDS, Finding, FindingKind
from flaskllm.core.upstream_counts import Refused
from flaskllm.llm.health.changes import Change, Kind
from flaskllm.llm.health.deployment_health import DeploymentHealth
from flaskllm.llm.health.prints import Names, Prints
from flaskllm.llm.health.seats import Seat
from flaskllm.llm.health.sharing import Sharing
from flaskllm.llm.health.standings import Obstacle
from flaskllm.llm.terms import UNLIMITED

_KINDS: Mapping[Kind, FindingKind] = {
    "opened": "breaker",
    "reopened": "breaker",
    "closed": "breaker",
    "limited": "pause",
    "rejected": "credential",
    "accepted": "credential",
}
_TAKEN_BACK = ("closed", "accepted")


@dataclass(frozen=True, slots=True)
class _Heard:
    """A finding, and when it was heard on the monotonic clock."""

    finding: Finding
    at_seconds: float

    def as_of(self, now_seconds: float) -> Finding:
        return self.finding.after(now_seconds - self.at_seconds)


class Fleet:
    """Speaks for the health of this process. Any number of threads may share it."""

    def __init__(self, sharing: Sharing, prints: Prints) -> None:
        """Start with nothing heard."""
        self.prints = prints
        self._sharing = sharing
        self._lock = Lock()
        self._heard: dict[tuple[str, FindingKind], _Heard] = {}

    def introduce(self, state: DeploymentHealth, now_seconds: float) -> None:
        """Let a fresh state know its names, and what was heard of it."""
        deployment, prints = state.deployment, self.prints
        name_of = self._sharing.name_of
        subject = name_of(prints.of_deployment(deployment))
        state.names = Names(name_of(prints.of_place(deployment)), subject)
        for finding in self._known(subject, now_seconds):
            state.hear(finding, now_seconds)

    def subject_of(self, provider: str) -> str:
        """Return how all processes call a provider."""
        return self._sharing.name_of(self.prints.of_provider(provider))

    def enter(
        self, state: DeploymentHealth, seat: Seat, clock: Clock
    ) -> Obstacle | None:
        """Take the seat in the sight of all; else free it, and say what is in its way.

        Only limits and the turn to probe are counted together: nothing else costs
        anything here.
        """
        limits, names = state.deployment.limits, state.names
        if names is None or (limits == UNLIMITED and not seat.is_probe):
            return None
        tokens = seat.asking.tokens
        answer = self._sharing.take(names.place, limits, tokens, is_probe=seat.is_probe)
        if isinstance(answer, Refused):
            return state.turn_away(seat, answer, clock.monotonic())
        state.confirm(seat, answer, clock.monotonic())
        return None

    def leave(self, seat: Seat, used_tokens: int | None) -> None:
        """Give the seat back, if it was taken in the sight of all."""
        held, seat.held = seat.held, None
        if held is not None and held.is_awaited:
            self._sharing.give(held, used_tokens)

    def tell(
        self, change: Change, provider: str, state: DeploymentHealth | None = None
    ) -> None:
        """Tell the others of a change that this process found."""
        kind = _KINDS.get(change.kind)
        if kind is None:
            return
        if state is None or change.provider_wide:
            subject = self.subject_of(provider)
        elif state.names is not None:
            subject = state.names.subject
        else:
            return
        left_seconds = None if change.kind in _TAKEN_BACK else change.seconds
        finding = Finding(subject, kind, left_seconds, change.code, change.times)
        with self._lock:
            # What others said of it before does not hold any more.
            self._heard.pop((subject, kind), None)
        self._sharing.tell(finding)

    def hear(self, findings: Iterable[Finding], now_seconds: float) -> None:
        """Keep what others found, for deployments that nobody has asked here yet."""
        with self._lock:
            for finding in findings:
                key = finding.subject, finding.kind
                self._heard[key] = _Heard(finding, now_seconds)
            latest = now_seconds - FORGOTTEN_SECONDS
            old = [key for key, each in self._heard.items() if each.at_seconds < latest]
            for key in old:
                del self._heard[key]

    def known_of(self, provider: str, now_seconds: float) -> Iterator[Finding]:
        """Yield what was heard of a provider."""
        yield from self._known(self.subject_of(provider), now_seconds)

    def _known(self, subject: str, now_seconds: float) -> list[Finding]:
        with self._lock:
            heard = [each for (of, _), each in self._heard.items() if of == subject]
        return [each.as_of(now_seconds) for each in heard]
