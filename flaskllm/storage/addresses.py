"""The URL of a database, read: which store it names, and where."""

from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from flaskllm.core.clock import Clock
from flaskllm.core.errors import InvalidInputError
from flaskllm.storage import postgres, sqlite
from flaskllm.storage.journal import Journal
from flaskllm.storage.store import Store

_FORMS = f"{sqlite.FORMS}, postgresql://user:password@host/name"


def store_at(url: str, journal: Journal, clock: Clock, data_dir: Path | None) -> Store:
    """Return the store that the URL names; nothing is opened.

    Raises:
        InvalidInputError: It is no URL, or one of another database. The error
            never quotes it: it may hold a password.
    """
    parsed = _parse(url)
    if parsed.drivername in postgres.NAMES:
        return postgres.PostgresStore(parsed, clock)
    path = sqlite.database_path(parsed)
    return sqlite.SqliteStore(path, journal, clock, data_dir)


def file_at(url: str) -> Path | None:
    """Return the absolute path of the database's file, None where it has none.

    Raises:
        InvalidInputError: As for `store_at`.
    """
    parsed = _parse(url)
    if parsed.drivername in postgres.NAMES:
        return None
    return sqlite.database_path(parsed)


def password_in(url: str) -> str:
    """Return the password that the URL holds, decoded; '' where there is none."""
    try:
        password = make_url(url).password
    except (ArgumentError, ValueError):
        return ""
    return str(password or "")


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Without the cause: it may quote a URL that holds a password.
        raise InvalidInputError.of("database_url", "not a URL", _FORMS) from None
    if parsed.drivername not in (*sqlite.NAMES, *postgres.NAMES):
        problem = f"{parsed.drivername!r} is not supported"
        raise InvalidInputError.of("database_url", problem, _FORMS)
    return parsed
