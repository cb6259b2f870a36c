"""Endpoints of the settings that can make nothing of what comes are told of."""

import pytest
from api_tokens import make_token
from log_lines import ours
from pydantic import SecretStr

from flaskllm.core.auth import Scope
from flaskllm.core.config import ConfigError, load
from flaskllm.core.errors import PermissionDenied, ServiceUnavailable
from flaskllm.storage.database import Database
from flaskllm.wiring import build_services
from flaskllm.wiring.checks import find_faults
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
DISCOVER = ", models: discover"
ROUTES = """
providers:
  box: {{kind: openai_compatible, base_url: "http://127.0.0.1:9/v1"{box}}}
deployments:
  small: {{provider: box, model: m}}
routes:
  - {{alias: fast, deployments: {{small: 1}}}}
  - {{pattern: "qwen*", deployments: {{small: 1}}}}
  - {{capability: code_generation, deployments: {{small: 1}}}}
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
    assert (told(caplog), looked_up_payers(loaded.settings, by_network=True)) == (
        [],
        [],
    )


@pytest.mark.parametrize("is_there", [True, False])
def test_a_payer_that_may_not_is_told_at_the_start_and_by_the_check(
    tmp_path, made, caplog, is_there
):
    payer = made(Scope.READ) if is_there else "000000000000"
    loaded = settings(tmp_path, payer)
    problem = "without the scope webhook" if is_there else "is not there"

    assert find_refusal(loaded.settings) is None
    ((setting, found),) = told(caplog)
    (doubt,) = looked_up_payers(loaded.settings, by_network=True)

    assert (setting, doubt.path) == ("inbound.desk.api_token",) * 2
    assert problem in found
    assert doubt.is_warning


@pytest.mark.parametrize("payer", ["TID", "", "flk_4fGh2kLm9pQr_secretsecret"])
def test_a_payer_of_the_wrong_form_is_told_and_stops_nothing(
    tmp_path, made, caplog, payer
):
    loaded = settings(tmp_path, payer)

    assert find_refusal(loaded.settings) is None
    ((setting, found),) = told(caplog)
    (doubt,) = find_faults(loaded.settings)

    assert (setting, doubt.path) == ("inbound.desk.api_token",) * 2
    assert found == doubt.found == "no id of an API token"
    assert doubt.is_warning
    assert "flaskllm tokens list" in doubt.allowed
    assert looked_up_payers(loaded.settings, by_network=True) == []
    assert not payer or payer not in repr(loaded.settings)


def test_a_payer_of_the_wrong_form_is_nobody_not_even_the_bootstrap_token(tmp_path):
    services = build_services(settings(tmp_path, ""))
    services.database.upgrade()
    taking = services.inbound

    with pytest.raises(PermissionDenied):
        taking.owners.find(taking.endpoints.get("desk").principal_id)
    services.database.close()


def test_a_model_that_no_route_has_is_told_at_the_start(tmp_path, made, caplog):
    loaded = settings(tmp_path, made(Scope.WEBHOOK), model="nowhere")

    assert find_refusal(loaded.settings) is None
    assert [setting for setting, _ in told(caplog)] == ["inbound.desk.digest.model"]


def test_a_check_makes_no_database(tmp_path):
    assert looked_up_payers(settings(tmp_path).settings, by_network=True) == []
    assert not (tmp_path / "data" / "flaskllm.db").exists()


def with_routes(folder, model, box=""):
    text = ROUTES.format(box=box) + SETTINGS.format(
        folder=folder, payer="bootstrap000", model=model
    )
    (folder / "flaskllm.yaml").write_text(text)
    return load({}, folder).settings


@pytest.mark.parametrize(
    "model",
    [
        *("auto", "offline", "box/large-1"),
        *("fast", "qwen2.5", "capability:code_generation"),
    ],
)
def test_a_name_that_may_be_sent_is_no_doubt(tmp_path, model):
    assert [*doubtful_models(with_routes(tmp_path, model))] == []


@pytest.mark.parametrize(
    ("model", "box"),
    [("qwe", ""), ("capability:tools", ""), ("capability:tools", DISCOVER)],
)
def test_a_name_that_no_route_answers_to_is_one(tmp_path, model, box):
    (doubt,) = doubtful_models(with_routes(tmp_path, model, box))

    assert doubt.is_warning
    assert {"fast", "qwen*", "auto", "offline"} <= set(doubt.allowed.split(", "))


def test_what_an_upstream_may_list_is_no_doubt(tmp_path):
    assert [*doubtful_models(with_routes(tmp_path, "llama3", DISCOVER))] == []


def test_where_the_database_cannot_tell_nothing_is_doubted(tmp_path, made, monkeypatch):
    def fail(*_):
        raise ServiceUnavailable

    loaded = settings(tmp_path)
    assert looked_up_payers(loaded.settings, by_network=True) != []

    for name in ("reading", "is_current"):
        monkeypatch.setattr(Database, name, fail)
        assert looked_up_payers(loaded.settings, by_network=True) == []


def test_without_a_payer_of_its_own_no_database_is_asked(tmp_path, monkeypatch):
    loaded = settings(tmp_path).settings
    desk = loaded.inbound["desk"].model_copy(update={"api_token": None})
    paid_by_bootstrap = loaded.model_copy(update={"inbound": {"desk": desk}})

    def fail(*_):
        raise AssertionError("asked")

    monkeypatch.setattr("flaskllm.wiring.inbound_doubts.build_database", fail)

    assert looked_up_payers(paid_by_bootstrap, by_network=True) == []
    assert [*doubtful_payers(paid_by_bootstrap, None, None)] == []


@pytest.mark.parametrize(
    ("url", "by_network", "is_asked"),
    [
        ("postgresql://u:p@127.0.0.1:9/x", False, False),
        ("postgresql://u:p@127.0.0.1:9/x", True, True),
        ("sqlite:///own.db", False, True),
        (None, False, True),
    ],
)
def test_a_database_behind_the_network_is_asked_by_a_live_check_alone(
    tmp_path, monkeypatch, url, by_network, is_asked
):
    asked = []

    def note(*_):
        asked.append(True)
        raise ConfigError([])

    monkeypatch.setattr("flaskllm.wiring.inbound_doubts.build_database", note)
    told = {"database_url": None if url is None else SecretStr(url)}
    loaded = settings(tmp_path).settings.model_copy(update=told)

    assert looked_up_payers(loaded, by_network=by_network) == []
    assert bool(asked) is is_asked


def test_a_database_that_cannot_be_built_is_told_of_by_another_check(
    tmp_path, monkeypatch
):
    def fail(*_):
        raise ConfigError([])

    monkeypatch.setattr("flaskllm.wiring.inbound_doubts.build_database", fail)

    assert looked_up_payers(settings(tmp_path).settings, by_network=True) == []
