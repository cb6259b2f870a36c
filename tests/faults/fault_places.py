"""An upstream of a fault's scene: what it answers, and what it saw."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fake_upstream import Ended
from fakes import Exchange, Step, Upstream, json_reply

_MODELS = json_reply({"object": "list", "data": [{"id": "m", "object": "model"}]})


@dataclass
class Visit:
    """One question, as the upstream saw it.

    Attributes:
        asked_at: The moment, by the monotonic clock.
        body: What was asked.
        over_at: When the answer was over: told, broken off, or left by the gateway.
        was_told: Whether the upstream came to the end of what it had to say.
    """

    asked_at: float
    body: dict[str, Any]
    over_at: float | None = None
    was_told: bool = False

    @property
    def seconds(self) -> float:
        """Return how long it took; of one that is not over, for ever."""
        return float("inf") if self.over_at is None else self.over_at - self.asked_at


class Place:
    """Plays one step a question, the last one for ever; whoever looks is welcome.

    A gateway may ask for the list of models whenever it wants: that is no question.
    """

    def __init__(self, steps: Sequence[Step], tls: ssl.SSLContext | None = None):
        self.visits: list[Visit] = []
        self._steps = steps
        self._lock = threading.Lock()
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self._upstream = Upstream(tls, self._socket)
        self._upstream.always(self._play)
        self.url = self._upstream.url

    @contextmanager
    def opened(self) -> Iterator["Place"]:
        """Answer from here on; before, and afterwards, connections are refused."""
        self._socket.listen(128)
        with self._upstream:
            yield self

    def close(self) -> None:
        """Give back the port of a place that never opened."""
        self._socket.close()

    def _play(self, exchange: Exchange) -> None:
        if exchange.request.method == "GET":
            _MODELS(exchange)
            return
        visit = Visit(time.monotonic(), json.loads(exchange.request.body))
        with self._lock:
            number = len(self.visits)
            self.visits.append(visit)
        try:
            self._steps[min(number, len(self._steps) - 1)](exchange)
            visit.was_told = True
        except Ended:
            raise
        finally:
            visit.over_at = time.monotonic()
