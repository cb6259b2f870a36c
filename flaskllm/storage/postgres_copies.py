"""Copies of a PostgreSQL database: dumps in the custom format, of one snapshot."""

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, bindparam, text

from flaskllm.core.secret_files import sync_folder
from flaskllm.storage import schema
from flaskllm.storage.copies import (
    Contents,
    PutBack,
    contents_of,
    has_rows,
    in_use,
    new_private_file,
    not_restored,
    sync_file,
)
from flaskllm.storage.driver_errors import disk_errors_told, driver_errors_told
from flaskllm.storage.postgres_programs import (
    Find,
    Programs,
    found,
    pass_on,
    run,
    running,
    told,
)
from flaskllm.storage.tables import metadata

_MAGIC = b"PGDMP"
_OWN = (*metadata.tables, "alembic_version")
_PLAIN = ("--no-owner", "--no-privileges", "--no-comments", "--no-security-labels")
_STRICT = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1")
_OTHERS = text(
    "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables "
    "WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'dbos') "
    "AND NOT (schemaname = current_schema() AND tablename IN :own)"
).bindparams(bindparam("own", expanding=True))
_SESSIONS = (
    "FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() AND application_name = {name}"
)
# Of our own, since the words around it are in the server's language.
_USED = "flaskllm: in use"
_BLOCK = re.compile(
    rb'^COPY [^ ]*\b(?P<table>alembic_version|marks)"? \([^)]*\) FROM stdin;\n'
    rb"(?P<rows>.*?)^\\\.$",
    re.MULTILINE | re.DOTALL,
)
_NEWER = (
    "The schema that is there now is newer than this program. Make an empty database "
    "and restore into that."
)


class _Used(Exception):
    """Somebody has connected since the first look."""


class PostgresCopies:
    """Copies of one database on a server, by its own programs."""

    suffix = ".dump"

    def __init__(
        self,
        url: URL,
        make_engine: Callable[[], Engine],
        schema_lock: int,
        find: Find = found,
    ) -> None:
        """Keep what connects; nothing is opened.

        Args:
            url: Of the database.
            make_engine: Returns an engine without a limit for statements.
            schema_lock: The number of the advisory lock of the schema.
            find: Where programs are looked for.
        """
        self._url = url
        self._make_engine = make_engine
        self._schema_lock = schema_lock
        self._find = find

    def write(self, draft: Path) -> Contents:
        """See `Copies.write`."""
        with disk_errors_told(), self._connected() as connection:
            # As the first statement: what is counted is what is dumped.
            snapshot = connection.execute(text("SELECT pg_export_snapshot()"))
            programs = self._programs(connection)
            others = connection.execute(_OTHERS, {"own": _OWN}).scalars().all()
            new_private_file(draft)
            command = [
                programs.path("pg_dump"),
                "--format=custom",
                f"--snapshot={snapshot.scalar_one()}",
                f"--file={draft}",
                *_PLAIN,
                *(f"--exclude-table={each}" for each in others),
                f"--dbname={programs.address()}",
            ]
            contents = contents_of(connection)
            run(command, programs.environ())
        found_again = self.examine(draft)
        if (found_again.revision, found_again.marks) != (
            contents.revision,
            contents.marks,
        ):
            raise not_restored("What was read back is not what was written.")
        sync_file(draft)
        return contents

    def examine(self, file: Path) -> Contents:
        """See `Copies.examine`; how many rows there are it does not tell."""
        with disk_errors_told():
            with file.open("rb") as opened:
                if opened.read(len(_MAGIC)) != _MAGIC:
                    raise not_restored("The file is no dump in PostgreSQL's format.")
            programs = self._of_server()
            restore, environ = programs.path("pg_restore"), programs.environ()
            # All of it is read, and thrown away.
            run([restore, f"--file={os.devnull}", str(file)], environ)
            wanted = ("--data-only", "--table=alembic_version", "--table=marks")
            data = run([restore, *wanted, "--file=-", str(file)], environ)
        return _read(data)

    def has_data(self) -> bool:
        """See `Copies.has_data`."""
        with self._connected() as connection:
            return has_rows(connection)

    def put_back(self, file: Path, how: PutBack, *, keeps: bool) -> Path | None:
        """See `Copies.put_back`; what was there is kept as a dump beside the file.

        It is one transaction of the server, under the lock of the schema.
        """
        with self._connected() as connection:
            sessions = text("SELECT 1 " + _SESSIONS.format(name=":name"))
            if connection.execute(sessions, {"name": self._application}).first():
                raise in_use()
            revision = schema.revision_of(connection)
            if revision is not None and not schema.is_known(revision):
                raise not_restored(_NEWER)
            programs = self._programs(connection)
        kept = None
        if keeps:
            kept = file.with_name(f"before-{how.at:%Y%m%dT%H%M%SZ}{self.suffix}")
            self.write(kept)
            sync_folder(kept.parent)
        with disk_errors_told():
            try:
                self._replay(file, programs)
            # After any other failure a commit may have come through: then it is kept.
            except _Used as error:
                if kept is not None:
                    kept.unlink()
                raise in_use() from error
        return kept

    def _replay(self, file: Path, programs: Programs) -> None:
        """Let the server run what the dump says, and commit only when all was said.

        Where somebody has connected meanwhile, `_Used` is raised and nothing changed.
        """
        read = [programs.path("pg_restore"), "--file=-", *_PLAIN[:2], str(file)]
        write = [programs.path("psql"), *_STRICT, f"--dbname={programs.address()}"]
        environ = programs.environ()
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL}
        with tempfile.TemporaryFile() as errors:
            with running(write, environ, **pipes, stderr=errors) as psql:
                assert psql.stdin is not None
                # Where it has ended before, its status tells.
                with suppress(BrokenPipeError):
                    psql.stdin.write(self._prelude())
                    pass_on(read, environ, psql.stdin)
                    psql.stdin.write(b"\nCOMMIT;\n")
                    psql.stdin.close()
                status = psql.wait()
            errors.seek(0)
            said = errors.read()
        if status and _USED.encode() in said:
            raise _Used
        if status:
            raise not_restored(told(said))

    def _prelude(self) -> bytes:
        tables = ", ".join(f'"{name}"' for name in _OWN)
        name = "'" + self._application.replace("'", "''") + "'"
        return (
            "BEGIN;\nSET LOCAL statement_timeout = 0;\n"
            "SET LOCAL lock_timeout = '10s';\n"
            f"SELECT pg_advisory_xact_lock({self._schema_lock});\n"
            "SET LOCAL client_min_messages = warning;\n"
            f"DROP TABLE IF EXISTS {tables} CASCADE;\n"
            "DROP SCHEMA IF EXISTS dbos CASCADE;\n"
            # Nobody writes from here on. Who has come since the first look may have.
            f"DO $look$ BEGIN IF EXISTS (SELECT {_SESSIONS.format(name=name)}) "
            f"THEN RAISE EXCEPTION '{_USED}'; END IF; END $look$;\n"
        ).encode()

    @property
    def _application(self) -> str:
        """Return how the sessions of the gateway are called."""
        given = self._url.normalized_query.get("application_name")
        return given[-1] if given else "flaskllm"

    def _of_server(self) -> Programs:
        with self._connected() as connection:
            return self._programs(connection)

    def _programs(self, connection: Connection) -> Programs:
        number = connection.execute(text("SHOW server_version_num")).scalar_one()
        return Programs(self._url, int(number) // 10_000, self._find)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        engine = self._make_engine()
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        try:
            with (
                driver_errors_told(),
                engine.connect().execution_options(**options) as connection,
                connection.begin(),
            ):
                yield connection
        finally:
            engine.dispose()


def _read(data: bytes) -> Contents:
    """Return what the rows of two tables tell, as `COPY` writes them."""
    blocks = {
        match["table"].decode(): match["rows"].decode().splitlines()
        for match in _BLOCK.finditer(data)
    }
    revisions = blocks.get("alembic_version", [])
    pairs = (line.split("\t") for line in blocks.get("marks", []))
    # A value of bytes is `\x` and hexadecimal digits, its backslash escaped.
    marks = {name: bytes.fromhex(value[3:]) for name, value in pairs}
    return Contents(revisions[0] if revisions else None, marks, {})
