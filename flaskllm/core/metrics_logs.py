"""What is counted of the logs, which are there before any metrics."""

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from flaskllm.core.log_sinks import LOST
from flaskllm.core.metric_series import PREFIX


class LostLines(Collector):
    """Tells how many lines of this process were lost."""

    def collect(self) -> Iterable[Metric]:
        """Return the count as it stands."""
        help = (
            "Lines of the log that were lost: nobody took them, or the disk was full."
        )
        yield CounterMetricFamily(f"{PREFIX}log_lines_lost", help, LOST.count)
