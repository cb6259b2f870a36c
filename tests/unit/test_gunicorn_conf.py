"""gunicorn's own settings follow ours."""

import runpy

import pytest
from gunicorn.http import wsgi
from source_tree import ROOT


@pytest.fixture
def settings_of(tmp_path, monkeypatch):
    """Run gunicorn's settings file in an empty folder, with some variables."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(wsgi, "SERVER", wsgi.SERVER)

    def run(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "gunicorn.conf.py"))

    return run


@pytest.mark.parametrize(
    ("host", "bind"), [("0.0.0.0", "0.0.0.0:81"), ("::1", "[::1]:81")]
)
def test_it_binds_where_the_settings_say(settings_of, host, bind):
    found = settings_of(FLASKLLM_SERVER__HOST=host, FLASKLLM_SERVER__PORT="81")

    assert found["bind"] == bind


def test_processes_and_threads_are_those_of_the_settings(settings_of):
    found = settings_of(FLASKLLM_SERVER__WORKERS="3", FLASKLLM_SERVER__THREADS="5")

    assert (found["workers"], found["threads"]) == (3, 5)
