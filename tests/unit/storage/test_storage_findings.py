"""What processes found is told to all, in its order, by the time of the store."""

import pytest
from fakes import FakeClock
from redis_server import patient_store
from sqlalchemy import text

from flaskllm.core.clock import SystemClock
from flaskllm.core.findings import Finding
from flaskllm.storage.database import Database
from flaskllm.storage.redis_findings import RedisFindings
from flaskllm.storage.routing_findings import SqlFindings

OPEN = Finding("a" * 64, "breaker", 5.0, "LLM_UNAVAILABLE", 2, "host:1:x")
CLOSED = Finding("a" * 64, "breaker", None, "", 0, "host:2:y")
PAUSE = Finding("a" * 64, "pause", 60.0, "LLM_RATE_LIMITED", 1, "host:1:x")


@pytest.fixture(params=["sqlite", "postgres", "redis"])
def findings(request, make_database):
    if request.param == "redis":
        url = request.getfixturevalue("redis_url")
        redis = patient_store(url)
        yield RedisFindings(redis)
        redis.close()
    else:
        url = request.getfixturevalue(f"{request.param}_database_url")
        yield SqlFindings(make_database(url), SystemClock(), 1.0)


def told(news):
    """Return the findings without how long they hold, and check that."""
    for each in news.findings:
        whole = {"breaker": 5.0, "pause": 60.0}[each.kind]
        assert each.left_seconds is None or whole - 3 < each.left_seconds <= whole
    return [(each.kind, each.left_seconds is None, each.code) for each in news.findings]


def test_nobody_told_anything_yet(findings):
    assert findings.read(0).findings == ()


def test_what_is_told_is_read_once(findings):
    findings.tell((OPEN, PAUSE))

    news = findings.read(0)

    assert told(news) == [
        ("breaker", False, "LLM_UNAVAILABLE"),
        ("pause", False, "LLM_RATE_LIMITED"),
    ]
    assert news.findings[0].told_by == "host:1:x"
    assert news.findings[0].times == 2
    assert findings.read(news.version) == type(news)(news.version)


def test_of_a_subject_and_kind_the_last_counts(findings):
    findings.tell((OPEN, PAUSE))
    findings.tell((CLOSED,))

    assert told(findings.read(0)) == [
        ("pause", False, "LLM_RATE_LIMITED"),
        ("breaker", True, ""),
    ]


def test_only_what_came_since_is_read(findings):
    findings.tell((OPEN,))
    seen = findings.read(0).version
    findings.tell((PAUSE,))

    assert told(findings.read(seen)) == [("pause", False, "LLM_RATE_LIMITED")]


def test_where_the_store_is_another_one_all_is_news(findings):
    findings.tell((OPEN,))
    seen = findings.read(0).version

    assert told(findings.read(seen + 1000)) == [
        ("breaker", False, "LLM_UNAVAILABLE"),
    ]


def test_what_is_over_tells_that_it_was(findings):
    findings.tell((Finding("b" * 64, "breaker", 0.0, "LLM_TIMEOUT", 1, "x"),))

    [found] = findings.read(0).findings

    assert found.left_seconds == 0.0


def test_what_was_found_long_ago_is_forgotten():
    clock = FakeClock()
    database = Database("sqlite://", journal="wal", clock=clock)
    findings = SqlFindings(database, clock, 1.0)
    findings.tell((OPEN,))
    clock.advance(601.0)

    assert findings.read(0).findings == ()

    findings.tell((PAUSE,))
    with database.reading() as connection:
        assert connection.execute(text(COUNT)).scalar_one() == 1
    database.close()


COUNT = "SELECT count(*) FROM routing_findings"


def test_redis_that_was_emptied_goes_on_above_what_was_seen(redis_url):
    store = patient_store(redis_url)
    findings = RedisFindings(store)
    findings.tell((OPEN,))
    findings.tell((OPEN,))
    seen = findings.read(0).version
    store.run(lambda client: client.flushdb())

    assert findings.read(seen).version == 0
    findings.tell((PAUSE,))
    assert findings.read(seen).version > seen
    assert len(findings.read(seen).findings) == 1
    store.close()
