"""What callers hear of a stream, for each dialect that they may speak."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

TEXT, FINISH, DONE, ERROR = "text", "finish", "done", "error"


@dataclass(frozen=True)
class Heard:
    """What one stream told its caller, in order: a kind and its text."""

    told: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        return "".join(text for kind, text in self.told if kind == TEXT)

    def count(self, kind: str) -> int:
        return sum(kind == each for each, _ in self.told)

    @property
    def last(self) -> str:
        return self.told[-1][0]


@dataclass(frozen=True)
class Face:
    """One way to ask for a stream."""

    path: str
    ask: Callable[[str, str], Mapping[str, Any]]
    tell: Callable[[str, str], Iterator[tuple[str, str]]]

    def read(self, body: bytes) -> Heard:
        """Return what the body of an answer tells; it must be whole events."""
        told = [
            each
            for name, data in _events(body)
            for each in self.tell(name, data.decode())
        ]
        return Heard(tuple(told))


def body_of_chunks(received: bytes) -> bytes:
    """Return the body of a whole reply in chunks; one without its end is an error."""
    head, _, wire = received.partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head.lower(), head
    body = b""
    while wire:
        length, _, rest = wire.partition(b"\r\n")
        n_bytes = int(length, 16)
        if not n_bytes:
            return body
        body += rest[:n_bytes]
        wire = rest[n_bytes + 2 :]
    raise AssertionError("the body has no end")


def _events(body: bytes) -> Iterator[tuple[str, bytes]]:
    *blocks, rest = body.split(b"\n\n")
    assert rest == b"", f"an event has no end: {rest!r}"
    for block in blocks:
        fields = [line.partition(b": ") for line in block.split(b"\n")]
        named = {name: value for name, _, value in fields if name}
        assert set(named) <= {b"event", b"data", b"id"}, block
        assert len(named) == len([name for name, _, _ in fields if name]), block
        if named:
            yield named.get(b"event", b"").decode(), named[b"data"]


def _ask_openai(model: str, text: str) -> Mapping[str, Any]:
    turn = {"role": "user", "content": text}
    return {"model": model, "messages": [turn], "stream": True}


def _ask_anthropic(model: str, text: str) -> Mapping[str, Any]:
    return {**_ask_openai(model, text), "max_tokens": 100}


def _ask_native(model: str, text: str) -> Mapping[str, Any]:
    return {"model": model, "message": text}


def _tell_openai(name: str, data: str) -> Iterator[tuple[str, str]]:
    assert name == ""
    if data == "[DONE]":
        yield DONE, ""
        return
    chunk = json.loads(data)
    if "error" in chunk:
        yield ERROR, chunk["error"]["message"]
        return
    for choice in chunk["choices"]:
        if text := choice["delta"].get("content"):
            yield TEXT, text
        if choice["finish_reason"]:
            yield FINISH, choice["finish_reason"]


def _tell_anthropic(name: str, data: str) -> Iterator[tuple[str, str]]:
    told = json.loads(data)
    assert told["type"] == name
    if name == "content_block_delta":
        yield TEXT, told["delta"]["text"]
    elif name == "message_delta":
        yield FINISH, told["delta"]["stop_reason"]
    elif name == "message_stop":
        yield DONE, ""
    elif name == "error":
        yield ERROR, told["error"]["message"]


def _tell_native(name: str, data: str) -> Iterator[tuple[str, str]]:
    told = json.loads(data)
    if name == "token":
        yield TEXT, told["text"]
    elif name == "done":
        yield FINISH, told["finish_reason"]
        yield DONE, ""
    else:
        assert name == "error"
        yield ERROR, told["error"]


OPENAI = Face("/v1/chat/completions", _ask_openai, _tell_openai)
ANTHROPIC = Face("/v1/messages", _ask_anthropic, _tell_anthropic)
NATIVE = Face("/api/v1/chat/stream", _ask_native, _tell_native)
