"""A table of checks of one client: it runs them all and names those that failed.

The scripts beside this file use it in an environment of their own, where nothing of
flaskllm is installed.
"""

import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

Check = Callable[[], None]
Error = TypeVar("Error", bound=Exception)


class Checks:
    """Collects the functions that it decorates, and runs them in their order."""

    def __init__(self) -> None:
        self._checks: list[Check] = []

    def __call__(self, check: Check) -> Check:
        """Take a check, whose name says what holds."""
        self._checks.append(check)
        return check

    def run(self) -> None:
        """Run each check, print a line for it, and exit with 1 when one failed."""
        failed = [check for check in self._checks if not _holds(check)]
        sys.exit(bool(failed) or not self._checks)


def error_of(kind: type[Error], ask: Callable[..., Any], **fields: Any) -> Error:
    """Return the error of this kind that asking raises."""
    try:
        ask(**fields)
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__} was raised")


def _holds(check: Check) -> bool:
    began = time.monotonic()
    try:
        check()
    except Exception:
        _print(f"FAILED {check.__name__}\n{traceback.format_exc(limit=-4)}")
        return False
    _print(f"ok {check.__name__} {time.monotonic() - began:.2f} s")
    return True


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
