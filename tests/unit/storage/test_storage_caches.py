"""The back ends of the cache: memory, the database, Redis; and what lies in them."""

import threading

import pytest
from redis_server import patient_store
from sealers import OTHER, content_sealer
from sqlalchemy import select

from flaskllm.core.errors import ServiceUnavailable
from flaskllm.storage import sql_cache as sql_module
from flaskllm.storage.memory_cache import MemoryCache
from flaskllm.storage.redis_cache import RedisCache
from flaskllm.storage.sql_cache import TAKEN, SqlCache
from flaskllm.storage.tables import cache as cache_table

MEBIBYTE = 1024 * 1024
WORD = "canary-word ünïcödé \x00 \U0001f680"


def sql_cache(database, clock, most_entries=100, most_bytes=MEBIBYTE, secret=None):
    sealer = content_sealer(secret) if secret else content_sealer()
    return SqlCache(database, sealer, clock, most_entries, most_bytes)


def redis_cache(url, sealer=None):
    store = patient_store(url)
    return RedisCache(store, sealer or content_sealer())


@pytest.fixture
def database(database_url, make_database):
    return make_database(database_url)


@pytest.fixture
def open_store(request, make_database, fake_clock):
    def open_it(kind):
        if kind == "memory":
            return MemoryCache(fake_clock, 100, MEBIBYTE)
        if kind == "redis":
            return redis_cache(request.getfixturevalue("redis_url"))
        url = request.getfixturevalue(f"{kind}_database_url")
        return sql_cache(make_database(url), fake_clock)

    return open_it


@pytest.fixture(params=["memory", "sqlite", "postgres", "redis"])
def store(request, open_store):
    return open_store(request.param)


@pytest.fixture(params=["sqlite", "postgres", "redis"])
def shared(request, open_store):
    return open_store(request.param)


class TestTexts:
    def test_what_was_kept_is_found(self, store):
        assert store.set("ann/answer/1", WORD, 60)

        assert store.get("ann/answer/1") == WORD
        assert store.has("ann/answer/1")
        assert store.get_dict("ann/answer/1", "ann/answer/2") == {
            "ann/answer/1": WORD,
            "ann/answer/2": None,
        }

    def test_the_last_of_two_holds(self, store):
        store.set("ann/answer/1", "first", 60)
        store.set("ann/answer/1", "second", 60)

        assert store.get("ann/answer/1") == "second"

    def test_what_is_added_takes_no_place_of_another(self, store):
        assert store.add("-/mark/all", "first", 60)

        assert not store.add("-/mark/all", "second", 60)
        assert store.get("-/mark/all") == "first"

    def test_one_is_forgotten(self, store):
        store.set("ann/answer/1", WORD, 60)

        assert store.delete("ann/answer/1")
        assert not store.delete("ann/answer/1")
        assert not store.has("ann/answer/1")

    def test_all_of_one_owner_are_forgotten(self, store):
        for key in ("ann/answer/1", "ann/answer/2", "anna/answer/1", "-/mark/all"):
            store.set(key, WORD, 60)

        assert store.forget("ann") == 2
        assert store.get("ann/answer/1") is None
        assert store.get("anna/answer/1") == WORD

    def test_everything_is_forgotten(self, store):
        store.set("ann/answer/1", WORD, 60)

        assert store.clear()
        assert store.get("ann/answer/1") is None

    def test_nothing_is_to_be_trimmed_of_what_is_in_time(self, store):
        store.set("ann/answer/1", WORD, 60)

        assert store.trim() == 0


class TestClaims:
    def test_of_several_one_gets_a_place(self, shared):
        won, barrier = [], threading.Barrier(4)

        def take(number):
            barrier.wait()
            won.append(shared.claim("ann/claim/1", f"fly_{number}", 60))

        threads = [threading.Thread(target=take, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert won == [shared.held_by("ann/claim/1")] * 4

    def test_only_the_holder_gives_it_back(self, shared):
        shared.claim("ann/claim/1", "fly_1", 60)

        shared.release("ann/claim/1", "fly_2")
        assert shared.held_by("ann/claim/1") == "fly_1"
        shared.release("ann/claim/1", "fly_1")
        assert shared.held_by("ann/claim/1") is None

    def test_a_claim_is_no_text(self, shared):
        shared.claim("ann/claim/1", "fly_1", 60)

        assert shared.get("ann/claim/1") is None

    def test_in_memory_everybody_has_a_place(self, fake_clock):
        store = MemoryCache(fake_clock, 10, MEBIBYTE)

        assert store.claim("ann/claim/1", "fly_1", 60) == "fly_1"
        assert store.claim("ann/claim/1", "fly_2", 60) == "fly_2"
        assert store.held_by("ann/claim/1") is None
        assert store.renew({"ann/claim/1": "fly_1"}, 60) is None
        assert store.release("ann/claim/1", "fly_1") is None

    def test_a_claim_that_is_lengthened_holds_longer(self, database, fake_clock):
        store = sql_cache(database, fake_clock)
        store.claim("ann/claim/1", "fly_1", 6)
        store.claim("ann/claim/2", "fly_2", 6)
        fake_clock.advance(5)

        store.renew({"ann/claim/1": "fly_1", "ann/claim/2": "somebody"}, 6)

        fake_clock.advance(5)
        assert store.held_by("ann/claim/1") == "fly_1"
        assert store.claim("ann/claim/2", "fly_3", 6) == "fly_3"

    def test_a_claim_in_redis_ends_by_itself(self, redis_url):
        store = redis_cache(redis_url)
        store.claim("ann/claim/1", "fly_1", 0.05)
        store.claim("ann/claim/2", "fly_2", 0.05)

        store.renew({"ann/claim/1": "fly_1"}, 60)

        while store.held_by("ann/claim/2"):
            pass
        assert store.held_by("ann/claim/1") == "fly_1"


class TestInMemory:
    def test_what_expires_is_gone(self, fake_clock):
        store = MemoryCache(fake_clock, 10, MEBIBYTE)
        store.set("a/1", "x", 5)
        store.set("a/2", "x", 5)
        fake_clock.advance(5)

        assert store.get("a/1") is None
        assert store.trim() == 1

    def test_the_one_that_was_not_asked_for_longest_goes(self, fake_clock):
        store = MemoryCache(fake_clock, 2, MEBIBYTE)
        store.set("a/1", "x", 5)
        store.set("a/2", "x", 5)
        store.get("a/1")
        store.set("a/3", "x", 5)

        assert store.get_dict("a/1", "a/2", "a/3") == {
            "a/1": "x",
            "a/2": None,
            "a/3": "x",
        }

    def test_it_takes_no_more_room_than_it_may(self, fake_clock):
        store = MemoryCache(fake_clock, 100, 20)
        for number in range(5):
            store.set(f"a/{number}", "x" * 7, 5)

        assert [store.has(f"a/{n}") for n in range(5)] == [False] * 3 + [True] * 2
        assert store.set("a/9", "x" * 18, 5) is False


class TestInTheDatabase:
    def test_what_expires_is_gone(self, database, fake_clock):
        store = sql_cache(database, fake_clock)
        store.set("a/1", "x", 5)
        store.claim("a/claim/2", "fly_1", 5)
        fake_clock.advance(5)

        assert store.get("a/1") is None
        assert store.add("a/1", "new", 5)
        assert store.trim() == 1

    def test_the_oldest_go_when_there_are_too_many(self, database, fake_clock):
        store = sql_cache(database, fake_clock, most_entries=3)
        store.set("-/mark/all", "m", 500)
        store.add("-/mark/alias/fast", "m", 500)
        store.claim("a/claim/1", "fly_1", 500)
        for number in range(4):
            fake_clock.advance(1)
            store.set(f"a/{number}", "x", 60)

        # Neither marks nor claims take the place of an answer.
        assert store.trim() == 1
        assert [store.has(f"a/{n}") for n in range(4)] == [False, True, True, True]
        assert store.has("-/mark/all")

    def test_a_bound_that_was_lowered_by_far_is_reached(
        self, database, fake_clock, monkeypatch
    ):
        monkeypatch.setattr(sql_module, "_MOST_AT_ONCE", 2)
        many = sql_cache(database, fake_clock)
        for number in range(9):
            many.set(f"a/{number}", "x", 60)

        assert sql_cache(database, fake_clock, most_entries=2).trim() == 7

    def test_the_oldest_go_when_they_take_too_much(self, database, fake_clock):
        store = sql_cache(database, fake_clock, most_bytes=200)
        for number in range(4):
            fake_clock.advance(1)
            store.set(f"a/{number}", "x" * 30, 60)

        assert store.trim() == 1
        assert not store.has("a/0")
        assert store.set("a/9", "".join(map(chr, range(200, 600))), 60) is False

    def test_no_answer_is_read_to_see_how_many_there_are(
        self, make_database, sqlite_database_url
    ):
        database = make_database(sqlite_database_url)

        query = TAKEN.compile(compile_kwargs={"literal_binds": True})
        with database.reading() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all()

        assert [row[-1] for row in plan] == [
            "SCAN cache USING COVERING INDEX ix_cache_stored_at"
        ]
        assert [*cache_table.c][-1] is cache_table.c.value

    def test_it_looks_by_itself_now_and_then(self, database, fake_clock):
        store = sql_cache(database, fake_clock, most_entries=3)
        for number in range(64):
            fake_clock.advance(1)
            store.set(f"a/{number}", "x", 600)

        assert sum(store.has(f"a/{number}") for number in range(64)) == 3

    def test_nothing_readable_lies_there(self, database, fake_clock):
        sql_cache(database, fake_clock).set("a/1", "canary-word", 60)

        with database.reading() as connection:
            value = connection.execute(select(cache_table.c.value)).scalar_one()

        assert b"canary" not in bytes(value)

    def test_a_value_opens_under_its_own_key_only(self, database, fake_clock):
        store = sql_cache(database, fake_clock)
        store.set("a/1", "mine", 60)

        with database.transaction() as connection:
            connection.execute(cache_table.update().values(key="b/1", owner="b"))

        assert store.get("b/1") is None


class TestInRedis:
    def test_nothing_readable_lies_there(self, redis_url, redis_server):
        redis_cache(redis_url).set("a/1", "canary-word", 60)

        with redis_server.client() as client:
            assert client.ttl("flaskllm:cache:a/1") in range(50, 61)
            assert b"canary" not in client.get("flaskllm:cache:a/1")

    def test_what_another_secret_has_sealed_is_not_there(self, redis_url):
        redis_cache(redis_url).set("a/1", "x", 60)

        assert redis_cache(redis_url, content_sealer(OTHER)).get("a/1") is None

    def test_one_that_is_away_is_told(self):
        with pytest.raises(ServiceUnavailable):
            redis_cache("redis://127.0.0.1:1/0").get("a/1")
