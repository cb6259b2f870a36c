"""`flaskllm doctor redis`: what it tells, and when it fails."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner
from redis_server import patient_store
from sealers import content_sealer

from flaskllm.cli import cli
from flaskllm.storage.redis_cache import RedisCache
from flaskllm.storage.redis_report import RedisReport

GOOD = RedisReport(
    version="7.0.15",
    role="master",
    uptime_seconds=86400,
    clients=3,
    memory=2_000_000,
    memory_most=64_000_000,
    policy="volatile-lru",
    evicted=0,
    hits=0,
    misses=0,
    keys={"limits": 1},
    keys_are_all=True,
    latency_ms=0.2,
    latency_most_ms=0.9,
)


@pytest.fixture
def run(tmp_path, monkeypatch):
    def run(*options, url=None):
        monkeypatch.chdir(tmp_path)
        if url:
            monkeypatch.setenv("FLASKLLM_REDIS_URL", url)
        return CliRunner().invoke(cli, ["doctor", "redis", *options])

    return run


def test_it_tells_how_redis_is_doing(run, redis_url, redis_server):
    client = redis_server.client()
    for name in ("flaskllm:limits:a", "flaskllm:limits:b", "flaskllm:what:c", "d"):
        client.set(name, 1)
    client.get("d"), client.get("gone")

    told = run(url=redis_url)

    assert told.exit_code == 0
    assert "version          7." in told.stdout
    assert "keys of limits   2" in told.stdout
    assert "keys of other    2" in told.stdout
    assert "maxmemory is not set" in told.stdout


def test_a_machine_gets_json(run, redis_url):
    told = json.loads(run("--json", url=redis_url).stdout)

    assert (told["works"], told["role"]) == (True, "master")
    assert told["keys"]["limits"] == 0
    assert told["keys_are_all"] is True
    assert 0 < told["latency_ms"] <= told["latency_most_ms"]


def test_without_a_redis_it_says_which_setting_is_missing(run):
    told = run()

    assert told.exit_code == 1
    assert "FLASKLLM_REDIS_URL" in told.stderr


def test_one_that_is_away_is_told_without_its_password(run):
    told = run(url="redis://:geheimes@127.0.0.1:9/0")

    assert told.exit_code == 1
    assert "It cannot be reached." in told.stderr
    assert "geheimes" not in told.stderr
    assert "redis_away" not in told.stderr


@pytest.mark.parametrize(
    ("url", "reason"), [("redis://127.0.0.1:9/0", "cannot be reached"), (None, "URL")]
)
def test_a_machine_gets_json_of_one_that_is_away_too(run, url, reason):
    told = run("--json", url=url)

    assert told.exit_code == 1
    said = json.loads(told.stdout)
    assert said["works"] is False
    assert reason in said["reason"]


def test_who_asks_now_is_counted_apart_from_answers(run, redis_url, redis_server):
    store = patient_store(redis_url)
    cache = RedisCache(store, content_sealer())
    cache.claim("ann/claim/1", "fly_1", 60)
    cache.set("ann/answer/1", "x", 60)

    keys = json.loads(run("--json", url=redis_url).stdout)["keys"]

    assert (keys["cache"], keys["flights"]) == (1, 1)


def test_a_redis_that_is_as_it_should_be_has_nothing_to_mend():
    assert GOOD.findings() == ()
    assert GOOD.hit_ratio is None
    assert replace(GOOD, hits=3, misses=1).hit_ratio == 0.75


@pytest.mark.parametrize(
    ("change", "word"),
    {
        "old": ({"version": "5.0.7"}, "older"),
        "replica": ({"role": "slave"}, "takes no writes"),
        "unbounded": ({"memory_most": None}, "maxmemory is not set"),
        "full": ({"policy": "noeviction"}, "noeviction"),
        "any": ({"policy": "allkeys-lru"}, "any key may go"),
        "soonest": ({"policy": "volatile-ttl"}, "before answers"),
        "evicted": ({"evicted": 4}, "4 keys were evicted"),
        "far": ({"latency_ms": 21.0}, "21.0 ms"),
    }.values(),
)
def test_what_may_surprise_is_said(change, word):
    (finding,) = replace(GOOD, **change).findings()

    assert word in finding
