"""What reports are made with."""

from flaskllm.services.rollup_keeping import RollupKeeping
from flaskllm.services.usage_panels import Panels
from flaskllm.services.usage_reports import UsageQueries
from flaskllm.services.usage_series import UsageSeries
from flaskllm.services.usage_shares import UsageShares
from flaskllm.services.usage_timings import UsageTimings
from flaskllm.storage.rollup_building import RollupBuilding
from flaskllm.storage.rollup_forgetting import RollupForgetting
from flaskllm.storage.rollup_reports import RollupReports
from flaskllm.storage.usage_reports import UsageReports
from flaskllm.wiring.ground import Ground

# At once, every ten minutes; where a request waits for it, not long.
_KEEP_SECONDS = 60.0
_INLINE_KEEP_SECONDS = 0.5


def build_queries(ground: Ground) -> UsageQueries:
    """Return what tells sums and requests; nothing is opened."""
    database = ground.database
    rollups = RollupReports(database)
    return UsageQueries(UsageReports(database), rollups, ground.clock, ground.zone)


def build_panels(ground: Ground) -> Panels:
    """Return the reports over time; nothing is opened."""
    queries, rollups = build_queries(ground), RollupReports(ground.database)
    return Panels(
        UsageSeries(queries, rollups),
        UsageTimings(queries, rollups),
        UsageShares(queries, rollups),
    )


def build_rollup_keeping(ground: Ground) -> RollupKeeping:
    """Return what makes and forgets days; where there are no threads, few at once."""
    return RollupKeeping(
        RollupBuilding(ground.database, ground.zone),
        RollupForgetting(ground.database, ground.zone),
        ground.clock,
        ground.zone,
        keep_days=ground.settings.retention.report_days,
        most_seconds=_KEEP_SECONDS if ground.threaded else _INLINE_KEEP_SECONDS,
    )
