"""Where the limits of principals are counted."""

from flaskllm.core.config import Settings
from flaskllm.core.windows import Windows
from flaskllm.services.limit_counting import SharedCounters
from flaskllm.services.limits import Limits
from flaskllm.storage.addresses import file_at
from flaskllm.storage.counters import SqlCounters
from flaskllm.storage.database import Database
from flaskllm.storage.redis_counters import RedisCounters
from flaskllm.wiring.ground import Ground, is_under_uwsgi
from flaskllm.wiring.secrets import reveal


def build_limits(ground: Ground) -> Limits:
    """Return the limits, counted where the settings say; nothing is opened."""
    windows = Windows(clock=ground.clock)
    return Limits(
        windows,
        _shared(ground, windows),
        ground.clock,
        count_local=ground.metrics.money.count_local_limit,
    )


def _shared(ground: Ground, windows: Windows) -> SharedCounters | None:
    """Return what several processes count in; None where one counts alone."""
    settings, database, clock = ground.settings, ground.database, ground.clock
    if ground.redis is not None and settings.limits.store == "auto":
        return RedisCounters(ground.redis, clock, windows)
    if is_counted_together(settings, database, is_under_uwsgi()):
        return SqlCounters(database, clock, windows)
    return None


def is_counted_together(
    settings: Settings, database: Database, under_uwsgi: bool
) -> bool:
    """Tell whether what this process counts is to be seen by others."""
    if settings.limits.store != "auto":
        return settings.limits.store == "database"
    return has_other_processes(settings, database, under_uwsgi)


def has_other_processes(
    settings: Settings, database: Database, under_uwsgi: bool
) -> bool:
    """Tell whether others may serve the same callers.

    Worker processes, other hosts on the same database, and whatever uWSGI was told to
    start.
    """
    if database.is_shared:
        return True
    url = reveal(settings.database_url)
    if url is not None and file_at(url) is None:
        return False  # it lives in the memory of this process alone
    return settings.server.workers > 1 or under_uwsgi
