"""Revision 0006: what older versions kept in plain is sealed, and none of it stays."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest
from revisions import copies_of, make_at
from sealers import OTHER, content_sealer
from sqlalchemy import create_engine, text

from flaskllm.core.errors import ServiceUnavailable
from flaskllm.core.secrets import KeyRing
from flaskllm.storage import schema
from flaskllm.storage.postgres import DRIVER
from flaskllm.storage.responses import ResponseRows
from flaskllm.storage.sealing import ContentSealer

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
INSERT = text(
    "INSERT INTO responses VALUES (:id, 'anna', NULL, '2029-12-31 12:00:00.000000', "
    "'2030-01-31 12:00:00.000000', :body, :items)"
)
CANARY = "canaryword"


def old_row(number, size=10):
    body = f'{{"said": "{CANARY} \u00e9 {"x" * size}"}}'
    return {"id": f"resp_{number:03}", "body": body, "items": f'["{CANARY}"]'}


def write(url, *statements):
    engine = create_engine(url.replace("postgresql:", f"{DRIVER}:"))
    with engine.begin() as connection:
        for statement, rows in statements:
            connection.execute(statement, rows)
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def old_url(request, tmp_path):
    """A database of revision 0005 without rows."""
    if request.param == "postgres":
        url = request.getfixturevalue("empty_postgres_url")
    else:
        url = f"sqlite:///{tmp_path}/old.db"
    make_at(url, "0005")
    return url


def test_rows_are_carried_over_and_read_as_before(old_url, make_database):
    old = [old_row(number) for number in range(45)]
    write(old_url, (INSERT, old))

    rows = ResponseRows(make_database(old_url))

    for row in old:
        found = rows.find(row["id"], "anna", NOON)
        assert found.body == row["body"].encode()
        assert found.input_items == row["items"].encode()
        assert found.created_at == datetime(2029, 12, 31, 12, tzinfo=UTC)
        assert found.expires_at == datetime(2030, 1, 31, 12, tzinfo=UTC)


def test_nothing_plain_is_left_in_any_table(old_url, make_database):
    write(old_url, (INSERT, [old_row(number) for number in range(3)]))
    database = make_database(old_url)

    with database.reading() as connection:
        (body,) = connection.execute(text("SELECT min(id) FROM responses")).one()
        raw = connection.execute(text("SELECT body, input_items FROM responses")).all()
    assert body == "resp_000"
    assert all(CANARY.encode() not in bytes(value) for row in raw for value in row)


@pytest.mark.parametrize("journal", ["wal", "truncate"])
def test_no_page_of_the_file_keeps_what_was_plain(tmp_path, make_database, journal):
    """Neither those that rows were in, nor those of rows removed long before."""
    path = tmp_path / "old.db"
    url = f"sqlite:///{path}"
    make_at(url, "0005")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
        connection.execute("PRAGMA secure_delete = OFF")
        for number in range(60):
            row = old_row(number, size=3000)
            values = (row["id"], row["body"], row["items"])
            connection.execute(
                "INSERT INTO responses VALUES (?, 'a', NULL, '2030-01-01', "
                "'2030-01-01', ?, ?)",
                values,
            )
        connection.execute("DELETE FROM responses WHERE id > 'resp_010'")
        connection.commit()
        assert connection.execute("PRAGMA freelist_count").fetchone()[0] > 20
        kept = copies_of(path, tmp_path)
        assert any(CANARY.encode() in each for each in kept.values())

        database = make_database(url, journal=journal)
        database.upgrade()

        found = copies_of(path, tmp_path)
        assert len(found) >= 2
        assert [n for n, data in found.items() if CANARY.encode() in data] == []
        with database.reading() as reading:
            assert (
                reading.execute(text("SELECT count(*) FROM responses")).scalar() == 11
            )


@pytest.mark.parametrize(
    ("sealer", "told"),
    [
        (None, "no master secret"),
        (ContentSealer(KeyRing("short", None, when_missing="refuse")), "5 characters"),
    ],
    ids=["none", "bad"],
)
def test_without_a_usable_secret_the_upgrade_is_refused_and_undone(
    old_url, make_database, sealer, told
):
    write(old_url, (INSERT, [old_row(1)]))

    with pytest.raises(ServiceUnavailable) as refused:
        make_database(old_url, sealer=sealer).upgrade()

    assert "kept responses are to be sealed" in refused.value.message
    assert told in refused.value.details
    assert CANARY not in refused.value.details
    rows = ResponseRows(make_database(old_url, sealer=content_sealer(OTHER)))
    assert rows.find("resp_001", "anna", NOON).body == old_row(1)["body"].encode()


def test_without_rows_no_secret_is_needed(old_url, make_database):
    database = make_database(old_url, sealer=None)

    database.upgrade()

    with database.reading() as connection:
        assert schema.revision_of(connection) == schema.HEAD
