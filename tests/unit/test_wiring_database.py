"""The database that the settings name, and what has to be there for it."""

import sys

import pytest
from fakes import FakeClock

from flaskllm.core.config import ConfigError, load
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.core.secrets import KeyRing
from flaskllm.services.secret_mark import SecretMark
from flaskllm.storage.addresses import password_in
from flaskllm.wiring import build_database, secrets_of
from flaskllm.wiring.checks import find_faults

STRONG = "k3R9vQ2mX7bT5wL8nZ4cH6jD1sF0gYpA"


@pytest.fixture
def settle(tmp_path):
    """Return the settings with this database."""

    def load_it(url):
        variables = {"FLASKLLM_DATABASE_URL": url, "FLASKLLM_SECRET": STRONG}
        return load(variables, tmp_path).settings

    return load_it


@pytest.fixture
def _without_driver(monkeypatch):
    """As where it was installed without its dependencies."""
    monkeypatch.setitem(sys.modules, "psycopg", None)


def test_a_server_needs_no_data_folder(settle, postgres_database_url, tmp_path):
    database = build_database(settle(postgres_database_url), FakeClock())

    database.check()

    assert database.is_shared
    assert list(tmp_path.iterdir()) == []
    database.close()


@pytest.mark.usefixtures("_without_driver")
def test_a_driver_that_is_missing_stops_the_start_and_is_named(settle):
    settings = settle("postgresql://me:geheim@h/d")

    with pytest.raises(ConfigError) as caught:
        build_database(settings, FakeClock())

    (problem,) = caught.value.problems
    assert problem.path == "database_url"
    assert problem.allowed == "pip install 'psycopg[binary]'"
    assert "geheim" not in str(caught.value)
    assert problem in find_faults(settings)


@pytest.mark.usefixtures("_without_driver")
def test_a_driver_that_went_missing_later_is_told(make_database):
    with pytest.raises(ServiceUnavailable) as refused:
        make_database("postgresql://me:geheim@h/d").check()

    assert "pip install 'psycopg[binary]'" in refused.value.details


def test_sqlite_needs_no_driver(settle, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)

    build_database(settle("sqlite://"), FakeClock()).close()


def test_the_password_of_a_server_is_masked_in_the_logs(settle):
    settings = settle("postgresql://me:ge%40heim%2F42@h/d")

    assert "ge@heim/42" in secrets_of(settings)


@pytest.mark.parametrize("url", ["sqlite://", "postgresql://me@h/d", "no url"])
def test_an_address_may_hold_no_password(url):
    assert password_in(url) == ""


def test_another_master_secret_is_found_by_a_check(
    make_database, database_url, tmp_path
):
    def opened(secret):
        mark = SecretMark(KeyRing(secret, tmp_path))
        return make_database(database_url, ownership=mark)

    ours, theirs = opened(STRONG), opened(STRONG[::-1])
    ours.check()

    assert ours.examine().faults == ()
    with pytest.raises(ServiceUnavailable):
        theirs.examine()
