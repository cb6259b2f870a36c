"""A gateway under load whose processes are killed, and an upstream that invoices."""

import contextlib
import os
import signal
import threading
import time
from dataclasses import dataclass, field
from random import Random

import requests
from fakes import Exchange, Upstream, chat
from processes import FLASKLLM, House, bearer
from stream_steps import sse, tokens

TOKEN = "kJ8sd7fGh2lQwErTyU1oPzXcVbNm5As9Dq"
CALLERS = 8
NANOS_INPUT, NANOS_OUTPUT, TOKENS_INPUT = 1000, 2000, 12

SETTINGS = """
server: {{workers: 2, threads: 8}}
limits: {{unauthenticated_per_minute: 1000000}}
timeouts: {{deadline_seconds: 20}}
providers:
  box: {{kind: openai_compatible, base_url: {url}}}
deployments:
  small: {{provider: box, model: scripted-1, price: {{input: 1.0, output: 2.0}}}}
routes:
  - {{alias: scripted, deployments: {{small: 1}}}}
default_route: scripted
"""


@dataclass
class Invoices:
    """What the upstream wants for each request that it answered, in nano-dollars.

    It names the request by its question, which is the caller's request id, and answers
    whole or as a stream, after a moment.
    """

    nanos: dict[str, list[int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, exchange: Exchange) -> None:
        body = exchange.request.json
        request_id = body["messages"][-1]["content"]
        number = int(request_id.rpartition("-")[2])
        words = 1 + number % 9
        exchange.wait((number % 7) * 0.01)
        with self._lock:
            due = TOKENS_INPUT * NANOS_INPUT + words * NANOS_OUTPUT
            self.nanos.setdefault(request_id, []).append(due)
        if body.get("stream"):
            sse(tokens(*(["word "] * words)))(exchange)
            return
        usage = {"prompt_tokens": TOKENS_INPUT, "completion_tokens": words}
        usage["total_tokens"] = sum(usage.values())
        chat("word " * words, usage)(exchange)


class Load:
    """Callers that ask one question after the other, whatever becomes of them.

    Attributes:
        answered: When each request was answered in full, on the monotonic clock.
    """

    def __init__(self, url: str):
        self.answered: dict[str, float] = {}
        self._url = url
        self._number = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(CALLERS)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def go_on(self, seconds: float) -> None:
        """Return after so long."""
        self._stop.wait(seconds)

    def _call(self) -> None:
        with requests.Session() as session:
            while not self._stop.is_set():
                with self._lock:
                    self._number += 1
                    number = self._number
                with contextlib.suppress(requests.RequestException):
                    ask(session, self._url, number)
                    self.answered[f"crash-{number:06}"] = time.monotonic()
                    continue
                self._stop.wait(0.05)  # it is being started again


def ask(session: requests.Session, url: str, number: int) -> None:
    """Ask a question, whole or as a stream; raise where there is no whole answer."""
    request_id = f"crash-{number:06}"
    reply = session.post(
        f"{url}/v1/chat/completions",
        headers={**bearer(TOKEN), "X-Request-ID": request_id},
        json={
            "model": "scripted",
            "messages": [{"role": "user", "content": request_id}],
            "stream": number % 2 == 0,
        },
        timeout=30,
    )
    if reply.status_code != 200 or (number % 2 == 0 and b"[DONE]" not in reply.content):
        raise requests.RequestException(reply.text)


class Gateway:
    """The server, and the ways in which it is killed.

    Attributes:
        kills: When processes were killed, on the monotonic clock.
    """

    def __init__(self, house: House, upstream: Upstream, database_url: str):
        house.write_settings(SETTINGS.format(url=upstream.url))
        house.environ |= {
            "FLASKLLM_DATABASE_URL": database_url,
            "FLASKLLM_API_TOKEN": TOKEN,
            "FLASKLLM_SECRET": "Zq3vR8tYp1LmN6wXc0BdF4hJ7kS2gA9e",
        }
        self.kills: list[float] = []
        self._house = house
        self._started, self.url = house.serve()
        self._port = self.url.rpartition(":")[2]

    def kill(self, random: Random) -> None:
        """Kill a worker, or everything and start it again, without asking."""
        workers = self._started.workers()
        if workers and random.random() < 0.7:
            self.kills.append(time.monotonic())
            with contextlib.suppress(ProcessLookupError):
                os.kill(random.choice(workers), signal.SIGKILL)
            return
        self.stop()
        self.start()

    def stop(self) -> None:
        """Kill everything at once."""
        self.kills.append(time.monotonic())
        self._started.kill()

    def start(self) -> None:
        """Start it as before, on the same port."""
        command = (*FLASKLLM, "serve", f"--port={self._port}")
        self._started = self._house.start(command)
        self._started.wait_until_ready(self.url)
