"""A database file that is damaged, or made by a newer version: nothing touches it."""

import sqlite3
from contextlib import closing

import pytest
import requests
from file_scene import DAMAGE, overwrite
from processes import SCRIPTED, bearer

READY = "/api/v1/health/ready"
TOKEN = "k3R9vQ2mX7bT5wL8nZ4cH6jD1sF0gYpA"
COMMANDS = (("serve",), ("worker",), ("tokens", "list"))


@pytest.fixture
def settled(house, upstream):
    """A house whose database was made, and that nobody uses now."""
    house.write_settings(SCRIPTED.format(url=upstream.url))
    house.accept_jobs()
    house.make_token()
    return house


def path_in(house):
    return house.data / "flaskllm.db"


def spoil_the_head(path):
    with path.open("r+b") as file:
        file.write(b"\xa5" * 64)


def age_the_program(path):
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (
            spoil_the_head,
            b"Its file is damaged. It was left as it is: restore a backup.",
        ),
        (age_the_program, b"revision '9999'"),
    ],
)
def test_nothing_starts_and_one_line_says_why(settled, spoil, words):
    path = path_in(settled)
    spoil(path)
    before = path.read_bytes()

    for command in COMMANDS:
        refused = settled.run(*command)

        (line,) = refused.stderr.splitlines()
        assert words in line, command
        assert refused.returncode == 1, command
    assert path.read_bytes() == before


def test_a_table_that_is_damaged_is_told_and_the_server_is_not_ready(settled):
    settled.environ["FLASKLLM_API_TOKEN"] = TOKEN
    path = path_in(settled)
    overwrite(path, "reservations")
    started, url = settled.serve()
    question = {"model": "scripted", "messages": [{"role": "user", "content": "Hi."}]}

    told = requests.post(
        f"{url}/v1/chat/completions", json=question, headers=bearer(TOKEN), timeout=30
    )

    assert told.status_code == 503
    assert "Retry-After" not in told.headers
    assert told.headers["x-should-retry"] == "false"
    assert "Its file is damaged." in told.text
    started.wait_for(lambda: requests.get(f"{url}{READY}").status_code == 503)
    assert requests.get(f"{url}/health").status_code == 200
    assert not [line for line in started.events() if line.get("status") == 500]
    assert started.stop() == 0
    # Other tables are still written to, by what needs nothing of this one.
    assert DAMAGE in path.read_bytes()
