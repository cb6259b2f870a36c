"""What an attempt costs more where processes share routing.

    python benchmarks/shared_routing.py [DATABASE_URL ...] [REDIS_URL ...]

Each line is a store and a kind of deployment: microseconds for taking a place and
giving it back, in the middle and at the 99th percentile, with one thread and with
sixteen, and how many times that of a process alone it is.
"""

import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from flaskllm.core.clock import SystemClock
from flaskllm.core.config import load
from flaskllm.core.ids import random_base62
from flaskllm.core.redaction import Redactor
from flaskllm.llm.health import Health, Visit
from flaskllm.llm.terms import UNLIMITED, Limits
from flaskllm.llm.types import Deployment, Usage
from flaskllm.wiring.ground import lay_ground
from flaskllm.wiring.health import build_health
from flaskllm.wiring.routing import share_routing

ATTEMPTS = 2000
MANY = 10_000_000
KINDS = {
    "unlimited": UNLIMITED,
    "requests": Limits(requests_per_minute=MANY),
    "tokens": Limits(tokens_per_minute=MANY),
    "concurrent": Limits(concurrent_requests=MANY),
}
USED = Usage(input_uncached=60, output_text=40, source="provider")


def main(urls: list[str]) -> None:
    """Measure a process alone, one on a SQLite file, and one on each of these."""
    alone = _measure({"FLASKLLM_LIMITS__STORE": "memory"}, {})
    for name, environ in _stores(urls).items():
        _measure(environ, alone, name)


def _stores(urls: list[str]) -> dict[str, dict[str, str]]:
    stores = {"sqlite": {"FLASKLLM_LIMITS__STORE": "database"}}
    for url in urls:
        name = url.partition(":")[0]
        setting = "REDIS_URL" if name.startswith(("redis", "unix")) else "DATABASE_URL"
        stores[name] = {f"FLASKLLM_{setting}": url}
    return stores


def _measure(
    environ: dict[str, str], alone: dict[str, float], name: str = "alone"
) -> dict[str, float]:
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        given = {"FLASKLLM_DATA_DIR": folder, "FLASKLLM_SECRET": random_base62(40)}
        settings = load(given | environ, Path(folder)).settings
        ground = lay_ground(settings, SystemClock(), Redactor())
        health = build_health(settings, ground.clock, ground.metrics)
        ground.database.check()  # its schema is made
        state = share_routing(ground, health)
        for kind, limits in KINDS.items():
            deployment = Deployment(kind, "box", "openai", "m-1", limits=limits)
            for threads in (1, 16):
                times = _attempts(health, deployment, threads)
                middle = statistics.median(times)
                found[f"{kind} {threads}"] = middle
                _say(name, kind, threads, times, middle, alone)
        if state is not None:
            began = time.perf_counter()
            for _ in range(ATTEMPTS):
                state.keep_current()
            each = (time.perf_counter() - began) / ATTEMPTS * 1e6
            print(f"{name:12} looking for news {each:10.2f} us a request")
        ground.database.close()
    return found


def _say(
    name: str,
    kind: str,
    threads: int,
    times: list[float],
    middle: float,
    alone: dict[str, float],
) -> None:
    late = statistics.quantiles(times, n=100)[98]
    usual = alone.get(f"{kind} {threads}")
    ratio = f"{middle / usual:8.1f} times" if usual else ""
    print(f"{name:12} {kind:12} {threads:3} {middle:10.1f} {late:10.1f} us {ratio}")


def _attempts(health: Health, deployment: Deployment, threads: int) -> list[float]:
    times: list[float] = []

    def work() -> None:
        for _ in range(ATTEMPTS // threads):
            began = time.perf_counter()
            visit = health.enter(deployment, "r", tokens=100, streams=False)
            assert isinstance(visit, Visit), visit
            visit.end(None, USED, 0.1)
            times.append((time.perf_counter() - began) * 1e6)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    return times


if __name__ == "__main__":
    main(sys.argv[1:])
