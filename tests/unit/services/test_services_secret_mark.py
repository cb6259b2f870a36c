"""The master secret that a database knows: ours, the one before, or another's."""

import hmac

import pytest
from sealers import CURRENT, OTHER, PREVIOUS, key_ring
from sqlalchemy import text

from flaskllm.core.errors import ServiceUnavailable
from flaskllm.core.secrets import KeyRing, Purpose
from flaskllm.services.secret_mark import MARK, SecretMark
from flaskllm.storage import schema

COUNT = text("SELECT count(*) FROM api_tokens")


def enter(transaction):
    with transaction as connection:
        connection.execute(COUNT)


USES = {
    "upgrade": lambda database: database.upgrade(),
    "check": lambda database: database.check(),
    "transaction": lambda database: enter(database.transaction()),
    "reading": lambda database: enter(database.reading()),
}


@pytest.fixture
def opened(database_url, make_database):
    """Open the database with these secrets."""

    def open_it(current=CURRENT, previous=None):
        mark = SecretMark(key_ring(current, previous))
        return make_database(database_url, ownership=mark)

    return open_it


def mark_in(database):
    with database.reading() as connection:
        found = connection.execute(text("SELECT name, value FROM marks")).all()
    ((name, value),) = found
    assert name == MARK
    return bytes(value)


def test_the_first_start_leaves_a_mark_of_the_secret_and_not_the_secret(opened):
    key = key_ring().key(Purpose.MARK)

    value = mark_in(opened())

    assert value == hmac.digest(key, b"flaskllm/master-secret", "sha256")
    assert CURRENT.encode() not in value


def test_the_same_secret_comes_in_again_and_the_mark_stays(opened):
    before = mark_in(opened())

    assert mark_in(opened()) == before


def test_the_previous_secret_comes_in_too_and_the_mark_stays_as_it_was(opened):
    before = mark_in(opened(PREVIOUS))

    assert mark_in(opened(CURRENT, PREVIOUS)) == before


@pytest.mark.parametrize("previous", [None, OTHER], ids=["alone", "with another"])
@pytest.mark.parametrize("use", USES)
def test_any_other_secret_is_refused_whatever_is_wanted(opened, use, previous):
    before = mark_in(opened(PREVIOUS))
    stranger = opened(CURRENT, previous)

    with pytest.raises(ServiceUnavailable) as refused:
        USES[use](stranger)

    assert refused.value.message == (
        "The master secret is not the one this database was made with."
    )
    assert refused.value.retry_after_seconds is None
    assert CURRENT not in refused.value.details
    assert mark_in(opened(PREVIOUS)) == before


@pytest.mark.parametrize("use", USES)
def test_where_the_secret_is_missing_none_is_made(
    opened, use, database_url, make_database, tmp_path
):
    before, folder = mark_in(opened()), tmp_path / "data"
    moved = make_database(database_url, ownership=SecretMark(KeyRing(None, folder)))

    with pytest.raises(ServiceUnavailable, match=r"this database .* is missing"):
        USES[use](moved)

    assert not folder.exists()
    assert mark_in(opened()) == before


def put_aside(folder, secret):
    """Let the folder have a previous secret, and no current one."""
    folder.mkdir(mode=0o700)
    (folder / "secret.previous").touch(mode=0o600)
    (folder / "secret.previous").write_text(secret)


@pytest.mark.parametrize("where", ["setting", "file"])
@pytest.mark.parametrize("use", USES)
def test_where_the_previous_secret_is_the_one_a_new_one_is_made(
    opened, use, where, database_url, make_database, tmp_path
):
    before, folder = mark_in(opened(PREVIOUS)), tmp_path / "data"
    if where == "file":
        put_aside(folder, PREVIOUS)
    previous = PREVIOUS if where == "setting" else None
    mark = SecretMark(KeyRing(None, folder, previous=previous))

    USES[use](make_database(database_url, ownership=mark))

    assert len((folder / "secret").read_text()) > len(PREVIOUS)
    assert mark_in(opened(PREVIOUS)) == before


@pytest.mark.parametrize("use", USES)
def test_where_the_previous_secret_is_another_none_is_made(
    opened, use, database_url, make_database, tmp_path
):
    mark_in(opened(PREVIOUS))
    put_aside(folder := tmp_path / "data", OTHER)
    mark = SecretMark(KeyRing(None, folder))

    with pytest.raises(ServiceUnavailable, match=r"this database .* is missing"):
        USES[use](make_database(database_url, ownership=mark))

    assert not (folder / "secret").exists()


def test_a_backup_is_known_by_the_previous_secret_too_and_none_is_made(tmp_path):
    key = key_ring(PREVIOUS).key(Purpose.MARK)
    marks = {MARK: hmac.digest(key, b"flaskllm/master-secret", "sha256")}
    put_aside(folder := tmp_path / "data", PREVIOUS)

    assert SecretMark(KeyRing(None, folder)).check_marks(marks)

    assert not (folder / "secret").exists()


def test_of_a_backup_it_says_so(tmp_path):
    marks = {MARK: b"another's"}

    with pytest.raises(ServiceUnavailable, match=r"this backup .* is missing"):
        SecretMark(KeyRing(None, tmp_path / "data")).check_marks(marks)
    with pytest.raises(ServiceUnavailable, match="not the one this backup"):
        SecretMark(key_ring()).check_marks(marks)
    assert not (tmp_path / "data").exists()


def test_a_wrong_secret_is_refused_before_an_older_schema_is_changed(opened):
    database = opened(PREVIOUS)
    database.upgrade()
    with database.transaction() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0005'"))

    with pytest.raises(ServiceUnavailable, match="not the one"):
        opened(CURRENT).upgrade()

    with database.reading() as connection:
        assert schema.revision_of(connection) == "0005"


def test_of_two_secrets_that_start_together_the_second_is_refused(opened):
    first, second = SecretMark(key_ring(CURRENT)), SecretMark(key_ring(OTHER))
    database = opened()
    with database.transaction() as connection:
        connection.execute(text("DELETE FROM marks"))
        assert second.check(connection) is False
        first.put(connection)

        with pytest.raises(ServiceUnavailable, match="not the one"):
            second.put(connection)


def test_replacing_leaves_the_mark_of_the_current_secret_alone(opened):
    database = opened(PREVIOUS)
    database.upgrade()
    both = SecretMark(key_ring(CURRENT, PREVIOUS))
    with database.transaction() as connection:
        assert both.replace(connection) is True
        assert both.replace(connection) is False

    opened(CURRENT).check()
    with pytest.raises(ServiceUnavailable, match="not the one"):
        opened(PREVIOUS).check()


def test_a_secret_that_cannot_be_read_is_told(database_url, make_database, tmp_path):
    mark = SecretMark(KeyRing("short", tmp_path))

    with pytest.raises(ServiceUnavailable) as refused:
        make_database(database_url, ownership=mark).upgrade()

    assert "5 characters" in refused.value.details
