"""The seam where errors of the driver, the pool and the disk become ours."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from flaskllm.core.errors import APIError, InternalError, ServiceUnavailable

_DAMAGED = "Its file is damaged. It was left as it is: restore a backup."

# Primary result codes of SQLite (https://sqlite.org/rescode.html), what they mean
# for the operator, and after how many seconds a retry is worth it.
_MEANINGS: Mapping[int, tuple[str, float | None]] = {
    sqlite3.SQLITE_BUSY: ("Another process keeps it locked.", 1.0),
    sqlite3.SQLITE_LOCKED: ("Another transaction keeps it locked.", 1.0),
    sqlite3.SQLITE_FULL: ("Its disk is full.", 60.0),
    sqlite3.SQLITE_READONLY: ("It can be read but not written.", None),
    sqlite3.SQLITE_IOERR: ("Its disk reported an error.", None),
    sqlite3.SQLITE_CANTOPEN: ("Its file cannot be opened.", None),
    sqlite3.SQLITE_CORRUPT: (_DAMAGED, None),
    sqlite3.SQLITE_NOTADB: (_DAMAGED, None),
}


@contextmanager
def driver_errors_told() -> Iterator[None]:
    """Let no error of SQLAlchemy or SQLite out.

    Raises:
        ServiceUnavailable: The database does not work; `details` says why.
        InternalError: The statement was wrong.
    """
    try:
        yield
    except DBAPIError as error:
        raise _told(error.orig) from error
    except PoolTimeoutError as error:
        raise unavailable("All its connections are in use.", 1.0) from error
    except (sqlite3.Error, SQLAlchemyError) as error:
        raise _told(error) from error


@contextmanager
def disk_errors_told() -> Iterator[None]:
    """Turn what the system says of the database's files into `ServiceUnavailable`."""
    try:
        yield
    except OSError as error:
        raise unavailable(f"Its file or folder: {error.strerror}.") from error


def primary_code(error: BaseException | None) -> int:
    """Return SQLite's primary result code, or 0 when the error has none."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def unavailable(
    details: str, retry_after_seconds: float | None = None
) -> ServiceUnavailable:
    """Return the error for a database that does not work, and the reason."""
    return ServiceUnavailable(
        "The database cannot be used at the moment.",
        details=details,
        retry_after_seconds=retry_after_seconds,
    )


def _told(error: BaseException | None) -> APIError:
    meaning = _MEANINGS.get(primary_code(error))
    return unavailable(*meaning) if meaning else InternalError()
