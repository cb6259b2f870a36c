"""How much is tried where more tells more: this is where it is read.

`FLASKLLM_TEST_ROUNDS=full` runs what the figures of the docs come from, in minutes
(`make soak`), longer hostile inputs and more generated examples; `small`, which is the
default, the same tests in seconds.
"""

import os

import pytest

VARIABLE = "FLASKLLM_TEST_ROUNDS"
_SIZES = ("small", "full")


def size_of(text: str | None) -> str:
    """Return the size that was asked for; raises for one that does not exist."""
    size = text or "small"
    if size not in _SIZES:
        raise pytest.UsageError(f"{VARIABLE} must be one of {_SIZES}, not {size!r}")
    return size


IS_FULL = size_of(os.environ.get(VARIABLE)) == "full"

soak_only = pytest.mark.skipif(not IS_FULL, reason="it takes minutes: make soak")


def rounds(small: int, full: int) -> int:
    """Return how often something is to be done."""
    return full if IS_FULL else small
