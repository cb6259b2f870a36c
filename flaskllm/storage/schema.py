"""The schema's revision: read it, and bring it up to date, one process at a time."""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from flaskllm.core.clock import Clock, Deadline
from flaskllm.core.errors import ServiceUnavailable

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0013"
"""The newest revision. Kept here so that a start needs no import of Alembic."""

LOCK_TIMEOUT_SECONDS = 60.0
_LOCK_POLL_SECONDS = 0.05
# Alembic has one context for the process, also where threads upgrade two databases.
_IN_ALEMBIC = threading.Lock()


def revision_of(connection: Connection) -> str | None:
    """Return the revision of the schema, or None when there is no schema yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(
        text("SELECT version_num FROM alembic_version")
    ).scalar_one_or_none()
    return revision


def fault_of(revision: str | None) -> str:
    """Return what keeps a schema of this revision from being used, or ''."""
    if revision == HEAD:
        return ""
    if revision is None:
        return "It has no schema yet: `flaskllm db upgrade` makes it."
    if not is_known(revision):
        return (
            f"Its schema has the revision {revision!r}, and this program knows none "
            f"newer than {HEAD!r}. Run the newer version of the program that made it, "
            "or restore a backup."
        )
    return (
        f"Its schema has the revision {revision!r} and should have {HEAD!r}: "
        "`flaskllm db upgrade` brings it up to date."
    )


def migrate(connection: Connection) -> None:
    """Apply the missing revisions in the caller's open transaction.

    Raises:
        ServiceUnavailable: The schema is newer than this program.
    """
    # Alembic costs 0.15 s, and nearly every start finds the schema current.
    from alembic import command

    revision = revision_of(connection)
    if revision is not None and not is_known(revision):
        raise ServiceUnavailable(
            "The database cannot be used.", details=fault_of(revision)
        )
    config = _config()
    config.attributes["connection"] = connection
    with _IN_ALEMBIC:
        command.upgrade(config, "head")


def is_known(revision: str) -> bool:
    """Tell whether this program knows a revision: else a newer one has made it."""
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    try:
        ScriptDirectory.from_config(_config()).get_revisions(revision)
    except CommandError:
        return False
    return True


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "flaskllm.storage:migrations")
    return config


@contextmanager
def alone(lock_path: Path, clock: Clock) -> Iterator[None]:
    """Hold the file lock: no other process or thread is inside at the same time.

    The file stays; the system frees the lock when its holder ends, however it ends.

    Raises:
        ServiceUnavailable: Another holder did not finish within 60 s; a retry helps.
        OSError: The lock file cannot be opened.
    """
    descriptor = os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _wait_for_lock(descriptor, clock)
        yield
    finally:
        os.close(descriptor)


def schema_is_locked() -> ServiceUnavailable:
    """Return the error for who waited in vain for the lock of the schema."""
    return ServiceUnavailable(
        "The database cannot be used at the moment.",
        details="Another process is bringing its schema up to date.",
        retry_after_seconds=LOCK_TIMEOUT_SECONDS,
    )


def _wait_for_lock(descriptor: int, clock: Clock) -> None:
    deadline = Deadline.after(LOCK_TIMEOUT_SECONDS, clock)
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if deadline.passed():
                raise schema_is_locked() from error
            clock.sleep(_LOCK_POLL_SECONDS)
        else:
            return
