"""Callers who hang up, and what the upstream of their request sees of it."""

import json
import socket
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import fakes
import stream_steps
from fake_upstream import Ended
from fakes import Exchange, Step
from hosts import Host

EVENTS = stream_steps.tokens("Hel", "lo")
FAREWELLS = ("fin", "rst")


@dataclass(frozen=True)
class Phase:
    """How far a request has come when its caller leaves.

    Attributes:
        step: What the upstream does meanwhile.
        is_stream: Whether a stream was asked for.
        until: What the caller reads first; None is nothing.
    """

    step: Step
    is_stream: bool
    until: bytes | None = None


PHASES: Mapping[str, Phase] = {
    "before the first byte": Phase(fakes.hang(), True),
    "before the first token": Phase(stream_steps.stall(EVENTS, after=1), True),
    "in a silent stream": Phase(stream_steps.stall(EVENTS, after=2), True, b"Hel"),
    "in a paced stream": Phase(
        stream_steps.endless(EVENTS[1], every_seconds=0.02), True, b"Hel"
    ),
    "waiting for the whole": Phase(fakes.hang(), False),
    "while the whole comes": Phase(fakes.drip(fakes.chat("x").wire(), 0.05), False),
}


@dataclass
class Departure:
    """One caller who leaves.

    Attributes:
        request_id: Its mark, in the prompt and in the records.
        left_at: When the caller hung up.
        upstream_left_at: When the upstream saw the gateway hang up.
    """

    request_id: str
    phase: str
    farewell: str
    left_at: float = 0.0
    upstream_left_at: float = 0.0
    asked: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def seconds(self) -> float:
        """Return how long the upstream was kept after the caller had left."""
        return self.upstream_left_at - self.left_at

    def play(self, exchange: Exchange) -> None:
        """Do what the phase needs, as the upstream, until the gateway is gone."""
        self.asked.set()
        try:
            PHASES[self.phase].step(exchange)
        except Ended:
            self.upstream_left_at = time.monotonic()
            self.over.set()
            raise

    def leave(self, host: Host, token: str) -> None:
        """Ask, wait for the phase, and hang up; return once the upstream saw it."""
        phase = PHASES[self.phase]
        with ask(host, token, self.request_id, is_stream=phase.is_stream) as connection:
            assert self.asked.wait(30), f"{self.request_id} did not arrive"
            if phase.until:
                read_until(connection, phase.until)
            self.left_at = time.monotonic()
            hang_up(connection, self.farewell)
        assert self.over.wait(20), f"{self.request_id}: nobody left the upstream"


def draw_departures(count: int, mark: str) -> list[Departure]:
    """Return so many, evenly over all phases and both ways to hang up."""
    kinds = [(phase, farewell) for phase in PHASES for farewell in FAREWELLS]
    return [
        Departure(f"{mark}-{number:05}", *kinds[number % len(kinds)])
        for number in range(count)
    ]


def ask(
    host: Host, token: str, prompt: str, *, is_stream: bool, **more: Any
) -> socket.socket:
    """Return a connection on which a chat was asked for; the prompt is its id."""
    body = json.dumps(
        {
            "model": "scripted",
            "messages": [{"role": "user", "content": prompt}],
            "stream": is_stream,
            **more,
        }
    ).encode()
    connection = socket.create_connection(host.address, timeout=30)
    connection.sendall(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
        b"Connection: close\r\nContent-Type: application/json\r\n"
        + f"Authorization: Bearer {token}\r\nX-Request-ID: {prompt}\r\n".encode()
        + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    return connection


def read_until(connection: socket.socket, end: bytes) -> bytes:
    """Return what comes up to these bytes, which must come."""
    received = b""
    while end not in received:
        data = connection.recv(65536)
        assert data, f"it ended with {received!r}"
        received += data
    return received


def hang_up(connection: socket.socket, farewell: str) -> None:
    """Close a connection in good order (FIN), or reset it."""
    if farewell == "rst":
        connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
    else:
        connection.shutdown(socket.SHUT_WR)  # bytes unread would make it a reset
    connection.close()


def prompt_of(received: fakes.Received) -> str:
    """Return the prompt as it reached the upstream."""
    return received.json["messages"][-1]["content"]
