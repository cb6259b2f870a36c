"""Calls at the edge of the process that fail: the k-th of one kind, and no other.

The seams are where our code meets the drivers and the system: `sqlite3` and `psycopg`,
the sockets of our HTTP clients, the files of one folder, and threads. Nothing of ours
is replaced. What fails does what the real failure does to whoever holds the rest: a
transaction is rolled back, a connection to a server is gone.
"""

import builtins
import io
import os
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from fake_upstream import Upstream
from kth_faults import Fault

from flaskllm.net.sockets import WatchedSocket


@dataclass
class Shot:
    """One fault that is to happen at the k-th call.

    Attributes:
        left: How many calls are left up to that one.
        hit: The call that failed; '' while none did.
    """

    fault: Fault
    k: int
    left: int
    hit: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def is_due(self, seam: str) -> bool:
        """Count a call, and tell whether it is the one."""
        if seam not in self.fault.seams:
            return False
        with self.lock:
            self.left -= 1
            if self.left:
                return False
            self.hit = seam
            return True


class _Here(threading.local):
    is_spared = False


class Edge:
    """The seams of this process, while it is open; it fails what a shot says."""

    def __init__(self, folder: Path):
        """Watch the files in this folder; databases and sockets wherever they are."""
        self._folder = str(folder)
        self._shot: Shot | None = None
        self._descriptors: set[int] = set()
        self._here = _Here()

    @contextmanager
    def sparing(self) -> Iterator[None]:
        """Let nothing fail that this thread does inside: a test looks at something."""
        before, self._here.is_spared = self._here.is_spared, True
        try:
            yield
        finally:
            self._here.is_spared = before

    @contextmanager
    def failing(self, fault: Fault, k: int) -> Iterator[Shot]:
        """Let the k-th call fail that is made inside, in any thread."""
        shot = self._shot = Shot(fault, k, k)
        try:
            yield shot
        finally:
            self._shot = None

    def call(self, seam: str, owner: Any, real: Callable[[], Any]) -> Any:
        """Make a call, or let it fail."""
        shot = self._shot
        if shot is None or self._here.is_spared or not shot.is_due(seam):
            return real()
        fault = shot.fault
        if fault.is_late:
            real()
        fault.before(owner)
        error = fault.error(seam)
        if error is not None:
            raise error
        return fault.answers[seam]

    @contextmanager
    def open(self) -> Iterator["Edge"]:
        """Stand at all seams."""
        undo: list[Callable[[], None]] = []
        try:
            for install in (
                self._databases,
                self._sockets,
                self._files,
                self._threads,
            ):
                install(lambda *what: undo.append(_put(*what)))
            yield self
        finally:
            for each in reversed(undo):
                each()

    def _databases(self, put: Callable[..., None]) -> None:
        edge = self

        class Cursor(sqlite3.Cursor):
            def execute(self, *args: Any) -> Any:
                run = super().execute
                return edge.call("db.execute", self.connection, lambda: run(*args))

            def executemany(self, *args: Any) -> Any:
                run = super().executemany
                return edge.call("db.execute", self.connection, lambda: run(*args))

        class Connection(sqlite3.Connection):
            def cursor(self, factory: Any = Cursor) -> Any:
                return super().cursor(factory)

            def execute(self, *args: Any) -> Any:
                return self.cursor().execute(*args)

            def commit(self) -> None:
                edge.call("db.commit", self, super().commit)

            def rollback(self) -> None:
                edge.call("db.rollback", self, super().rollback)

        connect = sqlite3.dbapi2.connect

        def connected(*args: Any, **options: Any) -> Any:
            options.setdefault("factory", Connection)
            return edge.call("db.connect", None, lambda: connect(*args, **options))

        put(sqlite3.dbapi2, "connect", connected)
        put(sqlite3, "connect", connected)
        self._of_psycopg(put)

    def _of_psycopg(self, put: Callable[..., None]) -> None:
        self._method(put, psycopg.Cursor, "execute", "pg.execute", _connection_of)
        self._method(put, psycopg.Cursor, "executemany", "pg.execute", _connection_of)
        self._method(put, psycopg.Connection, "commit", "pg.commit")
        self._method(put, psycopg.Connection, "rollback", "pg.rollback")
        real = psycopg.Connection.connect.__func__  # type: ignore[attr-defined]

        def connect(kind: Any, *args: Any, **options: Any) -> Any:
            return self.call("pg.connect", None, lambda: real(kind, *args, **options))

        put(psycopg.Connection, "connect", classmethod(connect))

    def _sockets(self, put: Callable[..., None]) -> None:
        def is_ours(sock: socket.socket) -> bool:
            return isinstance(sock, WatchedSocket)

        for name, seam in (
            ("connect_ex", "socket.connect"),
            ("connect", "socket.connect"),
            ("send", "socket.send"),
            ("recv", "socket.recv"),
            ("recv_into", "socket.read"),
        ):
            self._method(put, socket.socket, name, seam, only=is_ours)
        self._method(put, socket.socket, "__init__", "socket.make", only=is_ours)
        real = socket.getaddrinfo

        def resolve(*args: Any, **options: Any) -> Any:
            return self.call("socket.resolve", None, lambda: real(*args, **options))

        put(socket, "getaddrinfo", resolve)

    def _files(self, put: Callable[..., None]) -> None:
        for name, seam in (
            ("mkdir", "file.make"),
            ("link", "file.make"),
            ("rename", "file.rename"),
            ("replace", "file.rename"),
            ("unlink", "file.rename"),
            ("chmod", "file.chmod"),
            ("stat", "file.stat"),
        ):
            put(os, name, self._of_path(getattr(os, name), seam))
        for name, seam in (("write", "file.write"), ("fsync", "file.sync")):
            put(os, name, self._of_descriptor(getattr(os, name), seam))
        put(os, "open", self._opened(os.open))
        opened = self._file(io.open)
        put(io, "open", opened)
        put(builtins, "open", opened)

    def _threads(self, put: Callable[..., None]) -> None:
        def is_ours(thread: threading.Thread) -> bool:
            target = getattr(thread, "_target", None)
            return not isinstance(getattr(target, "__self__", None), Upstream)

        self._method(put, threading.Thread, "start", "thread.start", only=is_ours)

    def _method(
        self,
        put: Callable[..., None],
        kind: type,
        name: str,
        seam: str,
        owner_of: Callable[[Any], Any] = lambda it: it,
        only: Callable[[Any], bool] = lambda _: True,
    ) -> None:
        real = getattr(kind, name)

        def method(it: Any, *args: Any, **options: Any) -> Any:
            if not only(it):
                return real(it, *args, **options)
            return self.call(seam, owner_of(it), lambda: real(it, *args, **options))

        put(kind, name, method)

    def _is_watched(self, path: Any) -> bool:
        if isinstance(path, int):
            return path in self._descriptors
        with suppress(TypeError):
            return os.path.abspath(path).startswith(self._folder)
        return False

    def _of_path(self, real: Callable[..., Any], seam: str) -> Callable[..., Any]:
        def run(path: Any, *args: Any, **options: Any) -> Any:
            if not self._is_watched(path):
                return real(path, *args, **options)
            return self.call(seam, None, lambda: real(path, *args, **options))

        return run

    def _of_descriptor(self, real: Callable[..., Any], seam: str) -> Callable[..., Any]:
        def run(number: int, *args: Any) -> Any:
            if number not in self._descriptors:
                return real(number, *args)
            return self.call(seam, None, lambda: real(number, *args))

        return run

    def _opened(self, real: Callable[..., int]) -> Callable[..., int]:
        def opened(path: Any, *args: Any, **options: Any) -> int:
            if not self._is_watched(path):
                number = real(path, *args, **options)
                self._descriptors.discard(number)
                return number
            number = self.call("file.open", None, lambda: real(path, *args, **options))
            self._descriptors.add(number)
            return number

        return opened

    def _file(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def opened(path: Any, *args: Any, **options: Any) -> Any:
            if not self._is_watched(path):
                return real(path, *args, **options)
            made = self.call("file.open", None, lambda: real(path, *args, **options))
            return _File(made, self)

        return opened


class _File:
    """An open file whose reading and writing may fail."""

    def __init__(self, real: Any, edge: Edge):
        self._real = real
        self._edge = edge

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        seam = _OF_FILES.get(name)
        if seam is None:
            return found
        return lambda *args: self._edge.call(seam, None, lambda: found(*args))

    def __enter__(self) -> "_File":
        self._real.__enter__()
        return self

    def __exit__(self, *why: Any) -> None:
        self._real.__exit__(*why)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._real)


_OF_FILES = {
    "read": "file.read",
    "readinto": "file.read",
    "readline": "file.read",
    "write": "file.write",
    "flush": "file.write",
}


def _connection_of(cursor: Any) -> Any:
    return cursor.connection


def _put(where: Any, name: str, new: Any) -> Callable[[], None]:
    """Put something in a place; return what takes it away again."""
    # As it stands there: what `getattr` returns may be bound to this class alone.
    old = vars(where).get(name)
    setattr(where, name, new)
    if old is None:
        return lambda: delattr(where, name)
    return lambda: setattr(where, name, old)
