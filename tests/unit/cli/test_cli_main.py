"""The command itself: its commands, and what it says of wrong settings."""

import os
import runpy
import sys

import pytest
from click.testing import CliRunner

import flaskllm
from flaskllm.cli import cli, main


@pytest.fixture
def run_main(tmp_path, monkeypatch, capsys):
    """Run `main` in an empty folder, and return its status and what it wrote."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("FLASKLLM_", "OPENAI_")):
            monkeypatch.delenv(name)

    def run(*arguments, start=main):
        monkeypatch.setattr(sys, "argv", ["flaskllm", *arguments])
        with pytest.raises(SystemExit) as caught:
            start()
        written = capsys.readouterr()
        return caught.value.code, written.out, written.err

    return run


def test_all_commands_are_listed():
    assert set(cli.commands) == {
        "serve",
        "summarise",
        "tokens",
        "audit",
        "budgets",
        "cache",
        "usage",
        "db",
        "templates",
        "maintain",
        "worker",
        "config",
        "route",
        "demo",
        "doctor",
    }
    assert all(command.help for command in cli.commands.values())


@pytest.mark.parametrize("command", ["", *cli.commands])
def test_help_needs_no_settings(run_main, tmp_path, command):
    (tmp_path / "flaskllm.yaml").write_text("nonsense: 1")

    status, out, _ = run_main(*command.split(), "--help")

    assert status == 0
    assert f"Usage: flaskllm {command}".rstrip() in out


@pytest.mark.parametrize(
    "start", [main, lambda: runpy.run_module("flaskllm", run_name="__main__")]
)
def test_the_version_is_the_packages_own(run_main, start):
    status, out, _ = run_main("--version", start=start)

    assert (status, flaskllm.__version__ in out) == (0, True)


def test_wrong_settings_are_status_2_with_their_list(run_main, tmp_path):
    (tmp_path / "flaskllm.yaml").write_text("server: {prot: 1, host: [a]}")

    status, out, err = run_main("summarise", "flaskllm.yaml")

    assert (status, out) == (2, "")
    assert "server.prot" in err
    assert "server.host" in err
    assert "Traceback" not in err


def test_a_wrong_template_is_status_2(run_main, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "bad.md").write_text("?")
    (tmp_path / "flaskllm.yaml").write_text("templates_dir: own")

    status, out, err = run_main("tokens", "list")

    assert (status, out) == (2, "")
    assert "bad.md" in err


def test_a_command_gets_real_services_made_at_their_first_use(run_main, tmp_path):
    (tmp_path / "mail.txt").write_text("Please send the report by Friday. Thank you.")

    status, out, _ = run_main("summarise", "mail.txt", "--type", "action_items")

    assert status == 0
    assert '"task": "Please send the report by Friday."' in out


def test_a_calendar_without_an_event_is_refused(run_main, tmp_path):
    (tmp_path / "invitation.ics").write_text("BEGIN:VCALENDAR")

    status, out, err = run_main("summarise", "invitation.ics")

    assert (status, out) == (1, "")
    assert "it is a calendar without an event" in err


def test_an_unknown_command_is_status_2():
    result = CliRunner().invoke(cli, ["dance"])

    assert result.exit_code == 2
    assert "dance" in result.stderr


def test_a_new_data_folder_is_told_once(run_main, tmp_path):
    first = run_main("tokens", "list")
    second = run_main("tokens", "list")

    assert first[2] == f"there is no data folder yet: {tmp_path / 'data'}\n"
    assert (second[0], second[2]) == (0, "")


def test_a_database_in_memory_needs_no_data_folder_and_none_is_told_of(
    run_main, tmp_path, monkeypatch
):
    monkeypatch.setenv("FLASKLLM_DATABASE_URL", "sqlite://")

    status, _, err = run_main("maintain")

    assert (status, err) == (0, "")
    assert list(tmp_path.iterdir()) == []
