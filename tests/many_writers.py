"""Processes of many threads each that write to one database as fast as they can.

Run as a program it is one of the processes: `URL JOURNAL THREADS SECONDS`. It waits
for a line, writes until the time is up, and prints what became of it as JSON.
"""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert

from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import APIError
from flaskllm.core.ids import random_base62
from flaskllm.storage.database import Database
from flaskllm.storage.tables import changes


@dataclass(frozen=True)
class Written:
    """What became of the transactions of all writers.

    Attributes:
        rows: How many were committed.
        failures: How often each error was told, by its details.
        longest_seconds: The longest that one transaction took.
    """

    rows: int
    failures: dict[str, int]
    longest_seconds: float


def write_together(
    url: str, journal: str, *, processes: int, threads: int, seconds: float
) -> Written:
    """Let so many processes of so many threads write for so long."""
    arguments = [url, journal, str(threads), str(seconds)]
    started = [
        subprocess.Popen(
            [sys.executable, __file__, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    for process in started:
        process.stdout.readline()  # it is ready
    for process in started:
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=seconds + 120)[0] for process in started]
    return _summed([json.loads(output) for output in outputs])


def _summed(told: Sequence[dict]) -> Written:
    failures = sum((Counter(each["failures"]) for each in told), Counter())
    longest = max(each["longest_seconds"] for each in told)
    return Written(sum(each["rows"] for each in told), dict(failures), longest)


class _Writers:
    """The threads of one process."""

    def __init__(self, database: Database, seconds: float):
        self._database, self._until = database, time.monotonic() + seconds
        self._lock = threading.Lock()
        self.rows, self.failures, self.longest_seconds = 0, Counter(), 0.0

    def write(self) -> None:
        """Write one row after the other until the time is up."""
        while (began := time.monotonic()) < self._until:
            failure = self._write_once()
            with self._lock:
                self.rows += not failure
                self.failures.update([failure] if failure else [])
                took = time.monotonic() - began
                self.longest_seconds = max(self.longest_seconds, took)

    def _write_once(self) -> str:
        try:
            with self._database.transaction() as connection:
                row = {"name": random_base62(40), "value": 1}
                connection.execute(insert(changes).values(row))
        except APIError as error:
            return error.details or type(error).__name__
        return ""


def main(url: str, journal: str, threads: str, seconds: str) -> None:
    """Be one of the processes."""
    database = Database(url, journal=journal, clock=SystemClock())
    database.check()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    writers = _Writers(database, float(seconds))
    running = [threading.Thread(target=writers.write) for _ in range(int(threads))]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    database.close()
    told = {name: getattr(writers, name) for name in Written.__dataclass_fields__}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
