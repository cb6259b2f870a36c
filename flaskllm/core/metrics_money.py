"""The metrics of money: what attempts cost, what was refused, how the ledger keeps up.

Label values are a closed set, as in `core/metrics.py`.
"""

from collections.abc import Callable
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from flaskllm.core.metric_series import PREFIX, series_of

RefusedBy = Literal["budget", "concurrency"]

_BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_WAIT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 10)


class MoneyMetrics:
    """What one process counts of money. Threads may count at the same time."""

    def __init__(
        self, registry: CollectorRegistry, known: Callable[[str], str]
    ) -> None:
        """Start everything at zero.

        Args:
            registry: Where all metrics of the process are.
            known: Gives the name under which a deployment is counted.
        """
        self._registry = registry
        self._known = known
        self._count_attempts()
        self._count_ledger()
        self._limits_local = Counter(
            f"{PREFIX}limits_counted_locally",
            "Counts of limits that a process made by itself, since the store that "
            "all share did not answer.",
            registry=registry,
        )

    def _count_attempts(self) -> None:
        self._cost = self._counter(
            "cost_nanos",
            "What attempts cost, in nano-dollars; those of an unknown price left out.",
            ("deployment",),
        )
        self._unpriced = self._counter(
            "unpriced_attempts",
            "Attempts that used tokens and whose price is not known.",
            ("deployment",),
        )
        self._refused = self._counter(
            "attempts_refused",
            "Attempts that were not made: a budget is spent, or too many of the "
            "principal are under way.",
            ("by",),
        )
        self._budgets_passed = self._counter(
            "budgets_passed",
            "Budgets that were passed, once in each of their periods.",
            ("kind", "period"),
        )

    def _count_ledger(self) -> None:
        self._swept = Counter(
            f"{PREFIX}reservations_swept",
            "Reservations that nobody settled in time and that were settled at an "
            "estimate.",
            registry=self._registry,
        )
        self._batch_size = Histogram(
            f"{PREFIX}ledger_batch_size",
            "Reservations and closings that were written in one transaction.",
            buckets=_BATCH_SIZES,
            registry=self._registry,
        )
        self._wait_seconds = Histogram(
            f"{PREFIX}ledger_wait_seconds",
            "How long attempts waited until their reservation was durable.",
            buckets=_WAIT_SECONDS,
            registry=self._registry,
        )
        self._closings_waiting = Gauge(
            f"{PREFIX}ledger_closings_waiting",
            "Attempts that ended and that the store has not taken yet.",
            registry=self._registry,
        )

    def count_cost(self, deployment: str, nanos: int) -> None:
        """Count what an attempt cost, >= 0."""
        if nanos:
            self._cost(self._known(deployment)).inc(nanos)

    def count_unpriced(self, deployment: str) -> None:
        """Count an attempt that used tokens and whose price is not known."""
        self._unpriced(self._known(deployment)).inc()

    def count_refused(self, by: RefusedBy) -> None:
        """Count an attempt that was not made."""
        self._refused(by).inc()

    def count_budget_passed(self, kind: str, period: str) -> None:
        """Count a budget that is passed for the first time in its period."""
        self._budgets_passed(kind, period).inc()

    def count_local_limit(self) -> None:
        """Count a count of a limit that was made without the store."""
        self._limits_local.inc()

    def count_swept(self, reservations: int) -> None:
        """Count reservations that were settled at an estimate."""
        self._swept.inc(reservations)

    def count_batch(self, size: int) -> None:
        """Record how many reservations and closings one transaction held."""
        self._batch_size.observe(size)

    def time_wait(self, seconds: float) -> None:
        """Record how long an attempt waited for its reservation."""
        self._wait_seconds.observe(seconds)

    def show_waiting(self, closings: int) -> None:
        """Show how many closings the store has not taken yet."""
        self._closings_waiting.set(closings)

    def _counter(
        self, name: str, help: str, labels: tuple[str, ...]
    ) -> Callable[..., Counter]:
        return series_of(
            Counter(f"{PREFIX}{name}", help, labels, registry=self._registry)
        )
