"""Keeps one worker beside the server: a small process between the two.

`flaskllm serve` starts it and then becomes the server, so it is the server's child
and the worker is its own. It starts the worker again when that ends, and ends it
when the server is gone, however that went. Where it is killed itself its worker ends,
and the server starts it again. It imports next to nothing.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

_MODULE = "flaskllm.jobs.supervisor"
WORKER = (sys.executable, "-m", "flaskllm", "worker")

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LOOK_SECONDS = 0.25
# A worker that lived so long did not fail at its start.
_LONG_LIFE_SECONDS = 60.0
_LONGEST_PAUSE_SECONDS = 60.0
# More than a worker lets its work run on, and takes to leave.
_PATIENCE_SECONDS = 45.0


def start_supervisor() -> None:
    """Start one for this process, whatever this process becomes.

    It gets no open file of ours: it would keep the port of a server that is gone.
    """
    command = [sys.executable, "-m", _MODULE, str(os.getpid())]
    supervisor = subprocess.Popen(command)
    supervisor.returncode = 0  # nobody here waits for it


def is_there() -> bool:
    """Tell whether this process has one, where the system tells that."""
    return bool(_supervisors())


def tell_to_end() -> None:
    """Ask the supervisor of this process to end, if it has one.

    Only where the system tells which children a process has.
    """
    for pid in _supervisors():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def wait_for_end() -> None:
    """Return when this process has no supervisor any more, or it takes too long."""
    give_up_at = time.monotonic() + _PATIENCE_SECONDS + 1.0
    while time.monotonic() < give_up_at:
        running = _supervisors()
        if not running:
            return
        time.sleep(_LOOK_SECONDS / 4)


def pause_seconds(short_lives: int) -> float:
    """Return how long to wait after a worker ended `short_lives` times in a row.

    0 stands for a worker that had lived for long: 1 s, then 2, 4, ... 60.
    """
    return min(2.0 ** min(short_lives, 10), _LONGEST_PAUSE_SECONDS)


class Supervisor:
    """Runs a command again and again, as long as its own parent lives."""

    def __init__(self, parent: int, command: Sequence[str] = WORKER) -> None:
        """Keep who must live, as a process id, and what is run."""
        self._parent = parent
        self._command = command
        self._is_asked = False

    def run(self) -> None:
        """Return when the parent is gone or asked for it, and the worker has ended."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)
        # It is for the server, which takes up changed settings.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        short_lives = 0
        while not self._is_over():
            began = time.monotonic()
            worker = subprocess.Popen(self._command, preexec_fn=_end_with_parent)
            while worker.poll() is None:
                if self._is_over():
                    _end(worker)
                    return
                time.sleep(_LOOK_SECONDS)
            has_failed = time.monotonic() - began < _LONG_LIFE_SECONDS
            self._wait(pause_seconds(short_lives if has_failed else 0))
            short_lives = short_lives + 1 if has_failed else 0

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._is_over():
            time.sleep(_LOOK_SECONDS)

    def _is_over(self) -> bool:
        return self._is_asked or os.getppid() != self._parent

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._is_asked = True


def _end_with_parent() -> None:
    """Let Linux ask this process to end when its parent has (man 2 prctl).

    Without it a worker whose supervisor was killed would outlive the server.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _end(worker: "subprocess.Popen[bytes]") -> None:
    worker.terminate()
    try:
        worker.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()


def _supervisors() -> list[int]:
    pid = os.getpid()
    with suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in children if _is_supervisor(child)]
    return []


def _is_supervisor(pid: str) -> bool:
    with suppress(OSError):
        # Of one that has ended and was not waited for it is empty.
        return _MODULE.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(
            b"\0"
        )
    return False


if __name__ == "__main__":
    Supervisor(int(sys.argv[1])).run()
