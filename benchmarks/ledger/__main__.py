"""Measure what the ledger costs: with it, with a commit for each, and without.

    python benchmarks/ledger [--rounds N] [--seconds N] [--database URL]

The gateway has core 0 to itself, the clients and the upstream core 1. The three take
turns, and the medians are told; on a shared machine the processor time of a request
is steadier than the clock. Needs `wrk` and `taskset`.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "gateway"))

import servers  # noqa: E402  # it lies beside, in the folder of the other benchmark
from load import write_script, wrk  # noqa: E402
from servers import Server  # noqa: E402

KINDS = ("shared", "direct", "none")
CONNECTIONS = 16

_SETTINGS = """
api_token: {token}
log_level: INFO
log_format: json
log_file: {folder}/gateway.log
providers:
  box: {{kind: openai_compatible, base_url: {upstream}/v1}}
deployments:
  any: {{provider: box, model: "*", price: {{input: 0.15, output: 0.60}}}}
routes:
  - {{pattern: "*", deployments: {{any: 1}}}}
"""

Figures = Mapping[str, float]


def main() -> None:
    """Start everything, measure in turns, print."""
    options = _options()
    with tempfile.TemporaryDirectory() as text, ExitStack() as stack:
        folder = Path(text)
        script = write_script(folder, servers.API_TOKEN)
        source = stack.enter_context(servers.upstream(folder))
        rivals = [
            stack.enter_context(_gateway(folder, source.url, kind, options.database))
            for kind in KINDS
        ]
        for server in rivals:
            wrk(server.url, script, CONNECTIONS, 1)  # not counted
        seen: dict[str, list[Figures]] = {kind: [] for kind in KINDS}
        for _ in range(options.rounds):
            for server in rivals:
                seen[server.name].append(_measure(server, script, options.seconds))
    _tell(seen)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument(
        "--database", help="such as postgresql://...; a file if omitted"
    )
    return parser.parse_args()


@contextmanager
def _gateway(
    folder: Path, upstream: str, kind: str, database: str | None
) -> Iterator[Server]:
    place = folder / kind
    place.mkdir()
    settings = place / "flaskllm.yaml"
    settings.write_text(
        _SETTINGS.format(token=servers.API_TOKEN, folder=place, upstream=upstream)
    )
    environ = {
        "ACCOUNTS": kind,
        "FLASKLLM_CONFIG": str(settings),
        "FLASKLLM_DATA_DIR": str(place / "data"),
        "FLASKLLM_SECRET": "benchmark-master-secret-6fX0pQ8rT2vW4yZ",
        **({"FLASKLLM_DATABASE_URL": database} if database else {}),
    }
    with servers.gunicorn(kind, place, HERE, "variant", environ) as server:
        yield server


def _measure(server: Server, script: Path, seconds: int) -> Figures:
    before = server.cpu_seconds()
    figures = wrk(server.url, script, CONNECTIONS, seconds)
    cpu_seconds = server.cpu_seconds() - before
    return {**figures, "cpu_us": 1e6 * cpu_seconds / max(1.0, figures["requests"])}


def _tell(seen: Mapping[str, list[Figures]]) -> None:
    table = {
        kind: {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        for kind, runs in seen.items()
    }
    for kind, figures in table.items():
        ratio = figures["rps"] / table["none"]["rps"]
        print(
            f"  {kind:<8}{figures['rps']:8.0f} requests/s   p50 {figures['p50']:7.2f} "
            f"ms   p99 {figures['p99']:8.2f} ms   processor {figures['cpu_us']:6.0f} "
            f"us each   bad {figures['bad']:.0f}   of none: {ratio:.2f}"
        )


if __name__ == "__main__":
    main()
