"""Where the limits of principals are counted."""

from flaskllm.core.config import Settings
from flaskllm.core.windows import Windows
from flaskllm.services.limits import Limits
from flaskllm.storage.addresses import file_at
from flaskllm.storage.counters import SqlCounters
from flaskllm.storage.database import Database
from flaskllm.wiring.ground import Ground, is_under_uwsgi
from flaskllm.wiring.secrets import reveal


def build_limits(ground: Ground) -> Limits:
    """Return the limits, counted where the settings say; nothing is opened."""
    database, clock = ground.database, ground.clock
    windows = Windows(clock=clock)
    together = _is_counted_together(ground.settings, database, is_under_uwsgi())
    return Limits(
        windows,
        SqlCounters(database, clock, windows) if together else None,
        clock,
        count_local=ground.metrics.money.count_local_limit,
    )


def _is_counted_together(
    settings: Settings, database: Database, under_uwsgi: bool
) -> bool:
    """Tell whether what this process counts is to be seen by others.

    By itself it is so where there may be others: worker processes, other hosts on
    the same database, and whatever uWSGI was told to start.
    """
    if settings.limits.store != "auto":
        return settings.limits.store == "database"
    if database.is_shared:
        return True
    url = reveal(settings.database_url)
    if url is not None and file_at(url) is None:
        return False  # it lives in the memory of this process alone
    return settings.server.workers > 1 or under_uwsgi
