"""Our own types of columns: instants, and content that lies sealed."""

from datetime import UTC, datetime
from typing import Protocol

from sqlalchemy import DateTime, Dialect, LargeBinary, TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware going in, aware and in UTC coming out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Turn an aware time to UTC; a naive one is our own fault.

        Raises:
            ValueError: The time has no offset.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without an offset cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Give back the offset that SQLite does not keep."""
        if value is None or value.tzinfo is None:
            return None if value is None else value.replace(tzinfo=UTC)
        return value.astimezone(UTC)


class Sealer(Protocol):
    """Makes bytes unreadable for whoever has the database alone, and readable again.

    `column` is the full name of the column, such as `responses.body`: what was
    sealed for one does not open in another.
    """

    def seal(self, plain: bytes, column: str) -> bytes:
        """Return the bytes, sealed.

        Raises:
            ServiceUnavailable: The master secret cannot be read.
        """
        ...

    def open(self, sealed: bytes, column: str) -> bytes:
        """Return what was sealed.

        Raises:
            ServiceUnavailable: It was sealed under a secret that is not known here,
                for another column, or it was changed.
        """
        ...


class Sealed(TypeDecorator[bytes]):
    """Bytes that lie sealed in the table; the engine's dialect has the `sealer`."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, column: str) -> None:
        """Keep the full name of the column, such as `responses.body`."""
        super().__init__()
        self.column = column

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Seal what goes in."""
        return None if value is None else sealer_of(dialect).seal(value, self.column)

    def process_result_value(
        self, value: bytes | None, dialect: Dialect
    ) -> bytes | None:
        """Open what comes out."""
        return None if value is None else sealer_of(dialect).open(value, self.column)


def sealer_of(dialect: Dialect) -> Sealer:
    """Return the sealer that `Database` gave to the dialect of its engine."""
    sealer: Sealer = dialect.sealer  # type: ignore[attr-defined]  # set by Database
    return sealer
