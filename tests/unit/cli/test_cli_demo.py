"""`flaskllm demo`: a real server, two documents, and an end in words when it fails."""

import os
import socket

import pytest
from click.testing import CliRunner

from flaskllm.cli.demo import demo

REFUSING = """
providers:
  box: {{kind: vllm, base_url: http://127.0.0.1:{port}}}
deployments:
  small: {{provider: box, model: m}}
routes:
  - {{alias: fast, deployments: {{small: 1}}}}
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the demo in an empty folder."""
    monkeypatch.chdir(tmp_path)
    hidden = [name for name in os.environ if name.startswith(("FLASKLLM_", "OPENAI_"))]

    def run(**variables):
        environ = {**dict.fromkeys(hidden), **variables}
        return CliRunner().invoke(demo, env=environ)

    return run


def test_two_documents_are_digested_and_nothing_is_left(run, tmp_path):
    proxy = "http://127.0.0.1:9"  # nobody listens there

    result = run(http_proxy=proxy, HTTP_PROXY=proxy)

    assert result.exit_code == 0, result.output
    assert "No model is configured" in result.stdout
    assert "A mail, read by" in result.stdout
    assert "A meeting, read by" in result.stdout
    assert result.stdout.count("proven: “") >= 4
    assert "--data-binary @" in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_settings_of_a_server_that_is_in_use_do_not_stand_in_its_way(run, tmp_path):
    (tmp_path / "own.yaml").write_text(
        "server: {trusted_hosts: [llm.example.org]}\nlog_file: kept.log\n"
    )

    result = run(FLASKLLM_CONFIG="own.yaml")

    assert result.exit_code == 0, result.output
    assert "A meeting, read by" in result.stdout
    assert [file.name for file in tmp_path.iterdir()] == ["own.yaml"]


def test_a_model_that_cannot_be_reached_is_told(run, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (tmp_path / "flaskllm.yaml").write_text(REFUSING.format(port=port))

    result = run()

    assert result.exit_code == 1
    assert "Asking your model (box)." in result.stdout
    assert "HTTP 503" in result.stderr
    assert "LLM_UNAVAILABLE" in result.stderr


def test_a_server_that_does_not_start_is_told(run):
    result = run(GUNICORN_CMD_ARGS="--no-such-option")

    assert result.exit_code == 1
    assert "The server did not start" in result.stderr
