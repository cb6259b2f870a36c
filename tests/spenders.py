"""Processes that spend at the same time: each attempt has an account of its own.

As a program it says `ready`, waits for a line, begins all its attempts at once, and
says how many were admitted:

    python spenders.py URL '{"attempts": 50, ...}'
"""

import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass, replace
from zoneinfo import ZoneInfo

from stores import open_database

from flaskllm.core.auth import Principal, PrincipalLimits, Scope
from flaskllm.core.clock import Deadline, SystemClock
from flaskllm.core.config import Settings
from flaskllm.core.errors import BudgetExceeded, RateLimitExceeded
from flaskllm.core.metrics import Metrics
from flaskllm.core.windows import Windows
from flaskllm.llm.terms import Price
from flaskllm.llm.types import Attempt, Deployment, Outcome, Plan, Usage
from flaskllm.services.limits import Limits
from flaskllm.wiring.accounts import build_accounts
from flaskllm.wiring.ground import Ground
from flaskllm.wiring.secrets import build_key_ring

PAYER = Principal("ann", "Ann", frozenset({Scope.CHAT}), "api", tags=("team",))
_MINI = Deployment("mini", "box", "openai_compatible", "scripted-1")
_MANY = 1_000_000


@dataclass(frozen=True)
class Spree:
    """What one process does: so many attempts of so many nano-dollars each.

    `at_once` limits the principal's attempts; `settles` says whether they end.
    """

    attempts: int
    nanos: int = 0
    at_once: int | None = None
    settles: bool = True


def run_sprees(url: str, sprees: list[Spree]) -> list[int]:
    """Return how many attempts each process was admitted, all begun together."""
    path = os.pathsep.join(sys.path)
    processes = [
        subprocess.Popen(
            [sys.executable, __file__, url, json.dumps(asdict(spree))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": path},
        )
        for spree in sprees
    ]
    try:
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        return [int(process.communicate(timeout=120)[0]) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _spend(url: str, spree: Spree) -> None:
    clock = SystemClock()
    database = open_database(url)
    database.check()
    limits = Limits(Windows(clock=clock), None, clock, count_local=lambda: None)
    settings = Settings()
    ground = Ground(
        settings,
        database,
        clock,
        build_key_ring(settings),
        ZoneInfo("UTC"),
        Metrics(),
        threaded=True,
    )
    accounts = build_accounts(ground, limits)
    payer = replace(PAYER, limits=PrincipalLimits(concurrent_requests=spree.at_once))
    price = Price(spree.nanos * _MANY, 0)
    plan = Plan(1, 0, spree.nanos, spree.nanos)
    admitted, barrier = [], threading.Barrier(spree.attempts)

    def spend(number: int) -> None:
        account = accounts.open(
            payer,
            request_id=f"req_{number}",
            source="chat",
            deadline=Deadline.after(60.0, clock),
        )
        attempt = Attempt(1, "fast", _MINI, price=price, plan=plan)
        barrier.wait()
        try:
            account.before(attempt)
        except (BudgetExceeded, RateLimitExceeded):
            return
        admitted.append(number)
        if spree.settles:
            account.after(attempt, Outcome("OK", 0.1, Usage(1, source="provider")))

    _say("ready")
    sys.stdin.readline()
    threads = [threading.Thread(target=spend, args=(n,)) for n in range(spree.attempts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    accounts.flush()
    _say(len(admitted))


def _say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _spend(sys.argv[1], Spree(**json.loads(sys.argv[2])))
