"""An upstream that fails at random, and the answer that each prompt has."""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import stream_steps
from fakes import (
    Exchange,
    Step,
    chat,
    chunked_garbage,
    cut,
    hang,
    html,
    json_reply,
    raw,
    reset,
    status,
)
from stream_steps import DONE, chunk, event, head

_CASE = re.compile(r"case (\d+)")
_WORDS = ("alder", "birch", "cedar", "elm", "fir", "larch", "maple", "oak", "willow")
_OVERLOADED = {"type": "overloaded_error", "message": "Overloaded"}
# A reply's own length stands in its head: cut here, its JSON has no end.
_BYTES_OF_A_REPLY = 150

Events = Sequence[bytes]
Fault = Callable[[Events, Random], Step]


def text_of(number: int) -> str:
    """Return the answer to a case: the same from whoever is asked."""
    random = Random(number)
    return " ".join(random.choice(_WORDS) for _ in range(random.randint(6, 20)))


def _breaking(end: Callable[[Exchange], None]) -> Fault:
    """Break off somewhere in the middle, after what came before was shown."""

    def make(events: Events, random: Random) -> Step:
        after = random.randint(1, len(events) - 4)

        def step(exchange: Exchange) -> None:
            exchange.write(head())
            for each in events[:after]:
                exchange.write(chunk(each))
                exchange.wait(0.005)
            end(exchange)

        return step

    return make


def _always(step: Step) -> Fault:
    return lambda events, random: step


def _torn(events: Events, random: Random) -> Step:
    at = random.randint(1, len(events) - 5)
    torn = event(events[at].removeprefix(b"data: ")[:-30])
    return stream_steps.sse([*events[:at], torn, *events[at + 1 :]])


def _telling(events: Events, random: Random) -> Step:
    return stream_steps.error_at(events, random.randint(0, 3), _OVERLOADED)


STREAMED: Mapping[str, Fault] = {
    "429": _always(status(429)),
    "429 for a second": _always(status(429, {"Retry-After": "1"})),
    "429 for a minute": _always(status(429, {"Retry-After": "60"})),
    "500": _always(status(500)),
    "503": _always(status(503)),
    "529": _always(status(529)),
    "closed": _always(raw(b"")),
    "reset": _always(reset()),
    "silent": _always(hang()),
    "HTML": _always(html()),
    "broken chunks": _always(chunked_garbage()),
    "no end mark": lambda events, random: stream_steps.sse(
        [each for each in events if each != DONE]
    ),
    "cut": _breaking(lambda exchange: exchange.close()),
    "reset in the middle": _breaking(lambda exchange: exchange.reset()),
    "stalled": _breaking(lambda exchange: exchange.wait()),
    "an event is torn": _torn,
    "an error event": _telling,
}
WHOLE: Mapping[str, Fault] = {
    **{
        name: STREAMED[name]
        for name in (
            *("429", "429 for a second", "500", "503", "529"),
            *("closed", "reset", "silent", "HTML", "broken chunks"),
        )
    },
    "no JSON": _always(status(200, body=b"{")),
    "empty choices": _always(json_reply({"choices": []})),
    "cut": _always(cut(chat("never whole"), _BYTES_OF_A_REPLY)),
}


@dataclass
class Moody:
    """A step that answers every case, or plays a fault that lasts for a while.

    Attributes:
        random: Draws the faults, how long they last, and the borders of chunks.
        span: The least and the most seconds that a fault lasts; None is never.
        played: How often each fault was played.
    """

    random: Random
    span: tuple[float, float] | None
    played: Counter[str] = field(default_factory=Counter)
    _until: float = 0.0
    _names: tuple[str, str] = ("", "")
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, exchange: Exchange) -> None:
        """Answer as it feels now."""
        if exchange.request.method == "GET":
            json_reply({"object": "list", "data": []})(exchange)
            return
        asked = exchange.request.json
        number = int(_CASE.search(asked["messages"][-1]["content"])[1])
        is_stream = bool(asked.get("stream"))
        with self._lock:
            step = self._choose(text_of(number), is_stream)
        step(exchange)

    def _choose(self, text: str, is_stream: bool) -> Step:
        size = self.random.randint(2, 9)
        texts = [text[at : at + size] for at in range(0, len(text), size)]
        events = stream_steps.tokens(*texts)
        if self.span is None:
            return stream_steps.sse(events) if is_stream else chat(text)
        if time.monotonic() >= self._until:
            self._until = time.monotonic() + self.random.uniform(*self.span)
            self._names = (
                self.random.choice(tuple(STREAMED)),
                self.random.choice(tuple(WHOLE)),
            )
        name = self._names[0 if is_stream else 1]
        self.played[name] += 1
        return (STREAMED if is_stream else WHOLE)[name](events, self.random)
