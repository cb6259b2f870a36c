"""A gateway whose database is a file, and what can happen to the file."""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from requirements import require

_MOUNT = 'mount -t tmpfs -o "$1" tmpfs "$2" && shift 2 && exec "$@"'
DAMAGE = b"\xa5" * 512


@contextlib.contextmanager
def kept_locked(path: Path) -> Iterator[None]:
    """Hold the lock to write, as another process that is stuck does."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def find_damage(path: Path) -> list[str]:
    """Return what SQLite finds wrong with the file; nothing is `ok`."""
    with contextlib.closing(sqlite3.connect(path, timeout=10)) as other:
        return [row[0] for row in other.execute("PRAGMA integrity_check")]


def overwrite(path: Path, table: str) -> None:
    """Put other bytes in the place of a table's first page."""
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (size,) = other.execute("PRAGMA page_size").fetchone()
        query = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        (page,) = other.execute(query, [table]).fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write((DAMAGE * size)[:size])


@contextlib.contextmanager
def failing_syncs(pid: int) -> Iterator[None]:
    """Let every sync of a process fail meanwhile, as a dying disk does."""
    program = shutil.which("strace")
    if program is None:
        require("strace", "install Debian's package strace")
    command = [program, "--follow-forks", f"--attach={pid}", "--output=/dev/null"]
    command += ["--trace=fsync,fdatasync", "--inject=fsync,fdatasync:error=EIO"]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        _wait_for_tracer(pid, tracer)
        yield
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.communicate(timeout=20)


def _wait_for_tracer(pid: int, tracer: subprocess.Popen[str]) -> None:
    """Return once every thread is traced."""
    while not all(map(_is_traced, Path(f"/proc/{pid}/task").iterdir())):
        if tracer.poll() is not None:
            assert tracer.stderr is not None
            require("strace", f"nothing can be traced here: {tracer.stderr.read()}")
        time.sleep(0.01)


def _is_traced(thread: Path) -> bool:
    status = (thread / "status").read_text()
    return "TracerPid:\t0\n" not in status


def enter_disk(folder: Path, size: str) -> list[str]:
    """Return how to start a program that has a small disk there, of its own."""
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    enter = ["unshare", "--mount", *as_root, "sh", "-c", _MOUNT, "sh"]
    enter += [size, str(folder)]
    trial = subprocess.run([*enter, "true"], capture_output=True)
    if trial.returncode:
        require("namespaces", f"no disk here: {trial.stderr.decode()}")
    return enter


def beside(pid: int) -> list[str]:
    """Return how to start a program that sees the disks of this process."""
    as_root = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
    return ["nsenter", f"--target={pid}", "--mount", *as_root]


def remount(pid: int, folder: Path, size: str) -> None:
    """Change how much fits on a small disk of this process."""
    mount = ["mount", "-o", f"remount,{size}", str(folder)]
    subprocess.run([*beside(pid), *mount], check=True)


def bound_by_modes() -> list[str]:
    """Return how to start a program that the modes of files stop, also as root."""
    if os.geteuid() != 0:
        return []
    program = shutil.which("setpriv")
    if program is None:
        require("setpriv", "root needs setpriv of Debian's package util-linux")
    return [program, "--bounding-set=-dac_override,-dac_read_search"]
