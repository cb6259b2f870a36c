"""Servers that several tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import uwsgi_host
from processes import open_house
from requirements import require


@pytest.fixture(scope="module")
def gunicorn_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a gateway without a model, served by gunicorn."""
    with open_house(tmp_path_factory.mktemp("gunicorn")) as house:
        _, url = house.serve()
        yield url


@pytest.fixture(scope="session")
def uwsgi_venv() -> Path:
    """The virtual environment under uWSGI; a machine without uWSGI skips."""
    if reason := uwsgi_host.missing():
        require("uwsgi", reason)
    return uwsgi_host.prepare_venv()
