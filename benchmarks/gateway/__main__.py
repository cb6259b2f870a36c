"""Measure the gateway beside a bare proxy and LiteLLM, and print the table.

    python benchmarks/gateway [--without-litellm] [--rounds N]

Each server has core 0 to itself while it is measured, the clients and the upstream
have core 1. The servers are measured in turn, round by round, and the medians are
told; on shared machines only the ratios mean something, and of the figures the
processor time, which is steadier than the clock. Needs `wrk` and `taskset`.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import servers
from load import write_script, wrk
from servers import API_TOKEN, CLIENT_CORE, HERE, LITELLM_VENV, Server

UNARY_SECONDS, STREAM_SECONDS, CONCURRENCY = 5, 3, 16
PACED_STREAMS, PACED_MODEL, BLAST_MODEL = 200, "paced-60-50", "blast-500"

Figures = dict[str, float]


def main() -> None:
    """Start everything, measure in turns, print."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        script = write_script(Path(folder), API_TOKEN)
        source = stack.enter_context(servers.upstream(Path(folder)))
        starts = [servers.gateway, servers.bare_proxy]
        if not options.without_litellm and LITELLM_VENV.exists():
            starts.append(servers.litellm)
        rivals = [
            stack.enter_context(start(Path(folder), source.url)) for start in starts
        ]
        _tell_unary(rivals, source, script, options.rounds)
        _tell_streams(rivals, options.rounds)
        _tell_paced(rivals[:2])
        _tell_memory(rivals)
    _tell_imports()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--without-litellm", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def _tell_unary(
    rivals: Sequence[Server], source: Server, script: Path, rounds: int
) -> None:
    def measure(server: Server) -> Figures:
        before = server.cpu_seconds()
        figures = wrk(server.url, script, CONCURRENCY, UNARY_SECONDS)
        cpu_seconds = server.cpu_seconds() - before
        return {**figures, "cpu_us": 1e6 * cpu_seconds / figures["requests"]}

    for server in rivals:
        wrk(server.url, script, CONCURRENCY, 1)  # not counted
    alone = measure(source)
    print(f"\nUnary, {CONCURRENCY} connections, {UNARY_SECONDS} s, {rounds} rounds")
    print(f"  the upstream alone: {alone['rps']:.0f} requests/s")
    table = _in_turns(rivals, rounds, measure)
    for name, figures in table.items():
        print(
            f"  {name:<11}{figures['rps']:8.0f} requests/s   p50 "
            f"{figures['p50']:7.2f} ms   p99 {figures['p99']:8.2f} ms   "
            f"processor {figures['cpu_us']:6.0f} us each   bad {figures['bad']:.0f}"
        )
    _tell_ratios(table, "rps")
    added = table["flaskllm"]["p99"] - alone["p99"]
    print(f"  p99 that the gateway adds to the upstream's: {added:.1f} ms")


def _tell_streams(rivals: Sequence[Server], rounds: int) -> None:
    print(f"\nStreams of 500 chunks as fast as they go, 8 at once, {rounds} rounds")
    table = _in_turns(
        rivals, rounds, lambda each: _streams(each, BLAST_MODEL, 8, STREAM_SECONDS)
    )
    for name, figures in table.items():
        print(
            f"  {name:<11}{figures['chunks_per_second']:9.0f} chunks/s   first token "
            f"{figures['first_ms_median']:7.1f} ms   broken {figures['broken']:.0f}"
        )
    _tell_ratios(table, "chunks_per_second")


def _tell_paced(rivals: Sequence[Server]) -> None:
    print(f"\n{PACED_STREAMS} streams at once, a chunk every 50 ms, one worker")
    for server in rivals:
        figures = _streams(server, PACED_MODEL, PACED_STREAMS, 6)
        print(
            f"  {server.name:<11}whole {figures['streams']:.0f}   broken "
            f"{figures['broken']:.0f}   {figures['chunks_per_second']:.0f} chunks/s   "
            f"first p99 {figures['first_ms_p99']:.0f} ms   longest gap "
            f"{figures['gap_ms_max']:.0f} ms"
        )


def _tell_memory(rivals: Sequence[Server]) -> None:
    print("\nMemory after all this: every process, what they share counted once")
    for server in rivals:
        print(f"  {server.name:<11}{server.memory_mib():8.1f} MiB")


def _tell_imports() -> None:
    print("\nTime to import, median of 5")
    commands = {
        "flaskllm": [sys.executable, "-c", "import flaskllm.factory"],
        "bare proxy": [sys.executable, "-c", "import flask, requests"],
    }
    if LITELLM_VENV.exists():
        python = str(LITELLM_VENV / "bin/python")
        commands["LiteLLM"] = [python, "-c", "import litellm.proxy.proxy_server"]
    for name, command in commands.items():
        print(f"  {name:<11}{_import_seconds(command):8.2f} s")


def _import_seconds(command: Sequence[str]) -> float:
    timed = ["/usr/bin/env", "bash", "-c", 'TIMEFORMAT=%R; time "$@"', "_", *command]
    runs = (
        subprocess.run(timed, capture_output=True, text=True, check=True)
        for _ in range(5)
    )
    return statistics.median(float(run.stderr.split()[-1]) for run in runs)


def _in_turns(
    rivals: Sequence[Server], rounds: int, measure: Callable[[Server], Figures]
) -> dict[str, Figures]:
    """Return the median of each figure; the servers are measured in turn."""
    seen: dict[str, list[Figures]] = {server.name: [] for server in rivals}
    for _ in range(rounds):
        for server in rivals:
            seen[server.name].append(measure(server))
    return {
        name: {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        for name, runs in seen.items()
    }


def _tell_ratios(table: dict[str, Figures], figure: str) -> None:
    ours = table["flaskllm"][figure]
    for name, figures in table.items():
        if name != "flaskllm":
            print(f"  flaskllm / {name}: {ours / figures[figure]:.2f}")


def _streams(server: Server, model: str, streams: int, seconds: float) -> Figures:
    client = [sys.executable, str(HERE / "stream_client.py"), server.url, API_TOKEN]
    command = [
        *("taskset", "--cpu-list", str(CLIENT_CORE), *client),
        *(model, str(streams), str(seconds)),
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    figures: Figures = json.loads(run.stdout)
    return figures


if __name__ == "__main__":
    main()
