"""Reservations end: by what the attempt used, or by the sweep when nobody told."""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, bindparam, select

from flaskllm.storage.ledger_rows import Batch, Closing, Entry, Reservation
from flaskllm.storage.tables import ledger, reservations
from flaskllm.storage.usage import (
    ABANDONED,
    Described,
    UsageRow,
    described_fields,
    known_usage,
    take_abandoned,
)

_ID = reservations.c.attempt_id
_TAKEN = (
    reservations.delete()
    .where(_ID.in_(bindparam("ids", expanding=True)))
    .returning(_ID)
)


def close(connection: Connection, closings: Iterable[Closing], batch: Batch) -> None:
    """End attempts; only the first closing of an attempt does anything.

    An open reservation is settled, or released. One that was swept before is
    corrected by the difference. What is neither was closed already, or was never
    written: then there is nothing to do.
    """
    firsts: dict[str, Closing] = {}
    for each in closings:
        firsts.setdefault(each.attempt_id, each)
    held = {key: each for key, each in firsts.items() if each.reservation}
    were_open = _take(connection, held)
    # What nothing was reserved for may come again too.
    known = known_usage(connection, firsts.keys() - held.keys())
    for attempt_id, each in firsts.items():
        if each.reservation is None:
            if attempt_id not in known:
                _add_usage(each, batch)
        elif attempt_id in were_open:
            _settle(each, each.reservation, batch)
        else:
            _correct(connection, each, each.reservation, batch)


def expired(connection: Connection, now: datetime, most: int) -> tuple[str, ...]:
    """Return the attempts of at most so many expired reservations, the oldest first."""
    query = _expired(now).with_only_columns(_ID).limit(most)
    return tuple(connection.execute(query).scalars())


def sweep(
    connection: Connection,
    batch: Batch,
    now: datetime,
    most: int,
    only: str | None = None,
) -> int:
    """Settle at most so many expired reservations at what they were expected to cost.

    Rows that somebody else is ending at the same time are left to them. `only` is
    the one attempt that it is about, where it is about one.
    """
    query = _expired(now).limit(most).with_for_update(skip_locked=True)
    if only is not None:
        query = query.where(reservations.c.attempt_id == only)
    rows = connection.execute(query).mappings().all()
    _take(connection, [row["attempt_id"] for row in rows])
    for row in rows:
        found = _from_row(row)
        _settle_sums(found, found.expected_nanos, batch)
        batch.enter("settle", found, found.expected_nanos, now, is_estimated=True)
        batch.use(_abandoned(found))
    return len(rows)


def _expired(now: datetime) -> Select[Any]:
    return (
        select(reservations)
        .where(reservations.c.expires_at <= now)
        .order_by(reservations.c.expires_at, _ID)
    )


def _take(connection: Connection, attempt_ids: Collection[str]) -> set[str]:
    """Remove these reservations, and return those that were there."""
    if not attempt_ids:
        return set()
    return set(connection.execute(_TAKEN, {"ids": list(attempt_ids)}).scalars())


def _settle(closing: Closing, reservation: Reservation, batch: Batch) -> None:
    nanos = closing.nanos
    _settle_sums(reservation, nanos, batch)
    entry: Entry = "release" if closing.is_released else "settle"
    estimated = closing.is_estimated
    batch.enter(entry, reservation, nanos, closing.at, is_estimated=estimated)
    _add_usage(closing, batch)


def _settle_sums(reservation: Reservation, nanos: int | None, batch: Batch) -> None:
    batch.sums.add(
        reservation.subjects,
        reservation.day,
        reserved_nanos=-reservation.reserved_nanos,
        settled_nanos=nanos or 0,
    )


def _correct(
    connection: Connection, closing: Closing, reservation: Reservation, batch: Batch
) -> None:
    """Have what is known now take the place of what was swept, if it was."""
    given_up = take_abandoned(connection, closing.attempt_id)
    if given_up is None:
        return
    batch.take_back(given_up)
    _add_usage(closing, batch)
    swept = _settled_nanos(connection, closing.attempt_id)
    nanos = closing.nanos
    difference = None if nanos is None else nanos - (swept or 0)
    batch.sums.add(reservation.subjects, reservation.day, settled_nanos=difference or 0)
    estimated = closing.is_estimated
    batch.enter("correct", reservation, difference, closing.at, is_estimated=estimated)


def _settled_nanos(connection: Connection, attempt_id: str) -> int | None:
    query = select(ledger.c.nanos).where(
        ledger.c.attempt_id == attempt_id, ledger.c.entry == "settle"
    )
    nanos: int | None = connection.execute(query).scalar_one()
    return nanos


def _add_usage(closing: Closing, batch: Batch) -> None:
    if closing.usage is not None:
        batch.use(closing.usage)


def _abandoned(reservation: Reservation) -> UsageRow:
    return UsageRow(
        id=reservation.attempt_id,
        request_id=reservation.request_id,
        principal_id=reservation.principal_id,
        outcome=ABANDONED,
        latency_ms=0,
        input_uncached=0,
        input_cache_read=0,
        input_cache_write=0,
        output_text=0,
        output_reasoning=0,
        usage_source="none",
        created_at=reservation.created_at,
        cost_nanos=reservation.expected_nanos,
        is_estimated=True,
        **described_fields(reservation.described),
    )


def _from_row(row: RowMapping) -> Reservation:
    return Reservation(
        attempt_id=row["attempt_id"],
        principal_id=row["principal_id"],
        request_id=row["request_id"],
        subjects=tuple(row["subjects"].split()),
        day=date.fromisoformat(row["day"]),
        reserved_nanos=row["reserved_nanos"],
        expected_nanos=row["expected_nanos"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        described=Described.from_json(row["described"]),
    )
