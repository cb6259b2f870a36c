"""Streams of two dialects and the places at which they are cut: what upstreams play.

The texts are of letters of one to four bytes, sent as such and not as escapes.
"""

import itertools
import json
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from fakes import Exchange
from stream_steps import DONE, LAST_CHUNK, chunk, event, head

How = Literal["fin", "rst", "end"]
HOWS: tuple[How, ...] = ("fin", "rst", "end")

_LETTERS = 'abc xyz äßñé Жλש 金曜日한 ‑–€ 😀👩🏽🇩🇪𝕏 \u0301\u200d\n"\\'


@dataclass(frozen=True)
class Script:
    """A whole stream.

    Attributes:
        events: As they go over the wire, each a chunk of its own.
        texts: What each of them adds to the answer.
        finish: The place of the event that tells why the answer ended.
    """

    events: tuple[bytes, ...]
    texts: tuple[str, ...]
    finish: int


@dataclass(frozen=True)
class Cut:
    """A stream that its upstream does not finish, or does.

    Attributes:
        n_bytes: So many bytes of the body are sent, with its frames for `fin` and
            `rst`, without for `end`.
        how: The connection is closed or reset, or the body ends in good order.
    """

    script: Script
    n_bytes: int
    how: How

    def __call__(self, exchange: Exchange) -> None:
        """Play it."""
        # A reset throws away what Nagle's algorithm holds back.
        exchange.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        exchange.write(head())
        if self.how == "end":
            pieces = _split(self.script.events, self.n_bytes)
            exchange.write(b"".join(map(chunk, pieces)) + LAST_CHUNK)
            return
        sent = _wire(self.script)[: self.n_bytes]
        exchange.write(sent[: len(sent) // 2])
        exchange.write(sent[len(sent) // 2 :])
        exchange.reset() if self.how == "rst" else exchange.close()

    @property
    def n_events(self) -> int:
        """Return how many events reach the gateway whole."""
        arrived = self._arrived_bytes()
        lengths = [len(each) for each in self.script.events]
        return sum(sum(lengths[: n + 1]) <= arrived for n in range(len(lengths)))

    @property
    def text(self) -> str:
        """Return what the caller is to hear: all that reached the gateway."""
        return "".join(self.script.texts[: self.n_events])

    @property
    def is_finished(self) -> bool:
        """Tell whether the upstream said why the answer ended."""
        return self.n_events > self.script.finish

    def _arrived_bytes(self) -> int:
        """Return how many bytes of events arrive, of the last in parts too."""
        if self.how == "end":
            return self.n_bytes
        left, arrived = self.n_bytes, 0
        for each in self.script.events:
            frame = len(chunk(each))
            before = frame - len(each) - len(b"\r\n")
            arrived += max(0, min(left - before, len(each)))
            left -= frame
        return arrived


def make_openai(random: Random) -> Script:
    """Return a stream of OpenAI's chat completions."""
    texts = _texts(random)
    shared = {
        "id": "chatcmpl-cut",
        "object": "chat.completion.chunk",
        "created": 1767603600,
        "model": "scripted",
    }

    def choice(delta: dict[str, str], finish_reason: str | None = None) -> bytes:
        one = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return _event({**shared, "choices": [one]})

    usage = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
    events = (
        choice({"role": "assistant", "content": ""}),
        *(choice({"content": text}) for text in texts),
        choice({}, "stop"),
        _event({**shared, "choices": [], "usage": usage}),
        DONE,
    )
    return Script(events, ("", *texts, "", "", ""), finish=len(texts) + 1)


def make_anthropic(random: Random) -> Script:
    """Return a stream of Anthropic's messages."""
    texts = _texts(random)
    message = {
        "id": "msg_cut",
        "type": "message",
        "role": "assistant",
        "model": "scripted",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 12, "output_tokens": 1},
    }
    deltas = [
        {"index": 0, "delta": {"type": "text_delta", "text": text}} for text in texts
    ]
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    begin = {"index": 0, "content_block": {"type": "text", "text": ""}}
    events = (
        _named("message_start", message=message),
        _named("ping"),
        _named("content_block_start", **begin),
        *(_named("content_block_delta", **delta) for delta in deltas),
        _named("content_block_stop", index=0),
        _named("message_delta", delta=stop, usage={"output_tokens": 5}),
        _named("message_stop"),
    )
    return Script(events, ("", "", "", *texts, "", "", ""), finish=len(texts) + 4)


def draw_cuts(scripts: Sequence[Script], count: int, random: Random) -> list[Cut]:
    """Return so many cuts: one at its very end, the others anywhere.

    Every border of an event is among them when half of the count suffices for them.
    """
    at_borders = [cut for script in scripts for cut in _at_borders(script)]
    chosen = random.sample(at_borders, min(count // 2, len(at_borders)))
    chosen.append(whole(scripts[0]))
    anywhere = (_anywhere(random.choice(scripts), random) for _ in itertools.count())
    return [*chosen, *itertools.islice(anywhere, count - len(chosen))]


def whole(script: Script) -> Cut:
    """Return the stream to its good end."""
    return Cut(script, sum(map(len, script.events)), "end")


def _at_borders(script: Script) -> Iterator[Cut]:
    for n in range(len(script.events) + 1):
        sent = script.events[:n]
        framed = sum(len(chunk(each)) for each in sent)
        yield Cut(script, sum(map(len, sent)), "end")
        yield Cut(script, framed, "fin")
        yield Cut(script, framed, "rst")


def _anywhere(script: Script, random: Random) -> Cut:
    how = random.choice(HOWS)
    longest = sum(map(len, script.events)) if how == "end" else len(_wire(script))
    return Cut(script, random.randint(0, longest), how)


def _wire(script: Script) -> bytes:
    return b"".join(map(chunk, script.events)) + LAST_CHUNK


def _split(events: Sequence[bytes], n_bytes: int) -> Iterator[bytes]:
    for each in events:
        if n_bytes <= 0:
            return
        yield each[:n_bytes]
        n_bytes -= len(each)


def _texts(random: Random) -> list[str]:
    count = random.randint(2, 10)
    return [
        "".join(random.choices(_LETTERS, k=random.randint(1, 6))) for _ in range(count)
    ]


def _named(name: str, **fields: Any) -> bytes:
    return _event({"type": name, **fields}, name)


def _event(data: Any, name: str | None = None) -> bytes:
    return event(json.dumps(data, ensure_ascii=False).encode(), name)
