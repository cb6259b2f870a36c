"""`/api/v1/usage/timeseries`, `latency` and `shares`, and what the commands tell."""

import csv
import io
import json

import pytest
from click.testing import CliRunner
from state_scene import caller
from usage_rows import add_usage, usage_row

from flaskllm.cli.usage import usage as usage_commands
from flaskllm.core.auth import Scope

SETTINGS = """
accounting: {time_zone: Europe/Berlin}
providers:
  own: {kind: extractive}
deployments:
  own: {provider: own, model: extractive}
routes:
  - {alias: own, deployments: {own: 1}}
default_route: own
"""


@pytest.fixture
def gateway(make_gateway):
    made = make_gateway(SETTINGS)
    now = made.services.clock.now()
    add_usage(
        made.services.database,
        usage_row(created_at=now, model="a", latency_ms=1000, first_token_ms=100),
        usage_row(created_at=now, model="b", tags="red", principal_id="nobody"),
    )
    return made


@pytest.fixture
def send(gateway):
    return caller(gateway)


@pytest.fixture
def run(gateway):
    def run(*arguments):
        result = CliRunner().invoke(
            usage_commands, arguments, obj=lambda: gateway.services
        )
        assert result.exit_code == 0, result.output
        return result

    return run


def test_usage_is_told_over_time(gateway, send):
    today = gateway.services.usage_reports.span().last
    query = f"by=model&bucket=hour&since={today}"
    status, told = send("GET", f"/usage/timeseries?{query}")
    data, meta = told["data"], told["meta"]

    assert status == 200
    assert (meta["bucket"], meta["time_zone"]) == ("hour", "Europe/Berlin")
    assert {each["key"] for each in data["groups"]} == {"a", "b"}
    assert data["total"]["total"]["attempts"] == 2
    for line in (data["total"], *data["groups"]):
        assert len(line["attempts"]) == len(data["buckets"])
        assert sum(line["cost_nanos"]) == line["total"]["cost_nanos"]


def test_durations_are_told_with_their_error(send):
    _, told = send("GET", "/usage/latency?by=model")
    _, first = send("GET", "/usage/latency?measure=first_token&bucket=month")
    lines = {each["key"]: each["total"] for each in told["data"]["groups"]}

    assert told["meta"]["relative_error"] == 0.05
    assert lines["a"]["p50_ms"] == pytest.approx(1000, rel=0.051)
    assert first["data"]["total"]["total"]["count"] == 1
    assert first["data"]["total"]["p99_ms"] == [pytest.approx(100, rel=0.051)]


def test_shares_name_each_deployment(send):
    status, told = send("GET", "/usage/shares")
    (share,) = told["data"]["deployments"]

    assert status == 200
    assert (share["deployment"], share["part"]["answered"]) == ("mini", 1.0)
    assert share["cheaper"] is False
    assert told["data"]["saved_nanos"] == 0


@pytest.mark.parametrize("path", ["timeseries", "latency", "shares"])
def test_who_may_only_read_sees_nothing_of_others(send, path):
    status, told = send("GET", f"/usage/{path}", scope=Scope.READ)
    foreign, refused = send("GET", f"/usage/{path}?token=nobody", scope=Scope.READ)

    text = json.dumps(told["data"])
    assert status == 200
    assert '"attempts": 1' not in text
    assert '"count": 1' not in text
    assert (foreign, refused["code"]) == (404, "NOT_FOUND")


def test_each_is_a_table_too(gateway):
    token = gateway.make_token(Scope.ADMIN)

    def rows(path):
        reply = gateway.client.get(
            f"/api/v1/usage/{path}", headers={"Authorization": f"Bearer {token}"}
        )
        assert reply.content_type == "text/csv; charset=utf-8"
        return list(csv.DictReader(io.StringIO(reply.text)))

    sums = rows("timeseries.csv?by=tag")
    assert sum(int(row["attempts"]) for row in sums if not row["key"]) == 2
    assert sum(int(row["attempts"]) for row in sums if row["key"] == "red") == 1
    assert {row["count"] for row in rows("latency.csv?bucket=month")} == {"2"}
    assert [row["cheaper"] for row in rows("shares.csv")] == ["False"]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("timeseries?bucket=minute", "bucket"),
        ("timeseries?by=colour", "by"),
        ("timeseries?outcome=OK", "outcome"),
        ("timeseries?since=2020-01-01", "bucket"),
        ("timeseries?since=2026-02-02&until=2026-02-01", "until"),
        ("latency?by=tag", "by"),
        ("latency?source=chat", "source"),
        ("latency?measure=middle", "measure"),
        ("shares?since=9999-12-31", "since"),
        ("shares?bucket=day", "bucket"),
        ("summary?tag=red&tag=blue", "tag"),
        ("requests?limit=1&limit=1", "limit"),
    ],
)
def test_a_wrong_parameter_is_named(send, query, path):
    status, told = send("GET", f"/usage/{query}")

    assert status == 400, told
    assert told["fields"][0]["path"] == path


def test_one_that_is_not_known_is_told_with_those_that_are(send):
    _, told = send("GET", "/usage/latency?colour=red")

    known = "since, until, token, model, alias, deployment, bucket, by, measure"
    assert set(told["fields"][0]["allowed"].split(", ")) >= set(known.split(", "))


def test_the_command_line_tells_the_same(run, gateway):
    shown = run("timeseries", "--by", "model", "--bucket", "month").stdout
    title, total, *groups = (line.split() for line in shown.splitlines())
    assert title[1:3] == ["KEY", "REQUESTS"]
    assert (total[1:3], len(groups)) == (["all", "2"], 2)
    (row,) = json.loads(run("latency", "--bucket", "month", "--format", "json").stdout)
    assert row["count"] == 2
    shares = run("shares")
    assert "mini" in shares.stdout
    assert "0% of the answers and 0% of the money" in shares.stderr
    assert "nothing was answered" in run("shares", "--alias", "none").stderr
    assert " - " in run("latency", "--model", "none", "--bucket", "month").stdout


def test_the_text_tells_what_the_cache_saved_and_nothing_that_is_empty(run, gateway):
    now = gateway.services.clock.now()
    cached = {"usage_source": "cached", "saved_nanos": 250_000_000}
    add_usage(
        gateway.services.database, usage_row(created_at=now, tags="red", **cached)
    )

    by_tag = run("timeseries", "--by", "tag").stdout.splitlines()
    alone = run("timeseries", "--bucket", "month").stdout.splitlines()
    durations = run("latency", "--by", "model").stdout.splitlines()
    summed = run("summary").stdout.splitlines()

    days = gateway.services.usage_reports.span().last.day
    assert [line.split()[1] for line in by_tag[1:]] == ["all"] * days + ["red"]
    assert alone[0].split()[:2] == ["FROM", "REQUESTS"]
    assert alone[1].split()[-2:] == ["1", "0.25"]
    assert len(durations) == 1 + days + 2
    assert summed[1].split()[-2:] == ["1", "0.25"]


def test_too_many_buckets_are_words_that_are_wrong(gateway):
    result = CliRunner().invoke(
        usage_commands,
        ["timeseries", "--bucket", "hour", "--since", "2020-01-01"],
        obj=lambda: gateway.services,
    )

    assert result.exit_code == 2
    assert "bucket: too many buckets of one hour" in result.stderr


def test_housekeeping_makes_the_days_that_are_over(gateway):
    long_ago = gateway.services.clock.now().replace(year=2025)
    add_usage(gateway.services.database, usage_row(created_at=long_ago))

    made = gateway.services.housekeeping.run_due()["reports"]

    assert made >= 300
    assert gateway.services.housekeeping.run_due() == {}
