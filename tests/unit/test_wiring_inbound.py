"""Endpoints of the settings that can make nothing of what comes are told of."""

import pytest
from api_tokens import make_token
from log_lines import ours

from flaskllm.core.auth import Scope
from flaskllm.core.config import ConfigError, load
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.storage.database import Database
from flaskllm.wiring import build_services
from flaskllm.wiring.inbound_doubts import (
    doubtful_models,
    doubtful_payers,
    looked_up_payers,
)
from flaskllm.wiring.start import find_refusal

SETTINGS = """
data_dir: {folder}/data
jobs: {{enabled: false}}
api_token: Zq7vT3mKd9ZsW5bX2cRf8gHj4nLpQ6tY
inbound:
  desk:
    sender: zoom
    secret: sender-secret-4f1c09ab
    api_token: "{payer}"
    digest: {{model: {model}}}
"""


def settings(folder, payer="bootstrap000", model="auto"):
    text = SETTINGS.format(folder=folder, payer=payer, model=model)
    (folder / "flaskllm.yaml").write_text(text)
    return load({}, folder)


@pytest.fixture
def made(tmp_path):
    """Return what makes API tokens in a folder that is ready."""
    services = build_services(settings(tmp_path))
    services.database.upgrade()
    yield lambda scope: make_token(services.api_tokens, scope).id
    services.database.close()


def told(caplog):
    return [
        (line.fields["setting"], line.fields["found"])
        for line in ours(caplog)
        if line.getMessage() == "inbound_doubtful"
    ]


def test_a_payer_that_may_is_no_doubt(tmp_path, made, caplog):
    loaded = settings(tmp_path, made(Scope.WEBHOOK))

    assert find_refusal(loaded.settings) is None
    assert (told(caplog), looked_up_payers(loaded.settings)) == ([], [])


@pytest.mark.parametrize("is_there", [True, False])
def test_a_payer_that_may_not_is_told_at_the_start_and_by_the_check(
    tmp_path, made, caplog, is_there
):
    payer = made(Scope.READ) if is_there else "000000000000"
    loaded = settings(tmp_path, payer)
    problem = "without the scope webhook" if is_there else "is not there"

    assert find_refusal(loaded.settings) is None
    ((setting, found),) = told(caplog)
    (doubt,) = looked_up_payers(loaded.settings)

    assert (setting, doubt.path) == ("inbound.desk.api_token",) * 2
    assert problem in found
    assert doubt.is_warning


def test_a_model_that_no_route_has_is_told_at_the_start(tmp_path, made, caplog):
    loaded = settings(tmp_path, made(Scope.WEBHOOK), model="nowhere")

    assert find_refusal(loaded.settings) is None
    assert [setting for setting, _ in told(caplog)] == ["inbound.desk.digest.model"]


def test_a_check_makes_no_database(tmp_path):
    assert looked_up_payers(settings(tmp_path).settings) == []
    assert not (tmp_path / "data" / "flaskllm.db").exists()


@pytest.mark.parametrize("model", ["auto", "offline", "box/large-1"])
def test_a_name_that_may_be_sent_is_no_doubt(tmp_path, model):
    assert [*doubtful_models(settings(tmp_path, model=model).settings)] == []


def test_where_the_database_cannot_tell_nothing_is_doubted(tmp_path, made, monkeypatch):
    def fail(*_):
        raise ServiceUnavailable

    loaded = settings(tmp_path)
    assert looked_up_payers(loaded.settings) != []

    for name in ("reading", "is_current"):
        monkeypatch.setattr(Database, name, fail)
        assert looked_up_payers(loaded.settings) == []


def test_without_a_payer_of_its_own_no_database_is_asked(tmp_path, monkeypatch):
    loaded = settings(tmp_path).settings
    desk = loaded.inbound["desk"].model_copy(update={"api_token": None})
    paid_by_bootstrap = loaded.model_copy(update={"inbound": {"desk": desk}})

    def fail(*_):
        raise AssertionError("asked")

    monkeypatch.setattr("flaskllm.wiring.inbound_doubts.build_database", fail)

    assert looked_up_payers(paid_by_bootstrap) == []
    assert [*doubtful_payers(paid_by_bootstrap, None, None)] == []


def test_a_database_that_cannot_be_built_is_told_of_by_another_check(
    tmp_path, monkeypatch
):
    def fail(*_):
        raise ConfigError([])

    monkeypatch.setattr("flaskllm.wiring.inbound_doubts.build_database", fail)

    assert looked_up_payers(settings(tmp_path).settings) == []
