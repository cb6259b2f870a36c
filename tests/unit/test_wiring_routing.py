"""Processes share routing where there may be several, through the best store."""

import pytest
from health_scene import deployment

from flaskllm.core.clock import SystemClock
from flaskllm.core.config import load
from flaskllm.core.redaction import Redactor
from flaskllm.storage.redis_findings import RedisFindings
from flaskllm.storage.redis_upstream_counts import RedisUpstreamCounts
from flaskllm.storage.routing_findings import SqlFindings
from flaskllm.storage.upstream_counts import SqlUpstreamCounts
from flaskllm.wiring.ground import lay_ground
from flaskllm.wiring.health import build_health
from flaskllm.wiring.routing import share_routing

SQL = (SqlUpstreamCounts, SqlFindings)
REDIS = (RedisUpstreamCounts, RedisFindings)
NO_JOBS = {"FLASKLLM_JOBS__ENABLED": "false"}
SECRET = {"FLASKLLM_SECRET": "k3V9qLz0pXyT7sWb2RfHnJm5cDgA8eUi"}
POSTGRES = {"FLASKLLM_DATABASE_URL": "postgresql://u@127.0.0.1:9/x"} | SECRET
SHARED = {"FLASKLLM_REDIS_URL": "redis://127.0.0.1:9/0"}


def lay(tmp_path, environ):
    given = {"FLASKLLM_DATA_DIR": str(tmp_path)} | environ
    settings = load(given, tmp_path).settings
    ground = lay_ground(settings, SystemClock(), Redactor())
    return ground, build_health(settings, ground.clock, ground.metrics)


def store_of(environ, name):
    return environ | {"FLASKLLM_LIMITS__STORE": name}


@pytest.mark.parametrize(
    ("environ", "stores"),
    [
        pytest.param(NO_JOBS, None, id="one process"),
        pytest.param({}, SQL, id="a worker of jobs beside it"),
        pytest.param({"FLASKLLM_DATABASE_URL": "sqlite://"}, None, id="in memory"),
        pytest.param({"FLASKLLM_SERVER__WORKERS": "2"} | NO_JOBS, SQL, id="workers"),
        pytest.param(POSTGRES | NO_JOBS, SQL, id="other hosts"),
        pytest.param(SHARED | NO_JOBS, REDIS, id="redis"),
        pytest.param(store_of({}, "memory"), None, id="each for itself"),
        pytest.param(store_of(SHARED, "database"), SQL, id="not in redis"),
    ],
)
def test_where_there_may_be_several_they_share(tmp_path, environ, stores):
    state = share_routing(*lay(tmp_path, environ))

    found = state and (type(state._counting._store), type(state._news._store))
    assert found == stores


def test_two_that_share_a_database_know_the_same_names(tmp_path):
    environ = SECRET | {"FLASKLLM_SERVER__WORKERS": "2"}
    names = []
    for _ in range(2):
        ground, health = lay(tmp_path, environ)
        names.append(share_routing(ground, health).name_of("a"))
        health.look(deployment())
        ground.database.close()

    assert names[0] == names[1]
