"""A ledger in a fresh database of either store."""

import pytest
from fakes import FakeClock
from ledger_scene import NOON, disagreements, open_ledger


@pytest.fixture
def database(database_url, make_database):
    """A fresh database of either store; in the end its tables agree."""
    made = make_database(database_url)
    yield made
    # Tags are sums of the same rows; the scene compares those of principals.
    assert [each for each in disagreements(made) if "tag:" not in each] == []


@pytest.fixture
def clock():
    return FakeClock(NOON)


@pytest.fixture
def ledger(database, clock):
    return open_ledger(database, clock)
