"""The duty of reports: hours and days are made of what came by the quarter."""

from flaskllm.core.clock import Clock
from flaskllm.storage.rollup_building import RollupBuilding


class RollupKeeping:
    """Makes the days that are over; reports are right without it, only slower."""

    def __init__(
        self, building: RollupBuilding, clock: Clock, most_seconds: float
    ) -> None:
        """Keep the collaborators, and how long it may take; nothing is opened."""
        self._building = building
        self._clock = clock
        self._most_seconds = most_seconds

    def build(self) -> int:
        """Make the days that are not made yet, as far as time allows; return how many.

        Raises:
            ServiceUnavailable: Some may be left; a retry may help.
        """
        until_seconds = self._clock.monotonic() + self._most_seconds
        count = 0
        while self._building.build_day(self._clock.now()):
            count += 1
            if self._clock.monotonic() >= until_seconds:
                break
        self._building.forget_others()
        return count
