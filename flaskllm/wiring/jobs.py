"""What jobs are accepted and done with."""

from dataclasses import dataclass
from random import SystemRandom

from flaskllm.core.auth import BOOTSTRAP
from flaskllm.net.egress import Egress
from flaskllm.net.egress_fetch import Fetcher
from flaskllm.services.accounts import Accounts
from flaskllm.services.digests.pipeline import Digests
from flaskllm.services.jobs.accepting import Accepting
from flaskllm.services.jobs.fetching import Fetching
from flaskllm.services.jobs.jobs import Jobs
from flaskllm.services.jobs.keeping import JobKeeping
from flaskllm.services.jobs.owners import Owners
from flaskllm.services.jobs.runs import JobRuns
from flaskllm.storage.api_tokens import ApiTokens
from flaskllm.storage.job_endings import JobEndings
from flaskllm.storage.job_expiry import JobExpiry
from flaskllm.storage.job_intake import JobIntake
from flaskllm.storage.job_runs import RunRows
from flaskllm.storage.jobs import JobRows
from flaskllm.storage.workflows import Workflows
from flaskllm.wiring.callbacks import Callbacks, build_callbacks
from flaskllm.wiring.egress import build_egress
from flaskllm.wiring.ground import Ground, deadline_seconds


@dataclass(frozen=True, slots=True)
class DurableWork:
    """What is accepted now and done later.

    Attributes:
        jobs: For those who have them.
        keeping: Of those that are over.
        runs: For the worker that does them.
        endings: Where they end.
        callbacks: For those who are told of their ends.
        workflows: What the worker takes from its queues.
        egress: The way out.
        fetcher: What is fetched by it.
    """

    jobs: Jobs
    keeping: JobKeeping
    runs: JobRuns
    endings: JobEndings
    callbacks: Callbacks
    workflows: Workflows
    egress: Egress
    fetcher: Fetcher


def build_work(ground: Ground, digests: Digests, accounts: Accounts) -> DurableWork:
    """Return what accepts jobs, does them and tells of them; nothing is opened.

    Raises:
        ConfigError: The proxy for callbacks, the CA bundle or the sender of mail
            cannot be used.
    """
    settings = ground.settings
    workflows = Workflows(ground.database, enabled=settings.jobs.enabled)
    egress = build_egress(settings, ground.clock)
    fetcher = Fetcher(egress, ground.clock)
    callbacks = build_callbacks(ground, egress, workflows)
    endings = JobEndings(
        ground.database, workflows, ground.clock, callbacks.telling.tell
    )
    runs = JobRuns(
        rows=RunRows(ground.database, ground.clock),
        endings=endings,
        digests=digests,
        accounts=accounts,
        owners=build_owners(ground),
        clock=ground.clock,
        metrics=ground.metrics,
        chances=SystemRandom(),
        deadline_seconds=deadline_seconds(ground.settings),
        fetching=Fetching(fetcher),
    )
    jobs = _jobs(ground, workflows, endings, digests)
    keeping = JobKeeping(endings, JobExpiry(ground.database, workflows, ground.clock))
    return DurableWork(
        jobs, keeping, runs, endings, callbacks, workflows, egress, fetcher
    )


def _jobs(
    ground: Ground,
    workflows: Workflows,
    endings: JobEndings,
    digests: Digests,
) -> Jobs:
    database, clock = ground.database, ground.clock
    accepting = Accepting(
        JobIntake(database, workflows, clock),
        ground.keys,
        digests.templates,
        clock,
        ground.settings.jobs,
        database.is_lasting,
        digests.privacy,
    )
    return Jobs(accepting, JobRows(database), endings, workflows, clock)


def build_owners(ground: Ground) -> Owners:
    """Return what finds those for whom work is done."""
    bootstrap = BOOTSTRAP if ground.settings.api_token else None
    return Owners(ApiTokens(ground.database), ground.clock, bootstrap)
