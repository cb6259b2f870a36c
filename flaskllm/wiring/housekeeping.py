"""What the house has to be kept for: every duty, and how often."""

import socket

from flaskllm.services.accounts import Accounts
from flaskllm.services.caching.answers import Answers
from flaskllm.services.callbacks.deliveries import Deliveries
from flaskllm.services.digests.threads import Threads
from flaskllm.services.housekeeping import Duty, Housekeeping
from flaskllm.services.idempotency import Idempotency
from flaskllm.services.jobs.keeping import JobKeeping
from flaskllm.services.limits import Limits
from flaskllm.services.responses import Responses
from flaskllm.storage.leases import Leases
from flaskllm.wiring.ground import Ground
from flaskllm.wiring.keeping import build_retention
from flaskllm.wiring.reports import build_rollup_keeping

_HOST_CHARACTERS = 30


def build_housekeeping(
    ground: Ground,
    accounts: Accounts,
    responses: Responses,
    limits: Limits,
    idempotency: Idempotency,
    jobs: JobKeeping,
    deliveries: Deliveries,
    threads: Threads,
    answers: Answers,
) -> Housekeeping:
    """Return what does all duties when they are due; nothing is started."""
    retention = build_retention(ground)
    duties = (
        # name, how often in seconds, what returns how many it saw to
        Duty("reservations", 60.0, accounts.sweep),
        Duty("responses", 600.0, responses.forget_expired),
        Duty("counters", 600.0, limits.forget_expired),
        Duty("idempotency", 600.0, idempotency.forget_expired),
        Duty("jobs", 60.0, jobs.keep),
        Duty("deliveries", 600.0, deliveries.forget_expired),
        Duty("threads", 600.0, threads.forget_expired),
        Duty("cache", 60.0, answers.trim),
        Duty("reports", 600.0, build_rollup_keeping(ground).keep),
        Duty("usage", 60.0, retention.forget_usage),
        Duty("ledger", 60.0, retention.forget_ledger),
        Duty("audit", 600.0, retention.forget_audit),
        Duty("workers", 600.0, retention.forget_workers),
        # Last: what was removed before shall not lie in the log.
        Duty("log", 3600.0, retention.fold_log),
    )
    host = socket.gethostname()[:_HOST_CHARACTERS]
    leases = Leases(ground.database)
    return Housekeeping(leases, duties, ground.clock, host, threaded=ground.threaded)
