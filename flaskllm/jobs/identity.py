"""Which machine and which process this is, so that others can tell when it is gone."""

import os
import socket
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
# After the name of the program, which may hold anything: the state is the first
# field, and the start time the twentieth (man 5 proc_pid_stat).
_STATE, _STARTED = 0, 19
_DEAD = ("Z", "X")


def host_identity(proc: Path = _PROC) -> str:
    """Return what two processes share only if each can see whether the other lives.

    That is the same boot of the same machine and the same space of process ids.
    Returns '' where the system does not tell.
    """
    try:
        boot = (proc / "sys/kernel/random/boot_id").read_text().strip()
        space = os.readlink(proc / "self/ns/pid")
    except OSError:
        return ""
    return f"{boot}/{space}/{socket.gethostname()}"[:120]


def process_identity(pid: int | None = None, proc: Path = _PROC) -> str:
    """Return the process id and when it began: ids are used again, both are not.

    Only the id where the system does not tell the rest.
    """
    number = os.getpid() if pid is None else pid
    fields = _read_stat(number, proc)
    return f"{number}:{fields[_STARTED]}" if fields else str(number)


def is_gone(process: str, proc: Path = _PROC) -> bool:
    """Tell whether a process of this machine has surely ended.

    `process` is what `process_identity` returned in it. Who cannot be looked at
    counts as there.
    """
    number, _, started = process.partition(":")
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError, OverflowError):
        return False
    fields = _read_stat(int(number), proc)
    if not fields:
        return False
    return fields[_STATE] in _DEAD or (bool(started) and fields[_STARTED] != started)


def _read_stat(pid: int, proc: Path) -> list[str]:
    with suppress(OSError):
        text = (proc / str(pid) / "stat").read_text()
        return text.rpartition(")")[2].split()
    return []
