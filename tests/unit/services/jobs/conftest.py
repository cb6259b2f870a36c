"""A house that accepts jobs and does them, on a database of its own."""

import pytest
from job_runs_scene import WorkHouse


@pytest.fixture
def open_house(sqlite_database_url, make_database):
    """Open it with what its model says, and with settings of jobs."""

    def open_house(*script, **others):
        return WorkHouse(make_database(sqlite_database_url), *script, **others)

    return open_house
