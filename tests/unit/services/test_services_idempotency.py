"""A request that is repeated is answered again, and run once."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from idempotency_scene import (
    DEADLINE_SECONDS,
    key_ring,
    keyed,
    make_idempotency,
    memory,
)

from flaskllm.core.errors import (
    Conflict,
    IdempotencyKeyReused,
    InsufficientStorage,
    InternalError,
    ServiceUnavailable,
)
from flaskllm.services.claims import Claim
from flaskllm.services.idempotency import MOST_ANSWER_BYTES, KeptAnswer
from flaskllm.storage.idempotency import IdempotencyRows
from flaskllm.storage.sealing import ContentSealer

HEADERS = (("Content-Type", "application/json"), ("X-Flaskllm-Dropped", "seed"))
KEPT = KeptAnswer("req-1", 200, HEADERS, b'{"text": "Hi."}')
DOWN = InsufficientStorage(details="The disk is full.", retry_after_seconds=60.0)


class BrokenRows(IdempotencyRows):
    """The table, of which these methods do not work."""

    def __init__(self, **errors):
        super().__init__(memory())
        self._errors = errors
        self.asked = []

    def claim(self, claim, earlier=()):
        self._break("claim")
        return super().claim(claim, earlier)

    def find_answer(self, place, at):
        self._break("find_answer")
        return super().find_answer(place, at)

    def store(self, place, owner, answer, expires_at):
        self._break("store")
        return super().store(place, owner, answer, expires_at)

    def release(self, place, owner):
        self._break("release")
        return super().release(place, owner)

    def renew(self, owned, lease_until):
        self._break("renew")
        super().renew(owned, lease_until)

    def _break(self, name):
        self.asked.append(name)
        if name in self._errors:
            raise self._errors[name]


@pytest.fixture
def rows():
    return IdempotencyRows(memory())


@pytest.fixture
def house(fake_clock, rows):
    return make_idempotency(fake_clock, rows)


@pytest.fixture
def told(caplog):
    """Return the names and the reasons of the events so far."""
    caplog.set_level("INFO")
    return lambda: [
        (record.getMessage(), record.fields.get("reason"))
        for record in caplog.records
        if record.name.startswith("flaskllm")
    ]


def finish(house, asked=None):
    claim = house.claim(asked or keyed())
    return house.store(claim, KEPT.status, KEPT.headers, KEPT.body)


class TestClaims:
    def test_a_repetition_gets_the_answer_as_it_was(self, house):
        assert finish(house) is True

        assert house.claim(keyed(request_id="req-2")) == KEPT

    def test_while_it_runs_a_repetition_hears_to_come_back_in_a_second(self, house):
        house.claim(keyed())

        with pytest.raises(Conflict) as refused:
            house.claim(keyed(request_id="req-2"))
        assert refused.value.retry_after_seconds == 1.0

    @pytest.mark.parametrize("is_finished", [False, True])
    def test_another_request_with_the_same_key_is_refused(self, house, is_finished):
        if is_finished:
            finish(house)
        else:
            house.claim(keyed())

        with pytest.raises(IdempotencyKeyReused):
            house.claim(keyed(body=b"another"))

    def test_parts_are_not_the_same_only_because_they_read_the_same_joined(self, house):
        house.claim(replace(keyed(), parts=(b"ab", b"c")))

        with pytest.raises(IdempotencyKeyReused):
            house.claim(replace(keyed(), parts=(b"a", b"bc")))

    @pytest.mark.parametrize("other", [{"principal_id": "ben"}, {"key": "order-8"}])
    def test_another_principal_and_another_key_are_independent(self, house, other):
        finish(house)

        assert isinstance(house.claim(keyed(**other)), Claim)

    def test_a_released_key_may_be_claimed_at_once_by_any_request(self, house):
        house.release(house.claim(keyed()))

        assert isinstance(house.claim(keyed(body=b"another")), Claim)

    def test_an_answer_is_kept_for_a_day(self, house, fake_clock):
        finish(house)

        fake_clock.advance(24 * 3600 - 1)
        assert house.claim(keyed()) == KEPT
        fake_clock.advance(1)
        assert isinstance(house.claim(keyed()), Claim)

    def test_an_answer_that_is_gone_in_this_very_moment_is_asked_for_again(
        self, fake_clock
    ):
        rows = BrokenRows()
        rows.find_answer = lambda place, at: None
        house = make_idempotency(fake_clock, rows)
        finish(house)

        with pytest.raises(Conflict):
            house.claim(keyed())

    def test_neither_the_key_nor_the_request_is_in_what_is_stored(self, house, rows):
        claim = house.claim(keyed("<mail-id@example.com>", b"canary"))

        assert "mail-id" not in repr(claim)
        assert len(claim.place.key_digest) == 32
        assert "mail-id" not in repr(keyed("<mail-id@example.com>"))

    def test_no_word_of_a_mail_is_in_the_files_of_the_database(
        self, fake_clock, sqlite_database_url, make_database
    ):
        sealer = ContentSealer(key_ring())
        database = make_database(sqlite_database_url, sealer=sealer)
        house = make_idempotency(fake_clock, IdempotencyRows(database))
        asked = keyed("<canary@mail.example>", b"a canary of a body")
        claim = house.claim(asked)

        house.store(claim, 200, KEPT.headers, b"a canary of an answer" * 1000)

        folder = Path(sqlite_database_url.removeprefix("sqlite:///")).parent
        files = [path for path in folder.iterdir() if path.is_file()]
        assert any(path.name.endswith("-wal") for path in files)
        assert [path for path in files if b"canary" in path.read_bytes()] == []
        assert house.claim(asked).body == b"a canary of an answer" * 1000


class TestSecrets:
    def test_a_key_is_known_under_the_secret_before(self, fake_clock, rows):
        finish(make_idempotency(fake_clock, rows, key_ring("old-" * 10)))
        ring = key_ring("new-" * 10, previous="old-" * 10)

        house = make_idempotency(fake_clock, rows, ring)

        assert house.claim(keyed()) == KEPT
        with pytest.raises(IdempotencyKeyReused):
            house.claim(keyed(body=b"another"))

    def test_under_another_secret_nobody_can_tell_what_a_key_was(
        self, fake_clock, rows
    ):
        finish(make_idempotency(fake_clock, rows, key_ring("old-" * 10)))

        other = make_idempotency(fake_clock, rows, key_ring("new-" * 10))

        assert isinstance(other.claim(keyed()), Claim)


class TestLeases:
    def test_without_a_sign_of_life_a_key_is_free_after_twenty_seconds(
        self, fake_clock, rows
    ):
        dead, other = (make_idempotency(fake_clock, rows, threaded=True) for _ in "ab")
        dead.claim(keyed())

        fake_clock.advance(19.9)
        with pytest.raises(Conflict):
            other.claim(keyed())
        fake_clock.advance(0.1)
        assert isinstance(other.claim(keyed()), Claim)

    def test_a_late_owner_does_not_store_what_another_has_taken_over(
        self, fake_clock, rows, told
    ):
        late, other = (make_idempotency(fake_clock, rows, threaded=True) for _ in "ab")
        first = late.claim(keyed())
        fake_clock.advance(20)
        second = other.claim(keyed(request_id="req-2"))

        assert late.store(first, 200, (), b"late") is False
        assert other.store(second, 200, (), b"in time") is True

        assert other.claim(keyed()).body == b"in time"
        assert told() == [
            ("idempotent_answer_not_kept", "a later request took the key over")
        ]

    def test_without_threads_a_lease_is_as_long_as_a_request_may_take(
        self, fake_clock, rows
    ):
        house = make_idempotency(fake_clock, rows, threaded=False)
        house.claim(keyed())

        fake_clock.advance(DEADLINE_SECONDS)
        with pytest.raises(Conflict):
            house.claim(keyed())
        fake_clock.advance(60)
        assert isinstance(house.claim(keyed()), Claim)


class TestAnswers:
    @pytest.mark.parametrize("more", [0, 1])
    def test_an_answer_of_more_than_32_mib_is_not_kept(self, house, told, more):
        claim = house.claim(keyed())

        is_kept = house.store(claim, 200, (), bytes(MOST_ANSWER_BYTES + more))

        assert is_kept is (more == 0)
        found = house.claim(keyed())
        assert isinstance(found, Claim if more else KeptAnswer)
        assert [name for name, _ in told()] == ["idempotent_answer_not_kept"] * more

    @pytest.mark.parametrize("error", [DOWN, InternalError()])
    def test_an_answer_that_cannot_be_stored_frees_the_key(
        self, fake_clock, told, error
    ):
        house = make_idempotency(fake_clock, BrokenRows(store=error))

        assert finish(house) is False

        assert isinstance(house.claim(keyed()), Claim)
        assert [name for name, _ in told()] == ["idempotent_answer_not_kept"]

    def test_where_nothing_can_be_written_any_more_the_lease_ends(
        self, fake_clock, told
    ):
        rows = BrokenRows(store=DOWN, release=DOWN)
        house = make_idempotency(fake_clock, rows, threaded=False)

        assert finish(house) is False

        assert told() == [
            ("idempotent_answer_not_kept", "The disk is full."),
            ("idempotency_key_not_released", "The disk is full."),
        ]
        with pytest.raises(Conflict):
            house.claim(keyed())
        fake_clock.advance(DEADLINE_SECONDS + 60)
        assert isinstance(house.claim(keyed()), Claim)


class TestStoreDown:
    @pytest.mark.parametrize(
        ("error", "seconds"),
        [(DOWN, 60.0), (ServiceUnavailable(details="Its file is damaged."), None)],
    )
    @pytest.mark.parametrize("broken", ["claim", "find_answer"])
    def test_a_key_that_cannot_be_looked_up_is_refused_as_the_store_refuses(
        self, fake_clock, error, seconds, broken
    ):
        rows = BrokenRows(**{broken: error})
        house = make_idempotency(fake_clock, rows)
        if broken == "find_answer":
            finish(house)

        with pytest.raises(type(error)) as refused:
            house.claim(keyed())

        assert refused.value.retry_after_seconds == seconds
        assert refused.value.details.startswith("The request was not run")
        assert refused.value.details.endswith(error.details)

    def test_our_own_fault_stays_our_own(self, fake_clock):
        house = make_idempotency(fake_clock, BrokenRows(claim=InternalError()))

        with pytest.raises(InternalError):
            house.claim(keyed())


def test_all_that_expired_is_forgotten_however_much(house, fake_clock):
    for number in range(205):
        house.release(house.claim(keyed("released")))
        house.claim(keyed(f"order-{number}"))
    fake_clock.advance(timedelta(hours=23).total_seconds())
    finish(house, keyed("young"))
    fake_clock.advance(timedelta(hours=1).total_seconds())

    assert house.forget_expired() == 205

    assert house.forget_expired() == 0
    assert house.claim(keyed("young")) == KEPT
