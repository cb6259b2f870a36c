"""Scenes of callbacks, on one database or on each."""

import pytest
from delivery_scene import DeliveryScene, Office


@pytest.fixture
def scene(sqlite_database_url, make_database):
    """A scene on SQLite."""
    return DeliveryScene(make_database(sqlite_database_url))


@pytest.fixture
def each_scene(database_url, make_database):
    """A scene on SQLite, then on PostgreSQL."""
    return DeliveryScene(make_database(database_url))


@pytest.fixture
def office(scene):
    """Endpoints on SQLite."""
    return Office(scene)
