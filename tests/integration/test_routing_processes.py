"""Three processes ask upstreams as one would: limits and findings are shared."""

import contextlib
import json
import sqlite3
import time
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from askers import askers
from fakes import Upstream, chat, status

from flaskllm.core.ids import random_base62

LIMITED = """
providers:
  box: {{kind: openai_compatible, base_url: {url}}}
deployments:
  small: {{provider: box, model: m-1, context_window: 9000, limits: {limits}}}
routes:
  - {{alias: scripted, deployments: {{small: 1}}}}
default_route: scripted
"""
TWO = """
providers:
  dying: {{kind: openai_compatible, base_url: {dying}}}
  well: {{kind: openai_compatible, base_url: {well}}}
deployments:
  dying: {{provider: dying, model: m-1, context_window: 9000}}
  well: {{provider: well, model: m-1, context_window: 9000}}
routes:
  - {{alias: scripted, deployments: {{dying: 1000, well: 1}}}}
default_route: scripted
health: {{cool_down_seconds: 20, failures_in_a_row: 5}}
"""


@pytest.fixture(scope="module")
def three():
    """Three processes, for all tests."""
    with askers(3) as started:
        yield started


@pytest.fixture(params=["sqlite", "postgres", "redis"])
def environ(request, tmp_path):
    """The settings of processes that share a store of this kind."""
    if request.param == "redis":
        # A store of its own: the database is for one process.
        stores = {"FLASKLLM_REDIS_URL": request.getfixturevalue("redis_url")}
    else:
        url = request.getfixturevalue(f"{request.param}_database_url")
        stores = {
            "FLASKLLM_DATABASE_URL": url,
            "FLASKLLM_LIMITS__STORE": "database",
        }
    return {
        "FLASKLLM_DATA_DIR": str(tmp_path / "data"),
        "FLASKLLM_CONFIG": str(tmp_path / "flaskllm.yaml"),
        "FLASKLLM_SECRET": random_base62(40),
        "FLASKLLM_JOBS__ENABLED": "false",
        **stores,
    }


def begin(three, environ, settings):
    """Let all of them begin with these settings."""
    Path(environ["FLASKLLM_CONFIG"]).write_text(settings)
    for number, each in enumerate(three):
        each.begin(environ | {"FLASKLLM_LOG_FILE": log_of(environ, number)})
    assert [each.told() for each in three] == ["ready"] * 3


def log_of(environ, number):
    return f"{environ['FLASKLLM_CONFIG']}.{number}.log"


def events(environ, name):
    """Return the log lines of this event, of all of them."""
    logs = [Path(log_of(environ, number)) for number in range(3)]
    text = "".join(log.read_text() for log in logs if log.exists())
    lines = map(json.loads, text.splitlines())
    return [line for line in lines if name in line["event"]]


def test_of_1000_tries_of_three_processes_100_are_sent(three, environ, record_property):
    with Upstream() as upstream:
        upstream.always(chat("Friday."))
        limits = "{requests_per_minute: 100}"
        begin(three, environ, LIMITED.format(url=upstream.url, limits=limits))
        began = time.monotonic()

        for number, each in enumerate(three):
            each.begin(334 if number == 0 else 333, 8)
        came = [each.told() for each in three]
        took = time.monotonic() - began

    record_property("figure", f"{len(upstream.requests)} of 1,000 in {took:.1f} s")
    assert took < 59, "a minute went by: run it again"
    assert sum(sum(each.values()) for each in came) == 1000
    assert {code for each in came for code in each} == {"small", "LLM_RATE_LIMITED"}
    assert len(upstream.requests) == 100


def test_a_deployment_that_one_process_finds_dead_is_left_by_all_within_a_second(
    three, environ, record_property
):
    finder, other, idle = three
    arrivals = []

    def die(exchange):
        arrivals.append(time.time())
        status(503)(exchange)

    with Upstream() as dying, Upstream() as well:
        dying.always(die)
        well.always(chat("Friday."))
        begin(three, environ, TWO.format(dying=dying.url, well=well.url))
        for each in (other, idle):
            each.do(0.1, 0.0, "warm")  # too few to open a breaker of their own
        # A second longer than it takes to open, and a bit for a busy machine.
        finder.begin(1.5, 0.01, "find")
        other.begin(1.5, 0.15, "other")
        finder.told()
        came = [other.told(), idle.do(0.1, 0.0, "late")]

    opened = events(environ, "deployment_opened")
    moments = [datetime.fromisoformat(each["timestamp"]) for each in opened]
    late = max(arrivals) - min(moments).timestamp()
    record_property("figure", f"the last came {late:.2f} s after it opened")
    assert [each.keys() for each in came] == [{"well"}] * 2
    assert late < 1.0
    assert events(environ, "not_shared") == []


@contextlib.contextmanager
def stopped(environ, redis):
    """Keep the store from answering."""
    url = environ.get("FLASKLLM_DATABASE_URL", "")
    if not url:
        redis.pause()
        yield
        redis.go_on()
    elif url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(url.partition("///")[2])) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
    else:
        with psycopg.connect(url) as other:
            other.execute("LOCK TABLE upstream_counts, routing_findings")
            yield


def test_a_store_that_stops_fails_no_request_and_its_limit_holds_here(
    three, environ, redis_server, record_property
):
    with Upstream() as upstream:
        upstream.always(chat("Friday."))
        limits = "{requests_per_minute: 5}"
        begin(three, environ, LIMITED.format(url=upstream.url, limits=limits))
        three[0].do(1, 1)
        three[1].do(1, 1)
        with stopped(environ, redis_server):
            began = time.monotonic()
            came = three[0].do(10, 1)
            took = time.monotonic() - began
        time.sleep(1.1)  # then it is asked again
        again = three[0].do(1, 1), three[1].do(3, 1)

    record_property("figure", f"10 tries took {took:.2f} s")
    # It had seen one of the two.
    assert came["small"] in (3, 4)
    assert came["LLM_RATE_LIMITED"] == 10 - came["small"]
    assert took < 1.5
    assert {code for each in again for code in each} <= {"small", "LLM_RATE_LIMITED"}
    assert len(events(environ, "counted_alone")) == 1
