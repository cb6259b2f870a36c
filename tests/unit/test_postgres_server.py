"""The PostgreSQL server that the tests start: it goes with them."""

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
from postgres_server import running_postgres
with running_postgres() as server:
    print(server.folder, flush=True)
    sys.stdin.readline()
"""


def test_a_server_does_not_outlive_tests_that_are_killed(postgres):
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    folder = Path(process.stdout.readline().strip())
    assert folder.exists()
    assert folder != postgres.folder

    process.kill()
    # It is at its end once nobody holds it any more: the server was the last.
    _, errors = process.communicate(timeout=60)

    assert errors == ""
    assert not folder.exists()
