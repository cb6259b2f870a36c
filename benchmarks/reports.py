"""Make a database of very many requests, and time what reports answer from it.

    python benchmarks/reports.py [--requests N] [--days N] [--folder DIR]
                                 [--database postgresql://...] [--rounds N] [--keep]

The rows of usage are those of 20 API tokens that ask 6 deployments of 3 models through
4 doors, every combination of them. They are put into a schema as it was before there
were roll-ups; what fills those is the migration, and what makes hours and days of them
is the duty of housekeeping, so both are timed too. Then each panel is asked of the real
application, in this process: what is told is the time from the request to the whole
answer. A file of 10 million requests takes 6 GB; it is removed unless `--keep`.
"""

import argparse
import itertools
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from alembic import command
from alembic.config import Config
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, create_engine, text

from flaskllm.core.config import load
from flaskllm.factory import create_app
from flaskllm.services import Services
from flaskllm.services.housekeeping import Report

BEFORE = "0011"
TOKEN = "reports-benchmark-0123456789-0123456789"  # of no real gateway
SAMPLES = 5000
PRINCIPALS = 20
TAGS = ("sales", "support", "legal", "research", "finance")
SOURCES = ("chat", "openai:chat", "webhook:email", "webhook:meeting")
# alias, deployment, provider, model, dollars for a million tokens in and out
DEPLOYMENTS = (
    ("fast", "mini-eu", "azure-eu", "gpt-4o-mini", 0.15, 0.60),
    ("fast", "mini-us", "openai", "gpt-4o-mini", 0.15, 0.60),
    ("fast", "big-eu", "azure-eu", "gpt-4o", 2.50, 10.0),
    ("smart", "big-eu", "azure-eu", "gpt-4o", 2.50, 10.0),
    ("smart", "big-us", "openai", "gpt-4o", 2.50, 10.0),
    ("local", "llama-a", "box-a", "llama3.1:8b", 0.0, 0.0),
    ("local", "llama-b", "box-b", "llama3.1:8b", 0.0, 0.0),
)
COLUMNS = """
    id, request_id, principal_id, alias, deployment, provider, model, attempt, outcome,
    latency_ms, input_uncached, input_cache_read, input_cache_write, output_text,
    output_reasoning, usage_source, decision, created_at, source, tags, cost_nanos,
    is_estimated, price
"""
SERIES = {
    "sqlite": "WITH RECURSIVE s(n) AS "
    "(SELECT {first} UNION ALL SELECT n + 1 FROM s WHERE n + 1 < {after})",
    "postgresql": "WITH s(n) AS "
    "(SELECT generate_series(CAST({first} AS bigint), {after} - 1))",
}
MOMENTS = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S.000000', {begin} + n * {span} / {count}, "
    "'unixepoch')",
    "postgresql": "to_timestamp({begin} + n * {span} / {count})",
}
DIGITS = {
    "sqlite": "printf('%012d', {})",
    "postgresql": "lpad(CAST({} AS text), 12, '0')",
}
CHUNK = 250_000
TABLES = ("usage_quarters", "latency_quarters", "usage_spans", "latency_spans")
# What is asked, of which span, and how.
PANELS = (
    "summary year",
    "summary month",
    "summary year token=token0000003",
    "timeseries year bucket=day",
    "timeseries year bucket=day&by=model",
    "timeseries year bucket=day&by=deployment",
    "timeseries year bucket=day&by=token",
    "timeseries year bucket=day&by=source",
    "timeseries year bucket=day&by=tag",
    "timeseries year bucket=week&by=model",
    "timeseries year bucket=month&by=token",
    "timeseries year bucket=day&by=model&token=token0000003",
    "timeseries year bucket=day&by=deployment&tag=sales",
    "timeseries month bucket=day&by=token",
    "timeseries fortnight bucket=hour",
    "timeseries fortnight bucket=hour&by=model",
    "timeseries fortnight bucket=hour&by=token",
    "timeseries day bucket=hour&by=model",
    "latency quarter bucket=day",
    "latency quarter bucket=day&by=deployment",
    "latency quarter bucket=week&by=model",
    "latency half bucket=week&by=deployment",
    "latency half bucket=month&by=deployment",
    "latency quarter bucket=day&measure=first_token",
    "latency quarter bucket=day&token=token0000003",
    "latency month bucket=day&by=token",
    "latency week bucket=hour",
    "latency week bucket=hour&by=deployment",
    "latency day bucket=hour&by=deployment",
    "shares year",
    "shares month",
    "requests year",
    "requests year limit=200",
    "requests year token=token0000003",
    "requests year outcome=LLM_TIMEOUT",
    "requests year tag=sales",
    "requests year deployment=big-us",
)


def main() -> None:
    """Make the database, ask every panel, print what each took."""
    options = _options()
    with tempfile.TemporaryDirectory() as place, _place(options) as url:
        _generate(url, options)
        settings = {
            "FLASKLLM_DATABASE_URL": url,
            "FLASKLLM_API_TOKEN": TOKEN,
            "FLASKLLM_LOG_LEVEL": "ERROR",
            "FLASKLLM_ACCOUNTING__TIME_ZONE": options.zone,
            "FLASKLLM_SECRET": "reports-benchmark-secret-0123456789-0123456789",
        }
        app = create_app(load(settings, Path(place)))
        services = app.extensions["flaskllm"]
        _timed("migration that fills the roll-ups", services.database.upgrade)
        _add_first_tokens(url)
        _timed("making hours and days", lambda: _build(services))
        _tell_size(url)
        _ask_all(app, options)
        services.database.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=10_000_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--zone", default="Europe/Berlin")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path, help="for the file; /tmp if omitted")
    parser.add_argument("--database", help="an empty one, postgresql://...")
    parser.add_argument("--keep", action="store_true", help="leave the file")
    return parser.parse_args()


@contextmanager
def _place(options: argparse.Namespace) -> Iterator[str]:
    if options.database:
        yield options.database
        return
    folder = Path(tempfile.mkdtemp(prefix="flaskllm-reports-", dir=options.folder))
    try:
        yield f"sqlite:///{folder}/reports.db"
    finally:
        if options.keep:
            print("kept:", folder)
        else:
            for each in folder.iterdir():
                each.unlink()
            folder.rmdir()


def _generate(url: str, options: argparse.Namespace) -> None:
    """Make the schema as it was before, and fill the usage table."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    config = Config()
    config.set_main_option("script_location", "flaskllm.storage:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, BEFORE)
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    began = time.monotonic()
    with engine.begin() as connection:
        indexes = _drop_indexes(connection)
        _add_samples(connection)
    for first in range(0, options.requests, CHUNK):
        with engine.begin() as connection:
            after = min(first + CHUNK, options.requests)
            connection.execute(
                text(_insert(engine.dialect.name, first, after, options))
            )
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE samples"))
        for each in indexes:
            connection.exec_driver_sql(each)
        if engine.dialect.name == "postgresql":
            connection.execute(text("ANALYZE usage"))
    engine.dispose()
    _tell("rows of usage", time.monotonic() - began)


def _drop_indexes(connection: Connection) -> list[str]:
    """Drop the indexes of usage, and return what makes them again: that is faster."""
    if connection.dialect.name == "postgresql":
        return []
    found = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_master "
        "WHERE type = 'index' AND tbl_name = 'usage' AND sql IS NOT NULL"
    ).all()
    for name, _ in found:
        connection.exec_driver_sql(f"DROP INDEX {name}")
    return [sql for _, sql in found]


def _insert(dialect: str, first: int, after: int, options: argparse.Namespace) -> str:
    """Return the statement that adds these rows; of twenty one is a second try."""
    span = options.days * 86_400
    begin = int((datetime.now(UTC) - timedelta(seconds=span + 60)).timestamp())
    moment = MOMENTS[dialect].format(begin=begin, span=span, count=options.requests)
    series = SERIES[dialect].format(first=first, after=after)
    digits = (
        "printf('%012d', {})" if dialect == "sqlite" else "lpad(({})::text, 12, '0')"
    )
    body = f"""
      SELECT 'att_' || {digits.format("n")},
        'req_' || {digits.format("n - (CASE WHEN n % 20 = 19 THEN 1 ELSE 0 END)")},
        principal_id, alias, deployment, provider, model,
        CASE WHEN n % 20 = 19 THEN 2 ELSE 1 END,
        CASE WHEN n % 20 = 18 THEN 'LLM_TIMEOUT' ELSE 'OK' END,
        latency_ms, input_uncached, 0, 0, output_text, 0, 'provider', alias,
        {moment}, source, tags, cost_nanos, false, price
      FROM s JOIN samples ON samples.id = (n * 2654435761) % {SAMPLES}"""
    insert = f"INSERT INTO usage ({COLUMNS})"
    # Each database wants them in its own order.
    return f"{insert} {series} {body}"


def _add_samples(connection: Connection) -> None:
    """Make the attempts that rows are drawn from: every combination is among them."""
    connection.execute(
        text(
            "CREATE TABLE samples (id integer PRIMARY KEY, principal_id text, "
            "alias text, deployment text, provider text, model text, source text, "
            "tags text, price text, latency_ms integer, input_uncached integer, "
            "output_text integer, cost_nanos bigint)"
        )
    )
    chance = random.Random(8)  # figures, no secrets
    kinds = list(itertools.product(range(PRINCIPALS), DEPLOYMENTS, SOURCES))
    rows = [_sample(chance, number, kinds) for number in range(SAMPLES)]
    names = ", ".join(f":{name}" for name in rows[0])
    connection.execute(text(f"INSERT INTO samples VALUES ({names})"), rows)


def _sample(
    chance: random.Random, number: int, kinds: Sequence[tuple[int, tuple, str]]
) -> dict[str, object]:
    principal, told, source = kinds[number % len(kinds)]
    if number >= len(kinds):
        # Some ask far more than others.
        principal = int(PRINCIPALS * chance.random() ** 2)
    alias, deployment, provider, model, dollars_in, dollars_out = told
    tokens_in, tokens_out = chance.randint(50, 4000), chance.randint(5, 900)
    cost = tokens_in * dollars_in * 1000 + tokens_out * dollars_out * 1000
    prices = {"input": int(dollars_in * 1e9), "output": int(dollars_out * 1e9)}
    return {
        "id": number,
        "principal_id": f"token{principal:07}",
        "alias": alias,
        "deployment": deployment,
        "provider": provider,
        "model": model,
        "source": source,
        "tags": " ".join({TAGS[principal % 5], TAGS[principal % 3]}),
        "price": json.dumps(prices),
        "latency_ms": int(chance.lognormvariate(6.5 + tokens_out / 600, 0.5)),
        "input_uncached": tokens_in,
        "output_text": tokens_out,
        "cost_nanos": int(cost),
    }


def _add_first_tokens(url: str) -> None:
    """Let half of the answers be streamed: rows of before know no first token."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO latency_quarters SELECT slot, key, 1, bin - 15, count "
                "FROM latency_quarters WHERE bin > 15 AND key % 2 = 0"
            )
        )
    engine.dispose()


def _build(services: Services) -> None:
    """Make hours and days as housekeeping does, until nothing is left."""
    while any(each.name == "reports" and each.count for each in _kept(services)):
        pass


def _kept(services: Services) -> Sequence[Report]:
    return services.housekeeping.run(regardless=True)


def _tell_size(url: str) -> None:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        for table in ("usage", "usage_keys", *TABLES):
            query = text(f"SELECT COUNT(*) FROM {table}")
            print(f"| rows of {table} | {connection.execute(query).scalar():,} |")
        if engine.dialect.name == "postgresql":
            connection.execute(text("ANALYZE"))
    engine.dispose()


def _ask_all(app: Flask, options: argparse.Namespace) -> None:
    """Ask each panel several times and print the median and the slowest."""
    client = app.test_client()
    today = datetime.now(UTC).date()
    spans = {
        "year": today - timedelta(days=options.days - 1),
        "month": today - timedelta(days=30),
        "half": today - timedelta(days=180),
        "quarter": today - timedelta(days=99),
        "week": today - timedelta(days=6),
        "fortnight": today - timedelta(days=13),
        "day": today,
    }
    print(f"| panel, at {options.requests:,} attempts | median, ms | processor, ms |")
    print("|---|---|---|")
    for path in PANELS:
        name, _, query = path.partition(" ")
        span, _, rest = query.partition(" ")
        address = f"/api/v1/usage/{name}?since={spans[span]}&{rest}".rstrip("&")
        took = [_ask(client, address) for _ in range(options.rounds)]
        shown = f"{name} {query}".strip()
        whole, own = (
            statistics.median(each) * 1000 for each in zip(*took, strict=True)
        )
        print(f"| {shown} | {whole:.0f} | {own:.0f} |", flush=True)


def _ask(client: FlaskClient, address: str) -> tuple[float, float]:
    """Return the seconds that an answer took, by the clock and of the processor."""
    began, began_own = time.perf_counter(), time.process_time()
    reply = client.get(address, headers={"Authorization": f"Bearer {TOKEN}"})
    took = time.perf_counter() - began, time.process_time() - began_own
    if reply.status_code != 200:
        raise SystemExit(f"{address}: {reply.get_data(as_text=True)}")
    return took


def _timed(what: str, do: Callable[[], object]) -> None:
    began = time.monotonic()
    do()
    _tell(what, time.monotonic() - began)


def _tell(what: str, seconds: float) -> None:
    print(f"{what}: {seconds:.1f} s", flush=True)


if __name__ == "__main__":
    main()
