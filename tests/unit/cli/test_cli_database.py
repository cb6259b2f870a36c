"""`flaskllm db`: the schema is brought up to date, and a database is looked at."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from flaskllm.cli.database import database_commands
from flaskllm.storage import schema
from flaskllm.storage.database import Database
from flaskllm.storage.workflows import Workflows


@dataclass(frozen=True)
class SomeServices:
    """What the commands use of the services."""

    database: Database
    workflows: Workflows


@pytest.fixture
def run(make_database):
    """Run a command on the database at this URL."""
    made = []

    def run_it(command, url, *, jobs=True):
        database = make_database(url, journal="truncate")
        made.append(Workflows(database, enabled=jobs))
        services = SomeServices(database, made[-1])
        return CliRunner().invoke(database_commands, [command], obj=lambda: services)

    yield run_it
    for workflows in made:
        workflows.close()


@pytest.fixture
def url(tmp_path):
    """Where no database is yet."""
    return f"sqlite:///{tmp_path}/x.db"


def test_upgrade_says_whether_it_did_anything(run, url):
    first, second = run("upgrade", url), run("upgrade", url)

    assert (first.exit_code, first.stdout) == (0, "The schema was upgraded.\n")
    assert (second.exit_code, second.stdout) == (0, "The schema is up to date.\n")


@pytest.mark.parametrize("command", ["upgrade", "check"])
def test_a_damaged_file_is_told_in_one_line(run, url, tmp_path, command):
    (tmp_path / "x.db").write_bytes(b"no database " * 1000)

    result = run(command, url)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "Error: The database cannot be used at the moment. "
        "Its file is damaged. It was left as it is: restore a backup.\n"
    )


def test_check_tells_what_a_sound_database_is(run, database_url):
    result = run("check", database_url)

    product, revision, workflows, verdict = result.stdout.splitlines()
    assert result.exit_code == 0
    assert product.startswith(
        "database: PostgreSQL 1" if "postgres" in database_url else "database: SQLite 3"
    )
    assert revision == f"revision: {schema.HEAD}"
    assert workflows.startswith("workflows: ")
    assert verdict == "It is sound, and its schema is up to date."


def test_upgrade_makes_the_tables_of_workflows_too(run, url):
    run("upgrade", url, jobs=False)
    before = run("check", url)

    result = run("upgrade", url)

    assert "workflows: no tables yet" in before.stdout
    assert result.stdout == "The schema was upgraded.\n"
    assert "workflows: up to date\n" in run("check", url).stdout


def test_upgrade_makes_no_tables_of_workflows_where_jobs_are_off(run, url, tmp_path):
    run("upgrade", url, jobs=False)

    assert "workflows: off\n" in run("check", url, jobs=False).stdout
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        query = "SELECT name FROM sqlite_schema WHERE name LIKE '%workflow%'"
        assert connection.execute(query).fetchall() == []


def test_check_tells_when_the_tables_of_workflows_are_old(run, url, tmp_path):
    run("upgrade", url)
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection, connection:
        connection.execute("UPDATE dbos_migrations SET version = version - 1")

    assert "workflows: older than this program" in run("check", url).stdout


def test_check_tells_the_journal_of_a_file(run, sqlite_database_url):
    assert ", journal truncate\n" in run("check", sqlite_database_url).stdout


def test_check_makes_no_database_where_there_is_none(run, url, tmp_path):
    result = run("check", url)

    assert (result.exit_code, result.stdout) == (1, "")
    assert "`flaskllm db upgrade` makes it" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("revision", "words"),
    [("0004", "`flaskllm db upgrade` brings it"), ("9999", "restore a backup")],
)
def test_check_fails_on_another_revision_and_leaves_it(
    run, database_url, make_database, revision, words
):
    with make_database(database_url).transaction() as connection:
        statement = "UPDATE alembic_version SET version_num = :revision"
        connection.execute(text(statement), {"revision": revision})

    result = run("check", database_url)

    assert result.exit_code == 1
    assert f"revision: {revision}\n" in result.stdout
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert make_database(database_url).examine().revision == revision


def test_check_finds_a_damaged_page(run, sqlite_database_url, tmp_path):
    path = tmp_path / "store.db"
    connection = sqlite3.connect(path)
    query = "SELECT rootpage FROM sqlite_schema WHERE name = 'usage'"
    (page,) = connection.execute(query).fetchone()
    connection.close()
    image = bytearray(path.read_bytes())
    image[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    path.write_bytes(image)

    result = run("check", sqlite_database_url)

    assert result.exit_code == 1
    assert "Its file is damaged" in result.stderr


def test_check_tells_a_server_that_is_gone(run):
    result = run("check", "postgresql://me:hunter2@127.0.0.1:1/x")

    assert result.exit_code == 1
    assert result.stderr == (
        "Error: The database cannot be used at the moment. "
        "Its server cannot be reached.\n"
    )
