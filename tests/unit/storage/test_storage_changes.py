"""The counter of changes grows by one with each commit, and with nothing else."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from flaskllm.core.errors import NotFound
from flaskllm.storage.changes import Changes, count_change


@pytest.fixture
def database(database_url, make_database):
    return make_database(database_url)


def add_one(database, name="principals"):
    with database.transaction() as connection:
        count_change(connection, name)


def test_it_is_0_before_the_first_change(database):
    assert Changes(database).read() == 0


def test_each_change_adds_one(database):
    counter = Changes(database)

    read = []
    for _ in range(3):
        add_one(database)
        read.append(counter.read())

    assert read == [1, 2, 3]


def test_a_change_that_is_rolled_back_adds_nothing(database):
    def change():
        with database.transaction() as connection:
            count_change(connection)
            raise NotFound

    with pytest.raises(NotFound):
        change()

    assert Changes(database).read() == 0


def test_counters_of_other_names_stand_beside_it(database):
    add_one(database, "others")

    assert Changes(database).read() == 0
    assert Changes(database, "others").read() == 1


def test_changes_of_many_at_once_are_all_counted(database):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: add_one(database), range(40)))

    assert Changes(database).read() == 40
