"""What would only fail after the start is refused before it, and never shown."""

import pytest

from flaskllm.core.clock import SystemClock
from flaskllm.core.config import ConfigError, ProviderSettings, Settings, load
from flaskllm.core.config_checks import check
from flaskllm.core.ids import random_base62
from flaskllm.storage.addresses import store_at


class TestMasks:
    """What came out of a variable, or is long, may be a credential."""

    FILE = """
providers: {p: {kind: vllm}}
deployments: {d: {provider: "${KEY}", model: m}}
routes:
  - {alias: "${KEY}", deployments: {d: 1}, fallbacks: ["${KEY}", "${OTHER}"]}
  - {alias: "${KEY}", deployments: {d: 1}, fallbacks: [nobody]}
default_route: "${OTHER}"
"""

    def test_a_reference_that_leads_nowhere_never_shows_a_variable(self, tmp_path):
        (tmp_path / "flaskllm.yaml").write_text(self.FILE)

        with pytest.raises(ConfigError) as caught:
            load({"KEY": "sk-short", "OTHER": "sk-shorter"}, tmp_path)

        assert {problem.path for problem in caught.value.problems} == {
            "deployments.d.provider",
            "routes.0.fallbacks",
            "routes.1.alias",
            "routes.1.fallbacks",
            "default_route",
        }
        assert "sk-" not in str(caught.value)
        assert "a text of 8 characters, which is no provider" in str(caught.value)

    def test_a_long_name_is_not_shown_either(self):
        long = "sk-" + "k3V9qLz0" * 3

        problems = check(
            {
                "deployments": {"d": {"provider": long}},
                "routes": [{"alias": long, "fallbacks": [long, "x"]}],
            }
        )

        assert len(problems) == 3
        assert not [each for each in problems if long in each.text()]


class TestDatabaseURL:
    @pytest.mark.parametrize(
        "value",
        ["sqlite://", "sqlite:///x.db", "sqlite:////v/x.db", "sqlite:///:memory:"],
    )
    def test_what_the_database_opens_is_good(self, value):
        assert Settings(database_url=value).database_url.get_secret_value() == value

    @pytest.mark.parametrize(
        ("value", "found"),
        [
            ("mysql://h/d", "neither SQLite nor PostgreSQL"),
            ("sqlite:", "neither SQLite nor PostgreSQL"),
            ("postgresql+asyncpg://h/d", "neither SQLite nor PostgreSQL"),
            ("postgresql:h/d", "neither SQLite nor PostgreSQL"),
            ("sqlite:///x.db?mode=ro", "a query"),
            ("sqlite://?mode=ro", "a query"),
            ("sqlite://host/x", "a host"),
            ("sqlite://me:geheim@/x", "a host"),
            ("sqlite://x.db", "a host"),
        ],
    )
    def test_what_it_would_refuse_stops_the_start(self, tmp_path, value, found):
        with pytest.raises(ConfigError) as caught:
            load({"FLASKLLM_DATABASE_URL": value}, tmp_path)

        (problem,) = caught.value.problems
        assert found in problem.found
        assert "sqlite:///relative" in problem.allowed
        assert "geheim" not in problem.text()


class TestPostgres:
    @pytest.mark.parametrize(
        "value",
        [
            "postgresql://me:geheim@h/d",
            "postgres://h/d",
            "postgresql+psycopg://me@h:5433/d",
            "postgresql://me:ge%40heim@[::1]:5432/d?sslmode=verify-full",
            "postgresql:///d?host=/run/postgresql",
            "postgresql://h/d?options=-c%20statement_timeout%3D5s",
        ],
    )
    def test_what_the_database_opens_is_good(self, value):
        settings = Settings(database_url=value, secret=random_base62(43))

        assert settings.database_url.get_secret_value() == value
        store_at(value, "wal", SystemClock(), None)

    @pytest.mark.parametrize(
        ("value", "found"),
        [
            ("postgresql://me:ge heim@h/d", "a blank"),
            ("postgresql://me:geheim\n@h/d", "a blank"),
            ("postgresql://me:gehe\u00efm@h/d", "outside ASCII"),
            ("postgresql://me:geheim#@h/d", "write it as %23"),
            ("postgresql://me:geheim@x@h/d", "cannot be read"),
            ("postgresql://me:geheim@h:port/d", "cannot be read"),
            ("postgresql://me:geheim@[::1/d", "cannot be read"),
            ("postgresql://me:geheim@h", "without the name"),
            ("postgresql://me:geheim@h/", "without the name"),
            ("postgresql://me:gehe/im@h/d", "cannot be read"),
            ("postgresql://me:geheim@h/d/e", "without the name"),
            ("postgresql://me:geheim@h/d?sslmod=require", "an unknown word"),
            ("postgresql://h/d?password=geheim", "an unknown word"),
            ("postgresql://h/d?sslmode=require&sslmode=", "twice"),
        ],
    )
    def test_what_it_would_refuse_stops_the_start(self, tmp_path, value, found):
        environ = {"FLASKLLM_SECRET": random_base62(43)}
        with pytest.raises(ConfigError) as caught:
            load(environ | {"FLASKLLM_DATABASE_URL": value}, tmp_path)

        (problem,) = caught.value.problems
        assert found in problem.found
        assert "postgresql://user:password@host" in problem.allowed
        assert "geheim" not in problem.text()

    def test_hosts_that_share_it_must_share_the_master_secret(self, tmp_path):
        with pytest.raises(ConfigError) as caught:
            load({"FLASKLLM_DATABASE_URL": "postgres://me:geheim@h/d"}, tmp_path)

        (problem,) = caught.value.problems
        assert (problem.path, problem.found) == ("secret", "nothing")
        assert "FLASKLLM_SECRET" in problem.allowed
        assert "geheim" not in problem.text()


class TestCredential:
    def test_blanks_around_it_are_taken_off(self):
        provider = ProviderSettings(kind="openai", api_key=" sk-abc\n")

        assert provider.api_key.get_secret_value() == "sk-abc"

    @pytest.mark.parametrize("value", ["sk a", "sk\na", "sk\u00e9", "sk\x7f"])
    def test_what_no_header_holds_is_refused_and_not_shown(self, tmp_path, value):
        with pytest.raises(ConfigError) as caught:
            load({"OPENAI_API_KEY": value}, tmp_path)

        (problem,) = caught.value.problems
        assert problem.path == "providers.openai.api_key"
        assert "a blank" in problem.found
        assert value not in problem.text()


def test_a_folder_that_cannot_be_looked_into_is_told_and_not_taken_for_empty(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load({}, tmp_path / ("x" * 300))

    told = [each.found for each in caught.value.problems]
    assert told == ["it cannot be read: File name too long"] * 2


class TestTemplatesDir:
    @pytest.mark.parametrize("make", [lambda path: None, lambda path: path.touch()])
    def test_it_must_be_a_folder(self, tmp_path, make):
        make(tmp_path / "own")

        with pytest.raises(ConfigError) as caught:
            load({"FLASKLLM_TEMPLATES_DIR": "own"}, tmp_path)

        (problem,) = caught.value.problems
        assert (problem.path, problem.found) == ("templates_dir", "no folder")
        assert problem.origin == "environment FLASKLLM_TEMPLATES_DIR"

    def test_what_cannot_even_be_looked_for_is_no_folder(self, tmp_path):
        with pytest.raises(ConfigError) as caught:
            load({"FLASKLLM_TEMPLATES_DIR": "x" * 300}, tmp_path)

        assert [each.found for each in caught.value.problems] == ["no folder"]

    def test_a_folder_is_good(self, tmp_path):
        (tmp_path / "own").mkdir()

        settings = load({"FLASKLLM_TEMPLATES_DIR": "own"}, tmp_path).settings

        assert settings.templates_dir == tmp_path / "own"


class TestHealth:
    def test_a_cool_down_never_grows_backwards(self, tmp_path):
        text = "health: {cool_down_seconds: 30}"
        (tmp_path / "flaskllm.yaml").write_text(text)

        with pytest.raises(ConfigError) as caught:
            load({}, tmp_path)

        (problem,) = caught.value.problems
        assert (problem.path, problem.origin) == ("health", "flaskllm.yaml:1")
        assert "longest_cool_down_seconds 20, cool_down_seconds 30" in problem.found

    def test_it_may_stay_the_same(self):
        Settings(health={"cool_down_seconds": 20, "longest_cool_down_seconds": 20})
