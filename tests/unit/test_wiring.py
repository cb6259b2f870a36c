"""Wiring builds every collaborator from the settings, and opens nothing."""

import logging
import sys
from random import SystemRandom
from types import ModuleType

import pytest
from api_tokens import make_token
from fakes import FakeClock
from requests import certs

from flaskllm import wiring
from flaskllm.core.auth import Scope
from flaskllm.core.clock import Deadline, SystemClock
from flaskllm.core.config import ConfigError, ConfigWatch, load
from flaskllm.core.errors import ModelNotFound, NoModelConfigured
from flaskllm.core.metrics import Metrics
from flaskllm.core.redaction import Redactor
from flaskllm.llm.prompts import TemplateError
from flaskllm.llm.types import Call, CompletionRequest
from flaskllm.wiring import (
    build_database,
    build_services,
    is_under_uwsgi,
    secrets_of,
)
from flaskllm.wiring.models import LiveModels, build_models, tell_rejected

CALL = Call(
    Deadline.after(60.0, FakeClock()),
    wait=lambda _: None,
    before=lambda _: None,
    after=lambda *_: None,
)
STRONG = "k3V9qLz0pXyT7sWb2RfHnJm5cDgA8eUi"
SETTINGS = """
providers:
  box: {kind: vllm, base_url: http://127.0.0.1:9, api_key: sk-abcdefghijklmnop}
  own: {kind: extractive}
deployments:
  small: {provider: box, model: m-1, context_window: 8000, capabilities: [json]}
  large: {provider: box, model: m-2, max_output_tokens: 900}
  plain: {provider: own, model: extractive}
routes:
  - {alias: fast, deployments: {small: 3, large: 1}, fallbacks: [plain]}
  - {alias: plain, deployments: {plain: 1}}
  - {pattern: "q*", deployments: {large: 1}}
  - {capability: code, deployments: {large: 1}}
default_route: fast
"""
TEMPLATE = """---
name: house
version: 1
type: summary
purpose: Our own.
response_schema: facts
tokens_kept_free: 100
---
# System
Be brief.
# User
{{source}}
"""


class SomeWatch:
    """Hands out one configuration after the other."""

    is_rejected = False

    def __init__(self, *changes):
        self.changes = list(changes)
        self.polled = []

    def poll(self, now_monotonic, build):
        self.polled.append(now_monotonic)
        loaded = self.changes.pop(0) if self.changes else None
        return build(loaded) if loaded else None


def live_models(loaded, watch):
    return LiveModels(loaded, watch, FakeClock(), Redactor(), Metrics())


@pytest.fixture
def settle(tmp_path):
    """Load a YAML text and variables in a folder of its own."""

    def load_text(text="", **variables):
        (tmp_path / "flaskllm.yaml").write_text(text)
        return load(variables, tmp_path)

    return load_text


@pytest.fixture
def under_uwsgi(monkeypatch):
    monkeypatch.setitem(sys.modules, "uwsgi", ModuleType("uwsgi"))


def resolve(models, name):
    """Return the deployments that a name leads to."""
    return set(models.router._catalog.resolve(name).weights)


class TestServices:
    def test_every_use_case_is_there_and_nothing_is_opened(self, settle, tmp_path):
        services = build_services(settle())

        assert isinstance(services.clock, SystemClock)
        assert services.deadline_seconds == 300.0
        assert [file.name for file in tmp_path.iterdir()] == ["flaskllm.yaml"]

    def test_they_work_together_on_one_database(self, settle, tmp_path):
        services = build_services(settle(), FakeClock())

        made = make_token(services.api_tokens, Scope.READ, name="a")

        assert services.health.readiness() == "ready"
        assert services.api_tokens.authenticate(made.text).name == "a"
        assert (tmp_path / "data" / "flaskllm.db").exists()
        services.database.close()

    def test_a_bootstrap_token_of_the_settings_is_good(self, settle):
        services = build_services(settle(FLASKLLM_API_TOKEN=STRONG))

        assert services.api_tokens.authenticate(STRONG).may(Scope.ADMIN)
        services.database.close()

    def test_the_templates_that_are_listed_are_those_that_are_used(self, settle):
        services = build_services(settle())

        names = [info.name for info in services.templates.list()]

        assert names == sorted(services.digests.templates().templates)


class TestDeadline:
    def test_it_is_the_settings_own(self, settle):
        loaded = settle("timeouts: {deadline_seconds: 900}")

        assert build_services(loaded).deadline_seconds == 900

    @pytest.mark.usefixtures("under_uwsgi")
    @pytest.mark.parametrize(("asked", "held"), [(900, 270), (300, 270), (20, 20)])
    def test_it_ends_before_a_uwsgi_host_would_end_it(self, settle, asked, held):
        loaded = settle(f"timeouts: {{deadline_seconds: {asked}}}")

        assert build_services(loaded).deadline_seconds == held


class TestDatabase:
    @pytest.mark.parametrize(
        ("url", "path"),
        [(None, "data/flaskllm.db"), ("sqlite:///{}/other.db", "other.db")],
    )
    def test_it_is_a_file_in_the_data_folder_unless_told_otherwise(
        self, settle, tmp_path, url, path
    ):
        variables = {"FLASKLLM_DATABASE_URL": url.format(tmp_path)} if url else {}
        settings = settle(**variables).settings

        database = build_database(settings, FakeClock())
        database.upgrade()

        assert (tmp_path / path).exists()
        database.close()

    def test_it_may_be_in_memory(self, settle, tmp_path):
        settings = settle(FLASKLLM_DATABASE_URL="sqlite://").settings

        database = build_database(settings, FakeClock())
        database.check()

        assert [file.name for file in tmp_path.iterdir()] == ["flaskllm.yaml"]
        database.close()

    @pytest.mark.usefixtures("under_uwsgi")
    def test_under_uwsgi_there_is_no_write_ahead_log(self, settle, tmp_path):
        database = build_database(settle().settings, FakeClock())

        with database.transaction():
            files = {file.name for file in (tmp_path / "data").iterdir()}

        assert is_under_uwsgi()
        assert not any(name.endswith("-wal") for name in files)
        database.close()


class TestModels:
    def test_routes_and_deployments_are_those_of_the_settings(self, settle):
        models = build_models(settle(SETTINGS).settings, FakeClock())

        assert resolve(models, None) == {"small", "large"}
        assert resolve(models, "q7") == {"large"}
        assert resolve(models, "capability:code") == {"large"}
        with pytest.raises(ModelNotFound):
            resolve(models, "nobody")

    def test_a_deployment_knows_what_it_can_and_whether_a_model_answers(self, settle):
        models = build_models(settle(SETTINGS).settings, FakeClock())
        catalog = models.catalog

        small, plain = catalog.deployment("small"), catalog.deployment("plain")

        assert (small.provider, small.kind, small.model) == ("box", "vllm", "m-1")
        assert small.context_window == 8_000
        assert small.capabilities == frozenset({"json"})
        assert catalog.deployment("large").max_output_tokens == 900
        assert catalog.deployment("large").capabilities is None
        assert (small.degraded, plain.degraded) == (False, True)

    def test_workers_that_are_forked_draw_their_own_numbers(self, settle):
        models = build_models(settle(SETTINGS).settings, FakeClock())

        assert isinstance(models.router._random, SystemRandom)

    def test_a_ca_bundle_that_is_none_names_the_variables_and_the_path(
        self, settle, tmp_path, monkeypatch
    ):
        missing = str(tmp_path / "missing.pem")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", missing)

        with pytest.raises(ConfigError, match=r"missing\.pem") as caught:
            build_models(settle(SETTINGS).settings, FakeClock())

        for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"):
            assert name in str(caught.value)

    def test_a_good_ca_bundle_is_what_every_transport_trusts(self, settle, monkeypatch):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", certs.where())

        senders = build_models(settle(SETTINGS).settings, FakeClock()).senders

        assert {each._sessions._ca_bundle for each in senders.values()} == {
            certs.where()
        }

    def test_without_deployments_no_ca_bundle_is_read(self, settle, monkeypatch):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "missing.pem")

        assert build_models(settle().settings, FakeClock()).senders == {}

    def test_a_provider_that_cannot_be_built_is_named(self, settle):
        settings = settle(SETTINGS).settings
        box = settings.providers["box"].model_copy(
            update={"base_url": "http://127.0.0.1:9/?a=1"}
        )
        providers = {**settings.providers, "box": box}

        with pytest.raises(ConfigError, match=r"providers\.box\n  found: base_url"):
            build_models(
                settings.model_copy(update={"providers": providers}), FakeClock()
            )

    def test_without_settings_only_the_extractive_provider_is_there(self, settle):
        models = build_models(settle().settings, FakeClock())

        with pytest.raises(NoModelConfigured):
            models.router.complete(CompletionRequest(None, ()), CALL)

    def test_the_operators_templates_are_among_the_others(self, settle, tmp_path):
        (tmp_path / "own").mkdir()
        (tmp_path / "own" / "house.md").write_text(TEMPLATE)

        models = build_models(
            settle(f"templates_dir: {tmp_path}/own").settings, FakeClock()
        )

        assert {"house", "summary"} <= set(models.library.templates)

    def test_a_wrong_template_stops_the_start(self, settle, tmp_path):
        (tmp_path / "own").mkdir()
        (tmp_path / "own" / "bad.md").write_text("no front matter")

        with pytest.raises(TemplateError, match=r"bad\.md"):
            build_services(settle(f"templates_dir: {tmp_path}/own"))


class TestLiveModels:
    def test_without_a_change_the_snapshot_stays(self, settle):
        clock, watch = FakeClock(), SomeWatch()
        live = LiveModels(settle(SETTINGS), watch, clock, Redactor(), Metrics())

        assert live.router() is live.router()
        assert live.library() is live.library()
        assert watch.polled == [clock.monotonic()] * 4

    def test_a_change_is_a_new_snapshot_from_then_on(self, settle, caplog):
        caplog.set_level(logging.INFO, logger=wiring.__name__)
        loaded = settle(SETTINGS)
        changed = settle(
            SETTINGS.replace("alias: fast", "alias: quick").replace(
                "default_route: fast", "default_route: quick"
            )
        )
        live = live_models(loaded, SomeWatch(None, changed))
        before = live.router()

        after = live.router()

        assert after is live.router() is not before
        assert after._catalog.aliases() == ("quick", "plain")
        assert [record.message for record in caplog.records] == ["settings_reloaded"]

    def test_a_credential_that_came_with_a_change_is_masked_too(self, settle):
        redactor, loaded = Redactor(), settle(SETTINGS)
        changed = settle(SETTINGS.replace("sk-abcdefghijklmnop", "sk-zyxwvutsrqponm"))
        live = LiveModels(loaded, SomeWatch(changed), FakeClock(), redactor, Metrics())

        live.router()

        assert redactor.redact("sk-abcdefghijklmnop sk-zyxwvutsrqponm") == "*** ***"

    def test_the_password_of_a_proxy_is_masked(self, settle, monkeypatch):
        monkeypatch.setenv("https_proxy", "http://ann:opensesame@p.example:1")
        redactor = Redactor()

        LiveModels(settle(), SomeWatch(), FakeClock(), redactor, Metrics())

        assert redactor.redact("ann:opensesame") == "ann:***"

    def test_a_change_closes_the_connections_of_the_snapshot_before(self, settle):
        loaded = settle(SETTINGS)
        live = live_models(loaded, SomeWatch(None, loaded))
        live.router()
        sessions = live._models.senders["box"]._sessions
        with sessions.borrowed():
            pass
        assert sessions._shared is not None

        live.router()

        assert sessions._shared is None

    @pytest.mark.parametrize("fault", ["no folder", "no template", "no text"])
    def test_a_change_that_cannot_be_built_leaves_what_stands_and_is_told(
        self, settle, tmp_path, caplog, fault
    ):
        own = tmp_path / "own"
        own.mkdir()
        loaded = settle(f"templates_dir: {own}")
        watch = ConfigWatch((), lambda: loaded, tell_rejected)
        live = live_models(loaded, watch)
        before = live._models
        if fault == "no folder":
            own.rmdir()
        elif fault == "no template":
            (own / "bad.md").write_text("?")
        else:
            (own / "bad.md").mkdir()

        live.ask()

        assert live.router() is before.router
        assert live.settings_state() == "rejected"
        (record,) = caplog.records
        assert (record.levelname, record.message) == ("ERROR", "settings_rejected")

    def test_a_file_that_changes_on_disk_is_noticed_within_two_looks(
        self, settle, tmp_path, monkeypatch
    ):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("OPENAI_API_KEY", "")
        clock = FakeClock()
        services = build_services(settle(SETTINGS), clock)
        services.digests.templates()
        changed = SETTINGS.replace('pattern: "q*"', 'pattern: "zz*"')
        (tmp_path / "flaskllm.yaml").write_text(changed)

        for _ in range(3):
            clock.advance(1.5)
            router = services.digests.completions.router()

        assert set(router._catalog.resolve("zz1").weights) == {"large"}


def test_all_secrets_of_the_settings_are_told_to_the_logs(settle):
    loaded = settle(SETTINGS, FLASKLLM_API_TOKEN=STRONG, FLASKLLM_SECRET=STRONG[::-1])

    assert set(secrets_of(loaded.settings)) == {
        STRONG,
        STRONG[::-1],
        "sk-abcdefghijklmnop",
    }
    assert secrets_of(settle().settings) == ()


def test_this_process_is_not_under_uwsgi():
    assert not is_under_uwsgi()
