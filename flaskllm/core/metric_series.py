"""The series of one metric, looked up only once for each of their label values."""

from collections.abc import Callable
from typing import Final, TypeVar

from prometheus_client.metrics import MetricWrapperBase

PREFIX: Final = "flaskllm_"

_Metric = TypeVar("_Metric", bound=MetricWrapperBase)


def series_of(metric: _Metric) -> Callable[..., _Metric]:
    """Return what gives the series of some label values.

    `labels()` takes a lock and makes texts of its arguments each time.
    """
    known: dict[tuple[str, ...], _Metric] = {}

    def find(*labels: str) -> _Metric:
        series = known.get(labels)
        if series is None:
            series = known[labels] = metric.labels(*labels)
        return series

    return find
