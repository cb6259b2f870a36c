"""Backups: the whole database in one file, and back again."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flaskllm.core.clock import Clock
from flaskllm.core.errors import Conflict, InvalidInputError, ServiceUnavailable
from flaskllm.core.ids import random_base62
from flaskllm.core.secret_files import sync_folder
from flaskllm.storage import schema
from flaskllm.storage.copies import Contents, PutBack, contents_of, not_restored
from flaskllm.storage.database import Database
from flaskllm.storage.driver_errors import disk_errors_told
from flaskllm.storage.marks import Ownership
from flaskllm.storage.workers import Workers


@dataclass(frozen=True, slots=True)
class Written:
    """A backup that was made and read back.

    Attributes:
        path: Where it lies, absolute.
        size_bytes: Of the file.
        revision: That of its schema; None for a database without one.
        rows: How many rows each table has.
    """

    path: Path
    size_bytes: int
    revision: str | None
    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Restored:
    """A backup that is in its place.

    Attributes:
        before: The revision that it had; it is current now.
        kept: Where lies what was there before; None where nothing was.
        rows: How many rows each table has.
    """

    before: str
    kept: Path | None
    rows: Mapping[str, int]


class Backups:
    """The use cases of backups. The master secret is in none of them."""

    def __init__(
        self, database: Database, ownership: Ownership, workers: Workers, clock: Clock
    ) -> None:
        """Keep the collaborators; nothing is opened.

        Args:
            database: What is copied, and replaced.
            ownership: Tells whether a backup was made under our master secret.
            workers: Who may be at work on it.
            clock: Stands in the names of files.
        """
        self._database = database
        self._ownership = ownership
        self._workers = workers
        self._clock = clock

    def write(self, target: Path) -> Written:
        """Write a backup of one moment while the gateway serves.

        Until it is whole, on the disk and read back it has another name.

        Args:
            target: A new file, or a folder, in which the file is named after now.

        Raises:
            Conflict: There is a file already.
            InvalidInputError: The folder is not there.
            ServiceUnavailable: It could not be made; nothing is left of it.
        """
        copies = self._database.copies()
        path = self._free_path(target, copies.suffix)
        # Its schema is current then, and known to be ours.
        with self._database.reading():
            pass
        draft = path.with_name(f".{path.name}.{random_base62(8)}")
        try:
            contents = copies.write(draft)
            self._check(contents)
            with disk_errors_told():
                _name_once(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        size = path.stat().st_size
        return Written(path, size, contents.revision, contents.rows)

    def restore(self, file: Path, *, replaces: bool = False) -> Restored:
        """Put a backup in the place of the database, whole or not at all.

        An older schema is brought up to date. What was there is kept aside.

        Args:
            file: What `write` has made.
            replaces: Whether a database that has data may be replaced.

        Raises:
            InvalidInputError: There is no such file.
            Conflict: There is data already, or a worker is at work on it.
            ServiceUnavailable: The backup is damaged, newer than this program, of
                another master secret, or the database is in use.
        """
        if not file.is_file():
            raise InvalidInputError.of("file", "not there", "a backup")
        file = file.absolute()
        copies = self._database.copies()
        contents = copies.examine(file)
        revision = self._check(contents)
        has_data = copies.has_data()
        if has_data and not replaces:
            raise Conflict(
                "The database has data already.",
                details="Nothing was changed. With --force the backup takes its place, "
                "and what is there is kept aside.",
            )
        self._refuse_under_workers()
        self._database.close()
        prepare = self._database.bring_file_up_to_date
        how = PutBack(self._now(), prepare)
        kept = copies.put_back(file, how, keeps=has_data)
        self._database.upgrade()
        with self._database.reading() as connection:
            return Restored(revision, kept, contents_of(connection).rows)

    def _check(self, contents: Contents) -> str:
        """Return the revision of what is ours and not too new."""
        revision = contents.revision
        if revision is None:
            raise not_restored("There is no database of flaskllm in the file.")
        if not schema.is_known(revision):
            raise not_restored(
                f"It has the revision {revision!r}, and this program knows none newer "
                f"than {schema.HEAD!r}: restore it with the version that made it, or a "
                "later one."
            )
        self._ownership.check_marks(contents.marks)
        return revision

    def _refuse_under_workers(self) -> None:
        is_at_work = False
        # Of one that is damaged, missing or of another secret nobody works on.
        with suppress(ServiceUnavailable):
            is_at_work = self._database.is_current() and self._workers.any_fresh()
        if is_at_work:
            raise Conflict(
                "A worker uses the database.",
                details="Nothing was changed. Stop the gateway and its workers, and "
                "wait 15 seconds where one was killed.",
            )

    def _free_path(self, target: Path, suffix: str) -> Path:
        path = target.absolute()
        if path.is_dir():
            path /= f"flaskllm-{self._now():%Y%m%dT%H%M%SZ}{suffix}"
        if not path.parent.is_dir():
            raise InvalidInputError.of("path", "its folder is not there", "a folder")
        if path.exists() or path.is_symlink():
            raise Conflict("The file is there already; it was left as it is.")
        return path

    def _now(self) -> datetime:
        return self._clock.now()


def _name_once(draft: Path, path: Path) -> None:
    """Give a file that is whole its name, unless somebody else has it by now."""
    try:
        _move_once(draft, path)
    except FileExistsError as error:
        raise Conflict("The file is there already; it was left as it is.") from error
    sync_folder(path.parent)


def _move_once(draft: Path, path: Path) -> None:
    """Let the file be found under a name that nobody has.

    Raises:
        FileExistsError: Somebody has it; both files are as they were.
        OSError: The disk does not do it; nothing bears the name.
    """
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:  # a disk without links: the name first, and nothing behind it
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            os.replace(draft, path)
        except OSError:
            path.unlink(missing_ok=True)
            raise
