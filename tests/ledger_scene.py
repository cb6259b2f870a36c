"""The ledger on a stage: what tests put into it, and what lies in it then."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import rollup_sums
from sqlalchemy import func, select, text

from flaskllm.services.budgets import judge
from flaskllm.storage.ledger import Closing, Ledger, Reservation
from flaskllm.storage.tables import (
    budgets,
    ledger,
    reservations,
    spending,
    usage,
)
from flaskllm.storage.usage import Described, UsageRow, described_fields

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
TODAY = NOON.date()
DESCRIBED = Described("fast", "mini", "openai", "gpt-4o-mini", 1, "fast: mini", "chat")


def reservation(attempt_id, nanos=1000, *, principal="ann", tags=(), **changes):
    """Return a reservation of a principal with these tags."""
    made = Reservation(
        attempt_id=attempt_id,
        principal_id=principal,
        request_id=f"req_{attempt_id}",
        subjects=(f"principal:{principal}", *(f"tag:{tag}" for tag in tags)),
        day=TODAY,
        reserved_nanos=nanos,
        expected_nanos=nanos // 2,
        created_at=NOON,
        expires_at=NOON + timedelta(seconds=360),
        described=replace(DESCRIBED, tags=" ".join(tags)),
    )
    return replace(made, **changes)


def usage_row(held, cost, **changes):
    """Return the usage row of an attempt that cost so much."""
    row = UsageRow(
        id=held.attempt_id,
        request_id=held.request_id,
        principal_id=held.principal_id,
        outcome="OK",
        latency_ms=1200,
        input_uncached=12,
        input_cache_read=0,
        input_cache_write=0,
        output_text=5,
        output_reasoning=0,
        usage_source="provider",
        created_at=held.created_at,
        cost_nanos=cost,
        **described_fields(held.described),
    )
    return replace(row, **changes)


def settled(held, cost, at=NOON, **changes):
    """Return the closing of an attempt that was answered and cost so much."""
    return Closing(held.attempt_id, at, held, usage_row(held, cost, **changes))


def released(held, at=NOON):
    """Return the closing of an attempt that failed and used nothing."""
    row = usage_row(held, 0, outcome="LLM_TIMEOUT", input_uncached=0, output_text=0)
    return Closing(held.attempt_id, at, held, row, is_released=True)


def open_ledger(database, clock):
    """Return the ledger of a database, judged as in life."""
    return Ledger(database, judge, clock)


def set_budget(database, subject, limit_nanos, kind="hard", period="day", alias=None):
    """Set a budget and return its id."""
    values = {
        "id": f"bud_{subject}_{period}_{kind}"[:40],
        "subject": subject,
        "period": period,
        "kind": kind,
        "limit_nanos": limit_nanos,
        "on_exhausted": alias,
        "created_at": NOON,
        "created_by": "test",
    }
    with database.transaction() as connection:
        connection.execute(budgets.insert().values(values))
    return values["id"]


def entries_of(database, attempt_id):
    """Return the entries of an attempt as (entry, nanos, is_estimated)."""
    query = select(ledger.c.entry, ledger.c.nanos, ledger.c.is_estimated).where(
        ledger.c.attempt_id == attempt_id
    )
    with database.reading() as connection:
        return {tuple(row) for row in connection.execute(query)}


def spent_of(database, subject, day: date = TODAY):
    """Return what a subject has reserved and settled on a day."""
    query = select(spending.c.reserved_nanos, spending.c.settled_nanos).where(
        spending.c.subject == subject, spending.c.day == day.isoformat()
    )
    with database.reading() as connection:
        row = connection.execute(query).one_or_none()
    return tuple(row) if row else (0, 0)


def usage_by_id(database):
    """Return all usage rows by the ids of their attempts."""
    with database.reading() as connection:
        rows = connection.execute(select(usage)).mappings()
        return {row["id"]: UsageRow(**row) for row in rows}


def open_attempts(database):
    """Return the ids of all open reservations."""
    with database.reading() as connection:
        return set(connection.execute(select(reservations.c.attempt_id)).scalars())


def reserved_by_id(database):
    """Return what was reserved for each attempt, by their ids."""
    query = select(ledger.c.attempt_id, ledger.c.nanos).where(
        ledger.c.entry == "reserve"
    )
    with database.reading() as connection:
        return dict(connection.execute(query).all())


def disagreements(database):
    """Return where the tables of the ledger do not agree; empty where they do.

    For each subject: what is settled in `spending` is the sum of the `settle` and
    `correct` entries, what is reserved there that of the open reservations; no sum is
    negative; each attempt that ended has one row of usage that says what the ledger
    says it costs; and the roll-ups are the sums of these rows.
    """
    with database.reading() as connection:
        sums = {
            row.subject: (int(row.held), int(row.settled))
            for row in connection.execute(
                select(
                    spending.c.subject,
                    func.sum(spending.c.reserved_nanos).label("held"),
                    func.sum(spending.c.settled_nanos).label("settled"),
                ).group_by(spending.c.subject)
            )
        }
        told = _told_by_entries(connection)
        negative = connection.execute(
            select(spending.c.subject).where(
                (spending.c.reserved_nanos < 0) | (spending.c.settled_nanos < 0)
            )
        ).scalars()
        wrong = [f"negative: {subject}" for subject in negative]
    for subject in sums.keys() | told.keys():
        if sums.get(subject, (0, 0)) != told.get(subject, (0, 0)):
            wrong.append(f"{subject}: {sums.get(subject)} is not {told.get(subject)}")
    return wrong + _unlike_usage(database) + rollup_sums.unlike_usage(database)


_ENTRIES = text(
    "SELECT l.principal_id AS principal, "
    "SUM(CASE WHEN l.entry IN ('settle', 'correct') THEN l.nanos ELSE 0 END) AS nanos "
    "FROM ledger l GROUP BY l.principal_id"
)
_OPEN = text(
    "SELECT principal_id AS principal, SUM(reserved_nanos) AS nanos "
    "FROM reservations GROUP BY principal_id"
)
_UNLIKE = text(
    "SELECT l.attempt_id FROM ledger l LEFT JOIN usage u ON u.id = l.attempt_id "
    "WHERE l.entry IN ('settle', 'correct', 'release') "
    "GROUP BY l.attempt_id, u.id, u.cost_nanos "
    "HAVING u.id IS NOT NULL AND "
    "COALESCE(SUM(l.nanos), 0) <> COALESCE(u.cost_nanos, 0)"
)


def _told_by_entries(connection):
    """Return (reserved, settled) of each principal, as the ledger itself tells."""
    settled_nanos = {
        row.principal: int(row.nanos or 0) for row in connection.execute(_ENTRIES)
    }
    held = {row.principal: int(row.nanos) for row in connection.execute(_OPEN)}
    return {
        f"principal:{each}": (held.get(each, 0), settled_nanos.get(each, 0))
        for each in settled_nanos.keys() | held.keys()
    }


def _unlike_usage(database):
    with database.reading() as connection:
        found = connection.execute(_UNLIKE).scalars()
        return [f"usage of {each} costs something else" for each in found]
