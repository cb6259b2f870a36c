"""Run the suite; run what failed in it once more, alone, and tell it either way.

Many tests start real processes and wait for them, and a machine that has more to do
than it can keeps them waiting. What fails only then may be that, or a race of ours: so
it is named. More than a few failures are neither, and are not looked at again.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

MOST = 3
FAILED = 1  # pytest's status when tests failed, and nothing else was wrong
ALONE = ("-n", "0", "--last-failed", "--cov-append")


def look(arguments: Sequence[str]) -> int:
    """Return pytest's status of the suite, or of what was looked at again."""
    status = _run(*arguments, "--cache-clear")
    failed = _failed_tests() if status == FAILED else []
    if not 0 < len(failed) <= MOST:
        return status
    _tell("failed, looked at once more, alone", failed)
    status = _run(*arguments, *ALONE)
    if status == 0:
        _tell("FAILED ONCE and passed alone; each is worth a look", failed)
    return status


def _run(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments]).returncode


def _failed_tests() -> list[str]:
    noted = Path(".pytest_cache/v/cache/lastfailed")
    return sorted(json.loads(noted.read_text())) if noted.exists() else []


def _tell(what: str, tests: Sequence[str]) -> None:
    sys.stdout.write("\n  ".join([f"\n{what}:", *tests]) + "\n")
    sys.stdout.flush()  # pytest writes to the same place


if __name__ == "__main__":
    sys.exit(look(sys.argv[1:]))
