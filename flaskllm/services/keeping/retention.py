"""Retention: what is older than the operator wants it is removed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from flaskllm.core.clock import Clock
from flaskllm.core.periods import day_of, period_end
from flaskllm.storage.database import Database
from flaskllm.storage.old_rows import OldRows

MOST_AT_ONCE: Final = 500
"""Rows of one transaction: nobody else writes to SQLite meanwhile."""

# A turn ends, however much there is: where there are no threads a request waits.
_MOST_BATCHES: Final = 20
_WORKERS_STAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Terms:
    """How many days are kept of what."""

    usage_days: int
    ledger_days: int
    audit_days: int


class Retention:
    """Removes what is over, at most 10,000 rows of each kind in a turn.

    What expires by a date of its own is not here: answers, keys, jobs, deliveries,
    threads.
    """

    def __init__(
        self,
        rows: OldRows,
        database: Database,
        terms: Terms,
        clock: Clock,
        zone: ZoneInfo,
    ) -> None:
        """Keep the collaborators; nothing is opened.

        Args:
            rows: What is removed.
            database: Whose log is folded.
            terms: How long what is kept.
            clock: Tells what is old.
            zone: Where the days of money begin.
        """
        self._rows = rows
        self._database = database
        self._terms = terms
        self._clock = clock
        self._zone = zone

    def forget_usage(self) -> int:
        """Remove attempts that are too old; return how many.

        Raises:
            ServiceUnavailable: Some may be left; a retry may help.
        """
        before = self._clock.now() - timedelta(days=self._terms.usage_days)
        return _in_batches(lambda most: self._rows.remove_usage(before, most))

    def forget_audit(self) -> int:
        """Remove audit rows that are too old, else as `forget_usage`."""
        before = self._clock.now() - timedelta(days=self._terms.audit_days)
        return _in_batches(lambda most: self._rows.remove_audit(before, most))

    def forget_ledger(self) -> int:
        """Remove whole days of money: first their entries, then their sums.

        So for each principal the entries and the sums of the days that are kept
        agree, whenever it is stopped. Returned is how many attempts and sums it were.

        Raises:
            ServiceUnavailable: Some may be left; a retry may help.
        """
        first = self.first_day()
        before = _beginning(first, self._zone)
        count = _in_batches(lambda most: self._rows.remove_entries(before, most))
        if count == MOST_AT_ONCE * _MOST_BATCHES:
            return count
        return count + _in_batches(lambda most: self._rows.remove_spending(first, most))

    def forget_workers(self) -> int:
        """Forget workers that nobody has heard of for a day, else as `forget_usage`."""
        before = self._clock.now() - _WORKERS_STAY
        return _in_batches(lambda most: self._rows.remove_workers(before, most))

    def fold_log(self) -> int:
        """Let no write-ahead log hold what was removed meanwhile; return 0.

        Raises:
            ServiceUnavailable: The database cannot be written.
        """
        self._database.fold_log()
        return 0

    def first_day(self) -> date:
        """Return the first day whose money is kept, in the reporting time zone."""
        today = day_of(self._clock.now(), self._zone)
        return today - timedelta(days=self._terms.ledger_days)


def _in_batches(remove: Callable[[int], int]) -> int:
    total = 0
    for _ in range(_MOST_BATCHES):
        count = remove(MOST_AT_ONCE)
        total += count
        if count < MOST_AT_ONCE:
            break
    return total


def _beginning(day: date, zone: ZoneInfo) -> datetime:
    return period_end("day", day - timedelta(days=1), zone)
