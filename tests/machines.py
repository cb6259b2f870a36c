"""Machines within this one: own network, own processes, own name, own clock.

They see the same files, and so a PostgreSQL server by the folder of its socket.
"""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from namespaces import raise_loopback
from processes import House, Started
from requirements import require

SKEWED = Path(__file__).parent / "skewed.py"

_NEW = ("unshare", "--net", "--uts", "--pid", "--mount", "--fork", "--kill-child")
_LIVE = ("--mount-proc", "sh", "-c", 'hostname "$0" && exec sleep 3600')
_THERE = ("--net", "--uts", "--pid", "--mount", "--")
_CLONE_NEWNET = 0x40000000  # linux/sched.h

T = TypeVar("T")


class Machine:
    """One machine, whose programs live in `house`."""

    def __init__(self, house: House, name: str, ahead_seconds: int = 0):
        """Start it; a machine that cannot have others in it skips the test.

        `ahead_seconds` is by how much its clock is wrong.
        """
        _require_namespaces()
        self._house = house
        self._ahead = str(ahead_seconds)
        self._outside = house.start((*_NEW, *_LIVE, name))
        self._outside.wait_for(self._is_up)
        self.inside(raise_loopback)

    def start(self, *program: str) -> Started:
        """Start a Python program on it: a module or a file, and its arguments."""
        enter = ("nsenter", f"--target={self._first}", *_THERE)
        python = (sys.executable, str(SKEWED), self._ahead)
        return self._house.start((*enter, *python, *program))

    def inside(self, act: Callable[[], T]) -> T:
        """Return what a function of ours returns whose sockets are in its network."""
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(self._act, act).result()

    def listen(self, port: int) -> socket.socket:
        """Return a socket that listens on its loopback."""
        return self.inside(lambda: socket.create_server(("127.0.0.1", port)))

    def lose_power(self) -> None:
        """End everything that runs on it, at once."""
        os.kill(self._first, signal.SIGKILL)
        self._outside.wait()

    @property
    def _first(self) -> int:
        (first,) = self._outside.workers()
        return first

    def _is_up(self) -> bool:
        children = self._outside.workers()
        return bool(children) and b"sleep" in _command(children[0])

    def _act(self, act: Callable[[], T]) -> T:
        with open(f"/proc/{self._first}/ns/net") as network:
            libc = ctypes.CDLL(None, use_errno=True)
            # Of this thread alone, which ends with it.
            if libc.setns(network.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns failed")
        return act()


def _require_namespaces() -> None:
    if os.geteuid() != 0:
        require("namespaces", "only root can enter the network of another machine")
    if not shutil.which("nsenter") or not shutil.which("unshare"):
        require("namespaces", "unshare or nsenter is missing")
    trial = subprocess.run((*_NEW, "true"), capture_output=True)
    if trial.returncode:
        require("namespaces", f"no namespaces here: {trial.stderr.decode()}")


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()
