"""`flaskllm cache clear`: what is named, or everything."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from flaskllm.cli import cli


@pytest.mark.parametrize("name", ["--alias", "--template", "--token"])
def test_a_variable_of_the_shell_that_is_not_set_clears_nothing(
    name, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)

    told = CliRunner().invoke(cli, ["cache", "clear", name, ""])

    assert told.exit_code == 2
    assert "leave the option out to clear all" in told.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_redis_that_is_away_is_told_in_words_alone(tmp_path):
    """In a process of its own: here pytest listens to the logs."""
    told = subprocess.run(
        [sys.executable, "-m", "flaskllm", "cache", "clear"],
        cwd=tmp_path,
        env={"FLASKLLM_REDIS_URL": "redis://127.0.0.1:9/0"},
        capture_output=True,
        text=True,
    )

    assert told.returncode == 1
    assert "Redis cannot be used at the moment. It cannot be reached." in told.stderr
    assert "redis_away" not in told.stderr
