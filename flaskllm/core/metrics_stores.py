"""The metrics of the stores beside the database: whether Redis works."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from flaskllm.core.metric_series import PREFIX


class StoreMetrics:
    """What one process counts of its stores. Threads may count at the same time."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Take Redis to work, in the registry where all metrics are."""
        self._redis_failures = Counter(
            f"{PREFIX}redis_failures",
            "Operations that Redis did not do in time, or not at all.",
            registry=registry,
        )
        self._redis_works = Gauge(
            f"{PREFIX}redis_works",
            "Whether this process uses Redis: 0 while its breaker is open.",
            registry=registry,
        )
        self._redis_works.set(1)
        self._counted_alone = Counter(
            f"{PREFIX}upstream_limits_counted_alone",
            "Attempts at deployments with limits that a process counted by itself, "
            "since the store that all share did not answer.",
            registry=registry,
        )

    def count_alone(self) -> None:
        """Count an attempt that was counted by this process alone."""
        self._counted_alone.inc()

    def count_redis_failure(self) -> None:
        """Count an operation that Redis did not do."""
        self._redis_failures.inc()

    def show_redis(self, *, works: bool) -> None:
        """Show whether this process uses Redis."""
        self._redis_works.set(1 if works else 0)
