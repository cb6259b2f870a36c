"""Whether a server may start, and what of the data folder that touches."""

import sqlite3
from contextlib import closing

import pytest
from log_lines import ours
from sealers import CURRENT, OTHER, PREVIOUS

from flaskllm.core.config import load
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.core.secrets import Purpose
from flaskllm.storage.workflows import Workflows
from flaskllm.wiring import build_services, secrets_of
from flaskllm.wiring.secrets import build_key_ring
from flaskllm.wiring.start import find_refusal


def settings(folder, **variables):
    """Return settings of a gateway in this folder, without jobs unless they say so."""
    given = {"DATA_DIR": str(folder / "data"), "JOBS__ENABLED": "false", **variables}
    named = {f"FLASKLLM_{name}": value for name, value in given.items()}
    return load(named, folder).settings


def workflow_tables(folder):
    """Return how many tables of workflows there are: one or none."""
    with closing(sqlite3.connect(folder / "data" / "flaskllm.db")) as connection:
        query = "SELECT count(*) FROM sqlite_master WHERE name = 'workflow_status'"
        return connection.execute(query).fetchone()[0]


def change(folder, statement):
    with closing(sqlite3.connect(folder / "data" / "flaskllm.db")) as connection:
        connection.execute(statement)
        connection.commit()


def test_a_fresh_folder_is_made_ready(tmp_path):
    assert find_refusal(settings(tmp_path)) is None
    assert find_refusal(settings(tmp_path)) is None
    names = {path.name for path in (tmp_path / "data").iterdir()}
    assert {"flaskllm.db", "secret"} <= names


@pytest.mark.parametrize(("jobs", "tables"), [("true", 1), ("false", 0)])
def test_the_tables_of_workflows_are_made_where_jobs_are_on(tmp_path, jobs, tables):
    assert find_refusal(settings(tmp_path, JOBS__ENABLED=jobs)) is None
    assert workflow_tables(tmp_path) == tables


def test_tables_of_workflows_that_cannot_be_made_are_no_refusal(
    tmp_path, monkeypatch, caplog
):
    def fail(_):
        raise ServiceUnavailable(details="It can be read but not written.")

    monkeypatch.setattr(Workflows, "upgrade", fail)

    assert find_refusal(settings(tmp_path, JOBS__ENABLED="true")) is None
    [line] = ours(caplog)
    assert line.getMessage() == "workflows_not_upgraded"
    assert line.fields["reason"] == "It can be read but not written."


def test_another_master_secret_is_a_refusal_in_one_line(tmp_path):
    find_refusal(settings(tmp_path, SECRET=PREVIOUS))

    refusal = find_refusal(settings(tmp_path, SECRET=CURRENT))

    assert refusal.startswith("The master secret is not the one this database was made")
    assert "\n" not in refusal
    assert CURRENT not in refusal


def test_a_secret_file_that_was_lost_is_a_refusal(tmp_path):
    find_refusal(settings(tmp_path))
    file = tmp_path / "data" / "secret"
    file.unlink()

    assert "is missing" in find_refusal(settings(tmp_path))
    assert not file.exists()


def test_the_secret_of_before_as_the_previous_one_is_none(tmp_path):
    find_refusal(settings(tmp_path, SECRET=PREVIOUS))

    both = settings(tmp_path, SECRET=CURRENT, PREVIOUS_SECRET=PREVIOUS)
    assert find_refusal(both) is None
    wrong = settings(tmp_path, SECRET=CURRENT, PREVIOUS_SECRET=OTHER)
    assert find_refusal(wrong) is not None


def test_a_newer_schema_is_a_refusal(tmp_path):
    find_refusal(settings(tmp_path))
    change(tmp_path, "UPDATE alembic_version SET version_num = '9999'")

    assert "revision '9999'" in find_refusal(settings(tmp_path))


def test_a_database_that_is_locked_just_now_is_no_refusal(tmp_path):
    find_refusal(settings(tmp_path))
    change(tmp_path, "DELETE FROM marks")  # so that it has to write
    path = tmp_path / "data" / "flaskllm.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = truncate")
        connection.execute("BEGIN EXCLUSIVE")

        assert find_refusal(settings(tmp_path)) is None


def test_a_server_that_cannot_be_reached_is_no_refusal(tmp_path):
    url = "postgresql://nobody@127.0.0.1:1/none"

    assert find_refusal(settings(tmp_path, DATABASE_URL=url, SECRET=CURRENT)) is None


def test_with_a_shared_database_no_folder_is_touched(tmp_path, postgres_database_url):
    shared = {"DATABASE_URL": postgres_database_url}

    assert find_refusal(settings(tmp_path, **shared, SECRET=PREVIOUS)) is None
    assert "not the one" in find_refusal(settings(tmp_path, **shared, SECRET=CURRENT))
    assert not (tmp_path / "data").exists()


class TestMemory:
    """`sqlite://`: the data folder is nobody's business."""

    @pytest.fixture
    def in_memory(self, tmp_path):
        return settings(tmp_path, DATABASE_URL="sqlite://", API_TOKEN=CURRENT)

    def test_a_start_touches_no_folder(self, in_memory, tmp_path):
        assert find_refusal(in_memory) is None
        assert not (tmp_path / "data").exists()

    def test_api_tokens_can_be_made_and_used_there(self, tmp_path):
        variables = {"FLASKLLM_DATABASE_URL": "sqlite://", "FLASKLLM_DATA_DIR": "no"}
        services = build_services(load(variables, tmp_path))

        services.database.check()
        services.housekeeping.run(regardless=True)
        services.database.close()

        assert not (tmp_path / "no").exists()

    def test_a_secret_that_is_given_is_used(self, tmp_path):
        given = {"DATABASE_URL": "sqlite://", "SECRET": CURRENT}
        rings = [build_key_ring(settings(tmp_path, **given)) for _ in "ab"]

        assert len({ring.key(Purpose.MARK) for ring in rings}) == 1


def test_a_wrong_secret_is_not_ready(tmp_path):
    """Where a server cannot be kept from starting, as under uWSGI."""
    find_refusal(settings(tmp_path, SECRET=PREVIOUS))
    variables = {"FLASKLLM_DATA_DIR": str(tmp_path / "data"), "FLASKLLM_SECRET": OTHER}
    services = build_services(load(variables, tmp_path))

    assert services.health.readiness() == "not_ready"
    with pytest.raises(ServiceUnavailable, match="not the one"):
        services.responses.find("resp_1", "anna")
    services.database.close()


def test_the_logs_mask_the_previous_secret_too(tmp_path):
    assert PREVIOUS in secrets_of(settings(tmp_path, PREVIOUS_SECRET=PREVIOUS))
