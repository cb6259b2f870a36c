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
from flaskllm.services.caching.asking import Remembering
from flaskllm.services.completions import Completions
from flaskllm.services.health import Health, Providers
from flaskllm.services.idempotency import Idempotency
from flaskllm.services.models import Models
from flaskllm.services.overrides import Overrides
from flaskllm.services.privacy import Privacy
from flaskllm.services.probes import Probes
from flaskllm.services.resealing import Resealing
from flaskllm.services.responses import Responses
from flaskllm.services.routes import Routes
from flaskllm.services.routing_state import RoutingState
from flaskllm.services.secret_mark import SecretMark
from flaskllm.services.templates import Templates
from flaskllm.storage.api_tokens import ApiTokens
from flaskllm.storage.audit import AuditRows
from flaskllm.storage.idempotency import IdempotencyRows
from flaskllm.storage.overrides import OverrideRows
from flaskllm.storage.resealing import SealedValues
from flaskllm.storage.responses import ResponseRows
from flaskllm.storage.sealing import ContentSealer
from flaskllm.storage.workers import Workers
from flaskllm.wiring.accounts import build_accounts
from flaskllm.wiring.budgets import build_budgets
from flaskllm.wiring.caching import build_clearing, build_remembering
from flaskllm.wiring.changes import build_changes
from flaskllm.wiring.digests import build_digests, build_threads
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
from flaskllm.wiring.keeping import build_keeping
from flaskllm.wiring.limits import build_limits
from flaskllm.wiring.models import LiveModels, tell_rejected
from flaskllm.wiring.reports import build_panels, build_queries
from flaskllm.wiring.routing import share_routing
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
    overrides, keep_current, router = _routing(ground, live)
    privacy = _privacy(ground, live)
    completions, remembering = _asking(ground, router, privacy)
    responses, clearing = _responses(ground), build_clearing(ground, remembering, live)
    idempotency, limits = _idempotency(ground), build_limits(ground)
    accounts, threads = build_accounts(ground, limits), build_threads(ground)
    digests = build_digests(ground, live, completions, privacy, threads)
    work = build_work(ground, digests, accounts)
    database, clock = ground.database, ground.clock
    models = Models(live.catalog, live.counting, int(clock.now().timestamp()))
    keepers = (accounts, responses, limits, idempotency)
    told = (work.keeping, work.callbacks.deliveries, threads, remembering.answers)
    return Services(
        clock=clock,
        accounts=accounts,
        api_tokens=_api_tokens(ground),
        audit=Audit(AuditRows(database)),
        budgets=build_budgets(ground, live.catalog),
        completions=completions,
        clearing=clearing,
        digests=digests,
        resealing=_resealing(ground),
        responses=responses,
        models=models,
        routes=Routes(live.catalog, live.explainer, live.health, keep_current),
        providers=Providers(live.catalog, live.health, overrides, keep_current),
        overrides=overrides,
        privacy=privacy,
        templates=Templates(live.library),
        health=Health(database, ground.redis),
        housekeeping=build_housekeeping(ground, *keepers, *told),
        idempotency=idempotency,
        settings=live,
        usage_reports=build_queries(ground),
        usage_panels=build_panels(ground),
        limits=limits,
        metrics=ground.metrics,
        keeping=build_keeping(ground, work, clearing),
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


def _asking(
    ground: Ground, router: Callable[[], Router], privacy: Privacy
) -> tuple[Completions, Remembering]:
    remembering = build_remembering(ground, privacy.rules)
    return Completions(router, privacy.rules, remembering), remembering


def _privacy(ground: Ground, live: LiveModels) -> Privacy:
    told, rows = ground.settings.privacy, AuditRows(ground.database)
    return Privacy(told, told.compiled(), rows, ground.clock, live.catalog)


def _routing(
    ground: Ground, live: LiveModels
) -> tuple[Overrides, Callable[[], None], Callable[[], Router]]:
    """Return overrides, what takes up what others told, and what gives the router."""
    overrides = _overrides(ground, live)
    keep_current = _keeps_current(overrides, share_routing(ground, live.health))
    return overrides, keep_current, _watched(live, keep_current, _probes(ground, live))


def _keeps_current(
    overrides: Overrides, routing: RoutingState | None
) -> Callable[[], None]:
    """Return what takes up what operators and other processes told lately."""
    if routing is None:
        return overrides.keep_current

    def keep_current() -> None:
        overrides.keep_current()
        routing.keep_current()

    return keep_current


def _watched(
    live: LiveModels, keep_current: Callable[[], None], probes: Probes
) -> Callable[[], Router]:
    """Return what gives the router, and looks after what requests depend on."""

    def router() -> Router:
        keep_current()
        probes.begin()
        return live.router()

    return router


def _live(loaded: Loaded, ground: Ground, redactor: Redactor) -> LiveModels:
    watch = watch_process(loaded, tell_rejected)
    return LiveModels(loaded, watch, ground.clock, redactor, ground.metrics)


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
    tokens, changes = ApiTokens(ground.database), build_changes(ground)
    proofs = Authentication(
        tokens, ground.keys, ground.clock, changes.read, bootstrap, changes.announce
    )
    return ApiTokenService(tokens, proofs, ground.clock)


def _idempotency(ground: Ground) -> Idempotency:
    return Idempotency(
        IdempotencyRows(ground.database),
        ground.keys,
        ground.clock,
        threaded=ground.threaded,
        deadline_seconds=deadline_seconds(ground.settings),
        keep_for=timedelta(hours=ground.settings.retention.idempotency_hours),
    )


def _responses(ground: Ground) -> Responses:
    keep_for = timedelta(days=ground.settings.retention.response_days)
    return Responses(ResponseRows(ground.database), ground.clock, keep_for)


def _resealing(ground: Ground) -> Resealing:
    keys = ground.keys
    return Resealing(
        SealedValues(ground.database),
        ContentSealer(keys),
        SecretMark(keys),
        ground.clock,
    )
