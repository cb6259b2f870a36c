"""The counter of changes in Redis: never behind what the database has for long."""

import pytest
from redis_server import patient_store

from flaskllm.core.errors import ServiceUnavailable
from flaskllm.storage.redis_changes import TRUSTED_SECONDS, RedisChanges


class Truth:
    """The database: its number, how often it was read, and whether it can be."""

    def __init__(self):
        self.count, self.reads, self.is_away = 7, 0, False

    def read(self):
        self.reads += 1
        if self.is_away:
            raise ServiceUnavailable
        return self.count


@pytest.fixture
def truth():
    return Truth()


@pytest.fixture
def make_changes(redis_url, truth, fake_clock):
    def make(url=redis_url):
        store = patient_store(url)
        return RedisChanges(store, truth.read, fake_clock)

    return make


def test_the_database_is_read_once_for_a_while(make_changes, truth, fake_clock):
    changes = make_changes()

    assert [changes.read() for _ in range(5)] == [7] * 5
    assert truth.reads == 1
    fake_clock.advance(TRUSTED_SECONDS)
    truth.count = 8
    assert changes.read() == 8


def test_a_change_that_is_announced_is_seen_by_the_next_reading(make_changes, truth):
    here, there = make_changes(), make_changes()
    assert (here.read(), there.read()) == (7, 7)

    here.announce()
    assert there.read() == 7  # not committed yet
    truth.count = 8  # and then the process dies

    assert there.read() == 8


def test_a_copy_that_is_gone_is_made_again(make_changes, redis_server, truth):
    changes = make_changes()
    changes.read()
    redis_server.client().flushdb()

    assert [changes.read(), changes.read()] == [7, 7]
    assert truth.reads == 2


def test_nothing_of_it_stays_in_redis_for_good(make_changes, redis_server):
    changes = make_changes()
    changes.announce()
    changes.read()

    client = redis_server.client()
    assert [client.ttl(key) > 0 for key in client.scan_iter()] == [True, True]


def test_without_redis_each_reading_is_one_of_the_database(make_changes, truth):
    changes = make_changes("redis://127.0.0.1:9/0")
    changes.announce()

    assert [changes.read() for _ in range(3)] == [7] * 3
    assert truth.reads == 3


def test_a_database_that_is_away_is_told_when_it_has_to_be_read(
    make_changes, truth, fake_clock
):
    changes = make_changes()
    changes.read()
    truth.is_away = True

    assert changes.read() == 7
    fake_clock.advance(TRUSTED_SECONDS)
    with pytest.raises(ServiceUnavailable):
        changes.read()
