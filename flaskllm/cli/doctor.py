"""`flaskllm doctor`: how the stores are doing."""

from json import dumps

import click

from flaskllm.cli.problems import problems_told
from flaskllm.cli.table import table_lines
from flaskllm.core.clock import Clock, SystemClock
from flaskllm.core.config import load_from_process
from flaskllm.core.metrics import Metrics
from flaskllm.storage.redis_report import RedisReport, report_on
from flaskllm.storage.redis_store import RedisStore
from flaskllm.wiring.redis import build_redis

_NONE = "The settings name no Redis: set redis_url, or FLASKLLM_REDIS_URL."


@click.group()
def doctor() -> None:
    """Look at what the gateway stands on."""


@doctor.command("redis")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def redis(as_json: bool) -> None:
    """Tell how Redis is doing: memory, evictions, keys by purpose, latency.

    It changes nothing. The status is 1 where Redis cannot be used.
    """
    clock = SystemClock()
    store = build_redis(load_from_process().settings, clock, Metrics())
    try:
        with problems_told():
            report = _report(store, clock)
    except click.ClickException as problem:
        if as_json:
            click.echo(dumps({"works": False, "reason": problem.message}, indent=2))
        raise
    click.echo(_json(report) if as_json else _text(report))


def _report(store: RedisStore | None, clock: Clock) -> RedisReport:
    if store is None:
        raise click.ClickException(_NONE)
    return report_on(store, clock)


def _json(report: RedisReport) -> str:
    told = {
        "works": True,
        "version": report.version,
        "role": report.role,
        "uptime_seconds": report.uptime_seconds,
        "clients": report.clients,
        "memory_bytes": report.memory,
        "memory_most_bytes": report.memory_most,
        "policy": report.policy,
        "evicted_keys": report.evicted,
        "hits": report.hits,
        "misses": report.misses,
        "hit_ratio": report.hit_ratio,
        "keys": dict(report.keys),
        "keys_are_all": report.keys_are_all,
        "latency_ms": round(report.latency_ms, 3),
        "latency_most_ms": round(report.latency_most_ms, 3),
        "findings": list(report.findings()),
    }
    return dumps(told, indent=2)


def _text(report: RedisReport) -> str:
    most = report.memory_most
    ratio = report.hit_ratio
    rows = [
        ("version", f"{report.version}, {report.role}, up {_days(report)}"),
        ("clients", str(report.clients)),
        ("memory", f"{_mega(report.memory)} of {_mega(most) if most else 'no bound'}"),
        ("policy", report.policy),
        ("evicted keys", str(report.evicted)),
        ("hit ratio", "no reads yet" if ratio is None else f"{ratio:.1%}"),
        *((f"keys of {name}", _count(report, name)) for name in report.keys),
        ("latency", f"{report.latency_ms:.2f} ms"),
        ("slowest of 50", f"{report.latency_most_ms:.2f} ms"),
    ]
    findings = report.findings() or ("Nothing to mend.",)
    return "\n".join([*table_lines(rows), "", *findings])


def _count(report: RedisReport, name: str) -> str:
    return f"{report.keys[name]}{'' if report.keys_are_all else ' or more'}"


def _days(report: RedisReport) -> str:
    return f"{report.uptime_seconds / 86400:.1f} days"


def _mega(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
