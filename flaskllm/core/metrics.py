"""Every metric of the gateway, declared once, in Prometheus' terms.

Each worker process counts for itself: what `/metrics` shows is one process. Label
values are a closed set: rules of our own routes, names of the settings, codes of
our errors. Where callers may name `provider/model` a deployment's name is theirs in
part; beyond a thousand such names the rest are counted as one.
"""

from collections.abc import Callable, Mapping
from typing import Final, Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from flaskllm.core.metric_series import PREFIX, series_of
from flaskllm.core.metrics_cache import CacheMetrics
from flaskllm.core.metrics_logs import LostLines
from flaskllm.core.metrics_money import MoneyMetrics
from flaskllm.core.metrics_stores import StoreMetrics

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

CutReason = Literal["upstream", "caller"]

# A model takes from a moment to minutes; our own work takes milliseconds.
_LONG_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300)
_SHORT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
# A caller may make up a method as well as an address.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER: Final = "other"
_MOST_DEPLOYMENTS: Final = 1000
_NO_RULE: Final = "none"


class Metrics:
    """What one process counts. Threads may count at the same time.

    Attributes:
        streams_in_flight: Answers that are being streamed now.
        websockets_open: WebSockets that are open now.
        money: What is counted of money.
        stores: What is counted of the stores beside the database.
        cache: What is counted of the cache.
    """

    def __init__(self) -> None:
        """Start everything at zero, in a registry of its own."""
        # The moment at which a series began says nothing to us and doubles them.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._deployments: set[str] = set()
        self._requests = self._counter(
            "requests",
            "Requests answered; a WebSocket counts once, with the status 101.",
            ("rule", "method", "status"),
        )
        self._request_seconds = self._histogram(
            "request_seconds",
            "From the arrival of a request to the last byte of its answer.",
            "rule",
        )
        self._overhead_seconds = self._histogram(
            "overhead_seconds",
            "The part of a request's time in which no attempt was running.",
            "rule",
            _SHORT_SECONDS,
        )
        self._count_attempts()
        self._count_streams()
        self._count_health()
        self.money = MoneyMetrics(self._registry, self._known)
        self.stores = StoreMetrics(self._registry)
        self.cache = CacheMetrics(self._registry)
        self._registry.register(LostLines())

    def _count_attempts(self) -> None:
        self._attempts = self._counter(
            "attempts",
            "Calls to deployments, by how they ended: OK or an error's code.",
            ("deployment", "provider", "code"),
        )
        self._attempt_seconds = self._histogram(
            "attempt_seconds",
            "How long attempts took, streamed ones to their last chunk.",
            "deployment",
        )
        self._first_token_seconds = self._histogram(
            "first_token_seconds",
            "From the start of a streamed attempt to its first token.",
            "deployment",
        )
        self._tokens = self._counter(
            "tokens",
            "Tokens used by attempts; the kinds add up.",
            ("deployment", "kind"),
        )

    def _count_streams(self) -> None:
        self._cut = self._counter(
            "streams_cut",
            "Streams that ended too early after their first token: the upstream "
            "broke off, or the caller hung up.",
            ("reason",),
        )
        self._malformed = self._counter(
            "malformed_events",
            "Events of streams that could not be read and were skipped.",
            ("deployment",),
        )
        self.streams_in_flight = self._gauge(
            "streams_in_flight",
            "Answers that are being streamed now, by SSE or WebSocket.",
        )
        self.websockets_open = self._gauge(
            "websockets_open", "WebSockets that are open now."
        )

    def _count_health(self) -> None:
        self._breakers = self._gauges(
            "breaker_state",
            "A deployment's breaker: 0 closed, 1 half open with a probe, 2 open.",
            "deployment",
        )
        self._openings = self._counter(
            "breaker_openings", "How often a breaker opened.", ("deployment",)
        )
        self._repeats_refused = self._counter(
            "repeats_refused",
            "Retries that a deployment's retry budget or load did not allow.",
            ("deployment",),
        )
        self._waits = self._counter(
            "told_to_wait", "How often an upstream limited us.", ("deployment",)
        )

    def count_request(self, rule: str | None, method: str, status: int) -> None:
        """Count one request; `rule` is None where no route matched."""
        known = method if method in _METHODS else _OTHER
        self._requests(rule or _NO_RULE, known, str(status)).inc()

    def time_request(
        self, rule: str | None, seconds: float, upstream_seconds: float
    ) -> None:
        """Record how long a request took, and how much of that were attempts."""
        name = rule or _NO_RULE
        self._request_seconds(name).observe(seconds)
        self._overhead_seconds(name).observe(max(0.0, seconds - upstream_seconds))

    def count_attempt(
        self, deployment: str, provider: str, code: str, seconds: float
    ) -> None:
        """Count one attempt that ended with this code after so many seconds."""
        name = self._known(deployment)
        self._attempts(name, provider, code).inc()
        self._attempt_seconds(name).observe(seconds)

    def count_tokens(self, deployment: str, tokens: Mapping[str, int]) -> None:
        """Count what an attempt used: tokens by kind, each >= 0."""
        name = self._known(deployment)
        for kind, count in tokens.items():
            if count:
                self._tokens(name, kind).inc(count)

    def time_first_token(self, deployment: str, seconds: float) -> None:
        """Record how long a streamed attempt took to its first token."""
        self._first_token_seconds(self._known(deployment)).observe(seconds)

    def count_cut(self, reason: CutReason) -> None:
        """Count a stream that ended too early after its first token."""
        self._cut(reason).inc()

    def count_malformed(self, deployment: str, events: int) -> None:
        """Count events of a stream that were skipped."""
        if events:
            self._malformed(self._known(deployment)).inc(events)

    def set_breaker(self, deployment: str, state: int) -> None:
        """Show a breaker: 0 closed, 1 half open with a probe under way, 2 open."""
        self._breakers(self._known(deployment)).set(state)

    def count_opening(self, deployment: str) -> None:
        """Count a breaker that opened."""
        self._openings(self._known(deployment)).inc()

    def count_refused_repeat(self, deployment: str) -> None:
        """Count a retry that was not made."""
        self._repeats_refused(self._known(deployment)).inc()

    def count_wait(self, deployment: str) -> None:
        """Count an upstream that asked for patience."""
        self._waits(self._known(deployment)).inc()

    def render(self) -> bytes:
        """Return all of it in Prometheus' text format, see `CONTENT_TYPE`."""
        return generate_latest(self._registry)

    def _known(self, deployment: str) -> str:
        """Return the name to count under."""
        if deployment in self._deployments:
            return deployment
        if len(self._deployments) >= _MOST_DEPLOYMENTS:
            return _OTHER
        self._deployments.add(deployment)
        return deployment

    def _counter(
        self, name: str, help: str, labels: tuple[str, ...]
    ) -> Callable[..., Counter]:
        return series_of(
            Counter(f"{PREFIX}{name}", help, labels, registry=self._registry)
        )

    def _histogram(
        self,
        name: str,
        help: str,
        label: str,
        buckets: tuple[float, ...] = _LONG_SECONDS,
    ) -> Callable[..., Histogram]:
        return series_of(
            Histogram(
                f"{PREFIX}{name}",
                help,
                (label,),
                buckets=buckets,
                registry=self._registry,
            )
        )

    def _gauge(self, name: str, help: str) -> Gauge:
        return Gauge(f"{PREFIX}{name}", help, registry=self._registry)

    def _gauges(self, name: str, help: str, label: str) -> Callable[..., Gauge]:
        return series_of(
            Gauge(f"{PREFIX}{name}", help, (label,), registry=self._registry)
        )
