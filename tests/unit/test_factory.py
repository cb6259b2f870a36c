"""The factory puts the face on the services and trusts the proxies it is told of."""

import json
import logging
import subprocess
import sys

import pytest
from api_tokens import make_token
from flask import request

import flaskllm
from flaskllm.core.auth import Scope
from flaskllm.core.config import ConfigError, load
from flaskllm.factory import create_app
from flaskllm.wiring import build_services

PAGE = "/api/v1/health"


@pytest.fixture(autouse=True)
def _logs_as_before():
    """Put the handlers back that `create_app` replaces."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def settle(tmp_path):
    def load_text(text="", **variables):
        (tmp_path / "flaskllm.yaml").write_text(text)
        return load(variables, tmp_path)

    return load_text


def test_the_application_answers_and_made_no_file(settle, tmp_path):
    app = create_app(settle())

    reply = app.test_client().get(PAGE)

    assert reply.status_code == 200
    assert reply.headers["X-Request-ID"]
    assert [file.name for file in tmp_path.iterdir()] == ["flaskllm.yaml"]


def test_services_may_be_given(settle):
    loaded = settle(FLASKLLM_DATABASE_URL="sqlite://")
    services = build_services(loaded)

    app = create_app(loaded, services)

    assert app.test_client().get(f"{PAGE}/ready").status_code == 200
    services.database.close()


def test_there_are_no_static_files_and_no_pages(settle):
    app = create_app(settle())

    assert (app.static_folder, app.template_folder) == (None, None)
    assert "static" not in {rule.endpoint for rule in app.url_map.iter_rules()}


def test_wrong_settings_stop_the_start(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flaskllm.yaml").write_text("sever: {}")

    with pytest.raises(ConfigError, match="sever"):
        create_app()


def test_without_settings_those_of_the_process_are_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLASKLLM_LOG_LEVEL", "ERROR")

    create_app()

    assert logging.getLogger().level == logging.ERROR
    assert list(tmp_path.iterdir()) == []


def test_the_logs_mask_the_secrets_of_the_settings(settle, capsys):
    token = "k3V9qLz0pXyT7sWb2RfHnJm5cDgA8eUi"
    create_app(settle(FLASKLLM_API_TOKEN=token, FLASKLLM_LOG_FORMAT="json"))

    logging.getLogger("flaskllm.test").warning("saw %s", token)

    line = capsys.readouterr().err
    assert token not in line
    assert json.loads(line)["level"] == "WARNING"


def test_the_logs_mask_a_master_secret_that_was_made_later(settle, tmp_path, capsys):
    app = create_app(settle())
    services = app.extensions["flaskllm"]
    make_token(services.api_tokens, Scope.READ)
    services.database.close()
    secret = (tmp_path / "data" / "secret").read_text().strip()

    logging.getLogger("flaskllm.test").warning("saw %s", secret)

    assert secret not in capsys.readouterr().err


class TestProxies:
    def peers(self, settle, hops):
        """Return what the application sees of a request with forged headers."""
        app = create_app(settle(f"server: {{proxy_hops: {hops}}}"))
        seen = {}

        @app.before_request
        def look():
            seen.update(peer=request.remote_addr, host=request.host)

        headers = {"X-Forwarded-For": "9.9.9.9, 203.0.113.7", "X-Forwarded-Host": "a.b"}
        app.test_client().get(PAGE, headers=headers)
        return seen

    def test_nobody_is_trusted_by_default(self, settle):
        assert self.peers(settle, 0) == {"peer": "127.0.0.1", "host": "localhost"}

    def test_one_proxy_is_trusted_for_one_hop(self, settle):
        assert self.peers(settle, 1) == {"peer": "203.0.113.7", "host": "a.b"}


def test_refusals_are_counted_by_peer(settle):
    app = create_app(settle("limits: {authentication_failures_per_minute: 2}"))
    client = app.test_client()

    def post(peer):
        headers = {"Authorization": "Bearer no"}
        environ = {"REMOTE_ADDR": peer}
        return client.post(
            "/api/v1/webhook", headers=headers, environ_base=environ
        ).status_code

    assert [post("198.51.100.1") for _ in range(3)] == [401, 401, 429]
    assert post("198.51.100.2") == 401


class TestPackage:
    def test_it_offers_the_factory_and_its_version_and_nothing_else(self):
        assert flaskllm.create_app is create_app
        assert flaskllm.__version__.count(".") == 2
        with pytest.raises(AttributeError, match="no attribute 'app'"):
            _ = flaskllm.app

    def test_python_dash_m_is_the_command(self):
        command = [sys.executable, "-m", "flaskllm", "--version"]

        done = subprocess.run(command, capture_output=True, text=True, check=True)

        assert flaskllm.__version__ in done.stdout
