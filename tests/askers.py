"""Processes that ask models at the same time, by all of the gateway below its faces.

They are forks of one that has imported it, and do what each line says: `[environ]`
begins anew with these settings, `[tries, threads]` asks so often at once, and
`[seconds, every, word]` asks in turn. In a line of JSON they tell what came of it.

    python askers.py FILE_DESCRIPTOR...
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from flaskllm.core import logs
from flaskllm.core.clock import Deadline, SystemClock
from flaskllm.core.config import load
from flaskllm.core.errors import APIError
from flaskllm.llm.parts import Message
from flaskllm.llm.types import Call, CompletionRequest
from flaskllm.wiring import build_services


class Asker:
    """A running process, told by lines and answering by lines."""

    def __init__(self, ours: socket.socket):
        self._lines = ours.makefile("rw")

    def begin(self, *what: object) -> None:
        """Let it do this, and do not wait for it."""
        self._lines.write(f"{json.dumps(what)}\n")
        self._lines.flush()

    def told(self):
        """Return what it says next."""
        return json.loads(self._lines.readline())

    def close(self) -> None:
        self._lines.close()

    def do(self, *what: object):
        """Let it do this, and return what came of it."""
        self.begin(*what)
        return self.told()


@contextlib.contextmanager
def askers(count: int) -> Iterator[list[Asker]]:
    """Give so many; they are gone afterwards."""
    pairs = [socket.socketpair() for _ in range(count)]
    theirs = [each.fileno() for _, each in pairs]
    process = subprocess.Popen(
        [sys.executable, "-W", "error", __file__, *map(str, theirs)],
        pass_fds=theirs,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    for _, each in pairs:
        each.close()
    try:
        started = [Asker(ours) for ours, _ in pairs]
        yield started
    finally:
        for ours, _ in pairs:
            ours.shutdown(socket.SHUT_RDWR)
            ours.close()
        for each in started:
            each.close()
        process.wait(20)


def _ask(services, clock, word: str) -> str:
    request = CompletionRequest(None, (Message("user", word),))
    deadline = Deadline.after(20.0, clock)
    call = Call(deadline, time.sleep, lambda _: None, lambda *_: None)
    try:
        return services.completions.complete(request, call).deployment.name
    except APIError as error:
        return error.code


def _ask_at_once(services, clock, tries: int, threads: int) -> Counter:
    came, left = Counter(), iter(range(tries))
    turn = threading.Lock()

    def work():
        while True:
            with turn:
                number = next(left, None)
            if number is None:
                return
            said = _ask(services, clock, f"try {number}")
            with turn:
                came[said] += 1

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    return came


def _ask_in_turn(services, clock, seconds: float, every: float, word: str) -> Counter:
    came, until = Counter(), clock.monotonic() + seconds
    while True:
        came[_ask(services, clock, word)] += 1
        if clock.monotonic() + every >= until:
            return came
        time.sleep(every)


def _main(descriptors: list[int]) -> None:
    """Serve on the first of them, and fork for the others."""
    mine, *others = descriptors
    child = os.fork() if others else None
    if child == 0:
        os.close(mine)
        _main(others)
    for each in others:
        os.close(each)
    _serve(socket.socket(fileno=mine))
    if child:
        os.wait()
    os._exit(0)  # nothing is left to be flushed


def _serve(ours: socket.socket) -> None:
    clock, services = SystemClock(), None
    with ours, ours.makefile("rw") as lines:
        for line in lines:
            what = json.loads(line)
            if len(what) == 1:
                services = _opened(*what, services)
                came = "ready"
            else:
                do = _ask_in_turn if len(what) == 3 else _ask_at_once
                came = do(services, clock, *what)
            lines.write(f"{json.dumps(came)}\n")
            lines.flush()


def _opened(environ: dict[str, str], before):
    if before is not None:
        before.database.close()
    loaded = load(environ, Path.cwd())
    logs.configure("INFO", "json", Path(environ["FLASKLLM_LOG_FILE"]))
    services = build_services(loaded)
    services.database.check()
    return services


if __name__ == "__main__":
    _main([int(each) for each in sys.argv[1:]])
