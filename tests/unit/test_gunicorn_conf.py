"""gunicorn's own settings follow ours."""

import runpy
from types import SimpleNamespace

import pytest
from gunicorn.http import wsgi
from source_tree import ROOT

from flaskllm.api.websocket_door import EXTENSION
from flaskllm.core.config import load
from flaskllm.factory import create_app


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


def test_websockets_learn_from_their_worker_that_it_stops(settings_of, tmp_path):
    app = create_app(load({}, tmp_path))
    worker = SimpleNamespace(wsgi=app, alive=True)

    settings_of()["post_worker_init"](worker)

    door = app.extensions[EXTENSION]
    assert door.is_stopping() is False
    worker.alive = False
    assert door.is_stopping() is True


def test_processes_and_threads_are_those_of_the_settings(settings_of):
    found = settings_of(FLASKLLM_SERVER__WORKERS="3", FLASKLLM_SERVER__THREADS="5")

    assert (found["workers"], found["threads"]) == (3, 5)
