"""Idle upstreams are looked after: their list of models is asked for, at no cost.

What requests tell of an upstream goes first; only one that nobody asked for a while
is asked here, and one whose credential was rejected, so that both are found well
again, or not, before a caller has to.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Protocol, runtime_checkable

from flaskllm.core import logs
from flaskllm.core.clock import Clock, Deadline
from flaskllm.core.errors import APIError, LLMAPIError, ServiceUnavailable
from flaskllm.llm.catalog import Catalog
from flaskllm.llm.health.standings import Standing
from flaskllm.llm.providers import LocalProvider, Provider
from flaskllm.llm.senders import Sender
from flaskllm.llm.types import Deployment
from flaskllm.net.transport import HttpReply, HttpRequest
from flaskllm.services.background import Rounds

_log = logging.getLogger(__name__)

_LOOK_EVERY_SECONDS = 1.0
_PROBE_SECONDS = 3.0
# A credential that was rejected is asked about once a minute, as by requests.
_REJECTED_EVERY_SECONDS = 60.0
# Callers who wait in vain and leave tell nothing of the upstream; so it is asked.
_SILENT_EVERY_SECONDS = 10.0
# Up to this part earlier or later, so that processes do not march in step.
_JITTER = 0.2
_OK = 200
# Too slow or too often: nothing is learnt. Another status below 500, and 501, comes
# from a service that is there and has no list, or none for this credential.
_NO_NEWS = frozenset({408, 429})
_NOT_OFFERED = 501


class Watch(Protocol):
    """What is known of the health of deployments, and hears what a probe found."""

    def look(self, deployment: Deployment) -> Standing:
        """Return how the deployment stands."""
        ...

    def idle_seconds(self, provider: str) -> float | None:
        """Return how long none of its deployments was asked; None: never any was."""
        ...

    def is_silent(self, provider: str) -> bool:
        """Tell whether it let somebody wait for long, and was not heard of since."""
        ...

    def reached(self, provider: str) -> None:
        """Take note that the provider's upstream answered."""
        ...

    def unreachable(self, provider: str, error: LLMAPIError) -> None:
        """Take note that it did not."""
        ...


@runtime_checkable
class Probable(Protocol):
    """A provider whose upstream can be asked for its models."""

    def encode_listing(self) -> HttpRequest:
        """Return the HTTP request that asks for the list."""
        ...

    def explain(self, reply: HttpReply) -> LLMAPIError:
        """Return the error that a reply with another status than 200 stands for."""
        ...


@dataclass(frozen=True, slots=True)
class Probed:
    """Who may be probed, by the settings as they stand now.

    `idle_seconds` is `health.probe_idle_seconds`; 0 = nobody is probed.
    """

    catalog: Catalog
    providers: Mapping[str, Provider | LocalProvider]
    senders: Mapping[str, Sender]
    idle_seconds: float


class Probes:
    """Asks idle upstreams for their models, in a thread of its own."""

    def __init__(
        self,
        probed: Callable[[], Probed],
        health: Watch,
        clock: Clock,
        random: Random,
        *,
        threaded: bool,
    ) -> None:
        """Keep the collaborators; nobody is asked yet.

        Args:
            probed: Returns who may be probed now.
            health: It is looked at, and told what was found.
            clock: Times the probes.
            random: The source of the jitter; a fork must not repeat it.
            threaded: Whether the host has threads; else there are no probes.
        """
        self._probed = probed
        self._health = health
        self._clock = clock
        self._random = random
        self._began_seconds = clock.monotonic()
        # When each was probed last, and by how much its next turn is off.
        self._probed_at: dict[str, tuple[float, float]] = {}
        self._rejected: set[str] = set()
        self._rounds = (
            Rounds(self._run, _LOOK_EVERY_SECONDS, "probes") if threaded else None
        )

    def begin(self) -> None:
        """Return once this process looks after its upstreams; cheap when it does.

        Where it cannot, no request fails for that: the next one tries again.
        """
        if self._rounds is not None:
            with suppress(ServiceUnavailable):
                self._rounds.begin()

    def probe_due(self, now_seconds: float) -> None:
        """Ask each provider whose turn it is by the monotonic clock.

        Its turn comes when none of its deployments was asked for `idle_seconds`,
        counted from the start where none ever was, and not before the same time,
        a fifth more or less, has gone by since it was probed last. One whose
        credential was rejected has its turn about once a minute, until its upstream
        gives the list; one that let somebody wait for long without a byte has its
        turn at once, and every ten seconds until it is heard of.
        """
        probed = self._probed()
        if not probed.idle_seconds:
            return
        for name, provider in probed.providers.items():
            # One that only reads, and one that lists nothing, cannot be probed.
            if name in probed.senders and isinstance(provider, Probable):
                self._probe_if_due(name, provider, probed, now_seconds)

    def _run(self) -> None:
        try:
            self.probe_due(self._clock.monotonic())
        except Exception as error:  # the one thread of the process must live on
            code = error.code if isinstance(error, APIError) else type(error).__name__
            logs.event(_log, logging.ERROR, "probe_failed", code=code)

    def _probe_if_due(
        self, name: str, provider: Probable, probed: Probed, now_seconds: float
    ) -> None:
        if name not in self._rejected and self._is_rejected(name, probed.catalog):
            self._rejected.add(name)
            self._note_turn(name, now_seconds)
        every_seconds = self._every_seconds(name, probed)
        last_seconds, jitter = self._probed_at.get(name, (float("-inf"), 1.0))
        if every_seconds is None or now_seconds < last_seconds + every_seconds * jitter:
            return
        self._note_turn(name, now_seconds)
        self._probe(name, provider, probed.senders[name])

    def _every_seconds(self, name: str, probed: Probed) -> float | None:
        """Return how often a provider is probed as it stands; None is not at all."""
        if name in self._rejected:
            return _REJECTED_EVERY_SECONDS
        if self._health.is_silent(name):
            return _SILENT_EVERY_SECONDS
        is_idle = self._idle_seconds(name, probed) >= probed.idle_seconds
        return probed.idle_seconds if is_idle else None

    def _note_turn(self, name: str, now_seconds: float) -> None:
        jitter = 1.0 + _JITTER * (2.0 * self._random.random() - 1.0)
        self._probed_at[name] = (now_seconds, jitter)

    def _idle_seconds(self, name: str, probed: Probed) -> float:
        idle_seconds = self._health.idle_seconds(name)
        if idle_seconds is not None:
            return idle_seconds
        if any(each.provider == name for each in probed.catalog.deployments.values()):
            return self._clock.monotonic() - self._began_seconds
        return 0.0  # nobody uses it, and nobody wants to know

    def _is_rejected(self, name: str, catalog: Catalog) -> bool:
        """Tell whether the provider's credential is out, for all that it offers."""
        found = [each for each in catalog.deployments.values() if each.provider == name]
        if not found and name in catalog.samples:
            found = [catalog.samples[name]]
        obstacles = [self._health.look(each).obstacle for each in found]
        return bool(found) and all(
            each is not None and each.reason == "credential" for each in obstacles
        )

    def _probe(self, name: str, provider: Probable, sender: Sender) -> None:
        deadline = Deadline.after(_PROBE_SECONDS, self._clock)
        try:
            reply = sender.send(provider.encode_listing(), deadline=deadline)
        except LLMAPIError as error:
            self._health.unreachable(name, error)
            return
        if reply.status >= 500 and reply.status != _NOT_OFFERED:
            self._health.unreachable(name, provider.explain(reply))
        elif reply.status == _OK:
            self._rejected.discard(name)
            self._health.reached(name)
        # A list that is refused says nothing against a credential: some may only ask
        # models. But only a list that is given speaks for one that was rejected.
        elif reply.status not in _NO_NEWS and name not in self._rejected:
            self._health.reached(name)
