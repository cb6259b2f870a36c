"""The only place that constructs collaborators. It opens nothing.

What a change of the settings file can replace while we run (providers,
deployments, routes, templates) is built into one `Models` snapshot; each question
to a model takes the snapshot that stands then. Everything else is for the start.
"""

from collections.abc import Callable
from datetime import timedelta
from random import SystemRandom

from flaskllm.core.auth import BootstrapToken
from flaskllm.core.clock import Clock, SystemClock
from flaskllm.core.config import Loaded, watch_process
from flaskllm.core.redaction import Redactor
from flaskllm.llm.router import Router
from flaskllm.services import Services
from flaskllm.services.api_tokens import ApiTokenService
from flaskllm.services.audit import Audit
from flaskllm.services.authentication import Authentication
from flaskllm.services.completions import Completions
from flaskllm.services.digests.pipeline import Digests
from flaskllm.services.digests.threads import Threads
from flaskllm.services.health import Health, Providers
from flaskllm.services.idempotency import Idempotency
from flaskllm.services.models import Models
from flaskllm.services.overrides import Overrides
from flaskllm.services.privacy import Privacy
from flaskllm.services.probes import Probes
from flaskllm.services.resealing import Resealing
from flaskllm.services.responses import Responses
from flaskllm.services.routes import Routes
from flaskllm.services.secret_mark import SecretMark
from flaskllm.services.templates import Templates
from flaskllm.services.usage_reports import UsageQueries
from flaskllm.storage.api_tokens import ApiTokens
from flaskllm.storage.audit import AuditRows
from flaskllm.storage.changes import Changes
from flaskllm.storage.idempotency import IdempotencyRows
from flaskllm.storage.overrides import OverrideRows
from flaskllm.storage.resealing import SealedValues
from flaskllm.storage.responses import ResponseRows
from flaskllm.storage.sealing import ContentSealer
from flaskllm.storage.threads import ThreadRows
from flaskllm.storage.usage_reports import UsageReports
from flaskllm.storage.workers import Workers
from flaskllm.wiring.accounts import build_accounts
from flaskllm.wiring.budgets import build_budgets
from flaskllm.wiring.ground import (
    Ground,
    build_database,
    deadline_seconds,
    is_under_uwsgi,
    lay_ground,
)
from flaskllm.wiring.housekeeping import build_housekeeping
from flaskllm.wiring.inbound import build_inbound
from flaskllm.wiring.jobs import build_work
from flaskllm.wiring.limits import build_limits
from flaskllm.wiring.models import LiveModels, tell_rejected
from flaskllm.wiring.secrets import reveal, secrets_of

__all__ = ["build_database", "build_services", "is_under_uwsgi", "secrets_of"]


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
    ground = lay_ground(loaded.settings, clock, redactor)
    return _build(ground, _live(loaded, ground, redactor))


def _build(ground: Ground, live: LiveModels) -> Services:
    database, clock = ground.database, ground.clock
    overrides = _overrides(ground, live)
    router = _watched(live, overrides, _probes(ground, live))
    privacy = _privacy(ground, live)
    completions = Completions(router, privacy.rules)
    responses = Responses(ResponseRows(database), clock)
    idempotency, limits = _idempotency(ground), build_limits(ground)
    accounts = build_accounts(ground, limits)
    threads = _threads(ground)
    digests = _digests(ground, live, completions, privacy, threads)
    work = build_work(ground, digests, accounts)
    models = Models(live.catalog, live.counting, int(clock.now().timestamp()))
    keepers = (accounts, responses, limits, idempotency)
    told = (work.keeping, work.callbacks.deliveries, threads)
    return Services(
        clock=clock,
        accounts=accounts,
        api_tokens=_api_tokens(ground),
        audit=Audit(AuditRows(database)),
        budgets=build_budgets(ground, live.catalog),
        completions=completions,
        digests=digests,
        resealing=_resealing(ground),
        responses=responses,
        models=models,
        routes=_routes(live, overrides),
        providers=Providers(live.catalog, live.health, overrides),
        overrides=overrides,
        privacy=privacy,
        templates=Templates(live.library),
        health=Health(database),
        housekeeping=build_housekeeping(ground, *keepers, *told),
        idempotency=idempotency,
        settings=live,
        usage_reports=UsageQueries(UsageReports(database), clock, ground.zone),
        limits=limits,
        metrics=ground.metrics,
        database=database,
        jobs=work.jobs,
        job_runs=work.runs,
        endpoints=work.callbacks.endpoints,
        receivers=work.callbacks.receivers,
        deliveries=work.callbacks.deliveries,
        inbound=build_inbound(ground, work, models),
        workflows=work.workflows,
        workers=Workers(database, clock),
        deadline_seconds=deadline_seconds(ground.settings),
    )


def _privacy(ground: Ground, live: LiveModels) -> Privacy:
    told, rows = ground.settings.privacy, AuditRows(ground.database)
    return Privacy(told, told.compiled(), rows, ground.clock, live.catalog)


def _digests(
    ground: Ground,
    live: LiveModels,
    completions: Completions,
    privacy: Privacy,
    threads: Threads,
) -> Digests:
    told = ground.settings.digests
    at_once = told.parallel_calls if ground.threaded else 1
    most, clock = told.most_inline_calls, ground.clock
    return Digests(completions, live.library, clock, at_once, most, privacy, threads)


def _threads(ground: Ground) -> Threads:
    keep_for = timedelta(days=ground.settings.digests.thread_days)
    return Threads(ThreadRows(ground.database, ground.clock), ground.keys, keep_for)


def _watched(
    live: LiveModels, overrides: Overrides, probes: Probes
) -> Callable[[], Router]:
    """Return what gives the router, and looks after what requests depend on."""

    def router() -> Router:
        overrides.keep_current()
        probes.begin()
        return live.router()

    return router


def _live(loaded: Loaded, ground: Ground, redactor: Redactor) -> LiveModels:
    watch = watch_process(loaded, tell_rejected)
    return LiveModels(loaded, watch, ground.clock, redactor, ground.metrics)


def _routes(live: LiveModels, overrides: Overrides) -> Routes:
    return Routes(live.catalog, live.explainer, live.health, overrides.keep_current)


def _overrides(ground: Ground, live: LiveModels) -> Overrides:
    rows = OverrideRows(ground.database)
    return Overrides(
        rows, live.health, live.catalog, ground.clock, threaded=ground.threaded
    )


def _probes(ground: Ground, live: LiveModels) -> Probes:
    return Probes(
        live.probed,
        live.health,
        ground.clock,
        SystemRandom(),
        threaded=ground.threaded,
    )


def _api_tokens(ground: Ground) -> ApiTokenService:
    text = reveal(ground.settings.api_token)
    bootstrap = BootstrapToken(text) if text else None
    tokens, read_counter = ApiTokens(ground.database), Changes(ground.database).read
    proofs = Authentication(tokens, ground.keys, ground.clock, read_counter, bootstrap)
    return ApiTokenService(tokens, proofs, ground.clock)


def _idempotency(ground: Ground) -> Idempotency:
    return Idempotency(
        IdempotencyRows(ground.database),
        ground.keys,
        ground.clock,
        threaded=ground.threaded,
        deadline_seconds=deadline_seconds(ground.settings),
    )


def _resealing(ground: Ground) -> Resealing:
    keys = ground.keys
    return Resealing(
        SealedValues(ground.database),
        ContentSealer(keys),
        SecretMark(keys),
        ground.clock,
    )
