"""Reservations begin: each is judged by what stands before it, in order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, func, select

from flaskllm.core.periods import next_start
from flaskllm.storage.budgets import (
    Admitted,
    BudgetStanding,
    Judge,
    Refused,
    note_passed,
    standings,
)
from flaskllm.storage.ledger_rows import Batch, Reservation
from flaskllm.storage.rows import Row, Rows
from flaskllm.storage.tables import api_tokens, reservations


@dataclass(frozen=True, slots=True)
class Busy:
    """Not admitted: so many attempts of the principal are under way already."""

    limit: int


Verdict = Admitted | Refused | Busy

_FREE = Admitted()
# In the order of `_to_row`.
_ROWS = Rows(
    reservations,
    (
        "attempt_id",
        "principal_id",
        "request_id",
        "subjects",
        "day",
        "reserved_nanos",
        "expected_nanos",
        "created_at",
        "expires_at",
        "described",
    ),
)


def reserve(
    connection: Connection,
    wanted: Sequence[Reservation],
    judge: Judge,
    batch: Batch,
    now: datetime,
) -> tuple[tuple[Verdict, ...], tuple[BudgetStanding, ...]]:
    """Write the reservations that are admitted, and return the verdict on each.

    Also returned are the budgets that are passed now and that had not been told.
    `batch` holds what this transaction adds to the sums already.
    """
    if not wanted:
        return (), ()
    ledger = _Judgement(connection, wanted, judge, batch, now)
    verdicts = tuple(ledger.verdict_on(each) for each in wanted)
    pairs = zip(wanted, verdicts, strict=True)
    admitted = [each for each, verdict in pairs if isinstance(verdict, Admitted)]
    _ROWS.insert(connection, [_to_row(each) for each in admitted])
    untold = [
        each
        for verdict in verdicts
        if not isinstance(verdict, Busy)
        for each in verdict.untold
    ]
    return verdicts, note_passed(connection, untold, now)


class _Judgement:
    """What stands, and what was admitted since."""

    def __init__(
        self,
        connection: Connection,
        wanted: Sequence[Reservation],
        judge: Judge,
        batch: Batch,
        now: datetime,
    ) -> None:
        self._judge = judge
        self._batch = batch
        self._open = _count_open(connection, wanted, now)
        days = sorted({each.day for each in wanted})
        if len(days) > 1:
            # All at once, and so in one order: day by day two batches around midnight
            # could each hold what the other waits for.
            standings(
                connection, {one for each in wanted for one in each.subjects}, days[0]
            )
        self._standings = {
            day: standings(connection, _subjects(wanted, day), day) for day in days
        }

    def verdict_on(self, wanted: Reservation) -> Verdict:
        limit, principal_id = wanted.concurrent_requests, wanted.principal_id
        if limit is not None and self._open.get(principal_id, 0) >= limit:
            return Busy(limit)
        verdict = self._judged(wanted)
        if isinstance(verdict, Admitted):
            self._admit(wanted)
        return verdict

    def _judged(self, wanted: Reservation) -> Admitted | Refused:
        concerned = [
            each.charged(self._added(each))
            for each in self._standings[wanted.day]
            if each.budget.subject in wanted.subjects
        ]
        if not concerned:
            return _FREE
        return self._judge(concerned, wanted.reserved_nanos, wanted.waived)

    def _added(self, standing: BudgetStanding) -> int:
        """Return what this transaction itself adds to what was spent."""
        start = standing.period_start
        after = next_start(standing.budget.period, start)
        return self._batch.sums.spent(standing.budget.subject, start, after)

    def _admit(self, wanted: Reservation) -> None:
        nanos, principal_id = wanted.reserved_nanos, wanted.principal_id
        self._open[principal_id] = self._open.get(principal_id, 0) + 1
        self._batch.sums.add(wanted.subjects, wanted.day, reserved_nanos=nanos)
        self._batch.enter("reserve", wanted, nanos, wanted.created_at)


def _subjects(wanted: Iterable[Reservation], day: date) -> list[str]:
    subjects = {one for each in wanted if each.day == day for one in each.subjects}
    return sorted(subjects)


def _count_open(
    connection: Connection, wanted: Iterable[Reservation], now: datetime
) -> dict[str, int]:
    """Return how many attempts are under way, of the principals that have a limit."""
    limited = {
        each.principal_id for each in wanted if each.concurrent_requests is not None
    }
    if not limited:
        return {}
    _lock_principals(connection, limited)
    column = reservations.c.principal_id
    query = (
        select(column, func.count())
        .where(column.in_(sorted(limited)), reservations.c.expires_at > now)
        .group_by(column)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def _lock_principals(connection: Connection, principal_ids: Iterable[str]) -> None:
    """Let nobody else count them before the commit; SQLite has one writer anyway."""
    if connection.dialect.name == "sqlite":
        return
    column = api_tokens.c.id
    query = select(column).where(column.in_(sorted(principal_ids))).order_by(column)
    connection.execute(query.with_for_update())


def _to_row(reservation: Reservation) -> Row:
    return (
        reservation.attempt_id,
        reservation.principal_id,
        reservation.request_id,
        " ".join(reservation.subjects),
        reservation.day.isoformat(),
        reservation.reserved_nanos,
        reservation.expected_nanos,
        reservation.created_at,
        reservation.expires_at,
        reservation.described.to_json(),
    )
