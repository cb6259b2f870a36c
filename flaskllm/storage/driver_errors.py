"""The seam where errors of the drivers, the pool and the disk become ours."""

import errno
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from flaskllm.core.errors import (
    APIError,
    InsufficientStorage,
    InternalError,
    ServiceUnavailable,
)

DAMAGED = "Its file is damaged. It was left as it is: restore a backup."
LOCK_NOT_AVAILABLE = "55P03"

# What it means for the operator, and after how many seconds a retry is worth it.
_Meaning = tuple[str, float | None]

_LOCKED: _Meaning = ("Another transaction keeps it locked.", 1.0)
FULL: _Meaning = ("Its disk is full.", 60.0)
READ_ONLY: _Meaning = ("It can be read but not written.", None)
DISK: _Meaning = ("Its disk reported an error.", None)
_LOST: _Meaning = ("The connection to its server was lost.", 1.0)
_STARTING: _Meaning = ("Its server is starting or stopping.", 5.0)
_CROWDED: _Meaning = ("Its server takes no more connections.", 5.0)
_REFUSED: _Meaning = ("Its server does not accept the user or the password.", None)
_FORBIDDEN: _Meaning = ("Its user may not do what is needed.", None)
_UNKNOWN: _Meaning = ("Its server has no database of that name.", None)
SILENT: _Meaning = ("Its server cannot be reached.", 5.0)

# Primary result codes of SQLite (https://sqlite.org/rescode.html).
_SQLITE: Mapping[int, _Meaning] = {
    sqlite3.SQLITE_BUSY: ("Another process keeps it locked.", 1.0),
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_IOERR: DISK,
    sqlite3.SQLITE_CANTOPEN: ("Its file cannot be opened.", None),
    sqlite3.SQLITE_CORRUPT: (DAMAGED, None),
    sqlite3.SQLITE_NOTADB: (DAMAGED, None),
}

# SQLSTATE of PostgreSQL, whole or its class of two characters; the longer one
# wins (https://www.postgresql.org/docs/current/errcodes-appendix.html).
_POSTGRES: Mapping[str, _Meaning] = {
    "08": _LOST,
    "25006": READ_ONLY,
    "25P03": ("A transaction was left open for too long.", 1.0),
    "28": _REFUSED,
    "3D000": _UNKNOWN,
    "40": ("Other transactions were in the way.", 1.0),
    "42501": _FORBIDDEN,
    "53": ("Its server is short of memory.", 5.0),
    "53100": FULL,
    "53300": _CROWDED,
    LOCK_NOT_AVAILABLE: _LOCKED,
    "57014": ("A statement took too long.", 1.0),
    "57P": _STARTING,
    "57P01": _LOST,
    "57P05": _LOST,
    "58": DISK,
    "XX001": ("A table of it is damaged: restore a backup.", None),
    "XX002": ("An index of it is damaged: rebuild it, or restore a backup.", None),
}

# For a connection that is refused the driver has no SQLSTATE, only what was said;
# the first that is found counts.
_SAID: tuple[tuple[str, _Meaning], ...] = (
    ("too many c", _CROWDED),
    ("remaining connection slots", _CROWDED),
    ("the database system is", _STARTING),
    ("terminating connection", _LOST),
    ("permission denied", _FORBIDDEN),
    ("authentication failed", _REFUSED),
    ("no password supplied", _REFUSED),
    ("no pg_hba.conf entry", _REFUSED),
    ('FATAL:  role "', _REFUSED),
    ('FATAL:  database "', _UNKNOWN),
    ("SSL", ("Its server and we cannot agree on an encrypted connection.", None)),
)
_NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT))
_BROKEN = ("OperationalError", "InterfaceError", "ConnectionTimeout")
# How the driver begins what it says of a connection that could not be made.
_UNCONNECTED = (
    "connection failed",
    "connection is bad",
    "connection timeout",
    "failed to resolve",
)


class _ServerError(Exception):
    """What a server refused: a name, a code and a statement, without its values."""


@contextmanager
def driver_errors_told() -> Iterator[None]:
    """Let no error of SQLAlchemy or of a driver out.

    Raises:
        ServiceUnavailable: The database does not work; `details` says why.
        InternalError: The statement was wrong.
    """
    try:
        yield
    except DBAPIError as error:
        raise _told(error.orig) from _without_values(error)
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
        if error.errno in _NO_ROOM:
            raise unavailable(*FULL) from error
        raise unavailable(f"Its file or folder: {error.strerror}.") from error


def primary_code(error: BaseException | None) -> int:
    """Return SQLite's primary result code, or 0 when the error has none."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def sqlstate_of(error: BaseException | None) -> str:
    """Return what PostgreSQL calls the error, or '' when it says nothing."""
    return getattr(error, "sqlstate", None) or ""


def is_away(failure: ServiceUnavailable) -> bool:
    """Tell whether it says that nobody listens at the server, or nobody answers."""
    return failure.details == SILENT[0]


def is_lost(failure: ServiceUnavailable) -> bool:
    """Tell whether it says that the connection broke."""
    return failure.details == _LOST[0]


def unavailable(
    details: str, retry_after_seconds: float | None = None
) -> ServiceUnavailable:
    """Return the error for a database that does not work, and the reason."""
    kind = InsufficientStorage if details == FULL[0] else ServiceUnavailable
    return kind(
        "The database cannot be used at the moment.",
        details=details,
        retry_after_seconds=retry_after_seconds,
    )


def _without_values(error: DBAPIError) -> BaseException:
    """Return what may be logged: a server quotes the rows that it refuses."""
    state = sqlstate_of(error.orig)
    if not state:
        return error
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    said = f"{type(error.orig).__name__}, SQLSTATE {state}"
    named = f"{said}, {constraint}" if constraint else said
    return _ServerError(f"{named}: {error.statement}").with_traceback(
        error.__traceback__
    )


def _told(error: BaseException | None) -> APIError:
    if hasattr(error, "sqlstate"):
        meaning = _of_postgres(error)
    else:
        meaning = _SQLITE.get(primary_code(error))
    return unavailable(*meaning) if meaning else InternalError()


def _of_postgres(error: BaseException | None) -> _Meaning | None:
    """Return what it means that this was raised; None where it is our own fault."""
    state = sqlstate_of(error)
    for length in (5, 3, 2):
        if state[:length] in _POSTGRES:
            return _POSTGRES[state[:length]]
    # Its classes are the same in every driver; this one may not be installed.
    if state or type(error).__name__ not in _BROKEN:
        return None
    said = str(error)
    if not said.startswith(_UNCONNECTED):
        return _LOST
    return next((meaning for words, meaning in _SAID if words in said), SILENT)
