"""Floor 3: the use cases. One verb, one function. No Flask, no SQL, no HTTP."""

from dataclasses import dataclass

from flaskllm.core.clock import Clock
from flaskllm.core.metrics import Metrics
from flaskllm.services.accounts import Accounts
from flaskllm.services.api_tokens import ApiTokenService
from flaskllm.services.audit import Audit
from flaskllm.services.budget_keeping import Budgets
from flaskllm.services.caching.clearing import CacheClearing
from flaskllm.services.callbacks.deliveries import Deliveries
from flaskllm.services.callbacks.endpoints import Endpoints
from flaskllm.services.callbacks.receivers import Receivers
from flaskllm.services.completions import Completions
from flaskllm.services.digests.pipeline import Digests
from flaskllm.services.health import Health, Providers
from flaskllm.services.housekeeping import Housekeeping
from flaskllm.services.idempotency import Idempotency
from flaskllm.services.inbound.taking import Taking
from flaskllm.services.jobs.jobs import Jobs
from flaskllm.services.jobs.runs import JobRuns
from flaskllm.services.keeping import Keeping
from flaskllm.services.limits import Limits
from flaskllm.services.models import Models
from flaskllm.services.overrides import Overrides
from flaskllm.services.privacy import Privacy
from flaskllm.services.resealing import Resealing
from flaskllm.services.responses import Responses
from flaskllm.services.routes import Routes
from flaskllm.services.settings import LiveSettings
from flaskllm.services.templates import Templates
from flaskllm.services.usage_panels import Panels
from flaskllm.services.usage_reports import UsageQueries
from flaskllm.storage.database import Database
from flaskllm.storage.workers import Workers
from flaskllm.storage.workflows import Workflows


@dataclass(frozen=True, slots=True)
class Services:
    """What the faces get: every use case, ready to be called.

    `deadline_seconds` is how long one request may take in all. `database`,
    `workflows` and `workers` are for the command line, which brings the schema up to
    date and runs workers.
    """

    clock: Clock
    accounts: Accounts
    api_tokens: ApiTokenService
    audit: Audit
    budgets: Budgets
    completions: Completions
    clearing: CacheClearing
    digests: Digests
    resealing: Resealing
    responses: Responses
    models: Models
    routes: Routes
    providers: Providers
    overrides: Overrides
    privacy: Privacy
    templates: Templates
    health: Health
    housekeeping: Housekeeping
    idempotency: Idempotency
    settings: LiveSettings
    limits: Limits
    usage_reports: UsageQueries
    usage_panels: Panels
    metrics: Metrics
    jobs: Jobs
    job_runs: JobRuns
    endpoints: Endpoints
    receivers: Receivers
    deliveries: Deliveries
    inbound: Taking
    keeping: Keeping
    database: Database
    workflows: Workflows
    workers: Workers
    deadline_seconds: float
