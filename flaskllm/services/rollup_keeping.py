"""The duty of reports: days are made of what came by the quarter, and forgotten."""

from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

from flaskllm.core.clock import Clock
from flaskllm.core.periods import day_of
from flaskllm.storage.rollup_building import RollupBuilding
from flaskllm.storage.rollup_forgetting import RollupForgetting


class RollupKeeping:
    """Makes the days that are over, and forgets those that are too old.

    Reports are right without the first, only slower.
    """

    def __init__(
        self,
        building: RollupBuilding,
        forgetting: RollupForgetting,
        clock: Clock,
        zone: ZoneInfo,
        *,
        keep_days: int,
        most_seconds: float,
    ) -> None:
        """Keep the collaborators; nothing is opened.

        Args:
            building: Makes days.
            forgetting: Removes them.
            clock: Tells which.
            zone: In which days begin.
            keep_days: How many are kept.
            most_seconds: After so long, no step of each of the two begins in a turn.
        """
        self._building = building
        self._forgetting = forgetting
        self._clock = clock
        self._zone = zone
        self._keep_days = keep_days
        self._most_seconds = most_seconds

    def keep(self) -> int:
        """Make days and forget days, as far as time allows; return how many.

        Raises:
            ServiceUnavailable: Some may be left; a retry may help.
        """
        made = self._repeat(lambda: self._building.build_day(self._clock.now()))
        forgotten = self._repeat(self._forget_day)
        self._forgetting.forget_others()
        return made + forgotten

    def _forget_day(self) -> bool:
        today = day_of(self._clock.now(), self._zone)
        return self._forgetting.forget_day(today - timedelta(days=self._keep_days))

    def _repeat(self, step: Callable[[], bool]) -> int:
        """Do a step while there is one; return how many there were."""
        now_seconds = self._clock.monotonic()
        until_seconds = now_seconds + self._most_seconds
        count = 0
        while now_seconds < until_seconds and step():
            count += 1
            # Who writes has waited for it, and has as long for itself now.
            done_seconds = self._clock.monotonic()
            took_seconds = done_seconds - now_seconds
            if done_seconds + took_seconds >= until_seconds:
                break
            self._clock.sleep(took_seconds)
            now_seconds = self._clock.monotonic()
        return count
