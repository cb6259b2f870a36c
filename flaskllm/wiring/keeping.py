"""What copies, measures and removes what is kept."""

from collections.abc import Mapping

from flaskllm.core.config import Settings
from flaskllm.services.caching.clearing import CacheClearing
from flaskllm.services.keeping import Keeping
from flaskllm.services.keeping.backups import Backups
from flaskllm.services.keeping.erasing import Erasing
from flaskllm.services.keeping.retention import Retention, Terms
from flaskllm.services.keeping.sizes import Sizes
from flaskllm.services.secret_mark import SecretMark
from flaskllm.storage.api_tokens import ApiTokens
from flaskllm.storage.audit import AuditRows
from flaskllm.storage.erasing import PrincipalData
from flaskllm.storage.old_rows import OldRows
from flaskllm.storage.workers import Workers
from flaskllm.wiring.ground import Ground
from flaskllm.wiring.jobs import DurableWork

_WITHOUT_SETTING = {
    **dict.fromkeys(("reservations", "counters", "upstream_counts"), "minutes"),
    "routing_findings": "ten minutes",
    "workers": "a day",
    "usage_zones": "35 days after the last report",
    **dict.fromkeys(("api_tokens", "budgets", "overrides"), "until removed"),
    **dict.fromkeys(("endpoints", "inbound_endpoints"), "until removed"),
    **dict.fromkeys(("leases", "changes", "marks", "alembic_version"), "for good"),
}


def build_keeping(
    ground: Ground, work: DurableWork, clearing: CacheClearing
) -> Keeping:
    """Return the use cases of the database as a whole."""
    sizes = Sizes(ground.database, kept_by(ground.settings))
    return Keeping(_backups(ground), _erasing(ground, work, clearing), sizes)


def kept_by(settings: Settings) -> Mapping[str, str]:
    """Return how long each table's rows are kept, and which setting says so, if any."""
    told, jobs, digests = settings.retention, settings.jobs, settings.digests
    of_jobs = f"{jobs.keep_days} days (jobs.keep_days)"
    of_money = f"{told.ledger_days} days (retention.ledger_days)"
    of_sums = f"{told.report_days} days (retention.report_days)"
    return _WITHOUT_SETTING | {
        "usage": f"{told.usage_days} days (retention.usage_days)",
        "usage_keys": of_sums,
        "usage_quarters": of_sums,
        "usage_spans": of_sums,
        "latency_quarters": of_sums,
        "latency_spans": of_sums,
        "ledger": of_money,
        "spending": of_money,
        "budget_notices": of_money,
        "audit": f"{told.audit_days} days (retention.audit_days)",
        "responses": f"{told.response_days} days (retention.response_days)",
        "idempotency": f"{told.idempotency_hours} hours (retention.idempotency_hours)",
        "jobs": of_jobs,
        "job_steps": of_jobs,
        "documents": of_jobs,
        "deliveries": of_jobs,
        "delivery_attempts": of_jobs,
        "cache": "as long as its route says (cache_ttl_seconds)",
        "digest_threads": f"{digests.thread_days} days (digests.thread_days)",
    }


def _backups(ground: Ground) -> Backups:
    database, clock = ground.database, ground.clock
    return Backups(database, SecretMark(ground.keys), Workers(database, clock), clock)


def build_retention(ground: Ground) -> Retention:
    """Return what removes rows for their age alone."""
    told = ground.settings.retention
    terms = Terms(told.usage_days, told.ledger_days, told.audit_days)
    rows = OldRows(ground.database)
    return Retention(rows, ground.database, terms, ground.clock, ground.zone)


def _erasing(ground: Ground, work: DurableWork, clearing: CacheClearing) -> Erasing:
    return Erasing(
        PrincipalData(ground.database, work.workflows),
        work.endings,
        work.workflows,
        ApiTokens(ground.database),
        AuditRows(ground.database),
        ground.database,
        ground.clock,
        clearing.forget,
    )
