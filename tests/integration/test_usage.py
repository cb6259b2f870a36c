"""`/api/v1/usage` and `flaskllm usage`, of what a gateway has asked of its models."""

import csv
import io
import json

import pytest
from click.testing import CliRunner
from fakes import chat
from state_scene import caller
from usage_rows import add_usage, usage_row

from flaskllm.cli.usage import usage as usage_commands
from flaskllm.core.auth import Scope

SETTINGS = """
providers:
  box: {{kind: openai_compatible, base_url: {url}}}
deployments:
  small:
    provider: box
    model: scripted-1
    price: {{input: 1, output: 5, cache_read: 0.1}}
routes:
  - {{alias: scripted, deployments: {{small: 1}}}}
default_route: scripted
"""


@pytest.fixture
def priced(make_gateway, upstream):
    counted = {"prompt_tokens": 1000, "completion_tokens": 10, "total_tokens": 1010}
    upstream.script(*[chat("Hello.", counted)] * 3)
    return make_gateway(SETTINGS.format(url=upstream.url))


@pytest.fixture
def send(priced):
    return caller(priced)


def ask(priced, send, **options):
    status, told = send("POST", "/chat", {"message": "Hello?"}, Scope.CHAT, **options)
    assert status == 200
    priced.services.accounts.flush()
    return told


def test_a_request_is_told_with_its_tokens_its_cost_and_its_price_lines(priced, send):
    meta = ask(priced, send)["meta"]
    status, page = send("GET", "/usage/requests")

    (request,) = page["data"]
    (attempt,) = request["attempts"]
    assert status == 200
    assert request["request_id"] == meta["request_id"]
    assert request["source"] == "chat"
    assert (request["tokens_input"], request["tokens_output"]) == (1000, 10)
    assert request["cost"] == meta["cost"] == 0.00105
    assert attempt["cost_nanos"] == 1_050_000
    assert attempt["lines"] == [
        {"kind": "input_uncached", "tokens": 1000, "price": 1.0},
        {"kind": "output_text", "tokens": 10, "price": 5.0},
    ]
    assert (attempt["outcome"], attempt["estimated"]) == ("OK", False)
    assert page["meta"] == {"next": None}


def test_the_sums_stand_beside_their_days_and_time_zone(priced, send):
    ask(priced, send)
    status, told = send("GET", "/usage/summary")

    assert status == 200
    assert told["data"]["total"]["cost"] == 0.00105
    assert [each["key"] for each in told["data"]["by_model"]] == ["scripted-1"]
    assert [each["name"] for each in told["data"]["by_token"]] == ["test"]
    assert [each["key"] for each in told["data"]["by_source"]] == ["chat"]
    assert told["meta"]["time_zone"] == "UTC"
    assert told["meta"]["since"].endswith("-01")


def test_who_may_only_read_sees_their_own(priced, send):
    ask(priced, send)

    _, own = send("GET", "/usage/requests", scope=Scope.READ)
    _, sums = send("GET", "/usage/summary", scope=Scope.READ)

    assert own["data"] == []
    assert sums["data"]["total"]["attempts"] == 0


def test_a_foreign_api_token_reads_as_one_that_was_never_made(priced, send):
    ask(priced, send)
    _, page = send("GET", "/usage/requests")
    foreign = page["data"][0]["token"]

    replies = [
        send("GET", f"/usage/requests?token={token}", scope=Scope.READ)
        for token in (foreign, "0" * 12)
    ]

    assert replies[0] == replies[1]
    assert replies[0][0] == 404


def test_pages_follow_each_other(priced, send):
    for _ in range(3):
        ask(priced, send)
    _, first = send("GET", "/usage/requests?limit=2")
    _, second = send("GET", f"/usage/requests?limit=2&after={first['meta']['next']}")

    ids = [each["request_id"] for each in (*first["data"], *second["data"])]
    assert (len(ids), len(set(ids))) == (3, 3)
    assert second["meta"]["next"] is None


def test_the_tables_hold_the_same_as_csv(priced, send):
    ask(priced, send)
    token = priced.make_token(Scope.ADMIN)

    def rows(path):
        reply = priced.client.get(
            f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"}
        )
        assert reply.content_type == "text/csv; charset=utf-8"
        return list(csv.DictReader(io.StringIO(reply.text)))

    assert rows("/usage/summary.csv")[0]["cost"] == "0.00105"
    (row,) = rows("/usage/requests.csv")
    assert (row["tokens_input"], row["tokens_output"]) == ("1000", "10")
    assert (row["cost"], row["cost_nanos"]) == ("0.00105", "1050000")


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("since=yesterday", "since"),
        ("until=2026-13-01", "until"),
        ("since=20260101x", "since"),
        ("since=0001-01-01", "since"),
        ("since=2026-01-01&until=9999-12-31", "until"),
        ("since=9999-12-31", "since"),
        ("model=a%00b", "model"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=1.5", "limit"),
        ("limit=-1", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("after=nothing", "after"),
        ("model=", "model"),
        ("colour=red", "colour"),
    ],
)
def test_a_wrong_parameter_is_named(send, query, path):
    status, told = send("GET", f"/usage/requests?{query}")

    assert status == 400, told
    assert told["fields"][0]["path"] == path


@pytest.fixture
def run(priced):
    def run(*arguments):
        result = CliRunner().invoke(
            usage_commands, arguments, obj=lambda: priced.services
        )
        assert result.exit_code == 0, result.output
        return result

    return run


def test_the_command_line_tells_the_same(priced, send, run):
    ask(priced, send)

    assert "0.00105" in run("summary").stdout
    assert "test" in run("summary", "--by", "token").stdout
    (told,) = json.loads(run("requests", "--format", "json").stdout)
    assert (told["cost"], told["tokens_input"]) == ("0.00105", 1000)
    assert run("requests", "--format", "csv").stdout.startswith("request_id,token,")


def test_the_command_line_pages_too_and_marks_what_has_no_price(priced, run):
    add_usage(
        priced.services.database,
        usage_row(created_at=priced.services.clock.now(), cost_nanos=None),
        usage_row(created_at=priced.services.clock.now()),
    )
    first = run("requests", "--limit", "1")
    after = first.stderr.split("--after ")[1].strip()
    second = run("requests", "--limit", "1", "--after", after)

    assert "more:" not in second.stderr
    assert "unknown" in first.stdout + second.stdout


def test_a_span_that_ends_before_it_begins_is_empty(priced, send, run):
    ask(priced, send)
    status, told = send("GET", "/usage/requests?since=2026-02-02&until=2026-02-01")

    assert (status, told["data"]) == (200, [])
    spoken = run("requests", "--since", "2026-02-02", "--until", "2026-02-01").stdout
    assert len(spoken.splitlines()) == 1
