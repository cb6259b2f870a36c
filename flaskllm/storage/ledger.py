"""The ledger: money is reserved before a call, and settled or released once after.

One transaction takes a whole batch. What it locks it locks in one order, so that no
two wait for each other: reservations, API tokens, budgets, spending, roll-ups.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from flaskllm.core import logs
from flaskllm.core.clock import Clock
from flaskllm.core.errors import InternalError
from flaskllm.storage import closing, reserving
from flaskllm.storage.budgets import Admitted, BudgetStanding, Judge, Refused
from flaskllm.storage.database import Database
from flaskllm.storage.ledger_rows import Batch, Closing, Reservation
from flaskllm.storage.repeats import once_more
from flaskllm.storage.reserving import Busy, Verdict

__all__ = [
    "Admitted",
    "Busy",
    "Closing",
    "Ledger",
    "Refused",
    "Reservation",
    "Verdict",
    "Written",
]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """What a transaction brought.

    Attributes:
        verdicts: One for each reservation, in their order.
        told: The budgets that are passed now and that nobody had told before.
    """

    verdicts: tuple[Verdict, ...] = ()
    told: tuple[BudgetStanding, ...] = ()


class Ledger:
    """The tables `ledger`, `reservations`, `spending` and `usage`, which agree.

    For each principal, whenever no transaction is open: the `settle` and `correct`
    entries add up to what is settled in `spending`, and the open reservations to what
    is reserved there. Of settled money that is said of the days that are kept: old
    ones are removed, see `storage.old_rows`. The roll-ups are the sums of all usage
    rows that ever were there.
    """

    def __init__(self, database: Database, judge: Judge, clock: Clock) -> None:
        """Keep the collaborators; nothing is opened."""
        self._database = database
        self._judge = judge
        self._clock = clock

    @once_more
    def write(
        self, reservations: Sequence[Reservation], closings: Sequence[Closing]
    ) -> Written:
        """End attempts, then admit others, in one transaction: all of it, or nothing.

        A closing whose attempt was closed before changes nothing, so that the same
        closings may be written again when it is not known whether they were.

        Raises:
            ServiceUnavailable: Nothing was written, or it is not known; a retry may
                help.
            InternalError: One of them is wrong.
        """
        batch, now = Batch(), self._clock.now()
        with self._database.transaction() as connection:
            closing.close(connection, closings, batch)
            verdicts, told = reserving.reserve(
                connection, reservations, self._judge, batch, now
            )
            batch.write(connection, now)
        return Written(verdicts, told)

    def sweep(self, most: int) -> int:
        """Settle expired reservations at their estimate; return how many.

        Where one of them cannot be written each is settled by itself: it must not
        keep the others from their end.

        Raises:
            ServiceUnavailable: Some may be left; a retry may help.
        """
        try:
            return self._sweep(most)
        except InternalError:
            with self._database.reading() as connection:
                found = closing.expired(connection, self._clock.now(), most)
            return sum(map(self._sweep_one, found))

    def _sweep_one(self, attempt_id: str) -> int:
        try:
            return self._sweep(1, attempt_id)
        except InternalError as error:
            logs.event(
                _log,
                logging.ERROR,
                "reservation_not_swept",
                error=error,
                attempt_id=attempt_id,
            )
            return 0

    def _sweep(self, most: int, only: str | None = None) -> int:
        batch, now = Batch(), self._clock.now()
        with self._database.transaction() as connection:
            count = closing.sweep(connection, batch, now, most, only)
            batch.write(connection, now)
        return count
