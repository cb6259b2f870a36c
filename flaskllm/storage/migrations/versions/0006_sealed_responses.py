"""Kept responses lie sealed: what was plain is written anew."""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from flaskllm.core.errors import ServiceUnavailable
from flaskllm.storage.columns import Sealer

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_SEALED = frozenset({"body", "input_items"})
_INDEX = "ix_responses_expires_at"
# Each may hold megabytes.
_ROWS_AT_ONCE = 20
_ZEROS_BYTES = 16 * 1024 * 1024


def upgrade() -> None:
    """Carry all rows into a table of sealed columns, and drop the plain one.

    Raises:
        ServiceUnavailable: They cannot be sealed; nothing is changed then.
    """
    op.drop_index(_INDEX, "responses")
    op.rename_table("responses", "responses_plain")
    responses = op.create_table("responses", *_columns())
    connection = op.get_bind()
    for rows in _batches(connection):
        sealed = [_sealed(connection.dialect, row) for row in rows]
        connection.execute(responses.insert(), sealed)
    op.drop_table("responses_plain")
    if connection.dialect.name == "sqlite":
        _overwrite_free_pages(connection)
    op.create_index(_INDEX, "responses", ["expires_at"])


def _overwrite_free_pages(connection: sa.Connection) -> None:
    """Leave no text in what SQLite keeps of dropped tables and removed rows.

    A table of zeros that needs every free page takes all of them, in the same
    transaction; `VACUUM` could not, and would write the texts to another file.
    """

    def pragma(name: str) -> int:
        return int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())

    left_bytes = pragma("freelist_count") * pragma("page_size")
    connection.exec_driver_sql("CREATE TABLE zeros (zeros BLOB)")
    while left_bytes > 0:
        size = min(left_bytes, _ZEROS_BYTES)
        connection.exec_driver_sql("INSERT INTO zeros VALUES (zeroblob(?))", (size,))
        left_bytes -= size
    connection.exec_driver_sql("DROP TABLE zeros")


def _columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("principal_id", sa.String(32), nullable=False),
        sa.Column("previous_id", sa.String(40)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("input_items", sa.LargeBinary, nullable=False),
    )


def _batches(connection: sa.Connection) -> Iterator[Sequence[sa.RowMapping]]:
    """Yield all plain rows, their texts as bytes of UTF-8."""
    plain = sa.Table("responses_plain", sa.MetaData(), *_columns())
    is_postgres = connection.dialect.name == "postgresql"
    columns = [
        _bytes_of(column, is_postgres) if column.name in _SEALED else column
        for column in plain.c
    ]
    query, last = sa.select(*columns).order_by(plain.c.id), ""
    while rows := _read(connection, query.where(plain.c.id > last)):
        yield rows
        last = rows[-1]["id"]


def _read(connection: sa.Connection, query: sa.Select[Any]) -> Sequence[sa.RowMapping]:
    return connection.execute(query.limit(_ROWS_AT_ONCE)).mappings().all()


def _bytes_of(column: sa.Column[Any], is_postgres: bool) -> sa.ColumnElement[bytes]:
    # As bytes, or a text that is no UTF-8 could not even be read.
    found: sa.ColumnElement[bytes] = (
        sa.func.convert_to(sa.cast(column, sa.Text), "UTF8", type_=sa.LargeBinary)
        if is_postgres
        else sa.cast(column, sa.LargeBinary)
    )
    return found.label(column.name)


def _sealed(dialect: sa.Dialect, row: sa.RowMapping) -> dict[str, Any]:
    sealer: Sealer | None = getattr(dialect, "sealer", None)
    if sealer is None:
        raise _refused("There is no master secret to seal them under.")
    try:
        sealed = {name: sealer.seal(row[name], f"responses.{name}") for name in _SEALED}
    except ServiceUnavailable as error:
        raise _refused(f"{error.message} {error.details}") from error
    return {**row, **sealed}


def _refused(why: str) -> ServiceUnavailable:
    return ServiceUnavailable(
        "The database cannot be upgraded: its kept responses are to be sealed.",
        details=why,
    )
