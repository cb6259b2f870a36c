"""Reports of a database with usage, whose hours and days may be made or not."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from fakes import FakeClock

from flaskllm.services.usage_reports import UsageQueries
from flaskllm.services.usage_series import UsageSeries
from flaskllm.services.usage_shares import UsageShares
from flaskllm.services.usage_timings import UsageTimings
from flaskllm.storage.rollup_building import RollupBuilding
from flaskllm.storage.rollup_reports import RollupReports
from flaskllm.storage.usage_reports import UsageReports

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Reports:
    """All reports of a database in one reporting time zone, on a day in November."""

    def __init__(self, database, zone="Europe/Berlin", now=NOON):
        rollups = RollupReports(database)
        self.zone, self.database = ZoneInfo(zone), database
        self.clock = FakeClock(now)
        self.queries = UsageQueries(
            UsageReports(database), rollups, self.clock, self.zone
        )
        self.series = UsageSeries(self.queries, rollups)
        self.timings = UsageTimings(self.queries, rollups)
        self.shares = UsageShares(self.queries, rollups)

    def build(self, now):
        """Make the hours and days that are over by then; return how many days."""
        building = RollupBuilding(self.database, self.zone)
        count = 0
        while building.build_day(now):
            count += 1
        return count
