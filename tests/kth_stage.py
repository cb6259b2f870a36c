"""The whole gateway on a stage where calls at its edge fail, and what must hold."""

import gc
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from api_tokens import make_token
from fakes import Upstream
from job_receiver import Receiver
from kth_failure import Edge
from kth_models import answer
from ledger_scene import disagreements, open_attempts, open_ledger

from flaskllm.core.auth import Scope
from flaskllm.core.clock import SystemClock
from flaskllm.core.config import load_from_process
from flaskllm.core.errors import APIError, InternalError
from flaskllm.factory import create_app
from flaskllm.services.principals import Principals
from flaskllm.wiring import build_services

SECRET = "Ny6cR2tX9mK4wQ7vB1zL8jH5dG3sF0pA"
TOKEN = "Wm4xT9rB2vK7nQ5cZ8jL3hD6sF1gPyEa"
# What may be told of a part that failed: never that it was the caller's fault, and
# never that nobody knows.
TYPED = frozenset({502, 503, 504, 507})
# Beyond every lease, pause, cool-down and life of a reservation.
_LONG_SECONDS = 1000.0
_PATIENCE_SECONDS = 5.0
# Two threads that came at once leave the pool a connection or two more, each with a
# file and its log; what leaks does so with every run, and is soon above that.
_IDLE_DESCRIPTORS = 8

SETTINGS = """
log_format: json
log_file: {folder}/gateway.log
api_token: {token}
secret: {secret}
templates_dir: {folder}/templates
health: {{probe_idle_seconds: 0}}
limits:
  authentication_failures_per_minute: 1000000
  unauthenticated_per_minute: 1000000
callbacks:
  allow_http: true
  allowed_networks: [127.0.0.0/8]
  allowed_ports: [{port}]
inbound:
  desk: {{sender: postmark, username: support, password: pass-4f1c09ab37d2,
    digest: {{type: keywords}}}}
providers:
  box: {{kind: openai_compatible, base_url: "{url}"}}
  claude: {{kind: anthropic, base_url: "{url}", api_key: upstream-credential}}
deployments:
  small:
    {{provider: box, model: scripted-1, context_window: 32000,
      price: {{input: 1000, output: 1000}}}}
  haiku: {{provider: claude, model: claude-haiku-4-5}}
routes:
  - {{alias: open, deployments: {{small: 1}}}}
  - {{alias: claude, deployments: {{haiku: 1}}}}
default_route: open
"""


class Told(Exception):
    """A run ended with an error that a caller can act on."""


class Wrong(Exception):
    """A run ended as none may."""


class Clock(SystemClock):
    """The machine's, but that nobody sleeps long on it: it passes instead."""

    def __init__(self) -> None:
        self._ahead_seconds = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self._ahead_seconds)

    def monotonic(self) -> float:
        return super().monotonic() + self._ahead_seconds

    def sleep(self, seconds: float) -> None:
        if seconds < 0.01:
            super().sleep(seconds)
        else:
            self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self._ahead_seconds += seconds


@dataclass
class Stage:
    """A gateway that lives as long as a loop does.

    Attributes:
        turn: Counts the rounds; a run and its repetition are one.
        kept: What a scenario remembers.
        worked: The workflows that were done.
    """

    folder: Path
    upstream: Upstream
    listener: Upstream
    receiver: Receiver
    edge: Edge
    database_url: str | None = None
    turn: int = 0
    clock: Clock = field(default_factory=Clock)
    kept: dict[str, Any] = field(default_factory=dict)
    worked: set[str] = field(default_factory=set)

    def start(self) -> None:
        """Build it; nothing is opened."""
        loaded = load_from_process()
        self.services = build_services(loaded, self.clock)
        # What it does beside the requests, at its own times, is a scenario of its own.
        self.services.housekeeping._looked_seconds = float("inf")
        self.app = create_app(loaded, self.services)
        self.client = self.app.test_client()

    def make_tokens(self) -> None:
        """Make the API tokens of the callers."""
        service = self.services.api_tokens
        usual = (Scope.CHAT, Scope.WEBHOOK, Scope.READ)
        self.token = make_token(service, *usual, concurrent_requests=3).text
        self.admin = make_token(service, Scope.ADMIN).text

    def write_settings(self, more: str = "") -> None:
        """Write the settings file anew."""
        if self.database_url:
            more += f"database_url: {self.database_url}\n"
        text = SETTINGS.format(
            folder=self.folder,
            token=TOKEN,
            secret=SECRET,
            url=self.upstream.url,
            port=self.listener.port,
        )
        fresh = self.folder / "flaskllm.new"
        fresh.write_text(text + more)
        fresh.rename(self.folder / "flaskllm.yaml")

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        token: str | None = None,
        also: frozenset[int] = frozenset(),
        **options: Any,
    ) -> Any:
        """Return an answer that is good, or one of the statuses in `also`.

        Raises:
            Told: It is a typed error.
            Wrong: It is anything else.
        """
        head = {"Authorization": f"Bearer {token or self.token}", **(headers or {})}
        if body is not None:
            options["json"] = body
        reply = self.client.open(path, method=method, headers=head, **options)
        try:
            text = reply.get_data(as_text=True)
        finally:
            reply.close()
        judge(reply, text, also)
        return reply

    def cool(self) -> None:
        """Let go of all that is kept open, as a process that has just begun."""
        self.services.settings._models.close()
        proofs = self.services.api_tokens._authentication
        proofs._principals = Principals(proofs._principals._read_counter, self.clock)
        self.services.workflows.close()
        self.services.database.close()

    def flush(self) -> None:
        """Return once the ledger is written, as far as it can be."""
        self.services.accounts.house.writer.flush(0.3)

    def pass_time(self) -> None:
        """Let all pauses be over."""
        self.clock.advance(_LONG_SECONDS)

    def close(self) -> None:
        """Close what is open."""
        self.cool()


def judge(reply: Any, text: str, also: frozenset[int] = frozenset()) -> None:
    if "Traceback" in text:
        raise Wrong(f"a traceback: {text[-300:]}")
    if reply.mimetype == "text/event-stream":
        _judge_stream(text)
        return
    if reply.status_code < 400 or reply.status_code in also:
        return
    told = f"{reply.status_code} {text[:300]}"
    if reply.status_code not in TYPED:
        raise Wrong(told)
    if not reply.is_json or "error" not in reply.json:
        raise Wrong(f"no typed error: {told}")
    raise Told(told)


def _judge_stream(text: str) -> None:
    is_whole = text.endswith(("data: [DONE]\n\n", '"type": "message_stop"}\n\n'))
    is_whole = is_whole or "event: message_stop" in text
    is_broken = '"error"' in text
    if is_whole == is_broken:
        raise Wrong(f"a stream without one end: {text[-300:]}")
    if is_broken:
        raise Told(text[-200:])


def typed(act: Any, *args: Any) -> Any:
    """Return what a service returns; what it raises must be typed."""
    try:
        return act(*args)
    except InternalError as error:
        raise Wrong(f"InternalError: {error.__cause__!r}") from error
    except APIError as error:
        raise Told(error.code) from error


@dataclass(frozen=True)
class Base:
    """What is open when nothing is done."""

    descriptors: int
    threads: int


def base_of(stage: Stage) -> Base:
    """Return what is open when a stage has cooled down."""
    stage.cool()
    time.sleep(0.05)
    return Base(_descriptors(), _threads())


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd")) - 1


def _threads() -> int:
    own = [
        each
        for each in threading.enumerate()
        if not isinstance(
            getattr(getattr(each, "_target", None), "__self__", None), Upstream
        )
    ]
    return len(own)


def wrongs_of(stage: Stage, base: Base) -> Iterator[str]:
    """Yield what does not hold when a run has been repeated without a fault."""
    services = stage.services
    if not services.accounts.house.writer.flush(_PATIENCE_SECONDS):
        yield "the ledger is not written"
    database = services.database
    yield from _leaked(stage)
    open_ledger(database, _far(stage)).sweep(1000)
    if left := open_attempts(database):
        yield f"{len(left)} reservations are open"
    yield from disagreements(database)
    for name in ("small", "haiku"):
        if in_flight := services.providers.find(name).standing.in_flight:
            yield f"{in_flight} in flight at {name}"
    stage.cool()
    yield from _unlike(base)


def _far(stage: Stage) -> Any:
    clock = Clock()
    clock.advance(stage.clock._ahead_seconds + 100_000.0)
    return clock


def _leaked(stage: Stage) -> Iterator[str]:
    services = stage.services
    pools = [
        each.engine.pool
        for owner in (services.database, services.workflows)
        for each in owner._processes.values()
    ]
    if not _until(lambda: not any(pool.checkedout() for pool in pools)):
        yield "connections are not given back"
    if services.idempotency._running._running:
        yield "a claim is kept alive"
    if services.metrics.streams_in_flight._value.get():
        yield "a stream counts as under way"


def _unlike(base: Base) -> Iterator[str]:
    most = base.descriptors + _IDLE_DESCRIPTORS
    if not _until(lambda: _descriptors() <= most):
        yield f"{_descriptors() - base.descriptors} descriptors more"
    if not _until(lambda: _threads() <= base.threads):
        names = Counter(each.name for each in threading.enumerate())
        yield f"{_threads() - base.threads} threads more: {names}"


def _until(condition: Any) -> bool:
    """Tell whether it holds within a moment."""
    for seconds in (0.2, 2.0):
        give_up_at = time.monotonic() + seconds
        while time.monotonic() < give_up_at:
            if condition():
                return True
            time.sleep(0.002)
        gc.collect()  # of what was in use while its pool was closed
    return False


@contextmanager
def opened(folder: Path, database_url: str | None = None) -> Iterator[Stage]:
    """Give a stage whose gateway was not used yet."""
    (folder / "templates").mkdir(parents=True)
    receiver = Receiver()
    with (
        chdir(folder),
        Upstream() as upstream,
        Upstream() as listener,
        Edge(folder).open() as edge,
    ):
        upstream.always(answer)
        listener.always(receiver)
        stage = Stage(folder, upstream, listener, receiver, edge, database_url)
        stage.write_settings()
        stage.start()
        try:
            yield stage
        finally:
            stage.close()
