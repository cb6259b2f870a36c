"""What nearly every collaborator stands on. It opens nothing."""

import sys
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flaskllm.core.clock import Clock
from flaskllm.core.config import ConfigError, Settings
from flaskllm.core.metrics import Metrics
from flaskllm.core.redaction import Redactor
from flaskllm.core.secrets import KeyRing
from flaskllm.services.secret_mark import SecretMark
from flaskllm.storage.addresses import file_at
from flaskllm.storage.database import Database
from flaskllm.storage.journal import journal_for, read_mounts
from flaskllm.storage.redis_store import RedisStore
from flaskllm.storage.sealing import ContentSealer
from flaskllm.storage.sqlite import sqlite_url
from flaskllm.wiring.drivers import check_driver
from flaskllm.wiring.redis import build_redis
from flaskllm.wiring.secrets import build_key_ring, reveal

# PythonAnywhere ends a request after five minutes; ours must end before that.
_HOST_KILLS_AFTER_SECONDS = 300.0
_MARGIN_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Ground:
    """The settings of the start, and what was made of them for all to share.

    `zone` is where days of money begin; `threaded` tells whether threads may work
    beside the requests; `redis` is None where the settings name none.
    """

    settings: Settings
    database: Database
    clock: Clock
    keys: KeyRing
    zone: ZoneInfo
    metrics: Metrics
    threaded: bool
    redis: RedisStore | None = None


def lay_ground(settings: Settings, clock: Clock, redactor: Redactor) -> Ground:
    """Return the ground of these settings.

    Raises:
        ConfigError: What the database needs is not installed.
    """
    keys, metrics = build_key_ring(settings, redactor), Metrics()
    return Ground(
        settings,
        build_database(settings, clock, keys),
        clock,
        keys,
        ZoneInfo(settings.accounting.time_zone),
        metrics,
        threaded=not is_under_uwsgi(),
        redis=build_redis(settings, clock, metrics),
    )


def build_database(
    settings: Settings, clock: Clock, keys: KeyRing | None = None
) -> Database:
    """Return the database of the settings, not yet opened.

    Without `keys` nobody asks whether the master secret is the right one, and what
    lies sealed cannot be read.

    Raises:
        ConfigError: What it needs is not installed.
    """
    missing = [*check_driver(settings)]
    if missing:
        raise ConfigError(missing)
    default = sqlite_url(settings.data_dir.absolute() / "flaskllm.db")
    url = reveal(settings.database_url) or default
    path = file_at(url)
    mounts = read_mounts()
    journal = journal_for(path.resolve(), is_under_uwsgi(), mounts) if path else "wal"
    return Database(
        url,
        journal=journal,
        clock=clock,
        data_dir=settings.data_dir,
        sealer=ContentSealer(keys) if keys else None,
        ownership=SecretMark(keys) if keys else None,
    )


def is_under_uwsgi() -> bool:
    """Tell whether uWSGI serves this process: only then its module is there."""
    return "uwsgi" in sys.modules


def deadline_seconds(settings: Settings) -> float:
    """Return how long one request may take in all."""
    asked = settings.timeouts.deadline_seconds
    if not is_under_uwsgi():
        return asked
    return min(asked, _HOST_KILLS_AFTER_SECONDS - _MARGIN_SECONDS)
