"""The metrics of the cache: what it answered, what it saved, when it did not work."""

from prometheus_client import CollectorRegistry, Counter

from flaskllm.core.metric_series import PREFIX, series_of


class CacheMetrics:
    """What one process counts of the cache. Threads may count at the same time."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Start everything at zero, in this registry."""
        self._requests = series_of(
            Counter(
                f"{PREFIX}cache_requests",
                "Requests to routes that keep answers: hit and joined were answered "
                "without an upstream, miss by one; of bypass the reason says why.",
                ("outcome", "reason"),
                registry=registry,
            )
        )
        self._stores = Counter(
            f"{PREFIX}cache_stores", "Answers that were kept.", registry=registry
        )
        self._saved = Counter(
            f"{PREFIX}cache_saved_nanos",
            "What answers without an upstream would have cost, in nano-dollars; those "
            "of an unknown price left out.",
            registry=registry,
        )
        self._failures = Counter(
            f"{PREFIX}cache_failures",
            "Uses of the store that failed or took too long.",
            registry=registry,
        )

    def count_request(self, outcome: str, reason: str, saved_nanos: int) -> None:
        """Count one request; `reason` is empty but for `bypass`."""
        self._requests(outcome, reason).inc()
        if saved_nanos:
            self._saved.inc(saved_nanos)

    def count_store(self) -> None:
        """Count an answer that was kept."""
        self._stores.inc()

    def count_failure(self) -> None:
        """Count a use of the store that failed or took too long."""
        self._failures.inc()
