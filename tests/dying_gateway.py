"""A gateway that kills itself around one of its commits; run as a program.

`python dying_gateway.py PORT` serves the settings of its environment. The commits of
its database are counted from the first POST on. `DIE_AT=7` kills it at the seventh,
`DIE_WHEN=before` while that is still to be made, `after` when it is made. Its clock
runs `AHEAD_SECONDS` ahead, so that it finds leases over without a wait.
"""

import os
import signal
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from werkzeug.serving import make_server

from flaskllm import wiring
from flaskllm.core.clock import SystemClock
from flaskllm.core.config import load_from_process
from flaskllm.factory import create_app
from flaskllm.storage.database import Database
from flaskllm.wiring import ground


@dataclass
class Plan:
    """Which commit is the last, and whether it is made."""

    at: int
    when: str
    commits: int = 0
    is_armed: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self) -> int:
        """Return the number of a commit that is about to be made, 0 before any POST."""
        with self.lock:
            self.commits += self.is_armed
            return self.commits

    def die(self, number: int, when: str) -> None:
        """End this process, as a kill -9 does, if this is the moment."""
        if (number, when) == (self.at, self.when):
            os.kill(os.getpid(), signal.SIGKILL)
            threading.Event().wait()  # the signal is on its way


class AheadClock(SystemClock):
    """The machine's clock, so many seconds ahead."""

    def now(self) -> datetime:
        return datetime.now(UTC) + AHEAD


class DyingDatabase(Database):
    """A database whose process ends around one of its commits."""

    @contextmanager
    def transaction(self, *, durable: bool = False):
        with super().transaction(durable=durable) as connection:
            yield connection
            number = PLAN.count()
            PLAN.die(number, "before")
        PLAN.die(number, "after")


AHEAD = timedelta(seconds=float(os.environ.get("AHEAD_SECONDS", "0")))
PLAN = Plan(int(os.environ.get("DIE_AT", "0")), os.environ.get("DIE_WHEN", "before"))


def serve(port: int) -> None:
    """Serve until somebody ends it, or it does so itself."""
    ground.Database = DyingDatabase
    loaded = load_from_process()
    app = create_app(loaded, wiring.build_services(loaded, AheadClock()))

    def armed(environ, start_response):
        PLAN.is_armed = PLAN.is_armed or environ["REQUEST_METHOD"] == "POST"
        return app(environ, start_response)

    make_server("127.0.0.1", port, armed, threaded=True).serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
