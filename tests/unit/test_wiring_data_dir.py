"""The data folder is made ours before the database puts anything into it."""

import pytest
from fakes import FakeClock

from flaskllm.core.config import load
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.core.secrets import KeyRing, Purpose
from flaskllm.wiring import build_database


@pytest.fixture
def data(tmp_path):
    """A folder as `mkdir data` leaves it."""
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o755)
    return folder


def test_an_empty_one_is_narrowed_and_then_good_for_the_secret_too(data):
    settings = load({}, data.parent).settings
    database = build_database(settings, FakeClock())

    database.upgrade()
    database.close()

    assert data.stat().st_mode & 0o777 == 0o700
    assert KeyRing(None, settings.data_dir).key(Purpose.API_TOKENS)


def test_one_in_use_that_others_enter_gets_no_database(data):
    (data / "theirs").touch()

    with pytest.raises(ServiceUnavailable) as caught:
        build_database(load({}, data.parent).settings, FakeClock()).upgrade()

    assert "mode 755" in caught.value.details
    assert [file.name for file in data.iterdir()] == ["theirs"]


def test_one_that_the_database_is_not_in_is_left_alone(data):
    variables = {"FLASKLLM_DATABASE_URL": f"sqlite:///{data.parent}/own/x.db"}
    database = build_database(load(variables, data.parent).settings, FakeClock())

    database.upgrade()
    database.close()

    assert data.stat().st_mode & 0o777 == 0o755
