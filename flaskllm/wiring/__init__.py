"""The only place that constructs collaborators. It opens nothing.

What a change of the settings file can replace while we run (providers,
deployments, routes, templates) is built into one `Models` snapshot; each question
to a model takes the snapshot that stands then. Everything else is for the start.
"""

import sys
from collections.abc import Callable
from random import SystemRandom

from flaskllm.core.auth import BootstrapToken
from flaskllm.core.clock import Clock, SystemClock
from flaskllm.core.config import Loaded, Settings, watch_process
from flaskllm.core.metrics import Metrics
from flaskllm.core.redaction import Redactor
from flaskllm.core.secrets import KeyRing
from flaskllm.llm.router import Router
from flaskllm.services import Services
from flaskllm.services.api_tokens import ApiTokenService
from flaskllm.services.completions import Completions
from flaskllm.services.digests.pipeline import Digests
from flaskllm.services.health import Health, Providers
from flaskllm.services.models import Models
from flaskllm.services.overrides import Overrides
from flaskllm.services.probes import Probes
from flaskllm.services.responses import Responses
from flaskllm.services.routes import Routes
from flaskllm.services.templates import Templates
from flaskllm.services.usage import UsageService
from flaskllm.storage.api_tokens import ApiTokens
from flaskllm.storage.database import Database
from flaskllm.storage.journal import journal_for, read_mounts
from flaskllm.storage.overrides import OverrideRows
from flaskllm.storage.responses import ResponseRows
from flaskllm.storage.sqlite import database_path, sqlite_url
from flaskllm.storage.usage import UsageRows
from flaskllm.wiring.models import LiveModels, tell_rejected
from flaskllm.wiring.secrets import reveal, secrets_of

__all__ = ["build_database", "build_services", "is_under_uwsgi", "secrets_of"]

# PythonAnywhere ends a request after five minutes; ours must end before that.
_HOST_KILLS_AFTER_SECONDS = 300.0
_MARGIN_SECONDS = 30.0


def build_services(
    loaded: Loaded, clock: Clock | None = None, redactor: Redactor | None = None
) -> Services:
    """Return every use case, ready to be called.

    Args:
        loaded: The settings and where they came from.
        clock: The machine's own when omitted.
        redactor: That of the logs; it learns the secrets that come later.

    Raises:
        TemplateError: A prompt template is wrong.
        ConfigError: A provider cannot be built, or the CA bundle cannot be read.
    """
    clock, redactor = clock or SystemClock(), redactor or Redactor()
    settings = loaded.settings
    database = build_database(settings, clock)
    watch = watch_process(loaded, tell_rejected)
    metrics, threaded = Metrics(), not is_under_uwsgi()
    live = LiveModels(loaded, watch, clock, redactor, metrics)
    overrides = Overrides(
        OverrideRows(database), live.health, live.catalog, clock, threaded=threaded
    )
    probes = Probes(live.probed, live.health, clock, SystemRandom(), threaded=threaded)

    completions = Completions(_watched(live, overrides, probes))
    return Services(
        clock=clock,
        api_tokens=_api_tokens(settings, database, clock, redactor),
        completions=completions,
        digests=Digests(completions, live.library, clock),
        responses=Responses(ResponseRows(database), clock),
        models=Models(live.catalog, live.counting, int(clock.now().timestamp())),
        routes=Routes(
            live.catalog, live.explainer, live.health, overrides.keep_current
        ),
        providers=Providers(live.catalog, live.health, overrides),
        overrides=overrides,
        templates=Templates(live.library),
        health=Health(database),
        settings=live,
        usage=UsageService(UsageRows(database), clock, threaded=threaded),
        metrics=metrics,
        database=database,
        deadline_seconds=_deadline_seconds(settings),
    )


def build_database(settings: Settings, clock: Clock) -> Database:
    """Return the database of the settings, not yet opened."""
    default = sqlite_url(settings.data_dir.absolute() / "flaskllm.db")
    url = reveal(settings.database_url) or default
    path = database_path(url)
    mounts = read_mounts()
    journal = journal_for(path.resolve(), is_under_uwsgi(), mounts) if path else "wal"
    return Database(url, journal=journal, clock=clock, data_dir=settings.data_dir)


def is_under_uwsgi() -> bool:
    """Tell whether uWSGI serves this process: only then its module is there."""
    return "uwsgi" in sys.modules


def _watched(
    live: LiveModels, overrides: Overrides, probes: Probes
) -> Callable[[], Router]:
    """Return what gives the router, and looks after what requests depend on."""

    def router() -> Router:
        overrides.keep_current()
        probes.begin()
        return live.router()

    return router


def _api_tokens(
    settings: Settings, database: Database, clock: Clock, redactor: Redactor
) -> ApiTokenService:
    keys = KeyRing(reveal(settings.secret), settings.data_dir, redactor)
    text = reveal(settings.api_token)
    bootstrap = BootstrapToken(text) if text else None
    return ApiTokenService(ApiTokens(database), keys, clock, bootstrap)


def _deadline_seconds(settings: Settings) -> float:
    asked = settings.timeouts.deadline_seconds
    if not is_under_uwsgi():
        return asked
    return min(asked, _HOST_KILLS_AFTER_SECONDS - _MARGIN_SECONDS)
