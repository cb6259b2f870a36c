"""A receiver of callbacks that de-duplicates on `webhook-id`, as receivers should.

It is a step for an `Upstream`, on whose real socket the deliveries arrive.
"""

import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fakes import Exchange, Reply

TAKEN, REFUSED = Reply(204), Reply(500)


@dataclass
class Receiver:
    """Takes every delivery, and acts on each message once.

    Attributes:
        deliveries: How often each message was taken, by its `webhook-id`.
        effects: What was done for each job, by the job's id.
        at_seconds: When deliveries came, on the monotonic clock, in order.
        skews: By how many seconds the time that each was signed with was wrong.
        refuses: How many of the next ones it fails for; nothing is done for those.
    """

    deliveries: Counter[str] = field(default_factory=Counter)
    effects: Counter[str] = field(default_factory=Counter)
    at_seconds: list[float] = field(default_factory=list)
    skews: list[float] = field(default_factory=list)
    refuses: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, exchange: Exchange) -> None:
        answer = self._take(exchange.request.headers, exchange.request.json)
        answer(exchange)

    def _take(self, headers: Mapping[str, str], event: dict[str, Any]) -> Reply:
        message_id, signed_at = headers["webhook-id"], headers["webhook-timestamp"]
        with self._lock:
            self.at_seconds.append(time.monotonic())
            self.skews.append(int(signed_at) - time.time())
            if self.refuses:
                self.refuses -= 1
                return REFUSED
            self.deliveries[message_id] += 1
            if self.deliveries[message_id] == 1:
                self.effects[event["data"]["id"]] += 1
        return TAKEN

    @property
    def repeated(self) -> int:
        """Return how many deliveries came for nothing."""
        with self._lock:
            return self.deliveries.total() - len(self.deliveries)
