"""A real worker on the settings of its environment, with little patience for others.

python one_worker.py LOOK_SECONDS PATIENCE_SECONDS
"""

import os
import signal
import sys

from flaskllm.core import logs
from flaskllm.core.config import load_from_process
from flaskllm.jobs.takeover import Pace
from flaskllm.jobs.worker import Task, Worker
from flaskllm.jobs.workflows import Work
from flaskllm.wiring import build_services


def main():
    loaded = load_from_process()
    logs.configure("INFO", "json", None)
    services = build_services(loaded)
    worker = Worker(
        services.workflows,
        services.workers,
        Work(services.job_runs.run, services.deliveries.attempt),
        services.housekeeping.keep_house,
        services.clock,
    )
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    look_seconds, patience_seconds = map(float, sys.argv[1:])
    worker.run(Task(4, 0.1, pace=Pace(look_seconds, patience_seconds)))
    os._exit(0)


if __name__ == "__main__":
    main()
