"""Real processes on one data folder: they start together, fork, and are killed."""

import signal
import sqlite3
import subprocess
import sys

import pytest

from flaskllm.storage.schema import HEAD

PRELUDE = """
import os, sys
from pathlib import Path
from sqlalchemy import text
from flaskllm.core.clock import SystemClock
from flaskllm.core.secrets import master_secret
from flaskllm.storage.database import Database
folder, journal = Path(sys.argv[1]), sys.argv[2]
database = Database(f"sqlite:///{folder}/x.db", journal=journal, clock=SystemClock())
def write(name):
    with database.transaction() as connection:
        connection.execute(text(
            "INSERT INTO api_tokens (id, kind, name, digest, scopes, created_at)"
            " VALUES (:id, 'api', 'n', x'00', 'chat', '2030-01-01 00:00:00.000000')"
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
write("parent-first")
children = []
for child in range(2):
    pid = os.fork()
    if pid == 0:
        for number in range(20):
            write(f"child-{child}-{number}")
        database.close()
        os._exit(0)
    children.append(pid)
for number in range(20):
    write(f"parent-{number}")
codes = [os.waitpid(pid, 0)[1] for pid in children]
write("parent-last")
database.close()
print(codes)
"""

NEVER_COMMIT = """
database.upgrade()
with database.transaction() as connection:
    connection.execute(text("DELETE FROM alembic_version"))
    connection.execute(text("CREATE TABLE half_way (id)"))
    print("inside", flush=True)
    sys.stdin.readline()
"""


def start(script, folder, journal):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PRELUDE + script, str(folder), journal],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def query(folder, statement):
    connection = sqlite3.connect(folder / "x.db")
    rows = connection.execute(statement).fetchall()
    connection.close()
    return rows


@pytest.mark.parametrize("journal", ["wal", "truncate"])
def test_processes_that_start_together_share_one_schema_and_one_secret(
    tmp_path, journal
):
    processes = [start(START_TOGETHER, tmp_path, journal) for _ in range(4)]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=60) for process in processes]

    assert [errors for _, errors in outputs] == [""] * 4
    secrets, changes = zip(*(out.split() for out, _ in outputs), strict=True)
    assert len(set(secrets)) == 1
    assert sorted(changes) == ["False", "False", "False", "True"]
    assert query(tmp_path, "SELECT version_num FROM alembic_version") == [(HEAD,)]
    assert query(tmp_path, "SELECT count(*) FROM api_tokens") == [(4,)]


@pytest.mark.parametrize("journal", ["wal", "truncate"])
def test_a_forked_process_makes_its_own_connections(tmp_path, journal):
    process = start(FORK_AFTER_USE, tmp_path, journal)
    output, errors = process.communicate(timeout=60)

    assert (output, errors) == ("[0, 0]\n", "")
    assert query(tmp_path, "SELECT count(*) FROM api_tokens") == [(62,)]
    assert query(tmp_path, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("journal", ["wal", "truncate"])
def test_a_process_killed_inside_a_transaction_leaves_nothing(tmp_path, journal):
    process = start(NEVER_COMMIT, tmp_path, journal)
    assert process.stdout.readline() == "inside\n"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)

    assert query(tmp_path, "SELECT version_num FROM alembic_version") == [(HEAD,)]
    names = query(tmp_path, "SELECT name FROM sqlite_schema")
    assert ("half_way",) not in names
