"""How calls at the edge of the process fail: what is raised, and what else happens."""

import errno
import os
import socket
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg


@dataclass(frozen=True)
class Fault:
    """What fails, and how.

    Attributes:
        name: For messages.
        seams: The calls that are counted, such as `db.commit`.
        error: Makes what is raised, from the seam; None where nothing is.
        before: What happens first to the object whose call fails.
        is_late: The call is made, and only its answer is lost.
        answers: What is returned where nothing is raised, by the seam.
    """

    name: str
    seams: frozenset[str]
    error: Callable[[str], BaseException | None]
    before: Callable[[Any], None] = lambda _: None
    is_late: bool = False
    answers: Mapping[str, Any] = field(default_factory=dict)


def _sqlite(code: int, text: str) -> Callable[[str], BaseException]:
    def make(_: str) -> BaseException:
        error = sqlite3.OperationalError(text)
        error.sqlite_errorcode = code  # type: ignore[misc]
        return error

    return make


def _system(code: int) -> Callable[[str], BaseException]:
    return lambda _: OSError(code, os.strerror(code))


def _gone(_: str) -> BaseException:
    return psycopg.OperationalError(
        "consuming input failed: server closed the connection unexpectedly"
    )


def _reset(seam: str) -> BaseException | None:
    if seam == "socket.resolve":
        return socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    if seam == "socket.make":
        return OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    return ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))


def _roll_back(connection: Any) -> None:
    """Do what SQLite itself does when its disk fails."""
    if connection is not None:
        sqlite3.Connection.rollback(connection)


def _hang_up(connection: Any) -> None:
    if connection is not None:
        connection.close()


def _cut(sock: Any) -> None:
    """Let the other side know: a connection that failed once works no more."""
    if sock is None:
        return
    with suppress(OSError):  # it is not connected yet
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


_SQLITE = ("db.connect", "db.execute", "db.commit", "db.rollback")
_POSTGRES = ("pg.connect", "pg.execute", "pg.commit", "pg.rollback")
_SOCKETS = ("make", "resolve", "connect", "send", "recv", "read")
_FILES = ("open", "make", "rename", "chmod", "stat", "read", "write", "sync")
_WRITING = ("open", "make", "write", "sync")

SQLITE = (
    Fault(
        "disk error",
        frozenset(_SQLITE),
        _sqlite(sqlite3.SQLITE_IOERR, "disk I/O error"),
        _roll_back,
    ),
    Fault(
        "locked",
        frozenset({"db.execute", "db.commit"}),
        _sqlite(sqlite3.SQLITE_BUSY, "database is locked"),
    ),
    Fault(
        "disk full",
        frozenset({"db.execute", "db.commit"}),
        _sqlite(sqlite3.SQLITE_FULL, "database or disk is full"),
    ),
    Fault(
        "answer to a commit lost",
        frozenset({"db.commit"}),
        _sqlite(sqlite3.SQLITE_IOERR, "disk I/O error"),
        is_late=True,
    ),
)
POSTGRES = (
    Fault("connection lost", frozenset(_POSTGRES), _gone, _hang_up),
    Fault(
        "answer to a commit lost",
        frozenset({"pg.commit"}),
        _gone,
        _hang_up,
        is_late=True,
    ),
)
SOCKETS = (
    Fault("connection reset", frozenset(f"socket.{s}" for s in _SOCKETS), _reset, _cut),
    Fault(
        "broken pipe",
        frozenset({"socket.send"}),
        _system(errno.EPIPE),
        _cut,
    ),
    Fault(
        "early end",
        frozenset({"socket.recv", "socket.read"}),
        lambda _: None,
        _cut,
        answers={"socket.recv": b"", "socket.read": 0},
    ),
    Fault("no answer", frozenset({"socket.connect"}), _system(errno.ETIMEDOUT)),
)
FILES = (
    Fault("disk error", frozenset(f"file.{s}" for s in _FILES), _system(errno.EIO)),
    Fault("disk full", frozenset(f"file.{s}" for s in _WRITING), _system(errno.ENOSPC)),
    Fault("no descriptors", frozenset({"file.open"}), _system(errno.EMFILE)),
)
THREADS = (
    Fault(
        "no thread",
        frozenset({"thread.start"}),
        lambda _: RuntimeError("can't start new thread"),
    ),
)
