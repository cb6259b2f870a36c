"""Certificates of senders: fetched at their first use, remembered for hours."""

from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from flaskllm.core.clock import Clock
from flaskllm.inputs.senders.types import SenderRefusedError
from flaskllm.net.egress import EgressFailed, EgressRefused
from flaskllm.net.egress_fetch import Fetcher, Wanted

KEPT_SECONDS: Final = 6 * 3600.0
MOST_KEPT: Final = 64

_MOST_BYTES = 64 * 1024
_TOTAL_SECONDS = 5.0
_OK = 200


@dataclass(frozen=True, slots=True)
class Certificates:
    """What lies at addresses that a sender's module has found to be its own."""

    fetcher: Fetcher
    clock: Clock
    _kept: dict[str, tuple[bytes, float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def get(self, url: str) -> bytes:
        """Return the PEM at an address, fetched where it is not known.

        Raises:
            SenderRefusedError: `unproven`; it cannot be had now.
        """
        known = self._known(url)
        if known is not None:
            return known
        try:
            reply = self.fetcher.fetch(
                Wanted(url), total_seconds=_TOTAL_SECONDS, most_bytes=_MOST_BYTES
            )
        except (EgressFailed, EgressRefused) as error:
            raise _not_had(error.reason) from error
        if reply.status != _OK:
            raise _not_had(f"HTTP {reply.status}")
        self._keep(url, reply.body)
        return reply.body

    def known(self, url: str) -> bytes:
        """Return the PEM at an address if it was fetched before.

        Raises:
            SenderRefusedError: `unproven`; it was not, and nothing is fetched now.
        """
        found = self._known(url)
        if found is None:
            raise _not_had("too many refused deliveries")
        return found

    def _known(self, url: str) -> bytes | None:
        body, until = self._kept.get(url, (None, 0.0))
        return body if until > self.clock.monotonic() else None

    def _keep(self, url: str, body: bytes) -> None:
        with self._lock:
            # The oldest goes; whoever needs it again has it fetched again.
            while len(self._kept) >= MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[url] = (body, self.clock.monotonic() + KEPT_SECONDS)


def _not_had(why: str) -> SenderRefusedError:
    return SenderRefusedError("unproven", f"The certificate cannot be had now: {why}.")
