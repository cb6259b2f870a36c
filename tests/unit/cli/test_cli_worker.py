"""`flaskllm worker`: what it refuses, and how it ends."""

import os
import signal

import pytest
from click.testing import CliRunner

from flaskllm.cli.worker import worker

STRONG = "k3V9qLz0pXyT7sWb2RfHnJm5cDgA8eUi"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command in an empty folder; its exits are kept in `run.exits`."""
    monkeypatch.chdir(tmp_path)
    hidden = [name for name in os.environ if name.startswith("FLASKLLM_")]
    exits = []
    monkeypatch.setattr(os, "_exit", exits.append)
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    handlers = {number: signal.getsignal(number) for number in numbers}

    def run(*arguments, **variables):
        environ = {**dict.fromkeys(hidden), **variables}
        return CliRunner().invoke(worker, arguments, env=environ)

    run.exits = exits
    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_it_drains_what_there_is_and_ends(run):
    result = run("--drain", "--threads=2")

    assert (result.exit_code, run.exits) == (0, [0]), result.output


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"FLASKLLM_JOBS__ENABLED": "false"}, "jobs.enabled is off"),
        ({"FLASKLLM_DATABASE_URL": "sqlite://"}, "is one in memory"),
    ],
)
def test_it_refuses_to_wait_for_what_never_comes(run, variables, words):
    result = run("--drain", **variables)

    assert (result.exit_code, run.exits) == (1, [])
    assert words in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [("--threads=0",), ("--threads=257",), ("--max-seconds=0",), ("--max-seconds=x",)],
)
def test_odd_numbers_are_refused(run, arguments):
    assert run(*arguments).exit_code == 2


def test_a_database_that_does_not_answer_is_told_in_one_line(run):
    url = "postgresql://a:hunter2@127.0.0.1:1/x"
    result = run(FLASKLLM_DATABASE_URL=url, FLASKLLM_SECRET=STRONG)

    assert result.exit_code == 1
    assert "Error: The database cannot be used" in result.stderr
    assert "hunter2" not in result.stderr
