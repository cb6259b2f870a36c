"""Which journal SQLite may use: a write-ahead log needs a disk of this machine."""

import re
from pathlib import Path
from typing import Literal

Journal = Literal["wal", "truncate"]

# The write-ahead log shares memory between processes, which a network disk
# cannot do (https://sqlite.org/wal.html). Only what is known to be local counts.
_LOCAL_TYPES = frozenset(
    {
        "bcachefs",
        "btrfs",
        "ext2",
        "ext3",
        "ext4",
        "f2fs",
        "jfs",
        "overlay",
        "ramfs",
        "tmpfs",
        "xfs",
        "zfs",
    }
)

_OCTAL = re.compile(r"\\([0-7]{3})")


def journal_for(path: Path, under_uwsgi: bool, mounts: str) -> Journal:
    """Return `wal` for a file on a local disk outside uWSGI, else `truncate`.

    Args:
        path: The database file, absolute and with links resolved.
        under_uwsgi: Whether uWSGI runs this process; its hosts keep home folders
            on network disks.
        mounts: The text of `/proc/mounts`; empty where there is none.
    """
    if under_uwsgi:
        return "truncate"
    return "wal" if _type_under(path, mounts) in _LOCAL_TYPES else "truncate"


def read_mounts(path: Path = Path("/proc/mounts")) -> str:
    """Return the mount table, or an empty text where the system shows none."""
    try:
        return path.read_text("utf-8", "surrogateescape")
    except OSError:
        return ""


def _type_under(path: Path, mounts: str) -> str | None:
    """Return the type of the file system that holds the path; None = unknown.

    The deepest mount point wins, and of two on the same point the later one.
    """
    found: tuple[int, str | None] = (0, None)
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(_OCTAL.sub(lambda octal: chr(int(octal[1], 8)), fields[1]))
        depth = len(point.parts)
        if path.is_relative_to(point) and depth >= found[0]:
            found = (depth, fields[2])
    return found[1]
