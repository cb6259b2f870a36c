"""The reports over time, as the faces get them."""

from dataclasses import dataclass

from flaskllm.services.usage_series import UsageSeries
from flaskllm.services.usage_shares import UsageShares
from flaskllm.services.usage_timings import UsageTimings


@dataclass(frozen=True, slots=True)
class Panels:
    """Sums over time, durations over time, and who answered."""

    series: UsageSeries
    timings: UsageTimings
    shares: UsageShares
