"""A backup holds all, and is put back whole or not at all, on either database."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from canaries import WORD, find_in
from fakes import FakeClock
from sealers import CURRENT, OTHER, content_sealer, key_ring
from sqlalchemy import text
from workflow_rows import begin, digest, prepared, states

from flaskllm.core.errors import (
    Conflict,
    InvalidInputError,
    NotFound,
    ServiceUnavailable,
)
from flaskllm.services.keeping.backups import Backups
from flaskllm.services.responses import KeptResponse, Responses
from flaskllm.services.secret_mark import SecretMark
from flaskllm.storage import schema
from flaskllm.storage.responses import ResponseRows
from flaskllm.storage.workers import WorkerRow, Workers

NEWER = "UPDATE alembic_version SET version_num = '9999'"


class Keeper:
    """A database, what copies it, and one kind of content in it."""

    def __init__(self, make_database, url, secret=CURRENT):
        self.clock = FakeClock()
        mark = SecretMark(key_ring(secret))
        sealer = content_sealer(secret)
        self.database = make_database(url, sealer=sealer, ownership=mark)
        self.workers = Workers(self.database, self.clock)
        self.backups = Backups(self.database, mark, self.workers, self.clock)
        self._responses = Responses(ResponseRows(self.database), self.clock)

    def keep(self, response_id, said=WORD):
        kept = KeptResponse(response_id, {"output": [said]}, [{"id": "i1"}])
        assert self._responses.keep(kept, "prn_a")

    def find(self, response_id):
        try:
            return self._responses.find(response_id, "prn_a").body["output"]
        except NotFound:
            return None

    def run(self, statement):
        with self.database.transaction() as connection:
            connection.execute(text(statement))


@pytest.fixture
def make_keeper(make_database):
    """Make a keeper of the database at a URL, under a secret."""
    return lambda url, secret=CURRENT: Keeper(make_database, url, secret)


@pytest.fixture
def keeper(make_keeper, database_url):
    """One with a response, a workflow and nobody at work."""
    made = make_keeper(database_url)
    made.keep("resp_1")
    with prepared(made.database) as workflows:
        begin(workflows, made.database, digest("job_1"))
    return made


@pytest.fixture
def another_url(request, database_url, tmp_path):
    """The URL of an empty place of the same kind, without a schema."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path}/elsewhere/other.db"
    return request.getfixturevalue("empty_postgres_url")


def written(keeper, folder):
    """Return the path of a fresh backup."""
    return keeper.backups.write(folder).path


def test_a_backup_is_private_and_tells_what_is_in_it(keeper, tmp_path):
    result = keeper.backups.write(tmp_path / "b.copy")

    assert result.path == tmp_path / "b.copy"
    assert result.path.stat().st_mode & 0o777 == 0o600
    assert result.size_bytes == result.path.stat().st_size > 0
    assert result.revision == schema.HEAD
    assert result.rows["responses"] == 1
    assert result.rows["dbos.workflow_status"] == 1
    assert not [each for each in tmp_path.iterdir() if each.name.startswith(".")]


def test_a_backup_into_a_folder_is_named_after_the_moment(keeper, tmp_path):
    path = written(keeper, tmp_path)

    assert path.name.startswith(f"flaskllm-{keeper.clock.now():%Y%m%dT%H%M%SZ}.")


def test_no_file_is_overwritten(keeper, tmp_path):
    target = tmp_path / "b.copy"
    target.write_text("mine")

    with pytest.raises(Conflict):
        keeper.backups.write(target)

    assert target.read_text() == "mine"


def test_a_file_that_comes_meanwhile_is_left_as_it_is(keeper, tmp_path, monkeypatch):
    target = tmp_path / "b.copy"

    def comes_first(*_):
        target.touch()
        raise FileExistsError

    monkeypatch.setattr(os, "link", comes_first)

    with pytest.raises(Conflict):
        keeper.backups.write(target)

    assert target.read_bytes() == b""


def test_a_file_that_comes_meanwhile_is_left_on_a_disk_without_links_too(
    keeper, tmp_path, monkeypatch
):
    target = tmp_path / "b.copy"

    def comes_first(*_):
        target.write_text("mine")
        raise PermissionError

    monkeypatch.setattr(os, "link", comes_first)

    with pytest.raises(Conflict):
        keeper.backups.write(target)

    assert target.read_text() == "mine"


def test_a_name_that_cannot_be_given_is_not_left_behind(keeper, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "link", no_links)
    monkeypatch.setattr(os, "replace", no_links)

    with pytest.raises(ServiceUnavailable):
        keeper.backups.write(tmp_path / "b.copy")

    assert not (tmp_path / "b.copy").exists()


def test_a_folder_that_is_not_there_is_told(keeper, tmp_path):
    with pytest.raises(InvalidInputError):
        keeper.backups.write(tmp_path / "nowhere" / "b.copy")


def test_what_was_kept_is_there_again_with_its_workflows(
    keeper, make_keeper, another_url, tmp_path
):
    path = written(keeper, tmp_path)
    other = make_keeper(another_url)

    restored = other.backups.restore(path)

    assert (restored.before, restored.kept) == (schema.HEAD, None)
    assert restored.rows["responses"] == 1
    assert other.find("resp_1") == [WORD]
    with prepared(other.database) as workflows:
        assert states(workflows) == {"job_1": "ENQUEUED"}


def test_a_backup_tells_nothing_of_what_lies_sealed(keeper, tmp_path):
    assert find_in(written(keeper, tmp_path).read_bytes()) == []


def test_under_another_master_secret_it_is_refused(
    keeper, make_keeper, another_url, tmp_path
):
    path = written(keeper, tmp_path)
    other = make_keeper(another_url, OTHER)

    with pytest.raises(ServiceUnavailable, match="master secret"):
        other.backups.restore(path)


def test_data_is_replaced_only_when_told_and_then_kept_aside(
    keeper, make_keeper, tmp_path
):
    path = written(keeper, tmp_path)
    keeper.keep("resp_2")

    with pytest.raises(Conflict):
        keeper.backups.restore(path)
    assert keeper.find("resp_2") == [WORD]
    restored = keeper.backups.restore(path, replaces=True)

    assert (keeper.find("resp_1"), keeper.find("resp_2")) == ([WORD], None)
    assert restored.kept.stat().st_mode & 0o777 == 0o600
    keeper.clock.advance(1)
    keeper.backups.restore(restored.kept, replaces=True)
    assert keeper.find("resp_2") == [WORD]


def test_two_that_are_put_aside_in_the_same_second_are_both_kept(keeper, tmp_path):
    path = written(keeper, tmp_path)

    first = keeper.backups.restore(path, replaces=True).kept
    if keeper.database.is_shared:
        with pytest.raises(ServiceUnavailable):
            keeper.backups.restore(path, replaces=True)
        return
    second = keeper.backups.restore(path, replaces=True).kept

    assert first != second
    assert first.exists()
    assert second.exists()


def test_nothing_is_restored_under_a_worker_that_lives(keeper, tmp_path):
    path = written(keeper, tmp_path)
    keeper.workers.beat(WorkerRow("wrk_1", "h", "p", 1))

    with pytest.raises(Conflict, match="worker"):
        keeper.backups.restore(path, replaces=True)


def test_nothing_is_restored_under_somebody_who_is_connected(
    keeper, make_keeper, database_url, tmp_path
):
    path = written(keeper, tmp_path)
    make_keeper(database_url).keep("resp_3")  # its connection stays open

    with pytest.raises(ServiceUnavailable, match="restored") as caught:
        keeper.backups.restore(path, replaces=True)

    assert "Stop" in caught.value.details
    assert keeper.find("resp_3") == [WORD]


@pytest.mark.parametrize("lost_bytes", [200, 5000])
def test_a_backup_that_is_cut_is_refused(keeper, tmp_path, lost_bytes):
    path = written(keeper, tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-lost_bytes])

    with pytest.raises(ServiceUnavailable):
        keeper.backups.restore(path, replaces=True)

    assert keeper.find("resp_1") == [WORD]


def test_what_is_no_backup_is_refused(keeper, tmp_path):
    path = tmp_path / "mail.eml"
    path.write_bytes(b"From: ada@example.com\n" * 1000)

    with pytest.raises(ServiceUnavailable, match="restored"):
        keeper.backups.restore(path, replaces=True)
    with pytest.raises(InvalidInputError):
        keeper.backups.restore(tmp_path / "nothing", replaces=True)


def test_a_newer_schema_is_refused(keeper, make_keeper, another_url, tmp_path):
    keeper.run(NEWER)
    path = tmp_path / "b.copy"
    keeper.database.copies().write(path)

    with pytest.raises(ServiceUnavailable) as caught:
        make_keeper(another_url).backups.restore(path)

    assert "'9999'" in caught.value.details


def test_an_older_schema_is_brought_up_to_date(
    keeper, make_keeper, another_url, tmp_path
):
    # As it was before this revision.
    keeper.run("DROP INDEX ledger_by_time")
    keeper.run("UPDATE alembic_version SET version_num = '0012'")
    path = tmp_path / "b.copy"
    keeper.database.copies().write(path)
    other = make_keeper(another_url)

    restored = other.backups.restore(path)

    assert restored.before == "0012"
    assert other.database.is_current()
    assert other.find("resp_1") == [WORD]


def test_memory_has_no_backup(make_keeper, tmp_path):
    keeper = make_keeper("sqlite://")

    with pytest.raises(ServiceUnavailable, match="backup") as caught:
        keeper.backups.write(tmp_path)

    assert "memory" in caught.value.details


class TestFile:
    """What only a SQLite file does."""

    @pytest.fixture
    def database_url(self, sqlite_database_url):
        return sqlite_database_url

    def test_a_backup_stands_alone(self, keeper, tmp_path):
        path = written(keeper, tmp_path)

        with closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as read:
            assert read.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert not Path(f"{path}-wal").exists()

    def test_it_is_whole_while_others_write(self, keeper, make_keeper, tmp_path):
        writer = make_keeper(keeper_url(tmp_path))
        with writer.database.transaction() as connection:
            connection.execute(text("DELETE FROM responses"))
            result = keeper.backups.write(tmp_path / "b.copy")

        assert result.rows["responses"] == 1
        assert keeper.find("resp_1") is None

    def test_a_damaged_database_can_be_replaced_and_is_kept(
        self, keeper, make_keeper, tmp_path
    ):
        path = written(keeper, tmp_path)
        keeper.database.close()
        broken = tmp_path / "store.db"
        broken.write_bytes(b"no database " * 1000)

        with pytest.raises(Conflict):
            keeper.backups.restore(path)
        restored = keeper.backups.restore(path, replaces=True)

        assert keeper.find("resp_1") == [WORD]
        assert restored.kept.read_bytes() == b"no database " * 1000

    def test_a_restore_that_fails_in_its_middle_changes_nothing(
        self, keeper, tmp_path, monkeypatch
    ):
        path = written(keeper, tmp_path)
        keeper.keep("resp_2")
        left = tmp_path / "store.db.restoring-killed"
        left.write_text("what a restore that was killed left")
        real = os.replace

        def fails(source, target):
            if str(target).endswith("store.db"):
                raise OSError(28, "No space left on device")
            real(source, target)

        monkeypatch.setattr(os, "replace", fails)
        with pytest.raises(ServiceUnavailable, match="database"):
            keeper.backups.restore(path, replaces=True)

        assert keeper.find("resp_2") == [WORD]
        assert list(tmp_path.glob("*restoring*")) == []

    def test_what_a_restore_has_left_is_known_by_the_very_name(
        self, keeper, make_keeper, tmp_path
    ):
        path = written(keeper, tmp_path)
        named = make_keeper(f"sqlite:///{tmp_path}/store[1].db")
        (tmp_path / "store[1].db.restoring-killed").touch()
        (tmp_path / "store1.db.restoring-others").touch()

        named.backups.restore(path)

        left = [found.name for found in tmp_path.glob("*restoring*")]
        assert left == ["store1.db.restoring-others"]

    def test_where_there_is_no_database_there_is_nothing_to_copy(
        self, make_database, tmp_path
    ):
        database = make_database(f"sqlite:///{tmp_path}/none.db")

        with pytest.raises(ServiceUnavailable, match="backup"):
            database.copies().write(tmp_path / "b.copy")

    def test_a_disk_without_links_is_served_too(self, keeper, tmp_path, monkeypatch):
        monkeypatch.setattr(os, "link", no_links)
        path = written(keeper, tmp_path)
        kept = keeper.backups.restore(path, replaces=True).kept

        assert keeper.find("resp_1") == [WORD]
        assert kept.stat().st_size == path.stat().st_size


def no_links(*_):
    raise PermissionError


def keeper_url(folder):
    return f"sqlite:///{folder}/store.db"
