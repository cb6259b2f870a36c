"""Runs a program whose clock is so many seconds ahead, or behind if negative.

`python skewed.py SECONDS PROGRAM ARGUMENTS...`; the program is a module, or a file.
Its monotonic clock goes on as it does.
"""

import runpy
import sys
from datetime import UTC, datetime, timedelta

import time_machine


def main(seconds: str, program: str, *arguments: str) -> None:
    """Run the program to its end."""
    sys.argv = [program, *arguments]
    wrong = datetime.now(UTC) + timedelta(seconds=float(seconds))
    with time_machine.travel(wrong, tick=True):
        if program.endswith(".py"):
            runpy.run_path(program, run_name="__main__")
        else:
            runpy.run_module(program, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
