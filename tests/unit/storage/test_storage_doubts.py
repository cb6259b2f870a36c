"""After an error of the disk nothing is claimed, until the opposite is shown."""

import pytest
from database_rows import INSERT, count
from postgres_sessions import insert
from sqlalchemy import text

from flaskllm.core.errors import ServiceUnavailable
from flaskllm.storage.doubts import (
    PROOF_EVERY_SECONDS,
    READING_EVERY_SECONDS,
    Doubt,
)
from flaskllm.storage.driver_errors import (
    DAMAGED,
    DISK,
    FULL,
    READ_ONLY,
    SILENT,
    unavailable,
)


@pytest.fixture
def doubt(fake_clock):
    return Doubt(fake_clock)


@pytest.fixture
def database(sqlite_database_url, make_database, fake_clock):
    return make_database(sqlite_database_url, clock=fake_clock)


def note(doubt, details, *, to_write=True):
    doubt.note(unavailable(details), to_write=to_write)


@pytest.mark.parametrize(
    ("details", "to_write", "is_one", "is_lasting"),
    [
        (FULL[0], True, True, False),
        (READ_ONLY[0], True, True, False),
        # Our own readers are not allowed to write.
        (READ_ONLY[0], False, False, False),
        (DISK[0], False, True, True),
        (DAMAGED, False, True, True),
        (SILENT[0], True, False, False),
    ],
)
def test_what_passes_by_itself_leaves_no_doubt(
    doubt, details, to_write, is_one, is_lasting
):
    note(doubt, details, to_write=to_write)

    assert (bool(doubt), doubt.is_lasting) == (is_one, is_lasting)


def test_a_write_ends_the_doubt_whether_one_can_but_not_whether_it_lasts(doubt):
    note(doubt, FULL[0])
    doubt.wrote()
    assert not doubt

    note(doubt, DISK[0])
    note(doubt, FULL[0])
    doubt.wrote()
    assert doubt.again().details == DISK[0]

    doubt.proved()
    assert not doubt
    assert doubt.again().retry_after_seconds == 1


@pytest.mark.parametrize(
    ("details", "seconds"),
    [(DISK[0], PROOF_EVERY_SECONDS), (DAMAGED, READING_EVERY_SECONDS)],
)
def test_one_at_a_time_tries_a_proof_and_seldom_where_it_reads_all(
    doubt, fake_clock, details, seconds
):
    note(doubt, details)
    assert [doubt.may_prove(), doubt.may_prove()] == [True, False]

    fake_clock.advance(seconds - 0.1)
    assert not doubt.may_prove()
    fake_clock.advance(0.1)
    assert doubt.may_prove()


def fail_with(database, details):
    """Leave what a failed transaction leaves."""
    with pytest.raises(ServiceUnavailable), database.transaction():
        raise unavailable(details)


@pytest.mark.parametrize("details", [FULL[0], DISK[0], DAMAGED])
def test_a_proof_ends_the_doubt_of_a_sound_file(database, details, fake_clock):
    insert(database)
    fail_with(database, details)

    database.check()

    database.check()
    assert count(database) == 1


def test_where_others_read_the_log_nothing_is_proved(
    database, make_database, sqlite_database_url, fake_clock
):
    insert(database)
    other = make_database(sqlite_database_url)
    fail_with(database, DISK[0])

    with other.reading() as reading:
        reading.execute(text("SELECT count(*) FROM counters"))
        with pytest.raises(ServiceUnavailable, match="moment"):
            database.check()
        # It was tried just now, and nobody claims that a commit lasts.
        with pytest.raises(ServiceUnavailable), database.transaction(durable=True):
            pytest.fail("it began")
        with database.transaction() as connection:
            connection.execute(INSERT, {"id": "b"})

    fake_clock.advance(PROOF_EVERY_SECONDS)
    with database.transaction(durable=True) as connection:
        connection.execute(INSERT, {"id": "c"})
    database.check()


def test_a_file_that_is_still_damaged_proves_nothing(database, fake_clock):
    insert(database)
    database.check()
    fail_with(database, DAMAGED)
    database._store.find_faults = lambda _: (DAMAGED,)

    with pytest.raises(ServiceUnavailable) as refused:
        database.check()

    assert refused.value.details == DAMAGED
