"""A gateway of several processes under mixed load, and all that can fail around it."""

import contextlib
import os
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

import psycopg
import requests
from cut_answers import DONE, OPENAI
from fakes import Upstream
from job_crash_scene import TOKEN, Gateway, Model
from job_receiver import Receiver
from processes import House, bearer
from random_faults import Moody, text_of
from redis_server import RedisServer
from rounds import rounds

CALLERS = 6
PAUSE_SECONDS = 0.05
# As the vendors' own clients do: twice again, after what `Retry-After` says.
MOST_TRIES = 3
LONGEST_WAIT_SECONDS = 8.0
# How long a store is away or out of reach: of few requests none may lose all its tries.
AWAY_SECONDS = rounds(0.5, 2.0)
# Long enough for a server to be waited for and given up, and not for callers.
DEADLINE_SECONDS = 30

SETTINGS = """
log_format: json
server: {{workers: 2, threads: 8}}
jobs: {{threads: 4, poll_seconds: 0.2}}
limits: {{unauthenticated_per_minute: 1000000}}
timeouts:
  deadline_seconds: {deadline}
  first_token_seconds: 2
  chunk_gap_seconds: 2
  answer_seconds: 2
callbacks:
  allow_http: true
  allowed_networks: [127.0.0.0/8]
  allowed_ports: [{port}]
providers:
  good: {{kind: openai_compatible, base_url: {good}}}
  moody: {{kind: openai_compatible, base_url: {moody}}}
  box: {{kind: openai_compatible, base_url: {box}}}
deployments:
  good: {{provider: good, model: trees, price: {{input: 1.0, output: 2.0}}}}
  moody: {{provider: moody, model: trees, price: {{input: 1.0, output: 2.0}}}}
  box: {{provider: box, model: reader, context_window: 32000}}
routes:
  - {{alias: trees, deployments: {{good: 1, moody: 1}}}}
  - {{alias: reader, deployments: {{box: 1}}}}
default_route: reader
"""

ANSWERED, FAILED, WRONG = "answered", "failed", "wrong"
KINDS = ("stream", "whole", "stream", "once", "stream", "whole", "job", "stream")


class DatabaseFaults(Protocol):
    """What can go wrong with one kind of database."""

    url: str

    def faults(self) -> Mapping[str, Callable[[], None]]:
        """Return each by its name; it is over when it returns."""
        ...


@dataclass
class World:
    """Everything around the gateway: three models, a receiver, Redis."""

    moody: Moody
    model: Model
    receiver: Receiver
    redis: RedisServer
    settings: str
    receiver_url: str

    @property
    def redis_url(self) -> str:
        return self.redis.url()


@contextlib.contextmanager
def open_world(random: Random, redis: RedisServer, span: tuple[float, float]):
    """Give a world in which one of two deployments always fails somehow."""
    with Upstream() as good, Upstream() as bad, Upstream() as box, Upstream() as hook:
        good.always(Moody(random, None))
        moody, model, receiver = Moody(random, span), Model(), Receiver()
        bad.always(moody)
        box.always(model)
        hook.always(receiver)
        settings = SETTINGS.format(
            deadline=DEADLINE_SECONDS,
            port=hook.port,
            good=good.url,
            moody=bad.url,
            box=box.url,
        )
        yield World(moody, model, receiver, redis, settings, hook.url)


@dataclass(frozen=True)
class Told:
    """What became of one request; `said` is the last answer."""

    number: int
    kind: str
    verdict: str
    tries: int
    said: str


@dataclass
class Callers:
    """Asks one thing after the other, and asks again as the vendors' clients do.

    Attributes:
        accepted: The keys of jobs that were accepted.
    """

    url: str
    receiver_url: str
    told: list[Told] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def calling(self) -> Iterator[None]:
        """Call beside the block, and a moment longer."""
        threads = [
            threading.Thread(target=self._run, args=(each,)) for each in range(CALLERS)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def _run(self, number: int) -> None:
        with requests.Session() as session:
            session.headers.update(bearer(TOKEN))
            while not self._stop.is_set():
                self.told.append(self._insist(session, number))
                number += CALLERS
                self._stop.wait(PAUSE_SECONDS)

    def _insist(self, session: requests.Session, number: int) -> Told:
        kind = KINDS[number // CALLERS % len(KINDS)]
        for tries in range(1, MOST_TRIES + 1):
            reply = self._ask(session, number, kind)
            verdict, said = judge(number, kind, reply)
            if verdict != FAILED:
                break
            if tries < MOST_TRIES:
                time.sleep(patience(reply, tries))  # also when all is over: as clients
        if kind == "job" and verdict == ANSWERED:
            self.accepted.add(key_of(number))
        return Told(number, kind, verdict, tries, said)

    def _ask(
        self, session: requests.Session, number: int, kind: str
    ) -> requests.Response | None:
        path, body, headers = question(number, kind, self.receiver_url)
        try:
            return session.post(
                f"{self.url}{path}",
                json=body,
                headers={"X-Request-ID": key_of(number), **headers},
                timeout=2 * DEADLINE_SECONDS,
            )
        except requests.RequestException:
            return None


def key_of(number: int) -> str:
    """Return the id of a request, in the form that the model of jobs looks for."""
    return f"key-{number // 100_000:03}-{number % 100_000:05}"


def question(
    number: int, kind: str, receiver_url: str
) -> tuple[str, dict[str, Any], dict[str, str]]:
    """Return where to ask, what, and with which headers."""
    if kind == "job":
        body = {
            "prompt": f"The invoice {key_of(number)} is due on Friday.",
            "type": "keywords",
            "async": True,
            "event_id": key_of(number),
            "callback_url": f"{receiver_url}/hook",
        }
        return "/api/v1/webhook", body, {}
    asked = OPENAI.ask("trees", f"case {number}") | {"stream": kind == "stream"}
    once = {"Idempotency-Key": key_of(number)} if kind == "once" else {}
    return "/v1/chat/completions", asked, once


def judge(number: int, kind: str, reply: requests.Response | None) -> tuple[str, str]:
    """Return what became of one try, and what was said."""
    if reply is None:
        return FAILED, "no answer"
    said = f"{reply.status_code} {reply.text[:300]}"
    if reply.status_code not in (200, 202):
        return (WRONG if reply.status_code == 500 else FAILED), said
    if kind == "job":
        return ANSWERED, said
    if kind == "stream":
        heard = OPENAI.read(reply.content)
        if heard.last != DONE:
            broke_off = text_of(number).startswith(heard.text)
            return (FAILED if broke_off else WRONG), said
        return (ANSWERED if heard.text == text_of(number) else WRONG), said
    text = reply.json()["choices"][0]["message"]["content"]
    return (ANSWERED if text == text_of(number) else WRONG), said


def patience(reply: requests.Response | None, tries: int) -> float:
    """Return how long a client waits before it asks again."""
    told = float(reply.headers.get("Retry-After", 0)) if reply is not None else 0.0
    return min(told or 0.5 * 2**tries, LONGEST_WAIT_SECONDS)


@dataclass
class Chaos:
    """Faults, one after the other, each in its turn and in a random order.

    Attributes:
        played: How often each was played.
    """

    gateway: Gateway
    world: World
    database: DatabaseFaults
    random: Random
    played: Counter[str] = field(default_factory=Counter)
    _pace: threading.Event = field(default_factory=threading.Event)

    def play(self, seconds: float, every_seconds: float) -> None:
        """Play faults for so long, one every so often."""
        until, waiting = time.monotonic() + seconds, []
        while (begun := time.monotonic()) < until:
            if not waiting:
                waiting = self.random.sample(sorted(self.faults()), len(self.faults()))
            name = waiting.pop()
            self.faults()[name]()
            self.played[name] += 1
            self._pace.wait(max(0.0, begun + every_seconds - time.monotonic()))

    def faults(self) -> Mapping[str, Callable[[], None]]:
        """Return every fault by its name; each is over when it returns."""
        kill = self.gateway.kill
        return {
            "a web process is killed": lambda: kill("web worker"),
            "the job worker is killed": lambda: kill("job worker"),
            "settings are loaded again": self._reload,
            "Redis is killed": self._kill_redis,
            "Redis is stopped": self._pause_redis,
            "Redis is emptied": self._empty_redis,
            **self.database.faults(),
        }

    def _reload(self) -> None:
        (master,) = self.gateway.pids("master")
        os.kill(master, signal.SIGHUP)

    def _kill_redis(self) -> None:
        self.world.redis.kill()
        self._pace.wait(AWAY_SECONDS)
        self.world.redis.start()

    def _pause_redis(self) -> None:
        self.world.redis.pause()
        self._pace.wait(AWAY_SECONDS)
        self.world.redis.go_on()

    def _empty_redis(self) -> None:
        self.world.redis.client().flushall()


@dataclass
class SqliteFaults:
    """A file that another process keeps to itself for a while."""

    url: str

    def faults(self) -> Mapping[str, Callable[[], None]]:
        return {"another process locks the file": self._lock}

    def _lock(self) -> None:
        path = self.url.removeprefix("sqlite:///")
        other = sqlite3.connect(path, timeout=10, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        threading.Event().wait(AWAY_SECONDS)
        other.rollback()
        other.close()


@dataclass
class PostgresFaults:
    """A server that is stopped, and one that is hard to reach."""

    url: str
    server: Any
    proxy: Any
    name: str

    def faults(self) -> Mapping[str, Callable[[], None]]:
        return {
            "PostgreSQL is stopped at once": self._restart,
            "all its sessions are ended": self._end_sessions,
            "a table of it is locked": self._lock,
            "it is out of reach": self._hang,
            "it is far away": self._delay,
        }

    def _restart(self) -> None:
        self.server.stop("QUIT")
        self.server.start()

    def _end_sessions(self) -> None:
        with self.server.connect() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = %s",
                [self.name],
            )

    def _lock(self) -> None:
        with self.server.connect(self.name) as connection, connection.transaction():
            connection.execute("SET LOCAL lock_timeout = '5s'")
            with contextlib.suppress(psycopg.errors.LockNotAvailable):
                connection.execute("LOCK TABLE usage IN ACCESS EXCLUSIVE MODE")
                connection.execute("SELECT pg_sleep(%s)", [AWAY_SECONDS])

    def _hang(self) -> None:
        self.proxy.hang()
        threading.Event().wait(AWAY_SECONDS)
        self.proxy.heal()

    def _delay(self) -> None:
        self.proxy.delay(0.02)
        threading.Event().wait(AWAY_SECONDS)
        self.proxy.heal()


def open_gateway(house: House, world: World, database: DatabaseFaults) -> Gateway:
    """Start the gateway: two web processes and a worker."""
    return Gateway(
        house,
        world,
        database.url,
        FLASKLLM_REDIS_URL=world.redis_url,
        FLASKLLM_JOBS__THREADS=str(rounds(2, 4)),
    )
