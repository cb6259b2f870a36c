"""API-token records: all that is kept of an API token."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, or_, select

from flaskllm.core.auth import Actor
from flaskllm.core.paging import Place
from flaskllm.storage import audit, budget_rows
from flaskllm.storage.api_token_rows import (
    TOUCH_INTERVAL,
    ApiTokenRecord,
    State,
    from_row,
    to_row,
    touch_is_due,
)
from flaskllm.storage.budgets import BudgetRow, rows_of
from flaskllm.storage.changes import count_change
from flaskllm.storage.database import Database
from flaskllm.storage.tables import api_tokens, budgets

__all__ = [
    "ApiTokenRecord",
    "ApiTokens",
    "BudgetsOf",
    "Edit",
    "Noted",
    "State",
    "TokenEdit",
    "touch_is_due",
]


@dataclass(frozen=True, slots=True)
class Noted:
    """A change as its audit row tells it, see `storage.audit.record`."""

    action: str
    actor: Actor
    at: datetime
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Edit:
    """What becomes of a record."""

    record: ApiTokenRecord
    noted: Noted


BudgetsOf = Callable[[Collection[str]], tuple[BudgetRow, ...]]
"""Returns the budgets of these subjects, as they stand in the same transaction."""

TokenEdit = Callable[[ApiTokenRecord, BudgetsOf], Edit | None]
"""Pure. It returns None to leave the record as it is, and may raise."""


class ApiTokens:
    """The table of API tokens. Rows are never deleted: a principal's id stays.

    A change, its audit row and the counter of changes are one transaction; those of
    several processes take turns, so what is read inside stays true.
    """

    def __init__(self, database: Database) -> None:
        """Keep the database; nothing is opened."""
        self._database = database

    def add(
        self,
        record: ApiTokenRecord,
        noted: Noted,
        own_budgets: Sequence[BudgetRow] = (),
        check: Callable[[BudgetsOf], None] = lambda budgets_of: None,
    ) -> None:
        """Store a new record and its budgets, all or nothing.

        Args:
            record: Its id is new.
            noted: For the audit.
            own_budgets: The first budgets of this principal.
            check: Raises when it must not be stored after all.

        Raises:
            ServiceUnavailable: Nothing was stored; a retry may help.
            Conflict: Two of the budgets are of one period and kind.
            InternalError: The id is taken.
        """
        with self._changing() as connection:
            check(_budgets_in(connection))
            connection.execute(api_tokens.insert().values(to_row(record)))
            for each in own_budgets:
                budget_rows.insert(connection, each, noted.actor)
            _audit(connection, record.id, noted)

    def change(self, token_id: str, edit: TokenEdit) -> ApiTokenRecord | None:
        """Replace a record by what `edit` makes of it; return what stands then.

        Args:
            token_id: Whose it is; None is returned when there is no such record.
            edit: What becomes of it; what this raises is raised.

        Raises:
            ServiceUnavailable: Nothing was changed; a retry may help.
        """
        with self._changing() as connection:
            found = _one(connection, token_id)
            if found is None:
                return None
            edited = edit(found, _budgets_in(connection))
            if edited is None:
                return found
            _update(connection, found, edited.record)
            _audit(connection, token_id, edited.noted)
            return edited.record

    def find(self, token_id: str) -> ApiTokenRecord | None:
        """Return the record with this id, revoked and expired ones too."""
        with self._database.reading() as connection:
            return _one(connection, token_id)

    def list(self) -> tuple[ApiTokenRecord, ...]:
        """Return all records, the oldest first."""
        with self._database.reading() as connection:
            return _records(connection, _oldest_first())

    def page(self, most: int, after: Place | None = None) -> tuple[ApiTokenRecord, ...]:
        """Return at most so many records behind this place, the oldest first."""
        query = _oldest_first().limit(most)
        if after is not None:
            made_at = api_tokens.c.created_at
            same = and_(made_at == after.at, api_tokens.c.id > after.row_id)
            query = query.where(or_(made_at > after.at, same))
        with self._database.reading() as connection:
            return _records(connection, query)

    def has_any(self) -> bool:
        """Tell whether a record was ever stored."""
        query = select(api_tokens.c.id).limit(1)
        with self._database.reading() as connection:
            return connection.execute(query).first() is not None

    def touch(self, token_id: str, at: datetime) -> None:
        """Note the use, at most once a minute for each API token."""
        last = api_tokens.c.last_used_at
        change = (
            api_tokens.update()
            .where(
                api_tokens.c.id == token_id,
                or_(last.is_(None), last <= at - TOUCH_INTERVAL),
            )
            .values(last_used_at=at)
        )
        with self._database.transaction() as connection:
            connection.execute(change)

    def replace_digest(self, token_id: str, old: bytes, new: bytes) -> None:
        """Put another digest of the same secret in the place of `old`."""
        with self._database.transaction() as connection:
            for column in (api_tokens.c.digest, api_tokens.c.previous_digest):
                change = api_tokens.update().where(
                    api_tokens.c.id == token_id, column == old
                )
                connection.execute(change.values({column: new}))

    @contextmanager
    def _changing(self) -> Iterator[Connection]:
        # What was revoked must stay so, also when the power fails right after.
        with self._database.transaction(durable=True) as connection:
            # First: its row is locked until the commit, so changes take turns.
            count_change(connection)
            yield connection


def _budgets_in(connection: Connection) -> BudgetsOf:
    def budgets_of(subjects: Collection[str]) -> tuple[BudgetRow, ...]:
        wanted = budgets.c.subject.in_(tuple(subjects))
        return rows_of(connection, select(budgets).where(wanted).order_by(budgets.c.id))

    return budgets_of


def _audit(connection: Connection, token_id: str, noted: Noted) -> None:
    audit.record(
        connection, noted.actor, noted.action, token_id, noted.at, noted.details
    )


def _update(
    connection: Connection, before: ApiTokenRecord, after: ApiTokenRecord
) -> None:
    # What others write without a turn, such as the last use, must not be undone.
    old = to_row(before)
    new = {name: each for name, each in to_row(after).items() if each != old[name]}
    if new:
        named = api_tokens.c.id == before.id
        connection.execute(api_tokens.update().where(named).values(new))


def _oldest_first() -> Select[*tuple[Any, ...]]:
    return select(api_tokens).order_by(api_tokens.c.created_at, api_tokens.c.id)


def _one(connection: Connection, token_id: str) -> ApiTokenRecord | None:
    query = select(api_tokens).where(api_tokens.c.id == token_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else from_row(row)


def _records(
    connection: Connection, query: Select[*tuple[Any, ...]]
) -> tuple[ApiTokenRecord, ...]:
    return tuple(from_row(row) for row in connection.execute(query).mappings())
