"""A gateway on PostgreSQL behind a proxy, its callers, and what is in the books."""

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from fakes import Upstream, answer_with, chat
from postgres_server import PostgresServer
from processes import House, Started, bearer, open_house
from stream_steps import DONE, sse, tokens
from tcp_chaos import Chaos, tcp_chaos

SECRET = "Zt8Kq1LmX4vB7nR2wY5cJ9dH3sG6fPaE"
NAME = "store"
READY = "/api/v1/health/ready"
BACK_SECONDS = 10.0

SETTINGS = """
log_format: json
server: {{workers: 1, threads: 64}}
jobs: {{poll_seconds: 0.1}}
limits: {{unauthenticated_per_minute: 1000000}}
health: {{probe_idle_seconds: 0}}
providers:
  box: {{kind: openai_compatible, base_url: {url}}}
deployments:
  small: {{provider: box, model: scripted-1, price: {{input: 1.0, output: 2.0}}}}
routes:
  - {{alias: scripted, deployments: {{small: 1}}}}
default_route: scripted
"""
_EVENTS = tokens("one ", "two ", "three ", "four ", "five ", "six ", "seven ", "eight")


@dataclass(frozen=True)
class Told:
    """One answer, and how long it took."""

    status: int
    seconds: float
    retry_after: str | None
    body: str
    is_ours: bool

    @property
    def is_typed_refusal(self) -> bool:
        """Tell whether it is a 503 that says when to come back, in our own form."""
        return self.status == 503 and bool(self.retry_after) and self.is_ours


@dataclass
class Away:
    """What tests of a database that goes away have."""

    house: House
    chaos: Chaos
    server: PostgresServer
    upstream: Upstream
    started: Started
    url: str
    token: str

    def call(self, method: str, path: str, **more: Any) -> Told:
        """Return what is answered."""
        headers = {**bearer(self.token), **more.pop("headers", {})}
        began = time.monotonic()
        reply = requests.request(
            method, f"{self.url}{path}", headers=headers, timeout=60, **more
        )
        seconds = time.monotonic() - began
        is_ours = "error" in reply.text and "Traceback" not in reply.text
        retry_after = reply.headers.get("Retry-After")
        return Told(reply.status_code, seconds, retry_after, reply.text, is_ours)

    def ask(self, *_: object, **fields: Any) -> Told:
        """Ask the model one question."""
        question = [{"role": "user", "content": "When is the launch?"}]
        body = {"model": "scripted", "messages": question, **fields}
        return self.call("POST", "/v1/chat/completions", json=body)

    def get(self, path: str) -> Told:
        """Look at something."""
        return self.call("GET", path)

    def accept(self, key: str) -> Told:
        """Send a document to be worked on later."""
        body = {"prompt": "It is due on Friday.", "type": "keywords", "async": True}
        headers = {"Idempotency-Key": key}
        return self.call("POST", "/api/v1/webhook", json=body, headers=headers)

    def at_once(self, count: int, what: Callable[..., Told]) -> list[Told]:
        """Return what so many callers get who come at the same time, by their wait."""
        with ThreadPoolExecutor(count) as pool:
            told = list(pool.map(what, range(count)))
        return sorted(told, key=lambda each: each.seconds)

    @contextlib.contextmanager
    def stream_under_way(self) -> Iterator[list[str]]:
        """Have a stream that begins before the block and ends after it began.

        Its text is in the list after the block.
        """
        texts: list[str] = []
        before = len(self.upstream.requests)
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(self.ask, stream=True)
            assert self.upstream.wait_for_requests(before + 1)
            yield texts
            texts.append(asked.result().body)

    def wait_until_not_ready(self) -> Told:
        """Return what readiness says once it says so; its word holds for a second."""
        give_up_at = time.monotonic() + BACK_SECONDS
        while (told := self.get(READY)).status == 200:
            assert time.monotonic() < give_up_at, "it still says that it is ready"
            time.sleep(0.05)
        return told

    def wait_until_back(self) -> float:
        """Return after how many seconds it is ready and answers again."""
        began = time.monotonic()
        while self.get(READY).status != 200 or self.ask().status > 200:
            assert time.monotonic() - began < BACK_SECONDS, self.started.stderr[-3000:]
            time.sleep(0.05)
        return time.monotonic() - began

    def query(self, sql: str) -> Any:
        """Return the only value that this finds, asked of the server itself."""
        with self.server.connect(NAME) as connection:
            return connection.execute(sql.encode()).fetchone()[0]  # type: ignore[index]

    def wait_until(self, sql: str) -> None:
        """Return once this finds true."""
        self.started.wait_for(lambda: self.query(sql), BACK_SECONDS)

    def books_are_closed(self) -> None:
        """Return once no reservation is open, and the sums are those of the entries."""
        self.wait_until("SELECT count(*) = 0 FROM reservations")
        self.wait_until(
            "SELECT (SELECT coalesce(sum(reserved_nanos), 0) FROM spending) = 0 "
            "AND (SELECT count(*) FROM usage) = (SELECT count(DISTINCT attempt_id) "
            "FROM ledger WHERE entry = 'settle')"
        )


def is_whole(stream: str) -> bool:
    """Tell whether a stream came to its end, with all its words."""
    return stream.encode().endswith(DONE) and "eight" in stream


@contextlib.contextmanager
def away_scene(
    folder: Path, server: PostgresServer, options: str = ""
) -> Iterator[Away]:
    """Start a gateway on a fresh database of this server, behind a proxy."""
    # What was committed shall be there when the server is killed.
    server.run("ALTER SYSTEM SET synchronous_commit = on", "SELECT pg_reload_conf()")
    server.run(
        f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)", f"CREATE DATABASE {NAME}"
    )
    with (
        tcp_chaos(server.port) as chaos,
        Upstream() as upstream,
        open_house(folder) as house,
    ):
        direct = server.url(NAME)
        behind = direct.replace(f":{server.port}/", f":{chaos.port}/")
        house.environ |= {
            "FLASKLLM_DATABASE_URL": f"{behind}{options}",
            "FLASKLLM_SECRET": SECRET,
        }
        house.accept_jobs()
        house.write_settings(SETTINGS.format(url=upstream.url))
        upstream.always(answer_with(_answer))
        scopes = ("chat", "webhook", "admin", "read")
        token = house.make_token(*(f"--scope={scope}" for scope in scopes))
        started, url = house.serve()
        away = Away(house, chaos, server, upstream, started, url, token)
        assert away.ask().status == 200
        assert away.accept("first").status == 202
        yield away


def _answer(request: Any) -> Any:
    if request.method == "POST" and request.json.get("stream"):
        return sse(_EVENTS, every_seconds=0.15)
    return chat("On Friday.")
