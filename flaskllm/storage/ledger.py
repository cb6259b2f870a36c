"""The ledger: money is reserved before a call, and settled or released once after.

One transaction takes a whole batch. What it locks it locks in one order, so that no
two wait for each other: reservations, API tokens, budgets, spending.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from flaskllm.core.clock import Clock
from flaskllm.storage import closing, reserving
from flaskllm.storage.budgets import Admitted, BudgetStanding, Judge, Refused
from flaskllm.storage.database import Database
from flaskllm.storage.ledger_rows import Batch, Closing, Reservation
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
    is reserved there.
    """

    def __init__(self, database: Database, judge: Judge, clock: Clock) -> None:
        """Keep the collaborators; nothing is opened."""
        self._database = database
        self._judge = judge
        self._clock = clock

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
        batch = Batch()
        with self._database.transaction() as connection:
            closing.close(connection, closings, batch)
            verdicts, told = reserving.reserve(
                connection, reservations, self._judge, batch, self._clock.now()
            )
            batch.write(connection)
        return Written(verdicts, told)

    def sweep(self, most: int) -> int:
        """Settle expired reservations at their estimate; return how many there were.

        Raises:
            ServiceUnavailable: Nothing was swept; a retry may help.
        """
        batch = Batch()
        with self._database.transaction() as connection:
            count = closing.sweep(connection, batch, self._clock.now(), most)
            batch.write(connection)
        return count
