"""Steps of the scripted upstream that answer with a stream, good or broken.

A stream is a list of events, each of them bytes as they go over the wire; every
event is a chunk of its own and a write of its own.
"""

import gzip
import itertools
import json
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from fakes import Exchange, Step, drip

DONE = b"data: [DONE]\n\n"
LAST_CHUNK = b"0\r\n\r\n"

Pause = Callable[[Exchange], None]


def head(content_type: str = "text/event-stream", *more: str) -> bytes:
    """Return the head of a stream in chunks, with these lines besides."""
    lines = [f"Content-Type: {content_type}", "Transfer-Encoding: chunked", *more]
    return "\r\n".join(["HTTP/1.1 200 OK", *lines, "", ""]).encode("latin-1")


def chunk(data: bytes) -> bytes:
    """Return one chunk of a body in chunks."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(data: Any, name: str | None = None) -> bytes:
    """Return one event with JSON (or these very bytes) as its data."""
    text = data if isinstance(data, bytes) else json.dumps(data).encode()
    return (b"event: %b\n" % name.encode() if name else b"") + b"data: %b\n\n" % text


def tokens(*texts: str, model: str = "fake-model-1") -> list[bytes]:
    """Return the events of a whole chat completion in OpenAI's dialect.

    A role, a chunk a text, the finish reason, the usage, and the end mark.
    """
    deltas: list[dict[str, Any]] = [
        {"delta": {"role": "assistant", "content": ""}, "finish_reason": None},
        *({"delta": {"content": text}, "finish_reason": None} for text in texts),
        {"delta": {}, "finish_reason": "stop"},
    ]
    shared = {
        "id": "chatcmpl-fake",
        "object": "chat.completion.chunk",
        "created": 1767603600,
        "model": model,
    }
    usage = {
        "prompt_tokens": 12,
        "completion_tokens": len(texts),
        "total_tokens": 12 + len(texts),
    }
    return [
        *(event({**shared, "choices": [{"index": 0, **delta}]}) for delta in deltas),
        event({**shared, "choices": [], "usage": usage}),
        DONE,
    ]


def sse(events: Iterable[bytes], *, every_seconds: float = 0.0) -> Step:
    """Stream these events, at this pace, to a good end; the connection lives on."""

    def step(exchange: Exchange) -> None:
        _write(exchange, events, every_seconds)
        exchange.write(LAST_CHUNK)

    return step


def ndjson(values: Iterable[Any], *, every_seconds: float = 0.0) -> Step:
    """Stream a line of JSON for each value, to a good end."""
    lines = [json.dumps(value).encode() + b"\n" for value in values]

    def step(exchange: Exchange) -> None:
        _write(exchange, lines, every_seconds, head("application/x-ndjson"))
        exchange.write(LAST_CHUNK)

    return step


def stall(events: Sequence[bytes], after: int) -> Step:
    """Stream so many events, then say nothing for ever."""
    return _break(events[:after], lambda exchange: exchange.wait())


def forgotten_end(events: Sequence[bytes]) -> Step:
    """Stream all events but `[DONE]`, and hold the connection open."""
    return stall([each for each in events if each != DONE], len(events))


def end_early(events: Sequence[bytes], after: int) -> Step:
    """End the body in good order after so many events, as if that were all."""
    return sse(events[:after])


def fin_after(events: Sequence[bytes], after: int) -> Step:
    """Hang up in good order (FIN) after so many events, without a last chunk."""
    return _break(events[:after], lambda exchange: exchange.close())


def cut_after_bytes(events: Sequence[bytes], n_bytes: int) -> Step:
    """Hang up (FIN) after so many bytes of all events, in mid-chunk or not."""
    return _cut(events, n_bytes, lambda exchange: exchange.close())


def reset_after_bytes(events: Sequence[bytes], n_bytes: int) -> Step:
    """Reset the connection after so many bytes of all events.

    What was sent before is read first: a reset would throw away what lies unread.
    """

    def reset(exchange: Exchange) -> None:
        exchange.wait(0.1)
        exchange.reset()

    return _cut(events, n_bytes, reset)


def error_at(
    events: Sequence[bytes], after: int, error: Any, name: str | None = None
) -> Step:
    """Stream so many events, then one that tells an error, then a good end."""
    return sse([*events[:after], event({"error": error}, name)])


def big_line(n_bytes: int) -> Step:
    """Stream a line of so many bytes that does not end; then say nothing."""
    piece = b"x" * 65536

    def step(exchange: Exchange) -> None:
        pieces = itertools.repeat(piece, n_bytes // len(piece))
        _write(exchange, itertools.chain([b"data: "], pieces))
        exchange.wait()

    return step


def endless(one: bytes, *, every_seconds: float = 0.0) -> Step:
    """Stream this event for ever."""
    return lambda exchange: _write(exchange, itertools.repeat(one), every_seconds)


def trickle(wire: bytes, every_seconds: float) -> Step:
    """Begin a stream, go on with these bytes one at a time, then fall silent."""
    dripped = drip(wire, every_seconds)

    def step(exchange: Exchange) -> None:
        exchange.write(head())
        dripped(exchange)

    return step


def blast(one: bytes, times: int) -> Step:
    """Stream this event so many times, as fast as the wire takes them."""
    data = chunk(one) * min(times, 1000)

    def step(exchange: Exchange) -> None:
        exchange.write(head())
        for _ in range(times // 1000):
            exchange.write(data)
        exchange.write(chunk(one) * (times % 1000) + LAST_CHUNK)

    return step


def packed(events: Sequence[bytes], *, every_seconds: float = 0.0) -> Step:
    """Stream these events through gzip, each flushed as it is written."""

    def step(exchange: Exchange) -> None:
        packer = zlib.compressobj(wbits=zlib.MAX_WBITS + 16)
        pieces = [
            packer.compress(each) + packer.flush(zlib.Z_SYNC_FLUSH) for each in events
        ]
        pieces.append(packer.flush())
        first = head("text/event-stream", "Content-Encoding: gzip")
        _write(exchange, pieces, every_seconds, first)
        exchange.write(LAST_CHUNK)

    return step


def bomb(n_bytes: int) -> Step:
    """Stream a small gzip body that unpacks to so many bytes."""

    def step(exchange: Exchange) -> None:
        first = head("text/event-stream", "Content-Encoding: gzip")
        _write(exchange, [gzip.compress(bytes(n_bytes))], 0.0, first)
        exchange.write(LAST_CHUNK)

    return step


def _write(
    exchange: Exchange,
    pieces: Iterable[bytes],
    every_seconds: float = 0.0,
    first: bytes | None = None,
) -> None:
    exchange.write(first or head())
    for piece in pieces:
        exchange.write(chunk(piece))
        if every_seconds:
            exchange.wait(every_seconds)


def _break(events: Sequence[bytes], pause: Pause) -> Step:
    def step(exchange: Exchange) -> None:
        _write(exchange, events)
        pause(exchange)

    return step


def _cut(events: Sequence[bytes], n_bytes: int, pause: Pause) -> Step:
    def step(exchange: Exchange) -> None:
        wire = b"".join(map(chunk, events)) + LAST_CHUNK
        exchange.write(head() + wire[:n_bytes])
        pause(exchange)

    return step
