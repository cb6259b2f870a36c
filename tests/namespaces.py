"""Programs of a test in network and mount namespaces of their own.

There they may ask any name and call any address: nothing leaves the machine.
"""

import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

from requirements import require

RESOLVER = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"
INSIDE = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'


def make_resolver(folder: Path) -> Path:
    """Return the settings of the resolver; a machine without namespaces skips."""
    path = folder / "resolv.conf"
    path.write_text(RESOLVER)
    try:
        trial = subprocess.run(
            _enter("sh", "-c", INSIDE, "sh", str(path), "true"), capture_output=True
        )
    except FileNotFoundError:
        require("namespaces", "unshare is missing")
    if trial.returncode:
        require("namespaces", f"no namespaces here: {trial.stderr.decode()}")
    return path


def play(scene: Path, resolver: Path, *arguments: str) -> Any:
    """Return the JSON that a program printed which ran in fresh namespaces."""
    paths = [str(Path(__file__).parent), *filter(None, sys.path)]
    program = [sys.executable, str(scene), *arguments]
    played = subprocess.run(
        _enter("sh", "-c", INSIDE, "sh", str(resolver), *program),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        timeout=60,
    )

    assert played.returncode == 0, played.stderr.decode()
    return json.loads(played.stdout)


def raise_loopback() -> None:
    """Bring `lo` up, which a fresh network namespace has down."""
    up = 0x1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as anything:
        request = struct.pack("16sh14x", b"lo", up)
        fcntl.ioctl(anything, 0x8914, request)  # SIOCSIFFLAGS


def _enter(*command: str) -> list[str]:
    """Return the command that runs another one in namespaces of its own."""
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", "--mount", "--net", *as_root, *command]
