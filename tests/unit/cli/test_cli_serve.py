"""`flaskllm serve` up to the moment at which the process becomes gunicorn."""

import os
import re
import socket
import sys
from pathlib import Path
from types import SimpleNamespace

import gunicorn.__main__
import pytest
from click.testing import CliRunner

import flaskllm
from flaskllm.cli.serve import serve
from flaskllm.core.config import load
from flaskllm.jobs import supervisor
from flaskllm.wiring import build_services

STRONG = "k3V9qLz0pXyT7sWb2RfHnJm5cDgA8eUi"
TOKEN = re.compile(r"fllm_api_\w+")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command in an empty folder; what it becomes is the second result."""
    monkeypatch.chdir(tmp_path)
    hidden = [name for name in os.environ if name.startswith(("FLASKLLM_", "OPENAI_"))]
    became = []
    monkeypatch.setattr(sys, "argv", sys.argv)
    monkeypatch.setattr(
        gunicorn.__main__, "run", lambda prog: became.append([prog, *sys.argv])
    )
    beside = []

    def spawn(command):
        beside.append(command)
        return SimpleNamespace()

    monkeypatch.setattr(supervisor, "subprocess", SimpleNamespace(Popen=spawn))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])

    def run(*arguments, **variables):
        own = {"FLASKLLM_SERVER__PORT": port}
        environ = {**dict.fromkeys(hidden), **own, **variables}
        result = CliRunner().invoke(serve, arguments, env=environ)
        return result, became

    run.port, run.beside = port, beside
    return run


def services_in(folder):
    return build_services(load({}, folder))


def test_the_first_start_shows_an_admin_token_that_is_good_once(run, tmp_path):
    first, _ = run()
    second, _ = run()

    (token,) = TOKEN.findall(first.stdout)
    services = services_in(tmp_path)
    assert services.api_tokens.authenticate(token).name == "first admin"
    assert not TOKEN.search(second.stdout)
    services.database.close()


def test_the_address_and_the_data_folder_are_told(run, tmp_path):
    result, _ = run()

    told = f"flaskllm {flaskllm.__version__} serves http://127.0.0.1:{run.port}"
    assert told in result.stdout
    assert f"data folder: {tmp_path / 'data'}" in result.stdout
    assert "no model has a route" in result.stdout


def test_with_a_model_there_is_nothing_to_warn_of(run):
    result, _ = run(OPENAI_API_KEY="sk-abcdefghijklmnop")

    assert "no model" not in result.stdout


@pytest.mark.parametrize(
    ("arguments", "bind", "shown"),
    [
        ((), "127.0.0.1:{port}", "http://127.0.0.1:{port}"),
        (("--port", "64813"), "127.0.0.1:64813", "http://127.0.0.1:64813"),
        (("--host", "localhost"), "localhost:{port}", "http://localhost:{port}"),
        (("--host", "::1"), "[::1]:{port}", "http://[::1]:{port}"),
    ],
)
def test_the_process_becomes_gunicorn_at_that_address(run, arguments, bind, shown):
    result, became = run(*arguments)

    bind, shown = (each.format(port=run.port) for each in (bind, shown))
    (command,) = became
    assert command[:2] == ["gunicorn", gunicorn.__main__.__file__]
    assert command[command.index("--bind") + 1] == bind
    assert Path(command[command.index("--config") + 1]).name == "gunicorn.conf.py"
    assert command[-1] == "flaskllm.factory:create_app()"
    assert shown in result.stdout


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "gateway.example", "192.0.2.7"])
def test_other_machines_are_not_served_before_there_is_a_token(run, host):
    result, became = run("--host", host)

    assert result.exit_code == 1
    assert "flaskllm tokens create" in result.stderr
    assert not TOKEN.search(result.output)
    assert became == []


def test_with_a_token_other_machines_are_served(run):
    result, became = run("--host", "0.0.0.0", FLASKLLM_API_TOKEN=STRONG)

    assert result.exit_code == 0
    assert STRONG not in result.output
    assert became


def test_a_database_that_cannot_be_opened_ends_the_command(run, tmp_path):
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "flaskllm.db").write_bytes(b"this is no database" * 100)

    result, became = run()

    assert result.exit_code == 1
    assert "Error:" in result.stderr
    assert became == []


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_a_port_is_one(run, port):
    result, became = run("--port", port)

    assert result.exit_code == 2
    assert became == []


def test_an_address_that_is_taken_is_told_before_a_token_is_made(run):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        result, became = run("--port", str(port))

    assert result.exit_code == 1
    assert f"Cannot listen on 127.0.0.1:{port}: " in result.stderr
    assert "--port" in result.stderr
    assert "API token" not in result.stdout
    assert not became


@pytest.mark.parametrize(
    ("arguments", "variables", "has_worker"),
    [
        ((), {}, True),
        (("--no-worker",), {}, False),
        ((), {"FLASKLLM_JOBS__WORKER": "false"}, False),
        ((), {"FLASKLLM_JOBS__ENABLED": "false"}, False),
        ((), {"FLASKLLM_DATABASE_URL": "sqlite://"}, False),
    ],
)
def test_a_worker_is_kept_beside_the_server_where_it_has_work_and_is_wanted(
    run, arguments, variables, has_worker
):
    result, became = run(*arguments, **variables)

    assert result.exit_code == 0, result.output
    assert len(became) == 1
    assert [spawned[1:3] for spawned in run.beside] == (
        [["-m", "flaskllm.jobs.supervisor"]] if has_worker else []
    )
