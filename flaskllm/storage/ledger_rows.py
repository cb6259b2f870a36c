"""What the ledger is told of an attempt, and what one transaction writes of it."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from sqlalchemy import Connection

from flaskllm.storage.rollups import Rollups
from flaskllm.storage.rows import Row, Rows
from flaskllm.storage.spending import Sums
from flaskllm.storage.tables import ledger
from flaskllm.storage.usage import Described, UsageRow, add_usage

Entry = Literal["reserve", "settle", "release", "correct"]

_ENTRIES = Rows(
    ledger,
    (
        "attempt_id",
        "entry",
        "principal_id",
        "request_id",
        "nanos",
        "is_estimated",
        "at",
    ),
)


@dataclass(frozen=True, slots=True)
class Reservation:
    """What an attempt may take at most. Money is in nano-dollars, times are aware.

    Attributes:
        subjects: Whom the money counts for, see `core.subjects`.
        day: The day that it counts for, in the reporting time zone.
        expected_nanos: What it is settled at when nobody tells how it ended, never
            above `reserved_nanos`; None where its price is not known.
        concurrent_requests: How many reservations of its principal may be open,
            this one included; None is without limit.
        waived: The ids of budgets that stop it no more.
    """

    attempt_id: str
    principal_id: str
    request_id: str
    subjects: tuple[str, ...]
    day: date
    reserved_nanos: int
    expected_nanos: int | None
    created_at: datetime
    expires_at: datetime
    described: Described
    concurrent_requests: int | None = None
    waived: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Closing:
    """How an attempt ended.

    Attributes:
        attempt_id: Of the attempt.
        at: When it ended, aware.
        reservation: As it was made; None where nothing was reserved.
        usage: Its row; None for an attempt that was reserved for and never made.
        is_released: Whether nothing was used: all that was reserved is given back.
    """

    attempt_id: str
    at: datetime
    reservation: Reservation | None
    usage: UsageRow | None
    is_released: bool = False

    @property
    def nanos(self) -> int | None:
        """Return what it costs; None where its price is not known."""
        if self.is_released or self.usage is None:
            return 0
        return self.usage.cost_nanos

    @property
    def is_estimated(self) -> bool:
        """Tell whether that is a guess."""
        return self.usage is not None and self.usage.is_estimated


@dataclass(slots=True)
class Batch:
    """What one transaction writes, gathered before the first row goes out."""

    sums: Sums = field(default_factory=Sums)
    _usage: list[UsageRow] = field(default_factory=list)
    _rollups: Rollups = field(default_factory=Rollups)
    _entries: list[Row] = field(default_factory=list)

    def enter(
        self,
        entry: Entry,
        reservation: Reservation,
        nanos: int | None,
        at: datetime,
        *,
        is_estimated: bool = False,
    ) -> None:
        """Add one entry of the ledger."""
        self._entries.append(
            (
                reservation.attempt_id,
                entry,
                reservation.principal_id,
                reservation.request_id,
                nanos,
                is_estimated,
                at,
            )
        )

    def use(self, row: UsageRow) -> None:
        """Add the usage of an attempt that has no row."""
        self._usage.append(row)
        self._rollups.add(row)

    def take_back(self, row: UsageRow) -> None:
        """Take from the roll-ups what a row that is gone had added."""
        self._rollups.add(row, -1)

    def write(self, connection: Connection, now: datetime) -> None:
        """Write all of it; `spending` is locked first, the roll-ups last."""
        self.sums.write(connection)
        _ENTRIES.insert(connection, self._entries)
        add_usage(connection, self._usage)
        self._rollups.write(connection, now)
