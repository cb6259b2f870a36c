"""Limits are counted in memory by one web process, and together by several."""

import sys
from types import ModuleType

import pytest

from flaskllm.core.auth import Principal, PrincipalLimits, Scope
from flaskllm.core.config import load
from flaskllm.wiring import build_services

WHO = Principal("p", "p", frozenset({Scope.CHAT}), "api", limits=PrincipalLimits(2))
SECRET = "k3V9qLz0pXyT7sWb2RfHnJm5cDgA8eUi"
POSTGRES = "postgresql://user:a-password@127.0.0.1:9/name"

CASES = {
    "one process": ({}, False),
    "several workers": ({"FLASKLLM_SERVER__WORKERS": "2"}, True),
    "several workers, each with a database in its memory": (
        {"FLASKLLM_SERVER__WORKERS": "2", "FLASKLLM_DATABASE_URL": "sqlite://"},
        False,
    ),
    "several workers that are told not to": (
        {"FLASKLLM_SERVER__WORKERS": "2", "FLASKLLM_LIMITS__STORE": "memory"},
        False,
    ),
    "one that is told to": ({"FLASKLLM_LIMITS__STORE": "database"}, True),
    "a database that other hosts may use": (
        {"FLASKLLM_DATABASE_URL": POSTGRES, "FLASKLLM_SECRET": SECRET},
        True,
    ),
}


def is_together(limits):
    """Tell it by what a process that has counted nothing can tell of a limit."""
    return limits.standing(WHO) == ()


@pytest.mark.parametrize(("environ", "together"), CASES.values(), ids=CASES)
def test_limits_are_counted_together_with(tmp_path, environ, together):
    limits = build_services(load(environ, tmp_path)).limits

    assert is_together(limits) is together


def test_limits_are_counted_together_under_uwsgi(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "uwsgi", ModuleType("uwsgi"))

    assert is_together(build_services(load({}, tmp_path)).limits)


def test_two_gateways_on_one_file_share_a_limit(tmp_path):
    loaded = load({"FLASKLLM_LIMITS__STORE": "database"}, tmp_path)
    one, other = build_services(loaded), build_services(loaded)

    one.limits.hit_request(WHO)
    other.limits.hit_request(WHO)

    (standing,) = other.limits.standing(WHO)
    assert standing.remaining <= 1
    assert other.limits.forget_expired() == 0
    one.database.close()
    other.database.close()


def test_a_count_without_the_store_has_a_metric(tmp_path):
    (tmp_path / "file").touch()
    loaded = load(
        {
            "FLASKLLM_LIMITS__STORE": "database",
            "FLASKLLM_DATABASE_URL": f"sqlite:///{tmp_path}/file/x.db",
        },
        tmp_path,
    )
    services = build_services(loaded)

    services.limits.hit_request(WHO)

    assert b"flaskllm_limits_counted_locally_total 1.0" in services.metrics.render()
