"""Questions that an upstream echoes, and callers of whom half do not stay for it."""

import json
import select
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import fakes
import stream_steps
from hosts import Host
from leaving import FAREWELLS, ask, hang_up, prompt_of
from processes import read_all

_PACE_SECONDS = 0.01
_PIECES = 4
# About as long as an answer takes.
_LONGEST_PATIENCE_SECONDS = 0.1


@dataclass(frozen=True)
class Question:
    """A text that exists once.

    Attributes:
        patience_seconds: How long after it the caller hangs up; None is never.
    """

    nonce: str
    is_stream: bool
    patience_seconds: float | None
    farewell: str

    def ask(self, host: Host, token: str) -> str | None:
        """Return the answer that came, or None for a caller who left."""
        with ask(host, token, self.nonce, is_stream=self.is_stream) as connection:
            if self.patience_seconds is None:
                return self._read(connection)
            _read_for(connection, self.patience_seconds)
            hang_up(connection, self.farewell)
        return None

    def _read(self, connection: socket.socket) -> str:
        head, _, body = read_all(connection).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        if not self.is_stream:
            return json.loads(body)["choices"][0]["message"]["content"]
        assert b"data: [DONE]\n\n" in body, body
        return _streamed_text(body)


def draw_questions(count: int, random: Random) -> list[Question]:
    """Return so many questions; after every second the caller leaves at some time."""
    return [
        Question(
            f"nonce-{random.getrandbits(96):024x}",
            random.random() < 0.5,
            random.uniform(0.0, _LONGEST_PATIENCE_SECONDS) if number % 2 else None,
            random.choice(FAREWELLS),
        )
        for number in range(count)
    ]


def echo(received: fakes.Received) -> fakes.Step:
    """Answer with the question, slowly enough that its caller can leave meanwhile."""
    nonce = prompt_of(received)
    if not received.json.get("stream"):
        return fakes.delayed(_PIECES * _PACE_SECONDS, fakes.chat(nonce))
    pieces = _split(nonce)
    return stream_steps.sse(stream_steps.tokens(*pieces), every_seconds=_PACE_SECONDS)


def _split(nonce: str) -> Sequence[str]:
    length = -(-len(nonce) // _PIECES)
    return [nonce[at : at + length] for at in range(0, len(nonce), length)]


def _streamed_text(body: bytes) -> str:
    lines = [line for line in body.split(b"\n") if line.startswith(b"data: {")]
    choices = [choice for line in lines for choice in json.loads(line[6:])["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def _read_for(connection: socket.socket, seconds: float) -> None:
    """Read whatever comes within this time after the question."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        ready, _, _ = select.select([connection], [], [], left)
        if ready and not connection.recv(65536):
            return
