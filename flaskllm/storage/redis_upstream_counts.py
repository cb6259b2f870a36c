"""What all processes ask of deployments, counted in Redis.

One key for each deployment, which Redis forgets by itself when nothing of it counts
any more. The time is that of Redis.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from flaskllm.core.upstream_counts import (
    Order,
    Refused,
    RefusedFor,
    Settled,
    Taken,
    load,
)
from flaskllm.storage.redis_store import RedisStore, key_of
from flaskllm.storage.redis_upstream_script import SETTLE

if TYPE_CHECKING:
    from redis import Redis

_REASONS: Mapping[str, RefusedFor] = {
    "probed": "probed",
    "limited": "limited",
    "busy": "busy",
}


class RedisUpstreamCounts:
    """One JSON text under each key, see `core.upstream_counts.dump`."""

    def __init__(self, store: RedisStore, now: float | None = None) -> None:
        """Keep the store; nothing is opened. Only a test tells the time."""
        self._store = store
        self.now = now

    def settle(self, orders: Sequence[Order]) -> tuple[Settled, ...]:
        """Do what these orders say, one after the other, and return what came of each.

        Nobody comes between them.

        Raises:
            ServiceUnavailable: Redis does not work; some may have been done.
        """
        keys = [key_of("routing", f"counts:{each.key}") for each in orders]
        told = [json.dumps(_fields(order)) for order in orders]
        now = "" if self.now is None else repr(self.now)

        def ask(client: "Redis") -> Any:
            return client.register_script(SETTLE)(keys, [now, *told])

        answers = self._store.run(ask)
        return tuple(_settled(*each) for each in answers)


def _fields(order: Order) -> dict[str, Any]:
    """Return what is set; the script takes what is absent for None."""
    fields = asdict(order.what)
    return {name: value for name, value in fields.items() if value is not None}


def _settled(body: bytes, now: bytes, said: bytes, *numbers: bytes) -> Settled:
    counts, at, word = load(body.decode()), float(now), said.decode()
    if word == "given":
        return Settled(counts, at)
    first, second = map(float, numbers)
    if word == "taken":
        return Settled(counts, at, Taken(int(first), second))
    return Settled(counts, at, Refused(_REASONS[word], first, second))
