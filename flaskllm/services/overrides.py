"""What operators decide over deployments: out, or in whatever its breaker says.

It stands in the database, since a request reaches one process only. Each process
reads it once a second at most, and only while requests come.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Protocol

from flaskllm.core import logs
from flaskllm.core.auth import Actor
from flaskllm.core.clock import Clock
from flaskllm.core.errors import APIError, InvalidInputError, NotFound
from flaskllm.llm.catalog import OFFLINE, Catalog
from flaskllm.llm.model_names import nearest, shown
from flaskllm.llm.types import Deployment
from flaskllm.services.background import Errand
from flaskllm.storage.overrides import Override, OverrideRows, OverrideState

__all__ = [
    "Overridable",
    "Override",
    "OverrideState",
    "Overrides",
    "find_deployment",
    "listed_deployments",
]

_EVERY_SECONDS = 1.0
# Who was idle for so long may know too little, and waits for news, but not for long.
_STALE_SECONDS = 2.0
_PATIENCE_SECONDS = 0.25
_MOST_NAMED = 20

_log = logging.getLogger(__name__)


class Overridable(Protocol):
    """What keeps requests away from deployments."""

    def override(self, overrides: Mapping[str, OverrideState]) -> None:
        """Let these stand, by the deployments' names, in the place of all before."""
        ...


class Overrides:
    """Keeps what operators decided, and tells it to the health of this process."""

    def __init__(
        self,
        rows: OverrideRows,
        health: Overridable,
        catalog: Callable[[], Catalog],
        clock: Clock,
        *,
        threaded: bool,
    ) -> None:
        """Keep the collaborators; nothing is read yet.

        Args:
            rows: The table.
            health: It hears what stands.
            catalog: Returns that of the settings as they stand now.
            clock: Tells when an override ends, and when to read again.
            threaded: Whether a thread may read them; else a request does.
        """
        self._rows = rows
        self._health = health
        self._catalog = catalog
        self._clock = clock
        self._errand = Errand(self._read, "overrides") if threaded else None
        self._known: tuple[Override, ...] = ()
        self._standing: Mapping[str, Override] = {}
        self._looked_seconds = float("-inf")
        self._is_readable = True
        # What was read first must not take the place of what was read later.
        self._reading = threading.Lock()

    def keep_current(self) -> None:
        """Take up what was decided lately; for the start of every request.

        Once a second this begins to read, and a request that comes after a pause
        waits a quarter of a second for it at most. It never raises.
        """
        now_seconds = self._clock.monotonic()
        idle_seconds = now_seconds - self._looked_seconds
        if idle_seconds < _EVERY_SECONDS:
            return
        # Two threads that come here at once read twice; neither waits for a lock.
        self._looked_seconds = now_seconds
        if self._errand is None:
            self._read()
            return
        is_stale = idle_seconds >= _STALE_SECONDS
        self._errand.ask(_PATIENCE_SECONDS if is_stale else 0.0)

    def standing(self) -> Mapping[str, Override]:
        """Return those that stand now, by the deployments' names."""
        self.keep_current()
        return self._standing

    def put(
        self, deployment: str, state: OverrideState, seconds: int | None, actor: Actor
    ) -> Override:
        """Decide over a deployment, here at once and elsewhere within a second.

        Args:
            deployment: Its name.
            state: Whether requests may reach it.
            seconds: How long; None until it is removed.
            actor: Who decides, for the audit.

        Raises:
            NotFound: There is no such deployment; the details name the nearest.
            InvalidInputError: It needs no upstream, so nothing keeps it away.
            ServiceUnavailable: Nothing was stored; a retry may help.
        """
        self._check(deployment)
        now = self._clock.now()
        ends = None if seconds is None else now + timedelta(seconds=seconds)
        override = Override(deployment, state, ends, actor.principal_id[:32], now)
        self._rows.put(override, actor)
        logs.event(
            _log,
            logging.INFO,
            "override_set",
            deployment=deployment,
            principal=actor.principal_id,
            state=state,
            seconds=seconds,
        )
        self._read()
        return override

    def remove(self, deployment: str, actor: Actor) -> None:
        """Leave a deployment to its breaker again; to do so twice changes nothing.

        What has gone from the settings can be removed as well.

        Raises:
            NotFound: There is no such deployment, and none was decided over.
            ServiceUnavailable: Nothing was removed; a retry may help.
        """
        # What cannot be read is no name; not every text may be asked for.
        is_removed = deployment.isprintable() and self._rows.remove(
            deployment, actor, self._clock.now()
        )
        if is_removed:
            logs.event(
                _log,
                logging.INFO,
                "override_removed",
                deployment=deployment,
                principal=actor.principal_id,
            )
        else:
            self._check(deployment)
        self._read()

    def _check(self, deployment: str) -> None:
        find_deployment(deployment, self._catalog())

    def _read(self) -> None:
        with self._reading:
            self._read_in_turn()

    def _read_in_turn(self) -> None:
        """Read what stands and tell it; what was read last stands if that fails."""
        try:
            self._known = self._rows.list()
            self._is_readable = True
        except Exception as error:  # the thread that reads must live on
            self._tell_unreadable(error)
        now = self._clock.now()
        self._standing = {
            each.deployment: each
            for each in self._known
            if each.expires_at is None or each.expires_at > now
        }
        self._health.override(
            {name: each.state for name, each in self._standing.items()}
        )

    def _tell_unreadable(self, error: Exception) -> None:
        if not self._is_readable:  # a line a second would tell no more
            return
        self._is_readable = False
        code = error.code if isinstance(error, APIError) else type(error).__name__
        reason = error.details if isinstance(error, APIError) else ""
        logs.event(
            _log, logging.WARNING, "overrides_not_read", code=code, reason=reason
        )


def listed_deployments(catalog: Catalog) -> Iterator[Deployment]:
    """Yield the deployments of the models that upstreams have listed; asks nobody."""
    listed = catalog.discovered.without_asking()
    for provider in catalog.samples:
        found = (listed.find(name, provider) for name in listed.names())
        yield from (each for each in found if each is not None)


def find_deployment(name: str, catalog: Catalog) -> Deployment:
    """Return the deployment of this name, configured or listed; asks nobody.

    Raises:
        NotFound: There is none; the details name the nearest.
        InvalidInputError: It needs no upstream.
    """
    listed = (each for each in listed_deployments(catalog) if each.name == name)
    found = catalog.deployments.get(name) or next(listed, None)
    if found is None:
        raise _not_found(name, catalog)
    if found.kind == OFFLINE.kind:
        problem = f"{shown(name)} answers without an upstream"
        allowed = "a deployment of a model"
        raise InvalidInputError.of("deployment", problem, allowed)
    return found


def _not_found(deployment: str, catalog: Catalog) -> NotFound:
    listed = tuple(listed_deployments(catalog))
    if deployment in catalog.samples:
        every = (*catalog.deployments.values(), *listed)
        below = [each.name for each in every if each.provider == deployment]
        told = f"its deployments: {', '.join(below[:_MOST_NAMED]) or 'none'}"
        details = f"{shown(deployment)} is a provider; {told}."
        return NotFound(f"There is no deployment {shown(deployment)}.", details=details)
    known = (*catalog.deployments, *(each.name for each in listed))
    near = nearest(deployment, known)
    allowed = ", ".join(near or tuple(catalog.deployments)) or "none"
    told = f"the nearest: {allowed}" if near else f"known: {allowed}"
    return NotFound(f"There is no deployment {shown(deployment)}.", details=f"{told}.")
