"""Accounts on a writer that only remembers, for tests of those who use accounts."""

from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from fakes import FakeClock

from flaskllm.core.metrics import Metrics
from flaskllm.services.account_house import House
from flaskllm.services.accounts import Accounts
from flaskllm.storage.ledger import Admitted


@dataclass
class FakeWriter:
    """Admits everything until `verdict` says otherwise; an error is raised."""

    verdict: Any = field(default_factory=Admitted)
    reserved: list = field(default_factory=list)
    patience: list = field(default_factory=list)
    closings: list = field(default_factory=list)
    flushes: int = 0

    def reserve(self, reservation, patience_seconds):
        self.reserved.append(reservation)
        self.patience.append(patience_seconds)
        if isinstance(self.verdict, Exception):
            raise self.verdict
        return self.verdict

    def close(self, closing):
        self.closings.append(closing)

    def flush(self):
        self.flushes += 1
        return True


@dataclass
class FakeTokenLimits:
    """Remembers what was charged; `error` is raised when it is set."""

    charged: list = field(default_factory=list)
    corrected: list = field(default_factory=list)
    error: Exception | None = None

    def charge_tokens(self, principal, tokens):
        if self.error:
            raise self.error
        self.charged.append((principal.id, tokens))
        return 1000.0 + len(self.charged)

    def correct_tokens(self, principal, delta, charged_at):
        self.corrected.append((principal.id, delta, charged_at))


@dataclass
class FakeLedger:
    """Sweeps the batches that it was given, then nothing."""

    batches: list = field(default_factory=list)

    def sweep(self, most):
        return self.batches.pop(0) if self.batches else 0


def make_accounts(
    clock=None, writer=None, limits=None, ledger=None, metrics=None, zone="UTC"
):
    """Return accounts whose writer, `accounts.house.writer`, writes nowhere."""
    house = House(
        writer or FakeWriter(),
        clock or FakeClock(),
        ZoneInfo(zone),
        (metrics or Metrics()).money,
        limits or FakeTokenLimits(),
    )
    return Accounts(house, ledger or FakeLedger())
