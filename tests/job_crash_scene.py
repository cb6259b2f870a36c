"""A gateway that accepts jobs and whose processes are killed, and all it talks to."""

import contextlib
import errno
import os
import re
import signal
import socket
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from fakes import Exchange, Upstream, chat, json_reply, status
from job_receiver import Receiver
from processes import FLASKLLM, House, Started, bearer, free_port
from rounds import rounds
from sqlalchemy import text

from flaskllm.storage.database import Database

TOKEN = "Wm4xT9rB2vK7nQ5cZ8jL3hD6sF1gPyEa"
SECRET = "Ny6cR2tX9mK4wQ7vB1zL8jH5dG3sF0pA"
THREADS = 8
SENDERS = 8
# What a worker sends to one receiver at once.
SENT_AT_ONCE = 2
WAIT_SECONDS = rounds(90.0, 300.0)

SETTINGS = """
log_format: json
server: {{workers: 2, threads: 8}}
jobs: {{threads: {threads}, poll_seconds: 0.1}}
limits: {{unauthenticated_per_minute: 1000000}}
callbacks:
  allow_http: true
  allowed_networks: [127.0.0.0/8]
  allowed_ports: [{port}]
providers:
  box: {{kind: openai_compatible, base_url: {url}}}
deployments:
  small: {{provider: box, model: scripted-1, context_window: 32000}}
routes:
  - {{alias: scripted, deployments: {{small: 1}}}}
default_route: scripted
"""

_KEY = re.compile(rb"key-\d{3}-\d{5}")
_STEPS = "SELECT job_id FROM job_steps WHERE name <> 'parse'"
_OPEN_FROM = "FROM jobs WHERE state IN ('queued', 'working')"
_OPEN = f"SELECT count(*) {_OPEN_FROM}"
_OPEN_JOBS = f"SELECT request_id, state, attempt, failures, error_code {_OPEN_FROM}"
_UNTOLD = "SELECT count(*) FROM deliveries WHERE state = 'pending'"


@dataclass
class Model:
    """A model that answers after `seconds`, and remembers when it was asked what."""

    calls: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    seconds: float = 0.0
    is_down: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, exchange: Exchange) -> None:
        if exchange.request.method == "GET":  # a probe, after a silence
            json_reply({"object": "list", "data": []})(exchange)
            return
        found = _KEY.search(exchange.request.body)
        assert found is not None, exchange.request.body
        with self._lock:
            self.calls[found.group().decode()].append(time.monotonic())
        exchange.wait(self.seconds)
        if self.is_down:
            status(503)(exchange)
            return
        chat('{"keywords": ["invoice"]}')(exchange)

    @property
    def count(self) -> int:
        """Return how often it was asked."""
        with self._lock:
            return sum(map(len, self.calls.values()))

    def counts(self) -> Counter[str]:
        """Return how often it was asked about each key."""
        with self._lock:
            return Counter({key: len(calls) for key, calls in self.calls.items()})


@dataclass
class World:
    """The two servers outside: a model, and a receiver of callbacks."""

    model: Model
    receiver: Receiver
    model_url: str
    receiver_url: str
    receiver_port: int

    @property
    def settings(self) -> str:
        """Return the settings of a gateway that uses them."""
        port = self.receiver_port
        return SETTINGS.format(url=self.model_url, port=port, threads=THREADS)


@contextlib.contextmanager
def open_world() -> Iterator[World]:
    """Give a model and a receiver on real sockets."""
    with Upstream() as box, Upstream() as listener:
        model, receiver = Model(), Receiver()
        box.always(model)
        listener.always(receiver)
        yield World(model, receiver, box.url, listener.url, listener.port)


class Gateway:
    """A server with its worker, and the ways in which they are killed.

    Attributes:
        kills: What was killed when, on the monotonic clock.
    """

    def __init__(self, house: House, world: World, database_url: str, **environ: str):
        house.write_settings(world.settings)
        house.accept_jobs(worker=True)
        house.environ |= {
            "FLASKLLM_DATABASE_URL": database_url,
            "FLASKLLM_API_TOKEN": TOKEN,
            "FLASKLLM_SECRET": SECRET,
            **environ,
        }
        self.kills: list[tuple[str, float]] = []
        self._house = house
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._ever_started: list[Started] = []
        self.start()

    def start(self) -> None:
        """Start the server once nobody of the one before listens any more."""
        wait_for(self._is_port_free, lambda: "the port is taken")
        command = (*FLASKLLM, "serve", f"--port={self._port}")
        self._ever_started.append(self._house.start(command))
        self._started.wait_for(self._answers, WAIT_SECONDS)

    def kill(self, what: str) -> None:
        """Kill a process of this kind, if there is one just now, or all of them."""
        pids = self.left() if what == "everything" else self.pids(what)[:1]
        if pids:
            self.kills.append((what, time.monotonic()))
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def revive(self) -> None:
        """Start the server again if it is gone; that is all that anybody does."""
        if self.kills and self.kills[-1][0] in ("master", "everything"):
            self._started.process.wait(WAIT_SECONDS)
            self.start()

    def pids(self, what: str) -> list[int]:
        """Return the processes of a kind, those that an earlier server left too."""
        master = self._started.process.pid
        return [
            pid
            for pid, parent in self._alive().items()
            if _kind(pid, parent, master) == what
        ]

    def left(self) -> list[int]:
        """Return all processes that run, of whichever server."""
        return list(self._alive())

    def _answers(self) -> bool:
        assert self._started.process.poll() is None, self.stderr
        with contextlib.suppress(requests.RequestException):
            ready = requests.get(f"{self.url}/api/v1/health/ready", timeout=5)
            return ready.status_code == 200
        return False

    def _is_port_free(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == errno.ECONNREFUSED

    def _alive(self) -> dict[int, int]:
        return _alive({each.process.pid for each in self._ever_started})

    def stop(self) -> None:
        """End it in good order."""
        self._started.stop()

    @property
    def _started(self) -> Started:
        return self._ever_started[-1]

    @property
    def stderr(self) -> str:
        """Return what the server that was started last has written."""
        return self._started.stderr


def _alive(sessions: set[int]) -> dict[int, int]:
    """Return the parents of all processes that were begun in these sessions."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            text = (folder / "stat").read_text().rpartition(")")[2]
            state, parent, _, session = text.split()[:4]
            if int(session) in sessions and state not in "ZX":
                parents[int(folder.name)] = int(parent)
    return parents


def _kind(pid: int, parent: int, master: int) -> str:
    with contextlib.suppress(OSError):
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if b"flaskllm.jobs.supervisor" in command:
            return "supervisor"
        if b"worker" in command:
            return "job worker"
    if pid == master:
        return "master"
    return "web worker" if parent == master else ""


def wait_for(condition: Callable[[], object], why: Callable[[], str]) -> None:
    """Return when the condition holds; fail with a reason when it does not."""
    give_up_at = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < give_up_at, why()
        time.sleep(0.02)


@dataclass
class Sender:
    """Sends events until each is accepted, under the same id all the while.

    Attributes:
        accepted: The id of the job for each key; '' where it was done by then.
        doubted: How often it was not told what became of a request.
    """

    url: str
    receiver_url: str
    token: str = TOKEN
    fields: Mapping[str, Any] = field(default_factory=dict)
    accepted: dict[str, str] = field(default_factory=dict)
    doubted: int = 0
    _stopped: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def sending(self, keys: Sequence[str]) -> Iterator[None]:
        """Send beside the block, and end with it once all are accepted."""
        with ThreadPoolExecutor(SENDERS) as pool:
            sent = [pool.submit(self._insist, key) for key in keys]
            try:
                yield
            except BaseException:
                self._stopped.set()
                raise
            for each in sent:
                each.result()

    def _insist(self, key: str) -> None:
        give_up_at = time.monotonic() + WAIT_SECONDS
        while True:
            reply = self._post(key)
            if reply is not None and reply.status_code in (200, 202):
                location = reply.headers.get("Location", "")
                self.accepted[key] = location.rpartition("/")[2]
                return
            assert reply is None or reply.status_code in (502, 503), reply.text
            assert time.monotonic() < give_up_at, "it was never accepted"
            if self._stopped.wait(0.05):
                return

    def _post(self, key: str) -> requests.Response | None:
        body = {
            "prompt": f"The invoice {key} is due on Friday.",
            "type": "keywords",
            "async": True,
            "event_id": key,
            "callback_url": f"{self.receiver_url}/hook",
            **self.fields,
        }
        url = f"{self.url}/api/v1/webhook"
        # By which the job's row is known.
        headers = {**bearer(self.token), "X-Request-ID": key}
        try:
            return requests.post(url, json=body, headers=headers, timeout=30)
        except requests.RequestException:
            self.doubted += 1
            return None


@dataclass(frozen=True)
class Books:
    """What the database says of jobs."""

    database: Database

    def value(self, sql: str) -> Any:
        """Return the only value that this finds."""
        with self.database.reading() as connection:
            return connection.execute(text(sql)).scalar_one()

    def column(self, sql: str) -> list[Any]:
        """Return what this finds."""
        with self.database.reading() as connection:
            return list(connection.execute(text(sql)).scalars())

    def jobs(self) -> list[tuple[str, str, str]]:
        """Return the key, the id and the state of every job."""
        sql = "SELECT request_id, id, state FROM jobs"
        with self.database.reading() as connection:
            return [tuple(row) for row in connection.execute(text(sql))]

    def is_idle(self) -> bool:
        """Tell whether all jobs have ended, and everybody was told."""
        return self.value(f"SELECT ({_OPEN}) + ({_UNTOLD})") == 0

    def paid(self) -> set[str]:
        """Return the jobs whose model call is recorded."""
        return set(self.column(_STEPS))

    def summary(self) -> str:
        """Return how many jobs are in which state, and what became of the open ones."""
        with self.database.reading() as connection:
            sql = "SELECT state, count(*) FROM jobs GROUP BY state"
            jobs = dict(connection.execute(text(sql)).all())  # type: ignore[arg-type]
            sql = "SELECT state, count(*) FROM deliveries GROUP BY state"
            told = dict(connection.execute(text(sql)).all())  # type: ignore[arg-type]
            rows = connection.execute(text(_OPEN_JOBS)).mappings()
            left = "\n".join(str(dict(row)) for row in rows)
        return f"jobs: {jobs}; deliveries: {told}\n{left}"

    def open_keys(self) -> list[str]:
        """Return the keys of the jobs that have not ended."""
        return self.column(f"SELECT request_id {_OPEN_FROM}")
