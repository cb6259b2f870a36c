"""What DBOS logs goes our way, and only what somebody should read, once.

It writes a warning at every look into the queues that the database does not answer:
two a second for each queue, as long as a disk is full. It shows how each error came
about, with the statements: its kind and one place are enough. And it takes for an error
that a queue which is looked at while its worker stops finds nobody to do the work,
which is then left to other workers.
"""

import logging
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final

_NAME: Final = "dbos"
_EVERY_SECONDS: Final = 60.0
# How the lines begin that it writes at each look.
_OF_EACH_LOOK: Final = (
    "Exception encountered in queue thread for",
    "Exception finding work for queue",
    "Exception reloading queue",
    "Exception listing queues",
)
_OF_A_STOP: Final = "Executor accessed before DBOS was launched"
# It asks for schedules at its start, and there are none of ours.
_OF_SCHEDULES: Final = "Exception polling schedules"


def keep_quiet() -> None:
    """Let warnings of DBOS into our log; called twice it changes nothing more."""
    logger = logging.getLogger(_NAME)
    logger.setLevel(logging.WARNING)
    if not logger.handlers:
        # Without one it would add its own, which writes to the terminal.
        logger.addHandler(logging.NullHandler())
    if not any(isinstance(each, Calm) for each in logger.filters):
        logger.addFilter(Calm())


def place_of(error: BaseException) -> str | None:
    """Return the module and the line where it was raised, or what is behind it."""
    behind = error.__cause__ and error.__cause__.__traceback__
    frames = list(traceback.walk_tb(behind or error.__traceback__))
    if not frames:
        return None
    frame, line = frames[-1]
    return f"{Path(frame.f_code.co_filename).stem}:{line}"


class Calm(logging.Filter):
    """Lets through once a minute what DBOS writes at each look, and all else."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Remember nothing yet.

        Args:
            monotonic: Returns seconds that go on.
        """
        super().__init__()
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._told_seconds: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the line is to be written; of several lines only the first."""
        said = record.getMessage().partition("\n")[0]
        if _OF_A_STOP in said or said.startswith(_OF_SCHEDULES):
            return False
        # Below are statements.
        record.msg, record.args = said, ()
        _shorten(record)
        return not said.startswith(_OF_EACH_LOOK) or self._is_due(said)

    def _is_due(self, said: str) -> bool:
        now_seconds = self._monotonic()
        with self._lock:
            lately = self._told_seconds = {
                each: seconds
                for each, seconds in self._told_seconds.items()
                if now_seconds - seconds < _EVERY_SECONDS
            }
            if said in lately:
                return False
            lately[said] = now_seconds
        return True


def _shorten(record: logging.LogRecord) -> None:
    """Leave of an error its kind and its place, as if they had been given as extra."""
    error = record.exc_info[1] if record.exc_info else None
    record.exc_info = None
    if error is not None:
        vars(record).update(cause=type(error).__name__, at=place_of(error))
