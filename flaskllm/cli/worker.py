"""`flaskllm worker`: the process that works on accepted jobs."""

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from types import FrameType

import click

from flaskllm.cli.problems import problems_told
from flaskllm.core import logs
from flaskllm.core.config import Settings, load_from_process
from flaskllm.jobs.worker import Task, Worker
from flaskllm.jobs.workflows import Work
from flaskllm.services import Services
from flaskllm.services.settings import LookOut
from flaskllm.wiring import build_services, secrets_of


@click.command("worker")
@click.option(
    "--threads",
    type=click.IntRange(1, 256),
    help="Do so many jobs at once instead of jobs.threads.",
)
@click.option(
    "--drain",
    is_flag=True,
    help="End once nothing is left to do. What waits for its time does not count.",
)
@click.option(
    "--max-seconds",
    type=click.FloatRange(min=1.0),
    help="Take no more work after this time, and end.",
)
def worker(threads: int | None, drain: bool, max_seconds: float | None) -> None:
    """Work on accepted jobs until stopped.

    `flaskllm serve` starts one by itself. Start more for more work at once, on this
    machine or on others with the same PostgreSQL. SIGTERM lets what runs end within
    30 seconds; the rest is left to other workers, or to the next start. A second Ctrl-C
    leaves it at once.
    """
    loaded = load_from_process()
    settings = loaded.settings
    redactor = logs.configure(
        settings.log_level,
        settings.log_format,
        settings.log_file,
        secrets_of(settings),
    )
    task = Task(
        threads or settings.jobs.threads,
        settings.jobs.poll_seconds,
        drain=drain,
        max_seconds=max_seconds,
    )
    with problems_told():
        services = build_services(loaded, redactor=redactor)
        _check(settings, services)
        _work(services, task)
    # What runs on nevertheless, or waits for what another worker makes of its work,
    # would keep the process.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _check(settings: Settings, services: Services) -> None:
    """Return when there can be work.

    Raises:
        click.ClickException: There can be none.
    """
    if not settings.jobs.enabled:
        raise click.ClickException(
            "No jobs are accepted: jobs.enabled is off. Turn it on, or run no worker."
        )
    if not services.database.is_lasting:
        raise click.ClickException(
            "The database is one in memory, which no other process sees. Give "
            "database_url a file or a PostgreSQL server."
        )


def _work(services: Services, task: Task) -> None:
    """Work until a signal comes or the task is done."""
    worker = Worker(
        services.workflows,
        services.workers,
        Work(
            services.job_runs.run,
            services.deliveries.attempt,
            services.job_runs.request_id,
        ),
        services.housekeeping.keep_house,
        services.clock,
    )
    look_out = LookOut(services.settings)
    look_out.start()
    _on(worker.stop, signal.SIGTERM)
    # Who presses Ctrl-C once more does not want to wait. A supervisor passes on the
    # first one as SIGTERM, so that does not count.
    interrupts = count(1)
    _on(
        lambda: worker.hurry() if next(interrupts) > 1 else worker.stop(), signal.SIGINT
    )
    _on(look_out.ask, signal.SIGHUP)
    try:
        worker.run(task)
    finally:
        # What is spent is written behind the work, and this process ends by force.
        services.accounts.flush()
        services.workflows.close()
        services.database.close()


def _on(act: Callable[[], None], number: int) -> None:
    def handle(_number: int, _frame: FrameType | None) -> None:
        act()

    signal.signal(number, handle)
