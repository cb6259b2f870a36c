"""Settings are told apart by digits that give nothing away."""

from pathlib import Path

import pytest

from flaskllm.core.config import (
    DeploymentSettings,
    HealthSettings,
    ProviderSettings,
    ServerSettings,
    Settings,
    TimeoutSettings,
)
from flaskllm.core.config_version import (
    fingerprints_of,
    version_of,
    waiting_for_restart,
)

STRONG = "k3V9qLz0pXyT7sWb2RfHnJm5cDgA8eUi"


def settings(key="sk-1", model="m", weight=1, url=None, **more):
    return Settings(
        providers={
            "hosted": ProviderSettings(kind="openai", api_key=key, base_url=url),
            "box": ProviderSettings(kind="ollama"),
        },
        deployments={
            "mini": DeploymentSettings(provider="hosted", model=model),
            "llama": DeploymentSettings(provider="box", model="llama3.1:8b"),
        },
        routes=({"alias": "fast", "deployments": {"mini": weight}},),
        **more,
    )


class TestVersion:
    def test_it_is_twelve_hexadecimal_digits_and_the_same_for_the_same(self):
        version = version_of(settings())

        assert version == version_of(settings())
        assert len(version) == 12
        assert int(version, 16) >= 0

    @pytest.mark.parametrize(
        "changed",
        [
            settings(key="sk-2"),
            settings(weight=2),
            settings(secret=STRONG),
            settings(data_dir=Path("elsewhere")),
            settings(server=ServerSettings(port=81)),
        ],
    )
    def test_whatever_changes_changes_it(self, changed):
        assert version_of(changed) != version_of(settings())


class TestFingerprints:
    def test_every_deployment_has_one(self):
        assert set(fingerprints_of(settings())) == {"mini", "llama"}

    @pytest.mark.parametrize(
        ("changed", "deployments"),
        [
            (settings(), set()),
            (settings(weight=9, default_route="fast"), set()),
            (settings(model="n"), {"mini"}),
            (settings(key="sk-2"), {"mini"}),
            (settings(url="https://other.example/v1"), {"mini"}),
        ],
    )
    def test_only_of_what_changed_is_it_another(self, changed, deployments):
        before, after = fingerprints_of(settings()), fingerprints_of(changed)

        assert {name for name in before if before[name] != after[name]} == deployments


class TestRestart:
    def test_nothing_waits_when_only_models_changed(self):
        changed = settings(
            key="sk-2",
            model="n",
            weight=3,
            default_route="fast",
            templates_dir=Path("own"),
            timeouts=TimeoutSettings(connect_seconds=1),
            health=HealthSettings(probe_idle_seconds=60),
        )

        assert waiting_for_restart(settings(), changed) == ()

    def test_what_is_read_at_the_start_only_is_named_and_never_shown(self):
        changed = settings(
            secret=STRONG,
            data_dir=Path("elsewhere"),
            database_url="sqlite://",
            server=ServerSettings(port=81, trusted_hosts=("a.example",)),
            timeouts=TimeoutSettings(deadline_seconds=60),
            health=HealthSettings(failures_in_a_row=2, probe_idle_seconds=60),
        )

        assert waiting_for_restart(settings(), changed) == (
            "data_dir",
            "database_url",
            "health.failures_in_a_row",
            "secret",
            "server.port",
            "server.trusted_hosts",
            "timeouts.deadline_seconds",
        )
