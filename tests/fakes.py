"""What tests put in the place of time and of an upstream.

`Upstream` answers each request with the next scripted step; a step is a
function over the `Exchange`, and here are the ways to make one.
"""

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from fake_upstream import Exchange, Received, Step, Upstream

__all__ = [
    "Exchange",
    "FakeClock",
    "Received",
    "Reply",
    "Step",
    "Upstream",
    "answer_with",
    "big",
    "chat",
    "chunked_garbage",
    "cut",
    "delayed",
    "drip",
    "gzip_bomb",
    "hang",
    "html",
    "json_reply",
    "raw",
    "redirect",
    "reset",
    "status",
]


class FakeClock:
    """A clock that moves only when told, or when somebody sleeps on it."""

    def __init__(self, now: datetime = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)):
        self.slept: list[float] = []
        self._now = now
        self._seconds = 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._seconds

    def sleep(self, seconds: float) -> None:
        """Move both clocks on, and remember it in `slept`."""
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move both clocks on."""
        self._now += timedelta(seconds=seconds)
        self._seconds += seconds


@dataclass(frozen=True)
class Reply:
    """A step: a whole reply with its length, after which the connection lives on."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def wire(self) -> bytes:
        """Return the reply as it goes over the wire."""
        headers = {"Content-Length": str(len(self.body)), **self.headers}
        lines = [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join([f"HTTP/1.1 {self.status} Said", *lines, "", ""])
        return head.encode("latin-1") + self.body

    def __call__(self, exchange: Exchange) -> None:
        exchange.write(self.wire())


def json_reply(
    body: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Reply:
    """Answer with JSON."""
    kind = {"Content-Type": "application/json"}
    return Reply(status, {**kind, **(headers or {})}, json.dumps(body).encode())


def chat(
    text: str | None,
    usage: Mapping[str, Any] | None = None,
    finish_reason: str | None = "stop",
    model: str = "fake-model-1",
) -> Reply:
    """Answer with a whole chat completion as OpenAI's dialect has it."""
    counted = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": finish_reason,
    }
    return json_reply(
        {
            "id": "chatcmpl-fake",
            "object": "chat.completion",
            "created": 1767603600,
            "model": model,
            "choices": [choice],
            "usage": counted if usage is None else usage,
        }
    )


def status(
    code: int, headers: Mapping[str, str] | None = None, body: bytes = b"{}"
) -> Reply:
    """Answer with this status."""
    return Reply(code, headers or {}, body)


def html() -> Reply:
    """Answer 200 with a page, as a captive portal or a proxy does."""
    page = b"<!doctype html><title>Welcome</title><p>Please log in.</p>"
    return Reply(200, {"Content-Type": "text/html"}, page)


def redirect(to: str) -> Reply:
    """Answer 302 to another address."""
    return Reply(302, {"Location": to}, b"moved")


def big(n_bytes: int) -> Reply:
    """Answer with a JSON string of so many bytes."""
    body = b'"' + b"x" * (n_bytes - 2) + b'"'
    return Reply(200, {"Content-Type": "application/json"}, body)


@cache
def gzip_bomb(n_bytes: int) -> Reply:
    """Answer with a small gzip body that unpacks to so many bytes."""
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    return Reply(200, headers, gzip.compress(b"0" * n_bytes, 1))


def raw(data: bytes, *, close: bool = True) -> Step:
    """Write exactly these bytes, then hang up (or not)."""

    def step(exchange: Exchange) -> None:
        exchange.write(data)
        if close:
            exchange.close()

    return step


def chunked_garbage() -> Step:
    """Begin a chunked body and go on with something else."""
    return raw(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5\r\nhello\r\nnot-a-length\r\nworld\r\n0\r\n\r\n"
    )


def hang() -> Step:
    """Never answer."""
    return lambda exchange: exchange.wait()


def delayed(seconds: float, step: Step) -> Step:
    """Answer later."""

    def wait_first(exchange: Exchange) -> None:
        exchange.wait(seconds)
        step(exchange)

    return wait_first


def drip(data: bytes, every_seconds: float) -> Step:
    """Write one byte at a time, then never again."""

    def step(exchange: Exchange) -> None:
        for position in range(len(data)):
            exchange.write(data[position : position + 1])
            exchange.wait(every_seconds)
        exchange.wait()

    return step


def cut(reply: Reply, after_bytes: int) -> Step:
    """Hang up in good order after so many bytes of the reply."""
    return raw(reply.wire()[:after_bytes])


def reset(after_bytes: int = 0, reply: Reply | None = None) -> Step:
    """Reset the connection after so many bytes of the reply."""

    def step(exchange: Exchange) -> None:
        exchange.write((reply or chat("never seen")).wire()[:after_bytes])
        exchange.reset()

    return step


def answer_with(decide: Callable[[Received], Step]) -> Step:
    """Answer with the step that a test makes from the request."""
    return lambda exchange: decide(exchange.request)(exchange)
