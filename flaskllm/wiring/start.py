"""Whether a server may start: what stops it now would stop every request."""

from flaskllm.core.clock import Clock, SystemClock
from flaskllm.core.config import Settings
from flaskllm.core.errors import APIError
from flaskllm.wiring import build_database
from flaskllm.wiring.secrets import build_key_ring


def find_refusal(settings: Settings, clock: Clock | None = None) -> str | None:
    """Bring the database up to date; return why the server must not start, if so.

    What may pass by itself, such as a database that does not answer yet, is no
    reason. Afterwards nothing is open: the processes that serve are forked then.
    """
    keys = build_key_ring(settings)
    database = build_database(settings, clock or SystemClock(), keys)
    try:
        database.upgrade()
    except APIError as error:
        if error.retry_after_seconds is None:
            return " ".join(filter(None, (error.message, error.details)))
    finally:
        database.close()
    return None
