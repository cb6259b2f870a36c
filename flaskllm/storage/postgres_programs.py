"""PostgreSQL's own programs, which write and read dumps: found, and run."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from sqlalchemy import URL

from flaskllm.core.config import process_environment
from flaskllm.storage.copies import not_restored, refused

# Where Debian keeps each version beside the others.
_BY_VERSION = "/usr/lib/postgresql/{major}/bin"
_PATH = "/usr/local/bin:/usr/bin:/bin"
# How their sessions are called on the server.
_APPLICATION = "flaskllm-copies"
_VERSION_SECONDS = 20.0
# What a program says may quote rows.
_SAID = re.compile(r"(?:error|fatal): +(?P<text>[^\n]{1,300})", re.IGNORECASE)

_WHAT = "The programs of PostgreSQL cannot be used."
_FAILED = "A program of PostgreSQL failed."
# What else of libpq's parameters is a secret, and has no variable of its own.
_SECRET = frozenset(
    {"sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key"}
)

Find = Callable[[str, int], str | None]
"""Returns the path of a program for this major version, as `found` does."""


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs for one server.

    Attributes:
        url: Of the database.
        major: The version of its server, such as 15.
        find: Where programs are looked for.
    """

    url: URL
    major: int
    find: Find

    def path(self, name: str) -> str:
        """Return the path of a program that is as new as the server.

        Raises:
            ServiceUnavailable: There is none, or it is older.
        """
        path = self.find(name, self.major)
        mend = f"Install it: apt-get install postgresql-client-{self.major}"
        if path is None:
            raise refused(f"{name} is not installed here. {mend}", _WHAT)
        said = subprocess.run(
            [path, "--version"],
            env={"PATH": _PATH},
            capture_output=True,
            text=True,
            timeout=_VERSION_SECONDS,
            check=False,
        ).stdout
        version = re.search(r"\d+", said.partition(")")[2])
        if version is None or int(version[0]) < self.major:
            own = version[0] if version else "unknown"
            raise refused(
                f"{name} is of version {own}, the server of {self.major}. {mend}", _WHAT
            )
        return path

    def environ(self) -> dict[str, str]:
        """Return the environment of a program: the password is here alone.

        libpq's own variables go on to it, as the gateway heeds them too; `HOME` is
        where it looks for password files and certificates.
        """
        passed_on = {
            name: value
            for name, value in process_environment().items()
            if name == "HOME" or name.startswith("PG")
        }
        # As SQLAlchemy has it, one in the query wins.
        asked = self.url.normalized_query.get("password")
        password = asked[-1] if asked else self.url.password
        secret = {"PGPASSWORD": str(password)} if password else {}
        return {
            **passed_on,
            "PATH": _PATH,
            "LC_ALL": "C",
            "PG_COLOR": "never",
            "PGAPPNAME": _APPLICATION,
            "PGCONNECT_TIMEOUT": "5",
            **secret,
        }

    def address(self) -> str:
        """Return the address of the database, without a password.

        Raises:
            ServiceUnavailable: Another secret is in it, which would stand in the list
                of processes.
        """
        secret = sorted(_SECRET & self.url.query.keys())
        if secret:
            raise refused(
                f"The database's URL has {secret[0]!r}, which cannot be passed on "
                "unseen. Put it into a service file, and service=NAME into the URL.",
                _WHAT,
            )
        bare = URL.create(
            "postgresql",
            username=self.url.username,
            host=self.url.host,
            port=self.url.port,
            database=self.url.database,
            query=self.url.query,
        )
        shown = bare.difference_update_query(["password"])
        return shown.render_as_string(hide_password=False)


def found(name: str, major: int) -> str | None:
    """Return the path of a program, that of the very version first."""
    exact = shutil.which(name, path=_BY_VERSION.format(major=major))
    return exact or shutil.which(name)


def run(command: Sequence[str], environ: dict[str, str]) -> bytes:
    """Return what a program writes to standard output.

    Raises:
        ServiceUnavailable: It failed; `details` has what it said of it.
    """
    done = subprocess.run(command, env=environ, capture_output=True, check=False)
    if done.returncode:
        raise refused(told(done.stderr), _FAILED)
    return done.stdout


@contextmanager
def running(
    command: list[str],
    environ: Mapping[str, str],
    *,
    stdin: int | None = None,
    stdout: int | None = None,
    stderr: IO[bytes],
) -> Iterator[subprocess.Popen[bytes]]:
    """Give a running program, which does not outlive the block."""
    process = subprocess.Popen(
        command, env=environ, stdin=stdin, stdout=stdout, stderr=stderr
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None and not pipe.closed:
                _close(pipe)


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        return


def pass_on(command: list[str], environ: Mapping[str, str], to: IO[bytes]) -> None:
    """Write what a program says, to its end.

    Raises:
        ServiceUnavailable: It failed; what was passed on is not whole.
        BrokenPipeError: Nobody reads it any more.
    """
    with (
        tempfile.TemporaryFile() as errors,
        running(command, environ, stdout=subprocess.PIPE, stderr=errors) as reader,
    ):
        assert reader.stdout is not None
        shutil.copyfileobj(reader.stdout, to)
        if reader.wait():
            errors.seek(0)
            raise not_restored(told(errors.read()))


def told(said: bytes) -> str:
    """Return the first error that a program told, without a line of data."""
    match = _SAID.search(said.decode("utf-8", "replace"))
    return match["text"] if match else "The program gave no reason."
