"""Real processes on one store: they start together, fork, and are killed."""

import signal
import subprocess
import sys

import pytest
from sqlalchemy import inspect, text

from flaskllm.storage.schema import HEAD

PRELUDE = """
import os, sys
from pathlib import Path
from sqlalchemy import text
from flaskllm.core.clock import SystemClock
from flaskllm.core.secret_files import master_secret
from flaskllm.storage.database import Database
folder, url, journal = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
database = Database(url, journal=journal, clock=SystemClock())
def write(name):
    with database.transaction() as connection:
        connection.execute(text(
            "INSERT INTO api_tokens (id, kind, name, digest, scopes, created_at)"
            " VALUES (:id, 'api', 'n', '0', 'chat', '2030-01-01 00:00:00.000000')"
        ), {"id": name})
"""

START_TOGETHER = """
sys.stdin.readline()
secret = master_secret(None, folder)
changed = database.upgrade()
write(str(os.getpid()))
database.close()
print(secret.decode(), changed)
"""

FORK_AFTER_USE = """
write("p-first")
children = []
for child in range(2):
    pid = os.fork()
    if pid == 0:
        for number in range(20):
            write(f"c-{child}-{number}")
        database.close()
        os._exit(0)
    children.append(pid)
for number in range(20):
    write(f"p-{number}")
codes = [os.waitpid(pid, 0)[1] for pid in children]
write("p-last")
database.close()
print(codes)
"""

FORK_AND_END_ORDERLY = """
database.check()
pid = os.fork()
if pid == 0:
    sys.exit(0)
print([os.waitpid(pid, 0)[1]], flush=True)
with database.reading() as connection:
    print(connection.execute(text("SELECT 1")).scalar_one())
database.close()
"""

NEVER_COMMIT = """
database.upgrade()
with database.transaction() as connection:
    connection.execute(text("DELETE FROM alembic_version"))
    connection.execute(text("CREATE TABLE half_way (id INTEGER)"))
    print("inside", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(params=["wal", "truncate", "postgres"])
def empty(request, tmp_path):
    """The URL of a database without a schema, and the journal of its processes."""
    if request.param == "postgres":
        return request.getfixturevalue("empty_postgres_url"), "wal"
    return f"sqlite:///{tmp_path}/x.db", request.param


@pytest.fixture
def start(empty, tmp_path):
    """Start a script that has the database, as often as a test likes."""
    started = []

    def start_it(script):
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", PRELUDE + script, tmp_path, *empty],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start_it
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def database(empty, make_database):
    """The same database, as this process sees it."""
    url, journal = empty
    return make_database(url, journal=journal)


def ask(database, question):
    with database.reading() as connection:
        return connection.execute(text(question)).scalars().all()


def test_processes_that_start_together_share_one_schema_and_one_secret(start, database):
    processes = [start(START_TOGETHER) for _ in range(4)]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=60) for process in processes]

    assert [errors for _, errors in outputs] == [""] * 4
    secrets, changes = zip(*(out.split() for out, _ in outputs), strict=True)
    assert len(set(secrets)) == 1
    assert sorted(changes) == ["False", "False", "False", "True"]
    assert ask(database, "SELECT version_num FROM alembic_version") == [HEAD]
    assert ask(database, "SELECT count(*) FROM api_tokens") == [4]


def test_a_forked_process_makes_its_own_connections(start, database):
    output, errors = start(FORK_AFTER_USE).communicate(timeout=60)

    assert (output, errors) == ("[0, 0]\n", "")
    assert ask(database, "SELECT count(*) FROM api_tokens") == [62]
    assert database.examine().faults == ()


def test_a_forked_process_that_ends_leaves_its_parent_its_connections(start):
    output, _warned = start(FORK_AND_END_ORDERLY).communicate(timeout=60)

    assert output == "[0]\n1\n"


def test_a_process_killed_inside_a_transaction_leaves_nothing(start, database):
    process = start(NEVER_COMMIT)
    assert process.stdout.readline() == "inside\n"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)

    assert ask(database, "SELECT version_num FROM alembic_version") == [HEAD]
    with database.reading() as connection:
        assert not inspect(connection).has_table("half_way")
