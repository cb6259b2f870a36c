"""What the first job of a web process would wait for, done before it comes."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from flaskllm.core import languages, logs
from flaskllm.core.errors import APIError
from flaskllm.storage.workflows import Workflows

_log = logging.getLogger(__name__)

# Any text that is long enough to have its language looked for.
_SAMPLE: Final = "The offer goes out on Friday."


def warm_up(
    workflows: Workflows, detect: Callable[[str], str | None] = languages.detect
) -> threading.Thread | None:
    """Load what a job is accepted with, beside the first requests; return at once.

    Some senders wait three seconds for an answer. To load DBOS and the model that
    tells languages apart takes more than one, and several on a machine that is busy.
    A job that comes meanwhile waits for it.

    Args:
        workflows: To be prepared.
        detect: Tells the language of a text, and loads its model for the first one.

    Returns:
        The thread, which ends by itself; None where no job is accepted, and where
        the system gives none: the first job loads it then.
    """
    if not workflows.is_enabled:
        return None

    def load() -> None:
        _try("workflows", workflows.prepare)
        _try("languages", lambda: detect(_SAMPLE))

    thread = threading.Thread(target=load, name="warming", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the system has no thread left, and a server must start
        return None
    return thread


def _try(what: str, load: Callable[[], object]) -> None:
    """Load it, or let the first job try again, which is told why it cannot."""
    try:
        load()
    except Exception as error:  # nobody else would hear of it
        code = error.code if isinstance(error, APIError) else type(error).__name__
        reason = error.details if isinstance(error, APIError) else ""
        logs.event(
            _log, logging.WARNING, "not_loaded_yet", what=what, code=code, reason=reason
        )
