"""Four sources become one `Settings`, and each value knows where it came from."""

import pytest
from config_files import only, problems, write
from pydantic import ValidationError

from flaskllm.core.config import ConfigError, Settings, load

STRONG = "k3V9qLz0pXyT7sWb2RfHnJm5cDgA8eUi"


def test_nothing_at_all_is_a_good_configuration(tmp_path):
    loaded = load({}, tmp_path)

    assert loaded.file is None
    assert loaded.settings.routes == ()
    assert loaded.settings.default_route is None
    assert loaded.settings.server.port == 8000
    assert set(loaded.origins.values()) == {"default"}


def test_each_source_goes_before_the_ones_beneath_it(tmp_path):
    write(
        tmp_path, "server: {port: 1001, threads: 2, workers: 2}\nlog_level: warning\n"
    )
    write(
        tmp_path,
        "export FLASKLLM_SERVER__PORT=1002\nFLASKLLM_SERVER__THREADS=3",
        ".env",
    )

    loaded = load({"FLASKLLM_SERVER__PORT": "1003"}, tmp_path)

    server = loaded.settings.server
    assert (server.port, server.threads, server.workers) == (1003, 3, 2)
    assert loaded.settings.log_level == "WARNING"
    assert loaded.origins["server.port"] == "environment FLASKLLM_SERVER__PORT"
    assert loaded.origins["server.threads"] == ".env FLASKLLM_SERVER__THREADS"
    assert loaded.origins["server.workers"] == "flaskllm.yaml:1"
    assert loaded.origins["server.host"] == "default"


def test_dotenv_does_not_override_even_an_empty_variable(tmp_path):
    write(tmp_path, "OPENAI_API_KEY=from-file", ".env")

    assert load({"OPENAI_API_KEY": ""}, tmp_path).settings.providers == {}


def test_a_named_file_is_read_instead_of_the_usual_one(tmp_path):
    write(tmp_path, "log_level: ERROR")
    named = write(tmp_path, "log_level: DEBUG", "other.yaml")

    loaded = load({"FLASKLLM_CONFIG": "other.yaml"}, tmp_path)

    assert (loaded.settings.log_level, loaded.file) == ("DEBUG", named)


def test_a_named_file_that_is_missing_is_a_problem(tmp_path):
    problem = only({"FLASKLLM_CONFIG": "none.yaml"}, tmp_path)

    assert problem.path == str(tmp_path / "none.yaml")
    assert "No such file" in problem.found


def test_relative_paths_count_from_the_working_folder(tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    write(tmp_path, f"log_file: logs/x.log\ntemplates_dir: {own}")

    settings = load({}, tmp_path).settings

    assert settings.data_dir == tmp_path / "data"
    assert settings.log_file == tmp_path / "logs/x.log"
    assert settings.templates_dir == own


def test_empty_sections_and_values_count_as_left_out(tmp_path):
    write(tmp_path, "server:\nproviders:\nroutes:\nlog_file:\nlimits: {}\n")

    assert load({}, tmp_path).settings == load(
        {}, tmp_path / "nowhere"
    ).settings.model_copy(update={"data_dir": tmp_path / "data"})


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_an_empty_file_is_a_good_file(tmp_path, text):
    write(tmp_path, text)

    assert load({}, tmp_path).settings.server.port == 8000


class TestProblems:
    def test_all_are_told_at_once(self, tmp_path):
        write(
            tmp_path,
            """
server: {prot: 80}
prt: 1
_cli_parse_args: true
log_level: loud
secret: changeme-changeme-changeme-changeme
providers:
  openai: {kind: openal, api_kye: sk-hidden}
  keyless: {kind: openai}
deployments:
  a: {provider: keylss, model: 5}
routes:
  - {alias: q, deployments: {b: 1}, fallbacks: [offlne]}
default_route: qq
""",
        )

        found = problems({"FLASKLLM_NOPE": "1"}, tmp_path)

        near = {problem.path: problem.nearest for problem in found}
        assert near == {
            "FLASKLLM_NOPE": "",
            "_cli_parse_args": "",
            "secret": "",
            "log_level": "",
            "server.prot": "port",
            "providers.openai.kind": "openai",
            "providers.openai.api_kye": "api_key",
            "deployments.a.model": "",
            "prt": "server.port",
            "providers.keyless.api_key": "",
            "deployments.a.provider": "keyless",
            "routes.0.deployments.b": "",
            "routes.0.fallbacks": "offline",
            "default_route": "q",
        }
        assert all(problem.found and problem.allowed for problem in found)

    def test_a_broken_file_is_the_only_complaint_of_what_it_would_have_said(
        self, tmp_path
    ):
        write(tmp_path, "routes: [")

        problem = only({"FLASKLLM_DEFAULT_ROUTE": "fast"}, tmp_path)

        assert problem.path == "flaskllm.yaml"

    def test_values_below_an_unread_one_are_not_complained_of(self, tmp_path):
        write(tmp_path, "providers:\n  a: {kind: !x openai}\n  b: {kind: nope}\n")

        paths = [problem.path for problem in problems({}, tmp_path)]

        assert paths == ["providers.a.kind", "providers.b.kind"]

    def test_the_text_has_every_part_on_its_own_line(self, tmp_path):
        write(tmp_path, "server:\n  prot: 80\n")

        with pytest.raises(ConfigError) as caught:
            load({}, tmp_path)

        assert str(caught.value).splitlines() == [
            "The configuration has 1 problem:",
            "",
            "server.prot (flaskllm.yaml:2)",
            "  found: an unknown name",
            "  allowed: host, port, threads, workers, trusted_hosts, proxy_hops, "
            "require_https, allowed_origins, metrics_token",
            "  nearest: port",
        ]


class TestSettings:
    def test_they_read_nothing_by_themselves(self, tmp_path, monkeypatch):
        write(tmp_path, "FLASKLLM_LOG_LEVEL=ERROR", ".env")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("FLASKLLM_LOG_LEVEL", "DEBUG")
        monkeypatch.setenv("LOG_LEVEL", "DEBUG")

        assert Settings().log_level == "INFO"

    def test_they_cannot_be_changed(self):
        with pytest.raises(ValidationError):
            Settings().log_level = "DEBUG"

    def test_they_are_checked_as_a_whole_however_they_are_made(self):
        with pytest.raises(ValidationError, match="'x', which is no alias"):
            Settings(default_route="x")

    def test_their_errors_and_their_text_hide_secrets(self):
        with pytest.raises(ValidationError) as caught:
            Settings(secret="hidden-but-short", providers={"a": {"api_key": "sk-9"}})

        assert "hidden-but-short" not in str(caught.value)
        assert "sk-9" not in str(caught.value)
        assert STRONG not in repr(Settings(secret=STRONG, api_token=STRONG))
