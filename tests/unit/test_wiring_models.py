"""Wiring: time-outs, sizes and lists of models come from the nearest that knows."""

from pathlib import Path

import pytest
from fakes import FakeClock

from flaskllm.core.config import (
    ConfigError,
    StreamTimeouts,
    TimeoutSettings,
    load,
    load_from_process,
    watch_process,
)
from flaskllm.core.config_version import version_of
from flaskllm.core.errors import LLMUnavailable
from flaskllm.core.metrics import Metrics
from flaskllm.core.redaction import Redactor
from flaskllm.llm.providers import LocalProvider
from flaskllm.llm.types import Timeouts, Usage
from flaskllm.wiring.models import LiveModels, build_models, tell_rejected
from flaskllm.wiring.timeouts import timeouts_of
from flaskllm.wiring.upstreams import build_providers, build_senders

STRONG = "k3V9qLz0pXyT7sWb2RfHnJm5cDgA8eUi"
SETTINGS = """
providers:
  hosted: {kind: openai, api_key: sk-abcdefghijklmnop}
  box: {kind: ollama}
  own: {kind: extractive}
deployments:
  mini: {provider: hosted, model: gpt-4o-mini}
  narrow: {provider: hosted, model: gpt-4o-mini, context_window: 1000}
  local: {provider: box, model: gpt-4o-mini}
  slow: {provider: hosted, model: x, timeouts: {chunk_gap_seconds: 60}}
routes:
  - {alias: fast, deployments: {mini: 1}, timeouts: {first_token_seconds: 2}}
"""


@pytest.fixture
def settle(tmp_path):
    """Returns settings out of a YAML text."""

    def settle(text):
        (tmp_path / "flaskllm.yaml").write_text(text)
        return load({"FLASKLLM_DATA_DIR": str(tmp_path / "data")}, tmp_path).settings

    return settle


@pytest.fixture
def catalog(settle):
    return build_models(settle(SETTINGS), FakeClock()).catalog


@pytest.mark.parametrize(
    ("kind", "general", "changed", "expected"),
    [
        ("openai", {}, {}, (30.0, 10.0, 15.0)),
        ("ollama", {}, {}, (120.0, 120.0, 15.0)),
        ("vllm", {"first_token_seconds": 40}, {}, (40.0, 40.0, 15.0)),
        ("llamacpp", {"first_byte_seconds": 200}, {}, (200.0, 120.0, 15.0)),
        ("ollama", {}, {"first_byte_seconds": 5}, (5.0, 120.0, 15.0)),
        ("openai", {"first_token_seconds": 3}, {}, (30.0, 3.0, 15.0)),
        (
            "openai",
            {"first_token_seconds": 3, "chunk_gap_seconds": 4},
            {"first_token_seconds": 1, "chunk_gap_seconds": 2},
            (30.0, 1.0, 2.0),
        ),
    ],
)
def test_the_nearest_time_out_holds(kind, general, changed, expected):
    timeouts = timeouts_of(TimeoutSettings(**general), kind, StreamTimeouts(**changed))

    assert timeouts == Timeouts(*expected)


@pytest.mark.parametrize(
    ("general", "changed", "seconds"),
    [
        ({}, {}, 120.0),
        ({"answer_seconds": 40}, {}, 40.0),
        ({"answer_seconds": 40}, {"answer_seconds": 5}, 5.0),
    ],
)
def test_a_whole_answer_has_a_time_out_of_its_own(general, changed, seconds):
    settings, own = TimeoutSettings(**general), StreamTimeouts(**changed)

    assert timeouts_of(settings, "ollama", own).answer_seconds == seconds


def test_a_deployment_changes_its_own_time_outs_only(catalog):
    assert catalog.deployment("slow").timeouts.chunk_gap_seconds == 60.0
    assert catalog.deployment("mini").timeouts.chunk_gap_seconds == 15.0


def test_a_route_says_what_it_changes_of_the_time_outs(catalog):
    assert catalog.resolve("fast").timeouts == {"first_token_seconds": 2.0}


def test_a_known_model_fills_in_the_size_that_nobody_said(catalog):
    assert catalog.deployment("mini").context_window == 128_000
    assert catalog.deployment("narrow").context_window == 1000
    assert catalog.deployment("narrow").max_output_tokens == 16_384


def test_what_a_model_can_do_is_never_filled_in(catalog):
    assert catalog.deployment("mini").capabilities is None


def test_a_server_of_ones_own_decides_about_its_sizes(catalog):
    assert catalog.deployment("local").context_window is None


def test_every_upstream_can_be_named_directly_but_not_the_built_in_provider(catalog):
    assert set(catalog.samples) == {"hosted", "box"}
    assert catalog.resolve("box/llama3.2:3b", direct=True).made.model == "llama3.2:3b"


def test_a_provider_that_lists_no_models_cannot_be_discovered(settle):
    with pytest.raises(ConfigError, match=r"providers\.own\.models"):
        settle("providers: {own: {kind: extractive, models: discover}}")


def test_nothing_is_asked_of_an_upstream_while_it_is_wired(settle):
    text = (
        "providers: {a: {kind: vllm, base_url: http://127.0.0.1:9, models: discover}}"
    )

    catalog = build_models(settle(text), FakeClock()).catalog

    assert catalog.discovered.providers() == ("a",)


def test_each_provider_has_connections_of_its_own(settle):
    settings = settle(SETTINGS)

    providers = build_providers(settings, FakeClock())
    senders = build_senders(settings)

    assert set(providers) == {*settings.providers, "offline"}
    assert isinstance(providers["offline"], LocalProvider)
    assert set(senders) == set(settings.providers)
    assert len({id(sender) for sender in senders.values()}) == len(senders)


class Changes(list):
    """Hands out one configuration after the other, as a watch does."""

    def poll(self, now_monotonic, build):
        return build(self.pop(0)) if self else None


def test_who_asks_while_a_change_is_built_gets_what_stands_and_undoes_nothing(
    tmp_path,
):
    def loaded(alias):
        (tmp_path / "flaskllm.yaml").write_text(SETTINGS.replace("fast", alias))
        return load({"FLASKLLM_DATA_DIR": str(tmp_path / "data")}, tmp_path)

    changes, seen = Changes(), []

    class Asking(Redactor):
        def add(self, secret):
            super().add(secret)
            if len(changes) == 1:  # the first of the two is being built
                seen.append(live.catalog())

    live = LiveModels(loaded("fast"), changes, FakeClock(), Asking(), Metrics())
    before = live.catalog()
    changes += [loaded("older"), loaded("newer")]

    assert live.catalog().aliases() == ("older",)
    assert seen
    assert all(each is before for each in seen)
    assert live.catalog().aliases() == ("newer",)


@pytest.fixture
def live(tmp_path, monkeypatch):
    """The models of settings in a folder, taken up when asked."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLASKLLM_CONFIG", "flaskllm.yaml")
    monkeypatch.setenv("FLASKLLM_DATA_DIR", "data")
    (tmp_path / "flaskllm.yaml").write_text(SETTINGS)
    loaded = load_from_process()
    watch = watch_process(loaded, tell_rejected)
    return LiveModels(loaded, watch, FakeClock(), Redactor(), Metrics())


def change(live, text):
    Path("flaskllm.yaml").write_text(text)
    live.ask()
    live.poll()


class TestHealth:
    def state_of(self, live, name):
        return live.health.look(live.catalog().deployment(name)).state

    def fail(self, live, name):
        deployment = live.catalog().deployment(name)
        for _ in range(5):
            visit = live.health.enter(deployment, "fast", tokens=1, streams=False)
            visit.end(LLMUnavailable(), Usage(), 0.1)

    def test_an_open_breaker_outlives_a_change_of_something_else(self, live):
        self.fail(live, "mini")
        assert self.state_of(live, "mini") == "open"

        change(live, SETTINGS.replace("context_window: 1000", "context_window: 2000"))

        assert live.catalog().deployment("narrow").context_window == 2000
        assert self.state_of(live, "mini") == "open"

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("model: gpt-4o-mini}", "model: gpt-4o}"),
            ("sk-abcdefghijklmnop", "sk-ponmlkjihgfedcba"),
        ],
    )
    def test_of_a_deployment_that_changed_everything_is_new(self, live, old, new):
        self.fail(live, "mini")

        change(live, SETTINGS.replace(old, new))

        assert self.state_of(live, "mini") == "closed"


class TestVersions:
    def test_it_is_that_of_the_settings_in_force(self, live, caplog):
        caplog.set_level("INFO")
        before = live.version()
        assert before == version_of(load_from_process().settings)

        change(live, SETTINGS.replace("fast", "quick"))

        (record,) = caplog.records
        assert live.version() == version_of(load_from_process().settings) != before
        assert record.fields == {"version": live.version()}

    def test_a_bad_file_leaves_it_and_is_told_until_it_is_mended(self, live):
        before = live.version()
        assert live.settings_state() == "current"

        change(live, "nonsense: 1")
        assert (live.version(), live.settings_state()) == (before, "rejected")

        change(live, SETTINGS)
        assert live.settings_state() == "current"

    def test_a_mark_in_the_data_folder_is_taken_up_too(self, live, caplog):
        caplog.set_level("INFO")
        Path("data").mkdir()
        Path("data/reload").touch()

        live.poll()

        assert [each.message for each in caplog.records] == ["settings_reloaded"]

    def test_what_waits_for_a_restart_is_named_each_time_and_never_shown(
        self, live, caplog
    ):
        caplog.set_level("INFO")

        change(live, f"{SETTINGS}server: {{port: 81}}\nsecret: {STRONG}\n")

        _, warning = caplog.records
        assert (warning.message, warning.levelname) == (
            "settings_need_restart",
            "WARNING",
        )
        assert warning.fields == {"keys": "secret, server.port"}


class TestPrices:
    TEXT = """
providers: {own: {kind: ollama}}
deployments: {d: {provider: own, model: m}}
routes:
  - {alias: a, require_price: true, deployments: {d: 1}}
"""

    def test_a_route_that_requires_one_stops_the_start_at_its_line(self, tmp_path):
        (tmp_path / "flaskllm.yaml").write_text(self.TEXT)
        loaded = load({}, tmp_path)

        with pytest.raises(ConfigError) as caught:
            LiveModels(loaded, Changes(), FakeClock(), Redactor(), Metrics())

        (problem,) = caught.value.problems
        assert problem.origin == "flaskllm.yaml:5"
        assert "deployments.d.price" in problem.allowed

    def test_its_own_price_is_enough_be_it_nothing(self, settle):
        priced = "{provider: own, model: m, price: {input: 0, output: 0}}"
        text = self.TEXT.replace("{provider: own, model: m}", priced)

        build_models(settle(text), FakeClock())
