"""`flaskllm db backup` and `restore` tell what they did, and what to keep."""

import json
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from fakes import FakeClock
from sealers import key_ring
from sqlalchemy import text

from flaskllm.cli.database import database_commands
from flaskllm.cli.sizes import size_text
from flaskllm.services.keeping.backups import Backups
from flaskllm.services.secret_mark import SecretMark
from flaskllm.storage import schema
from flaskllm.storage.workers import Workers


@dataclass(frozen=True)
class SomeServices:
    """What the commands use of the services."""

    keeping: SimpleNamespace


@pytest.fixture
def run(make_database, sqlite_database_url):
    """Run a command on a database that has one API token."""
    clock, mark = FakeClock(), SecretMark(key_ring())
    database = make_database(sqlite_database_url, ownership=mark)
    with database.transaction() as connection:
        connection.execute(
            text("INSERT INTO changes (name, value) VALUES ('tokens', 1)")
        )
        connection.execute(
            text(
                "INSERT INTO overrides (deployment, state, set_by, set_at) "
                "VALUES ('small', 'off', 'x', '2030-01-01 00:00:00.000000')"
            )
        )
    backups = Backups(database, mark, Workers(database, clock), clock)
    services = SomeServices(SimpleNamespace(backups=backups))

    def run_it(*arguments):
        words = [*map(str, arguments)]
        return CliRunner().invoke(database_commands, words, obj=lambda: services)

    return run_it


def test_a_backup_is_told_with_its_rows_and_what_it_does_not_hold(run, tmp_path):
    result = run("backup", tmp_path / "b.db")

    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == f"backup: {tmp_path}/b.db"
    assert lines[1].startswith("size: ")
    assert lines[2] == f"revision: {schema.HEAD}"
    assert ["overrides", "1"] in [line.split() for line in lines]
    assert "master secret is not in it" in result.stderr


def test_a_backup_is_told_as_json(run, tmp_path):
    told = json.loads(run("backup", tmp_path / "b.db", "--json").stdout)

    assert told["path"] == f"{tmp_path}/b.db"
    assert told["size_bytes"] == (tmp_path / "b.db").stat().st_size
    assert (told["revision"], told["rows"]["overrides"]) == (schema.HEAD, 1)


def test_a_restore_over_data_is_refused_without_force(run, tmp_path):
    run("backup", tmp_path / "b.db")

    result = run("restore", tmp_path / "b.db")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "--force" in result.stderr


def test_a_restore_tells_where_the_old_one_is_kept(run, tmp_path):
    run("backup", tmp_path / "b.db")

    result = run("restore", tmp_path / "b.db", "--force")

    lines = result.stdout.splitlines()
    assert (result.exit_code, lines[0]) == (0, f"restored: {tmp_path}/b.db")
    assert lines[1] == f"revision of the backup: {schema.HEAD}"
    assert lines[2].startswith(f"what was there is kept: {tmp_path}/store.before-")


def test_a_restore_is_told_as_json(run, tmp_path):
    run("backup", tmp_path / "b.db")
    (tmp_path / "store.db").unlink()

    told = json.loads(run("restore", tmp_path / "b.db", "--json").stdout)

    assert (told["revision"], told["kept"]) == (schema.HEAD, None)
    assert told["rows"]["overrides"] == 1


@pytest.mark.parametrize(
    ("size", "told"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (3 << 40, "3.0 TiB")],
)
def test_sizes_are_told_in_the_unit_that_people_read(size, told):
    assert size_text(size) == told
