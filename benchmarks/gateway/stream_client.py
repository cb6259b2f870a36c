"""A client that understands streams: chunks, first token, the longest silence.

    python benchmarks/gateway/stream_client.py URL TOKEN MODEL STREAMS SECONDS

It keeps STREAMS streams open for SECONDS, each followed by the next, and prints
one JSON object: whole streams, broken ones, chunks, chunks per second, and in
milliseconds the median and the 99th percentile of the first token and the longest
gap between two reads of one stream.
"""

import asyncio
import json
import statistics
import sys
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Seen:
    """What all streams together have seen. Times in seconds."""

    whole: int = 0
    broken: int = 0
    chunks: int = 0
    first_seconds: list[float] = field(default_factory=list)
    gap_seconds: list[float] = field(default_factory=list)


def _request(url: str, token: str, model: str) -> bytes:
    body = json.dumps(
        {
            "model": model,
            "stream": True,
            "messages": [{"role": "user", "content": "When is the launch?"}],
        }
    ).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


async def _stream(url: str, request: bytes, seen: Seen) -> None:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    started = last = time.monotonic()
    longest, chunks, tail, is_done = 0.0, 0, b"", False
    writer.write(request)
    while data := await reader.read(65536):
        now = time.monotonic()
        found = (tail + data).count(b'"content":" word"')
        if found and not chunks:
            seen.first_seconds.append(now - started)
        elif chunks:
            longest = max(longest, now - last)
        chunks += found
        is_done = is_done or b"[DONE]" in tail + data
        cut = (tail + data).rfind(b"\n\n")
        tail = (tail + data)[cut + 2 :] if cut >= 0 else tail + data
        last = now
    writer.close()
    seen.chunks += chunks
    seen.gap_seconds.append(longest)
    if is_done:
        seen.whole += 1
    else:
        seen.broken += 1


async def _keep_streaming(
    url: str, request: bytes, until_seconds: float, seen: Seen
) -> None:
    while time.monotonic() < until_seconds:
        try:
            await _stream(url, request, seen)
        except OSError:
            seen.broken += 1


async def measure(
    url: str, token: str, model: str, streams: int, seconds: float
) -> dict[str, float]:
    """Return the figures of so many streams at once."""
    seen, request = Seen(), _request(url, token, model)
    started = time.monotonic()
    until_seconds = started + seconds
    tasks = (_keep_streaming(url, request, until_seconds, seen) for _ in range(streams))
    await asyncio.gather(*tasks)
    took_seconds = time.monotonic() - started
    return {
        "streams": seen.whole,
        "broken": seen.broken,
        "chunks": seen.chunks,
        "chunks_per_second": round(seen.chunks / took_seconds, 1),
        "first_ms_median": _milliseconds(seen.first_seconds, 50),
        "first_ms_p99": _milliseconds(seen.first_seconds, 99),
        "gap_ms_max": _milliseconds(seen.gap_seconds, 100),
    }


def _milliseconds(seconds: list[float], percent: int) -> float:
    if not seconds:
        return 0.0
    if percent == 100 or len(seconds) == 1:
        return round(1000 * max(seconds), 1)
    return round(1000 * statistics.quantiles(seconds, n=100)[percent - 1], 1)


if __name__ == "__main__":
    url, token, model, streams, seconds = sys.argv[1:]
    figures = asyncio.run(measure(url, token, model, int(streams), float(seconds)))
    print(json.dumps(figures))
