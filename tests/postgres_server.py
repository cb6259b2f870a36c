"""A PostgreSQL server of the tests' own: made in a temporary folder, gone with them.

Whoever runs the tests needs Debian's package `postgresql`, and nothing set up in it.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
from processes import free_port
from requirements import require

_USER = "flaskllm"
PASSWORD = "a password with: @/?#% in it"
_QUOTED = "a%20password%20with%3A%20%40%2F%3F%23%25%20in%20it"
_START_SECONDS = 30.0

# The server ends, and its folder goes, when its standard input does: that is when
# the tests have ended, however they ended.
_WATCHED = """
"$1/postgres" -D "$2/data" >>"$2/log" 2>&1 &
server=$!
if read -r how; then kill -"$how" $server; wait $server; exit 0; fi
kill -QUIT $server 2>/dev/null
wait $server
rm -rf "$2"
"""

# Nothing here must outlive a loss of power.
_ADDRESS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{folder}'
"""
_SETTINGS = f"""{_ADDRESS}
max_connections = 200
fsync = off
full_page_writes = off
synchronous_commit = off
autovacuum = off
shared_buffers = 32MB
max_wal_size = 128MB
lc_messages = 'C'
"""


class PostgresServer:
    """A running server; `url` gives the address of one of its databases."""

    def __init__(self, programs: Path):
        """Make the server's folder and start it."""
        self._programs = programs
        self._as = _other_user()
        self.folder = Path(tempfile.mkdtemp(prefix="flaskllm-postgres-"))
        self.port = free_port()
        if self._as:
            shutil.chown(self.folder, self._as["user"], self._as["group"])
        self._init()
        self.start()

    def url(self, database: str, user: str = _USER, quoted: str = _QUOTED) -> str:
        """Return the address of a database, for `FLASKLLM_DATABASE_URL`."""
        return f"postgresql://{user}:{quoted}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """Return a connection of the superuser, without transactions."""
        return psycopg.connect(
            host=str(self.folder),
            port=self.port,
            user=_USER,
            dbname=database,
            autocommit=True,
        )

    def run(self, *statements: str, database: str = "postgres") -> None:
        """Execute the statements one after the other, as the superuser."""
        with self.connect(database) as connection:
            for statement in statements:
                connection.execute(statement)

    def start(self) -> None:
        """Start the server and return when it takes connections."""
        self._process = subprocess.Popen(
            ["sh", "-c", _WATCHED, "sh", str(self._programs), str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            **self._as,
        )
        give_up_at = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.connect().close()
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > give_up_at:
                    raise AssertionError(self.log) from None
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(0.02)
            else:
                return

    def stop(self, how: str = "QUIT") -> None:
        """End the server and keep its folder, for `start`.

        `QUIT` kills it with all its sessions, `INT` ends them in order.
        """
        self._process.communicate(f"{how}\n".encode(), timeout=_START_SECONDS)

    @contextlib.contextmanager
    def suspended(self) -> Iterator[None]:
        """Stop all its processes meanwhile: nothing is closed, nobody answers."""
        pids = self._pids()  # the main process first, or it would start others
        _signal(pids, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal(pids, signal.SIGCONT)

    def _pids(self) -> list[int]:
        """Return its processes, the main one first; each has a session of its own."""
        main = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{main}/task/{main}/children").read_text()
        return [main, *map(int, children.split())]

    def close(self) -> None:
        """End the server for good."""
        self._process.communicate(timeout=_START_SECONDS)

    @property
    def log(self) -> str:
        """What the server wrote."""
        path = self.folder / "log"
        return path.read_text() if path.exists() else "the server wrote no log"

    def _init(self) -> None:
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        if self._as:
            shutil.chown(secret, self._as["user"])
        subprocess.run(
            [
                self._programs / "initdb",
                f"--pgdata={self.folder}/data",
                f"--username={_USER}",
                f"--pwfile={secret}",
                "--auth-local=trust",
                "--auth-host=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ],
            check=True,
            capture_output=True,
            cwd="/",
            **self._as,
        )
        self._set(_SETTINGS)

    def _set(self, settings: str) -> None:
        """Add settings, of which the last counts."""
        with (self.folder / "data" / "postgresql.conf").open("a") as file:
            file.write(settings.format(port=self.port, folder=self.folder))


class Standby(PostgresServer):
    """A copy of a server that follows it; `promote` makes it one of its own."""

    def __init__(self, primary: PostgresServer):
        """Copy the primary, start, and have it commit nothing without the copy."""
        self._primary = primary
        super().__init__(primary._programs)
        primary.run(
            "ALTER SYSTEM SET synchronous_standby_names = '*'",
            "ALTER SYSTEM SET synchronous_commit = on",
            "SELECT pg_reload_conf()",
        )

    def promote(self) -> None:
        """Return when it takes writes."""
        self.run("SELECT pg_promote()")

    def _init(self) -> None:
        subprocess.run(
            [
                self._programs / "pg_basebackup",
                f"--pgdata={self.folder}/data",
                f"--host={self._primary.folder}",
                f"--port={self._primary.port}",
                f"--username={_USER}",
                "--write-recovery-conf",
                "--checkpoint=fast",
                "--no-sync",
            ],
            check=True,
            capture_output=True,
            cwd="/",
            **self._as,
        )
        self._set(_ADDRESS)


@contextlib.contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Give a fresh server; skip or fail where this machine has none."""
    programs = _programs()
    if programs is None:
        require("postgres", "install Debian's package postgresql")
    server = PostgresServer(programs)
    try:
        yield server
    finally:
        server.close()


@contextlib.contextmanager
def running_standby(primary: PostgresServer) -> Iterator[Standby]:
    """Give a server that follows this one."""
    standby = Standby(primary)
    try:
        yield standby
    finally:
        standby.close()


def _signal(pids: Sequence[int], how: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):  # it ends by itself just now
            os.kill(pid, how)


def _programs() -> Path | None:
    """Return the folder of the newest server that is installed."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    newest = max(found, key=lambda path: int(path.parent.name), default=None)
    elsewhere = shutil.which("initdb")
    if newest is None and elsewhere:
        return Path(elsewhere).resolve().parent
    return newest


def _other_user() -> dict[str, object]:
    """Return how to start a program as the user `postgres`: root may run no server."""
    if os.geteuid() != 0:
        return {}
    try:
        entry = pwd.getpwnam("postgres")
    except KeyError:
        require("postgres", "root needs the user that the package postgresql makes")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
