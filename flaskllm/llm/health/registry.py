"""The health of all deployments, in this process."""

from collections.abc import Container, Iterable, Mapping
from heapq import nsmallest
from random import Random
from threading import Lock

from flaskllm.core.clock import Clock
from flaskllm.core.errors import LLMAPIError, LLMCredentialRejected
from flaskllm.core.findings import Finding
from flaskllm.core.metrics import Metrics
from flaskllm.llm.health.breaker import CLOSED, Weather, after
from flaskllm.llm.health.changes import Change
from flaskllm.llm.health.deployment_health import DeploymentHealth, Override
from flaskllm.llm.health.fleet import Fleet
from flaskllm.llm.health.herald import Herald
from flaskllm.llm.health.lessons import Lessons
from flaskllm.llm.health.policy import Policy
from flaskllm.llm.health.prints import Prints
from flaskllm.llm.health.provider_health import ProviderHealth
from flaskllm.llm.health.seats import Asking
from flaskllm.llm.health.sharing import Sharing
from flaskllm.llm.health.standings import Obstacle, Standing
from flaskllm.llm.health.verdicts import is_down
from flaskllm.llm.health.visits import Visit
from flaskllm.llm.types import Deployment

# Beyond so many states the idle ones go, the longest idle first, some at a time.
_MOST_STATES = 1000
_SPARE_STATES = 100


class Health:
    """How every deployment stands. Any number of threads may share it.

    It holds what this process has seen, and what it heard of others where they share,
    see `share`. Every moment is one of the clock's monotonic seconds.
    """

    def __init__(
        self,
        clock: Clock,
        random: Random,
        policy: Policy = Policy(),  # noqa: B008 - frozen
        metrics: Metrics | None = None,
    ) -> None:
        """Start with nothing seen.

        Args:
            clock: The time.
            random: The source of jitter.
            policy: Every threshold and span.
            metrics: Where openings and waits are counted, None for nowhere.
        """
        self._clock = clock
        self._random = random
        self._policy = policy
        self._metrics = metrics
        self._making = Lock()
        self._states: dict[str, DeploymentHealth] = {}
        self._providers: dict[str, ProviderHealth] = {}
        self._lessons = Lessons()
        self._overrides: Mapping[str, Override] = {}
        self._prints: Prints | None = None
        self._fleet: Fleet | None = None
        self._herald = Herald(metrics)

    def share(self, sharing: Sharing) -> None:
        """Count limits together with other processes from now on, and tell findings.

        What was looked at before is forgotten.
        """
        fleet = self._fleet = Fleet(sharing, self._prints or Prints())
        self._herald = Herald(self._metrics, fleet)
        with self._making:
            self._states = {}

    def hear(self, findings: Iterable[Finding]) -> None:
        """Take in what other processes found, in the order in which it was told."""
        fleet, now_seconds, told = self._fleet, self._clock.monotonic(), [*findings]
        if fleet is None or not told:
            return
        fleet.hear(told, now_seconds)
        names = {fleet.subject_of(name): name for name in tuple(self._providers)}
        states = {
            state.names.subject: state
            for state in tuple(self._states.values())
            if state.names is not None
        }
        for finding in told:
            if finding.subject in names:
                self._hear_of(names[finding.subject], finding, now_seconds)
            elif finding.subject in states:
                self._hear(states[finding.subject], finding, now_seconds)

    def look(
        self, deployment: Deployment, alias: str = "", *, is_repeat: bool = False
    ) -> Standing:
        """Return how a deployment stands now; nothing changes.

        Args:
            deployment: The deployment.
            alias: The route whose record is wanted; none without.
            is_repeat: Whether the obstacle is wanted that a repeat would meet.
        """
        name = deployment.name
        state = self._states.get(name) or self._keep(deployment)
        record = self._lessons.record(alias, name)
        override = self._overrides.get(name)
        return state.standing(override, record, self._clock.monotonic(), is_repeat)

    def knows(self, name: str) -> bool:
        """Tell whether a deployment of this name was asked or looked at lately."""
        return name in self._states

    def enter(
        self,
        deployment: Deployment,
        alias: str,
        *,
        tokens: int,
        streams: bool,
        is_repeat: bool = False,
        as_last_resort: bool = False,
    ) -> Visit | Obstacle:
        """Take a seat for one attempt that begins now, or return what is in its way.

        Whoever gets a visit makes the attempt and ends the visit.

        Args:
            deployment: Whom to ask.
            alias: The route that asks, which learns of the outcome; "" for none.
            tokens: In and out, estimated, >= 0.
            streams: Whether the answer comes as a stream.
            is_repeat: Whether the same request has asked this deployment before.
            as_last_resort: Whether it may be asked although its breaker is open, if
                nobody else does that already.
        """
        state = self._states.get(deployment.name) or self._keep(deployment)
        asking = Asking(tokens, streams, is_repeat, as_last_resort)
        override = self._overrides.get(deployment.name)
        seat = state.enter(asking, override, self._clock.monotonic())
        if isinstance(seat, Obstacle):
            if is_repeat and seat.reason == "busy":
                self.count_refused_repeat(deployment)
            return seat
        if self._fleet is not None:
            refused = self._fleet.enter(state, seat, self._clock)
            if refused is not None:
                return refused
        if seat.is_probe:
            self._herald.tell(Change("probed"), state)
        return Visit(state, seat, alias, self._lessons, self._clock, self._herald)

    def count_refused_repeat(self, deployment: Deployment) -> None:
        """Count a repeat that load or the retry budget does not allow."""
        if self._metrics is not None:
            self._metrics.count_refused_repeat(deployment.label)

    def retain(
        self, fingerprints: Mapping[str, str], providers: Mapping[str, str]
    ) -> None:
        """Forget what the settings have changed, and keep everything else.

        The first call tells what holds at the start, and forgets nothing.

        Args:
            fingerprints: By the deployment's name, a text that differs when the
                deployment is another one now. A name that is gone is forgotten too.
            providers: The same of each provider. A credential that was rejected is
                tried again.
        """
        prints = Prints(dict(fingerprints), dict(providers))
        with self._making:
            before, self._prints = self._prints, prints
        if self._fleet is not None:
            self._fleet.prints = prints
        if before is None:
            return
        known = before.deployments
        self._drop(
            frozenset(
                name
                for name in known.keys() | fingerprints.keys()
                if known.get(name) != fingerprints.get(name)
            )
        )
        # Also the same: who reloads may have paid a bill, or unlocked it elsewhere.
        for provider in providers:
            self._renew_credential(provider)

    def override(self, overrides: Mapping[str, Override]) -> None:
        """Let operators decide over these deployments, by their names, and no others.

        `open` keeps a deployment from being asked, `closed` has it asked whatever
        its breaker says; limits and a rejected credential hold all the same.
        """
        self._overrides = dict(overrides)

    def reached(self, provider: str) -> None:
        """Take in that a provider answered while nobody asked it.

        Where a breaker is open the next attempt may be its probe, and where the
        credential was rejected the next one may try it. A list of models does not
        prove more than that: some give it to anybody, or to who has not paid.
        """
        is_open = any(state.is_open for state in self._of(provider))
        is_news = is_open or self._provider(provider).is_troubled
        self._come_up(provider, self._clock.monotonic())
        if is_news:
            self._herald.tell_others(Change("closed"), provider)

    def unreachable(self, provider: str, error: LLMAPIError) -> None:
        """Take in that a provider did not answer while nobody asked it.

        The breakers of its deployments open if it is down or silent. If it rejects
        the credential, that is out. Any other error may be about what was asked for,
        and is no news.
        """
        known = self._provider(provider)
        now_seconds = self._clock.monotonic()
        if isinstance(error, LLMCredentialRejected) and not error.is_for_model:
            for change in known.reject(error, now_seconds):
                self._herald.tell_of_provider(change, provider)
        elif is_down(error):
            weather = Weather(now_seconds, self._random.random())
            known.breaker = after(known.breaker, "down", weather, self._policy)
            for state in self._of(provider):
                for change in state.go_down(error, now_seconds):
                    self._herald.tell(change, state)
            left_seconds = known.breaker.left_seconds(now_seconds)
            down = Change("opened", error.code, left_seconds)
            self._herald.tell_others(down, provider)

    def idle_seconds(self, provider: str) -> float | None:
        """Return how long no deployment of a provider was asked; None is never."""
        known = self._providers.get(provider)
        if known is None or known.last_seconds is None:
            return None
        return self._clock.monotonic() - known.last_seconds

    def is_silent(self, provider: str) -> bool:
        """Tell whether it let somebody wait for long, and was not heard of since."""
        known = self._providers.get(provider)
        return known is not None and known.is_silent

    def _keep(self, deployment: Deployment) -> DeploymentHealth:
        provider = self._provider(deployment.provider)
        made = DeploymentHealth(deployment, provider, self._policy, self._random)
        if self._fleet is not None:
            self._fleet.introduce(made, self._clock.monotonic())
        with self._making:
            if len(self._states) >= _MOST_STATES:
                kept = self._prints.deployments if self._prints else {}
                self._states = _without_idle(self._states, kept)
            return self._states.setdefault(deployment.name, made)

    def _provider(self, name: str) -> ProviderHealth:
        known = self._providers.get(name)
        if known is not None:
            return known
        # Of two threads at once the first one's is kept.
        made = self._providers.setdefault(name, ProviderHealth(self._policy))
        if self._fleet is not None:
            now_seconds = self._clock.monotonic()
            for finding in self._fleet.known_of(name, now_seconds):
                self._hear_of(name, finding, now_seconds)
        return made

    def _hear_of(self, provider: str, finding: Finding, now_seconds: float) -> None:
        """Take in what another process found of a provider."""
        known = self._providers[provider]
        if finding.kind == "credential":
            known.hear(finding.left_seconds, finding.told_by, now_seconds)
        elif finding.left_seconds is None:
            self._come_up(provider, now_seconds)
        else:
            known.hear_down(finding, now_seconds)
            for state in self._of(provider):
                self._hear(state, finding, now_seconds)

    def _hear(
        self, state: DeploymentHealth, finding: Finding, now_seconds: float
    ) -> None:
        if state.hear(finding, now_seconds) and self._metrics is not None:
            label, is_open = state.deployment.label, finding.left_seconds is not None
            self._metrics.set_breaker(label, 2 if is_open else 0)

    def _come_up(self, provider: str, now_seconds: float) -> None:
        known = self._provider(provider)
        known.breaker = CLOSED
        known.come_up(now_seconds)
        for state in self._of(provider):
            state.come_up(now_seconds)

    def _of(self, provider: str) -> Iterable[DeploymentHealth]:
        states = tuple(self._states.values())
        return (state for state in states if state.deployment.provider == provider)

    def _drop(self, names: frozenset[str]) -> None:
        with self._making:
            gone = [self._states[name] for name in names & self._states.keys()]
            self._states = {
                name: state for name, state in self._states.items() if name not in names
            }
        self._lessons.forget(names)
        if self._metrics is not None:
            for state in gone:
                self._metrics.set_breaker(state.deployment.label, 0)

    def _renew_credential(self, provider: str) -> None:
        self._provider(provider).renew_credential()
        for state in self._of(provider):
            state.renew_credential()


def _without_idle(
    states: Mapping[str, DeploymentHealth], kept: Container[str]
) -> dict[str, DeploymentHealth]:
    """Return the states but for those that were idle for the longest time.

    Those of the settings are `kept`: callers, who name models too, cannot have
    forgotten that one of them is down.
    """
    idle = (
        state for name, state in states.items() if name not in kept and state.is_idle
    )
    gone = nsmallest(_SPARE_STATES, idle, key=lambda state: state.last_seconds)
    names = {state.deployment.name for state in gone}
    return {name: state for name, state in states.items() if name not in names}
