"""B9: an API token is revoked while workers remember it and its answers run."""

import contextlib
import json
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import fakes
import pytest
import requests
import stream_steps
from hosts import usage_rows
from processes import SCRIPTED, House, Started, bearer, read_all, statuses_of
from tenancy import ADMIN_TOKEN
from websocket_client import Talker

from flaskllm.core.sse import SSEParser

KEEP_ALIVE_SECONDS = 5.0  # between two pings of a silent stream
KNOWN_WITHIN_SECONDS = 1.0
SLACK_SECONDS = 1.0  # for a machine that does other things too
WORKERS = 2
SILENT, TALKING = "Say nothing.", "Talk for ever."
WORDS = stream_steps.tokens(*("word " for _ in range(600)))


def messages(text):
    return [{"role": "user", "content": text}]


ASKED = {
    "/v1/chat/completions": lambda text: {"messages": messages(text), "stream": True},
    "/v1/responses": lambda text: {"input": text, "stream": True},
    "/v1/messages": lambda text: {
        "max_tokens": 2000,
        "messages": messages(text),
        "stream": True,
    },
    "/api/v1/chat/stream": lambda text: {"message": text},
}


def code_of(path, data):
    """Return the code of the error with which a stream ended."""
    *_, last = SSEParser().feed(data)
    said = json.loads(last.data)
    if path == "/v1/responses":
        assert last.name == "response.failed"
        return said["response"]["error"]["code"]
    if path == "/v1/messages":
        assert last.name == "error"
        return said["error"]["type"]
    return said["code"] if path.startswith("/api") else said["error"]["code"]


CODES = {
    "/v1/chat/completions": "invalid_api_key",
    "/v1/responses": "server_error",  # of the few codes that a response may fail with
    "/v1/messages": "authentication_error",
    "/api/v1/chat/stream": "AUTHENTICATION_ERROR",
}


@dataclass
class Gateway:
    """A server with two workers, and an API token of it."""

    house: House
    started: Started
    url: str
    token: str

    @property
    def token_id(self) -> str:
        return self.token.removeprefix("fllm_api_")[:12]

    def call(self) -> tuple[int, int]:
        """Return which worker took a call with the API token, and its status."""
        host, port = self.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            # Half of it, or the connection might be over before its end is found.
            connection.sendall(b"GET /v1/models HTTP/1.1\r\n")
            worker = self._worker_of(connection)
            head = {"Host": host, "Connection": "close", **bearer(self.token)}
            lines = [f"{name}: {value}" for name, value in head.items()]
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            (status,) = statuses_of(read_all(connection))
        return worker, status

    def be_known_everywhere(self) -> None:
        """Call until each worker has proven the API token, and so remembers it."""
        knowing = set()
        while len(knowing) < WORKERS:
            worker, status = self.call()
            assert status == 200
            knowing.add(worker)

    def seconds_until_refused(self) -> float:
        """Call until all workers refuse; return when the last good call began."""
        since, refusing, last_good = time.monotonic(), set(), 0.0
        while len(refusing) < WORKERS:
            begun = time.monotonic() - since
            worker, status = self.call()
            assert status == 200 or status == 401
            assert begun < 10
            if status == 401:
                refusing.add(worker)
            else:
                assert worker not in refusing
                last_good = begun
        return last_good

    def _worker_of(self, connection: socket.socket) -> int:
        """Return which process holds the other end of a connection."""
        found: list[int] = []

        def is_taken() -> bool:
            inode = _inode_behind(connection)
            workers = self.started.workers()
            found.extend(pid for pid in workers if inode in _sockets_of(pid))
            return bool(found)

        self.started.wait_for(is_taken)
        return found[0]


def _inode_behind(connection: socket.socket) -> str:
    client, server = connection.getsockname()[1], connection.getpeername()[1]
    for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, *_, inode = row.split()[:10]
        ports = [int(each.split(":")[1], 16) for each in (local, remote)]
        if ports == [server, client]:
            return f"socket:[{inode}]"
    raise AssertionError("the connection is not there")


def _sockets_of(pid: int) -> set[str]:
    found = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            found.add(str(each.readlink()))
    return found


@pytest.fixture
def gateway(house, upstream):
    house.write_settings(SCRIPTED.format(url=upstream.url))
    house.environ["FLASKLLM_API_TOKEN"] = ADMIN_TOKEN
    house.environ["FLASKLLM_SERVER__WORKERS"] = str(WORKERS)
    # Whoever is refused asks on until both workers refuse.
    house.environ["FLASKLLM_LIMITS__AUTHENTICATION_FAILURES_PER_MINUTE"] = "10000"
    token = house.make_token("--scope=chat")
    started, url = house.serve()
    started.wait_for(lambda: len(started.workers()) == WORKERS)
    upstream.always(fakes.answer_with(answer))
    return Gateway(house, started, url, token)


def answer(received):
    """Be silent after a word, or go on for a minute, as it was asked."""
    if SILENT in received.body.decode():
        return stream_steps.stall(WORDS, 2)
    return stream_steps.sse(WORDS, every_seconds=0.1)


def by_command(gateway):
    done = gateway.house.run("tokens", "revoke", gateway.token_id)
    assert done.returncode == 0, done.stderr


def by_request(gateway):
    address = f"{gateway.url}/api/v1/tokens/{gateway.token_id}"
    done = requests.delete(address, headers=bearer(ADMIN_TOKEN), timeout=10)
    assert done.status_code == 200, done.text


@dataclass
class Stream:
    """One streamed answer, read to its end in a thread of its own."""

    path: str
    reading: Future[tuple[bytes, float]]


def read(gateway: Gateway, path: str, text: str) -> tuple[bytes, float]:
    """Return all that a stream brings, and when it ended."""
    asked = {"model": "scripted", **ASKED[path](text)}
    reply = requests.post(
        f"{gateway.url}{path}",
        json=asked,
        headers=bearer(gateway.token),
        stream=True,
        timeout=60,
    )
    assert reply.status_code == 200, reply.text
    return reply.content, time.monotonic()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("revoke", [by_command, by_request])
def test_every_worker_refuses_it_within_a_second_and_what_runs_ends(
    gateway, upstream, revoke: Callable[[Gateway], None], record_property
):
    gateway.be_known_everywhere()
    with (
        ThreadPoolExecutor(len(ASKED) * 2) as pool,
        Talker(gateway.url, gateway.token) as idle,
        Talker(gateway.url, gateway.token) as busy,
    ):
        streams = [
            Stream(path, pool.submit(read, gateway, path, text))
            for path in ASKED
            for text in (SILENT, TALKING)
        ]
        busy.send(message=SILENT)
        assert busy.next()["event"] == "token"
        assert upstream.wait_for_requests(len(streams) + 1)

        revoke(gateway)

        since = time.monotonic()
        let_in = gateway.seconds_until_refused()
        (told,) = busy.rest()
        closings = busy.closed(), idle.closed()
        ended = [each.reading.result() for each in streams]

    ends = [at - since for _, at in ended]
    record_property(
        "figure",
        f"{revoke.__name__}: {WORKERS} workers let calls in for {let_in:.2f} s, "
        f"{len(ends)} streams ended within {max(ends):.2f} s",
    )
    assert let_in <= KNOWN_WITHIN_SECONDS + SLACK_SECONDS
    assert max(ends) <= KEEP_ALIVE_SECONDS + KNOWN_WITHIN_SECONDS + SLACK_SECONDS
    found = [
        (each.path, code_of(each.path, data))
        for each, (data, _) in zip(streams, ended, strict=True)
    ]
    assert found == [(path, CODES[path]) for path in CODES for _ in range(2)]
    assert told["code"] == "AUTHENTICATION_ERROR"
    assert closings == (4401, 4401)
    assert upstream.wait_for_hang_up(len(streams) + 1)
    gateway.started.wait_for(lambda: len(usage_rows(gateway.house)) == len(streams) + 1)
    assert {row["outcome"] for row in usage_rows(gateway.house)} == {"CALLER_GONE"}
    assert "Traceback" not in gateway.started.stderr


@pytest.mark.timeout(120)
def test_an_expired_one_ends_what_runs_too(gateway, house):
    soon = time.time() + 10
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(soon))
    gateway.token = house.make_token("--scope=chat", f"--expires={expires}")

    data, _ = read(gateway, "/v1/chat/completions", TALKING)

    assert code_of("/v1/chat/completions", data) == "invalid_api_key"
    assert -1 <= time.time() - soon <= 1 + KNOWN_WITHIN_SECONDS + SLACK_SECONDS
