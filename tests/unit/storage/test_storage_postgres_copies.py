"""PostgreSQL's programs are found, believed only as far as they go, and told apart."""

import os
from datetime import UTC, datetime

import pytest
from postgres_server import PASSWORD
from sqlalchemy import text
from sqlalchemy.engine import make_url

from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.storage import postgres_programs
from flaskllm.storage.copies import PutBack
from flaskllm.storage.postgres import SCHEMA_LOCK, PostgresStore
from flaskllm.storage.postgres_copies import PostgresCopies
from flaskllm.storage.postgres_programs import Programs, found, run

AT = datetime(2030, 1, 1, tzinfo=UTC)
HOW = PutBack(AT, lambda path: None)
URL = make_url("postgresql://ada:s3cret@db.internal:5433/flaskllm?sslmode=require")


def program(folder, name, *lines):
    """Write a program that does as the lines say, and return its path."""
    path = folder / name
    path.write_text("#!/bin/sh\n" + "\n".join(lines) + "\n")
    path.chmod(0o700)
    return str(path)


def copies_of(url, find):
    """Return copies of a real database whose programs are found so."""
    parsed = make_url(url)
    store = PostgresStore(parsed, SystemClock())
    return PostgresCopies(parsed, store.make_engine, SCHEMA_LOCK, find)


@pytest.fixture
def copies_with(postgres_database_url):
    """Return copies of a real database that take programs from where they are told."""

    def make(**programs):
        return copies_of(
            postgres_database_url,
            lambda name, major: programs.get(name, found(name, major)),
        )

    return make


def test_a_missing_program_is_told_with_what_installs_it(copies_with, tmp_path):
    with pytest.raises(ServiceUnavailable) as caught:
        copies_with(pg_dump=None).write(tmp_path / "b.dump")

    assert "apt-get install postgresql-client-" in caught.value.details


@pytest.mark.parametrize(
    "said", ["pg_dump (PostgreSQL) 9.6.24 (Debian 9)", "no version at all"]
)
def test_an_older_program_is_told(copies_with, tmp_path, said):
    old = program(tmp_path, "pg_dump", f"echo '{said}'")

    with pytest.raises(ServiceUnavailable) as caught:
        copies_with(pg_dump=old).write(tmp_path / "b.dump")

    assert "pg_dump is of version" in caught.value.details


def test_the_program_of_the_server_s_own_version_is_taken_first(tmp_path, monkeypatch):
    newer = tmp_path / "15"
    newer.mkdir()
    own = program(newer, "pg_dump", "exit 0")
    monkeypatch.setattr(postgres_programs, "_BY_VERSION", f"{tmp_path}/{{major}}")

    assert found("pg_dump", 15) == own
    assert found("pg_dump", 14) != own


def test_the_password_stands_in_the_environment_and_in_no_argument(monkeypatch):
    monkeypatch.delenv("PGPASSWORD", raising=False)
    programs = Programs(URL, 15, found)

    assert programs.environ()["PGPASSWORD"] == "s3cret"
    assert programs.address() == (
        "postgresql://ada@db.internal:5433/flaskllm?sslmode=require"
    )
    assert (
        "PGPASSWORD" not in Programs(URL._replace(password=None), 15, found).environ()
    )


def test_a_password_in_the_query_goes_into_the_environment_too():
    url = make_url("postgresql://ada:old@db/x?password=gehe%26im&sslmode=require")
    programs = Programs(url, 15, found)

    assert programs.environ()["PGPASSWORD"] == "gehe&im"
    assert programs.address() == "postgresql://ada@db/x?sslmode=require"


@pytest.mark.parametrize("name", ["sslpassword", "scram_client_key"])
def test_a_secret_that_no_environment_takes_is_refused_and_not_told(name):
    url = make_url(f"postgresql://ada@db/x?{name}=geheim")

    with pytest.raises(ServiceUnavailable) as caught:
        Programs(url, 15, found).address()

    assert name in caught.value.details
    assert "geheim" not in caught.value.details


def test_what_the_gateway_heeds_of_the_environment_its_programs_heed_too(monkeypatch):
    passed_on = {
        "HOME": "/srv/ada",
        "PGPASSFILE": "/srv/pass",
        "PGSSLMODE": "verify-full",
        "PGSERVICE": "main",
        "PGPASSWORD": "of the environment",
    }
    for name, value in (passed_on | {"FLASKLLM_SECRET": "s", "PGAPPNAME": "x"}).items():
        monkeypatch.setenv(name, value)

    environ = Programs(URL._replace(password=None), 15, found).environ()

    assert environ.items() >= passed_on.items()
    assert "FLASKLLM_SECRET" not in environ
    assert environ["PGAPPNAME"] == "flaskllm-copies"
    assert Programs(URL, 15, found).environ()["PGPASSWORD"] == "s3cret"


def test_no_argument_of_a_program_holds_the_password(copies_with, tmp_path):
    said = tmp_path / "said"
    real = found("pg_dump", 15)
    spy = program(tmp_path, "spy", f'echo "$@" >> {said}', f'exec {real} "$@"')

    copies_with(pg_dump=spy).write(tmp_path / "b.dump")

    assert "--snapshot=" in said.read_text()
    assert PASSWORD not in said.read_text()


def test_a_program_that_fails_is_told_in_its_first_error(tmp_path):
    fails = program(
        tmp_path,
        "fails",
        "echo 'fails: error: no room' >&2",
        "echo 'a row' >&2",
        "exit 1",
    )

    with pytest.raises(ServiceUnavailable) as caught:
        run([fails], {})

    assert caught.value.details == "no room"
    assert postgres_programs.told(b"a row") == "The program gave no reason."


def test_what_others_keep_in_the_same_database_is_no_part_of_a_copy(
    copies_with, postgres_in_turns, tmp_path
):
    postgres_in_turns.run("CREATE TABLE others (a int)", database="shared")
    try:
        copies = copies_with()
        copies.write(tmp_path / "b.dump")
        copies.put_back(tmp_path / "b.dump", HOW, keeps=False)

        assert b"others" not in (tmp_path / "b.dump").read_bytes()
        postgres_in_turns.run("DROP TABLE others", database="shared")
    finally:
        postgres_in_turns.run("DROP TABLE IF EXISTS others", database="shared")


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(['{real} "$@" | head -c 3000', "exit 1"], id="is killed"),
        pytest.param(['{real} "$@"; echo "SELECT 1/0;"'], id="says what is refused"),
    ],
)
def test_a_restore_that_breaks_off_leaves_what_was_there(
    copies_with, make_database, postgres_database_url, tmp_path, lines
):
    copies_with().write(tmp_path / "b.dump")
    database = make_database(postgres_database_url)
    with database.transaction() as connection:
        connection.execute(text("INSERT INTO changes VALUES ('mine', 7)"))
    database.close()
    real = found("pg_restore", 15)
    told = ['case "$1" in --version) exec {real} --version;; esac', *lines]
    breaks = program(tmp_path, "broken", *(each.format(real=real) for each in told))

    with pytest.raises(ServiceUnavailable):
        copies_with(pg_restore=breaks).put_back(tmp_path / "b.dump", HOW, keeps=False)

    with database.reading() as connection:
        found_rows = connection.execute(text("SELECT name, value FROM changes")).all()
    assert ("mine", 7) in [tuple(row) for row in found_rows]


@pytest.mark.parametrize("query", ["", "?application_name=ada's%20gateway"])
@pytest.mark.parametrize("comes", ["first", "while what was there is kept"])
def test_who_is_connected_is_noticed_also_when_they_come_late(
    make_database, postgres_database_url, tmp_path, query, comes
):
    gateway = make_database(postgres_database_url + query)

    def find(name, major):
        if name == "psql":
            gateway.check()
        return found(name, major)

    copies = copies_of(postgres_database_url + query, find)
    copies.write(tmp_path / "b.dump")
    if comes == "first":
        gateway.check()

    with pytest.raises(ServiceUnavailable) as caught:
        copies.put_back(tmp_path / "b.dump", HOW, keeps=True)

    assert "Stop the gateway" in caught.value.details
    assert [*tmp_path.iterdir()] == [tmp_path / "b.dump"]


def test_who_comes_late_is_noticed_whatever_language_the_server_speaks(
    make_database, postgres_database_url, tmp_path
):
    gateway = make_database(postgres_database_url)
    lines = (
        'case "$1" in --version) exec {real} --version;; esac',
        '{real} "$@" 2>{said}',
        "status=$?",
        "sed s/ERROR:/FEHLER:/ {said} >&2",
        "exit $status",
    )
    programs = tmp_path / "programs"
    programs.mkdir()

    def find(name, major):
        if name != "psql":
            return found(name, major)
        gateway.check()
        real, said = found(name, major), programs / "said"
        told = (line.format(real=real, said=said) for line in lines)
        return program(programs, name, *told)

    copies = copies_of(postgres_database_url, find)
    copies.write(tmp_path / "b.dump")

    with pytest.raises(ServiceUnavailable) as caught:
        copies.put_back(tmp_path / "b.dump", HOW, keeps=True)

    assert "Stop the gateway" in caught.value.details
    assert {*tmp_path.iterdir()} == {tmp_path / "b.dump", programs}


def test_a_program_that_ends_before_it_has_read_all_is_told(copies_with, tmp_path):
    copies_with().write(tmp_path / "b.dump")
    ends = program(
        tmp_path,
        "psql",
        'case "$1" in --version) echo "psql (PostgreSQL) 99";; esac',
        "echo 'psql: error: connection refused' >&2",
        "exit 2",
    )

    with pytest.raises(ServiceUnavailable) as caught:
        copies_with(psql=ends).put_back(tmp_path / "b.dump", HOW, keeps=False)

    assert caught.value.details == "connection refused"


def test_over_a_newer_schema_nothing_is_restored(
    copies_with, make_database, postgres_database_url, tmp_path
):
    copies_with().write(tmp_path / "b.dump")
    database = make_database(postgres_database_url)
    with database.transaction() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()

    with pytest.raises(ServiceUnavailable) as caught:
        copies_with().put_back(tmp_path / "b.dump", HOW, keeps=False)

    assert "newer" in caught.value.details


def test_what_is_read_back_has_to_be_what_was_written(copies_with, tmp_path):
    real = found("pg_restore", 15)
    silent = program(
        tmp_path,
        "silent",
        f'case "$1" in --version) exec {real} --version;; esac',
        f'case "$1" in --file={os.devnull}) exec {real} "$@";; esac',
    )

    with pytest.raises(ServiceUnavailable) as caught:
        copies_with(pg_restore=silent).write(tmp_path / "b.dump")

    assert "read back" in caught.value.details
