"""Idempotency keys in the database: one holder, one answer, for a day."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from idempotency_scene import key_ring
from postgres_sessions import SOMEBODY_WAITS, name_in, wait_until
from sqlalchemy import event, text

from flaskllm.core.errors import ServiceUnavailable
from flaskllm.storage.idempotency import (
    Held,
    IdempotencyRows,
    NewClaim,
    Place,
    StoredAnswer,
)
from flaskllm.storage.sealing import ContentSealer

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
LEASE = timedelta(seconds=20)
DAY = timedelta(days=1)
PLACE = Place("anna", b"k" * 32)
CLAIM = NewClaim(
    place=PLACE,
    fingerprint=b"f" * 32,
    owner="own_1",
    request_id="req-1",
    created_at=NOON,
    lease_until=NOON + LEASE,
    expires_at=NOON + DAY,
)
ANSWER = StoredAnswer("req-1", 200, '[["A", "b"]]', b"canary-word of a mail \x00\xff")
RUNNING = Held(PLACE, "running", CLAIM.fingerprint, "req-1")
FINISHED = Held(PLACE, "finished", CLAIM.fingerprint, "req-1")


def claim_at(at, owner="own_2", **others):
    """Return the claim of somebody else at this time."""
    times = {"created_at": at, "lease_until": at + LEASE, "expires_at": at + DAY}
    return replace(CLAIM, owner=owner, request_id="req-2", **times, **others)


@pytest.fixture
def database(database_url, make_database):
    return make_database(database_url, sealer=ContentSealer(key_ring()))


@pytest.fixture
def rows(database):
    return IdempotencyRows(database)


def test_who_comes_first_gets_the_key_and_the_next_hears_who_has_it(rows):
    assert rows.claim(CLAIM) is None

    assert rows.claim(claim_at(NOON, fingerprint=b"g" * 32)) == RUNNING


def test_an_answer_comes_out_as_it_went_in(rows):
    rows.claim(CLAIM)

    assert rows.find_answer(PLACE, NOON) is None
    assert rows.store(PLACE, "own_1", ANSWER, NOON + DAY) is True

    assert rows.claim(claim_at(NOON + DAY / 2)) == FINISHED
    assert rows.find_answer(PLACE, NOON) == ANSWER


@pytest.mark.parametrize(
    "place",
    [Place("ben", PLACE.key_digest), Place("anna", b"l" * 32)],
    ids=["another principal", "another key"],
)
def test_a_row_is_of_one_principal_and_one_key(rows, place):
    rows.claim(CLAIM)
    rows.store(PLACE, "own_1", ANSWER, NOON + DAY)

    assert rows.find_answer(place, NOON) is None
    assert rows.claim(claim_at(NOON, place=place)) is None


def test_a_lease_that_is_over_lets_the_next_one_in_and_the_late_one_out(rows):
    rows.claim(CLAIM)

    assert rows.claim(claim_at(NOON + LEASE - timedelta(seconds=1))) == RUNNING
    assert rows.claim(claim_at(NOON + LEASE, fingerprint=b"g" * 32)) is None

    assert rows.store(PLACE, "own_1", ANSWER, NOON + DAY) is False
    assert rows.release(PLACE, "own_1") is False
    taken = Held(PLACE, "running", b"g" * 32, "req-2")
    assert rows.claim(claim_at(NOON + LEASE, owner="own_3")) == taken


def test_a_lease_is_lengthened_for_its_owner_alone(rows):
    rows.claim(CLAIM)
    later = NOON + timedelta(seconds=35)

    rows.renew([(PLACE, "own_9"), (Place("ben", b"x" * 32), "own_1")], later)
    assert rows.claim(claim_at(NOON + LEASE)) is None

    rows.renew([(PLACE, "own_1"), (PLACE, "own_2")], later + LEASE)
    held = Held(PLACE, "running", CLAIM.fingerprint, "req-2")
    assert rows.claim(claim_at(later, owner="own_3")) == held


def test_what_is_finished_is_not_taken_when_its_lease_is_over(rows):
    rows.claim(CLAIM)
    rows.store(PLACE, "own_1", ANSWER, NOON + DAY)

    rows.renew([(PLACE, "own_1")], NOON + 2 * DAY)

    assert rows.claim(claim_at(NOON + 2 * LEASE)) == FINISHED
    assert rows.claim(claim_at(NOON + DAY)) is None
    assert rows.find_answer(PLACE, NOON) is None


def test_a_key_that_was_released_is_free_for_any_request(rows):
    rows.claim(CLAIM)

    assert rows.release(PLACE, "own_1") is True

    assert rows.claim(claim_at(NOON, fingerprint=b"g" * 32)) is None


def test_an_answer_is_never_released(rows):
    rows.claim(CLAIM)
    rows.store(PLACE, "own_1", ANSWER, NOON + DAY)

    assert rows.release(PLACE, "own_1") is False
    assert rows.store(PLACE, "own_1", replace(ANSWER, body=b""), NOON) is False
    assert rows.find_answer(PLACE, NOON) == ANSWER


@pytest.mark.parametrize("is_finished", [False, True])
def test_a_key_is_found_where_it_lay_before(rows, is_finished):
    rows.claim(CLAIM)
    if is_finished:
        rows.store(PLACE, "own_1", ANSWER, NOON + DAY)
    now = claim_at(NOON, place=Place("anna", b"n" * 32))

    held = rows.claim(now, [PLACE])

    assert held == (FINISHED if is_finished else RUNNING)
    assert rows.claim(replace(now, created_at=NOON + DAY), [PLACE]) is None


def test_of_a_hundred_who_claim_at_once_one_gets_the_key(rows):
    claims = [replace(CLAIM, owner=f"own_{number}") for number in range(100)]

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(rows.claim, claims))

    assert answers.count(None) == 1
    assert answers.count(RUNNING) == 99


def test_what_expired_is_forgotten_in_batches_and_nothing_else(rows):
    for number in range(5):
        place = Place("anna", bytes([number]) * 32)
        at = NOON if number < 4 else NOON + DAY
        rows.claim(claim_at(at, place=place))

    counts = [rows.forget_expired(NOON + DAY, 3) for _ in range(3)]

    assert counts == [3, 1, 0]
    last = claim_at(NOON + DAY, place=place, owner="own_3")
    assert rows.claim(last) is not None


def test_what_is_claimed_again_while_it_is_forgotten_stays(
    postgres, postgres_database_url, make_database
):
    """One has claimed the expired key; the sweep waits for its row."""
    database = make_database(postgres_database_url)
    rows, again = IdempotencyRows(database), claim_at(NOON + DAY)
    rows.claim(CLAIM)

    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as connection:
            connection.execute(
                text("UPDATE idempotency SET owner = 'own_2', expires_at = :ends"),
                {"ends": again.expires_at},
            )
            count = pool.submit(rows.forget_expired, NOON + DAY, 100)
            wait_until(postgres, SOMEBODY_WAITS, name_in(postgres_database_url))
        assert count.result() == 0

    assert rows.store(PLACE, "own_2", ANSWER, NOON + DAY) is True


def test_neither_key_nor_body_can_be_read_in_the_database(rows, database):
    rows.claim(CLAIM)
    rows.store(PLACE, "own_1", ANSWER, NOON + DAY)

    with database.reading() as connection:
        (body,) = connection.execute(text("SELECT body FROM idempotency")).one()
    assert b"canary" not in bytes(body)


def test_claims_and_answers_outlive_a_loss_of_power(sqlite_database_url, make_database):
    database = make_database(sqlite_database_url, sealer=ContentSealer(key_ring()))
    rows = IdempotencyRows(database)
    levels = []

    def note(connection):
        (level,) = connection.exec_driver_sql("PRAGMA synchronous").one()
        levels.append(level)

    with database.reading() as connection:
        engine = connection.engine
    event.listen(engine, "commit", note)
    rows.claim(CLAIM)
    rows.renew([(PLACE, "own_1")], NOON + DAY)
    rows.store(PLACE, "own_1", ANSWER, NOON + DAY)

    assert levels == [2, 1, 2]  # FULL, NORMAL, FULL


def test_a_store_that_does_not_work_is_told(tmp_path, make_database):
    path = tmp_path / "store.db"
    path.write_bytes(b"this is no database, but something else altogether" * 99)
    rows = IdempotencyRows(make_database(f"sqlite:///{path}"))

    with pytest.raises(ServiceUnavailable):
        rows.claim(CLAIM)
