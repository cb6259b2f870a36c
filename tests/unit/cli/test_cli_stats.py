"""`flaskllm db stats` tells sizes for people and for programs."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from flaskllm.cli.database import database_commands
from flaskllm.services.keeping.sizes import Size, TableSize, Told

AT = datetime(2030, 1, 2, 3, 4, tzinfo=UTC)
TABLES = (
    TableSize("api_tokens", 2, False, 4096, None),
    TableSize("usage", 2_000_000, True, None, AT),
)
FILE = Told(Size(3 << 20, 4096, 8192, TABLES), {"usage": "400 days"})
SERVER = Told(Size(3 << 20, None, None, TABLES), {})


@dataclass(frozen=True)
class SomeServices:
    """What the command uses of the services."""

    keeping: SimpleNamespace


@pytest.fixture
def run():
    def run(told, *arguments):
        sizes = SimpleNamespace(tell=lambda: told)
        services = SomeServices(SimpleNamespace(sizes=sizes))
        words = ["stats", *arguments]
        return CliRunner().invoke(database_commands, words, obj=lambda: services)

    return run


def test_people_see_units_and_what_is_an_estimate(run):
    lines = run(FILE).stdout.splitlines()

    assert lines[:3] == [
        "size: 3.0 MiB",
        "of it free: 4.0 KiB",
        "write-ahead log: 8.0 KiB",
    ]
    assert lines[4].split() == ["api_tokens", "2", "4.0", "KiB", "-"]
    assert lines[5].split() == (
        ["usage", "about", "2000000", "-", "2030-01-02T03:04Z", "400", "days"]
    )


def test_a_server_has_no_log_of_ours(run):
    lines = run(SERVER).stdout.splitlines()

    assert lines[0] == "size: 3.0 MiB"
    assert lines[1].startswith("TABLE")


def test_programs_see_bytes(run):
    told = json.loads(run(FILE, "--json").stdout)

    assert (told["size_bytes"], told["free_bytes"], told["log_bytes"]) == (
        3 << 20,
        4096,
        8192,
    )
    assert told["tables"][1] == {
        "name": "usage",
        "rows": 2_000_000,
        "is_about": True,
        "size_bytes": None,
        "oldest": "2030-01-02T03:04:00+00:00",
        "kept": "400 days",
    }
