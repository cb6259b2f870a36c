"""A gateway that is asked for everything, and what lies in its house afterwards."""

import os
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import requests
from fakes import answer_with, chat, status
from processes import bearer
from stream_steps import sse, tokens

SETTINGS = """
providers:
  box: {{kind: openai_compatible, base_url: {url}}}
deployments:
  small:
    provider: box
    model: scripted-1
    context_window: 32000
    price: {{input: 1.0, output: 2.0}}
routes:
  - {{alias: scripted, deployments: {{small: 1}}}}
default_route: scripted
limits: {{authentication_failures_per_minute: 1000000,
         unauthenticated_per_minute: 1000000}}
health: {{failures_in_a_row: 1000}}
log_file: {log}
server: {{threads: 16}}
"""
KEYWORDS = '{"keywords": ["invoice"]}'
BAD_TOKEN = f"fllm_api_{'a' * 44}000000"
# Out of fifty requests.
MIXTURE = (
    ("job", 1),
    ("digest", 2),
    ("idempotent", 4),
    ("stream", 6),
    ("error", 4),
    ("bad_token", 4),
    ("not_found", 4),
    ("stored", 1),
    ("chat", 24),
)
KINDS = tuple(kind for kind, share in MIXTURE for _ in range(share))
CALLERS = 6


def answer(request):
    """Return the model's answer: a refusal where one is asked for."""
    said = request.json["messages"][-1]["content"]
    if said == "error":
        return status(400)
    return sse(tokens(KEYWORDS)) if request.json.get("stream") else chat(KEYWORDS)


def scripted(upstream) -> None:
    """Let an upstream answer so, always."""
    upstream.always(answer_with(answer))


class Callers:
    """Ask for the mixture with a few connections; `told` counts kind and status."""

    def __init__(self, url: str, token: str):
        self._url = url
        self._token = token
        self._numbers: Iterator[int] = iter(())
        self._taking = threading.Lock()
        self.told: Counter[tuple[str, int]] = Counter()

    def ask(self, numbers: range) -> None:
        """Ask once for each number; return when all were answered."""
        self._numbers = iter(numbers)
        threads = [threading.Thread(target=self._call) for _ in range(CALLERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _call(self) -> None:
        told: Counter[tuple[str, int]] = Counter()
        with requests.Session() as session:
            session.trust_env = False
            while (number := self._next()) is not None:
                kind = KINDS[number % len(KINDS)]
                told[kind, self._one(session, kind, number)] += 1
        with self._taking:
            self.told += told

    def _next(self) -> int | None:
        with self._taking:
            return next(self._numbers, None)

    def _one(self, session: requests.Session, kind: str, number: int) -> int:
        path, body, headers = self._request(kind, number)
        reply = session.post(self._url + path, json=body, headers=headers, timeout=120)
        return reply.status_code

    def _request(self, kind: str, number: int):
        usual = bearer(self._token)
        said = {"messages": [{"role": "user", "content": kind}], "model": "scripted"}
        item = {"prompt": f"Pay invoice {number} by Friday.", "type": "keywords"}
        # Each key comes twice: of a pair of numbers the second one is a repetition.
        key = f"key-of-{number // (2 * len(KINDS))}-{number % len(KINDS):03}"
        return {
            "job": ("/api/v1/webhook", item | {"async": True}, usual),
            "digest": ("/api/v1/webhook", item, usual),
            "idempotent": (
                "/v1/chat/completions",
                said,
                usual | {"Idempotency-Key": key},
            ),
            "stream": ("/v1/chat/completions", said | {"stream": True}, usual),
            "error": ("/v1/chat/completions", said, usual),
            "bad_token": ("/v1/chat/completions", said, bearer(BAD_TOKEN)),
            "not_found": ("/v1/no/such/place", said, usual),
            "stored": ("/v1/responses", _stored(), usual),
            "chat": ("/v1/chat/completions", said, usual),
        }[kind]


def _stored():
    return {"model": "scripted", "input": "what?", "store": True}


def rows_of(path: Path) -> dict[str, int]:
    """Return how many rows each table of a database file has."""
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        query = "SELECT name FROM sqlite_schema WHERE type = 'table'"
        names = [row[0] for row in connection.execute(query)]
        return {
            name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for name in names
            if not name.startswith("sqlite_")
        }


def ask_file(path: Path, query: str) -> int:
    """Return the one number that a query of a database file gives."""
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        return connection.execute(query).fetchone()[0]


def wait_until(condition, seconds: float) -> None:
    """Return when it holds."""
    give_up_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_at, "it did not happen"
        time.sleep(0.2)


def open_files(pids) -> int:
    """Return how many files processes have open."""
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)


def memory_bytes(pids) -> int:
    """Return the memory that processes hold."""
    return sum(_resident(Path(f"/proc/{pid}/status").read_text()) for pid in pids)


def _resident(told: str) -> int:
    line = next(each for each in told.splitlines() if each.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024
