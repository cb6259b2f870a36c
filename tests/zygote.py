"""Starts `flaskllm` as a fork of a process that has imported it already.

To import the gateway takes a second of processor, and the tests start it hundreds of
times. What a fork gets is what a fresh process has: a session, a working folder, an
environment and outputs of its own. Only the interpreter's own variables cannot be
given to it; who needs those starts Python itself.
"""

import atexit
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

_MOST_BYTES = 1 << 20
_LOOK_SECONDS = 0.005
# What is read before `main`, by the interpreter, the loader or the clock.
_OF_THE_INTERPRETER = ("PYTHON", "LD_", "TZ", "COV")
_ordering = threading.Lock()


@dataclass(frozen=True, slots=True)
class Order:
    """One command line of `flaskllm`, and where it runs; outputs are paths."""

    arguments: Sequence[str]
    environ: Mapping[str, str]
    cwd: str
    stdin: str
    stdout: str
    stderr: str
    status: str


class Forked:
    """A forked process, with what tests ask of a `subprocess.Popen`."""

    def __init__(self, pid: int, status: Path):
        self.pid = pid
        self._status = status

    @property
    def returncode(self) -> int | None:
        return self.poll()

    def poll(self) -> int | None:
        """Return the exit status, or minus the signal; None while it runs."""
        try:
            return int(self._status.read_text())
        except FileNotFoundError:
            return None

    def wait(self, timeout: float | None = None) -> int:
        give_up_at = None if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            if give_up_at is not None and time.monotonic() > give_up_at:
                raise subprocess.TimeoutExpired("flaskllm", timeout or 0)
            time.sleep(_LOOK_SECONDS)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def takes(environ: Mapping[str, str]) -> bool:
    """Tell whether a fork can have this environment."""
    return not any(name.startswith(_OF_THE_INTERPRETER) for name in environ)


def fork(order: Order) -> Forked:
    """Start a command; its exit status will stand in the file `order.status`."""
    with _ordering:
        channel = _channel()
        channel.send(json.dumps(asdict(order)).encode())
        pid = int(channel.recv(_MOST_BYTES))
    return Forked(pid, Path(order.status))


@cache
def _channel() -> socket.socket:
    """Return the way to this process's zygote, which ends when it is closed."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        command = [sys.executable, __file__, str(its.fileno())]
        quiet = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        zygote = subprocess.Popen(
            command, pass_fds=[its.fileno()], env=quiet, start_new_session=True
        )
    zygote.returncode = 0  # nobody waits for it
    atexit.register(ours.close)
    return ours


class _Zygote:
    def __init__(self, channel: socket.socket):
        self._channel = channel
        self._running: dict[int, str] = {}

    def run(self) -> None:
        """Start what is ordered, until nobody orders any more."""
        signal.signal(signal.SIGCHLD, self._reap)
        while said := self._channel.recv(_MOST_BYTES):
            order = Order(**json.loads(said))
            # It may end before it is known.
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
            pid = os.fork()
            if pid == 0:
                self._channel.close()
                _become(order)
                return
            self._running[pid] = order.status
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
            self._channel.send(str(pid).encode())

    def _reap(self, *_: object) -> None:
        for pid in list(self._running):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                path = Path(self._running.pop(pid))
                fresh = path.with_suffix(".fresh")
                fresh.write_text(str(os.waitstatus_to_exitcode(status)))
                fresh.replace(path)


def _become(order: Order) -> None:
    """Run the command in this process, which ends as it does."""
    from flaskllm.__main__ import main

    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    writing = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for number, (path, how) in enumerate(
        [(order.stdin, os.O_RDONLY), (order.stdout, writing), (order.stderr, writing)]
    ):
        opened = os.open(path, how, 0o644)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(order.cwd)
    os.environ.clear()
    os.environ.update(order.environ)
    sys.argv = ["flaskllm", *order.arguments]
    main()


if __name__ == "__main__":
    gc.disable()
    import gunicorn.__main__  # noqa: F401

    import flaskllm.cli  # noqa: F401

    gc.freeze()
    _Zygote(socket.socket(fileno=int(sys.argv[1]))).run()
