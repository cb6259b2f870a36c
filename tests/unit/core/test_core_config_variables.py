"""Variables become settings: the usual ones, our own, and those of the process."""

import os

import pytest
from config_files import only, problems, write

from flaskllm.core import config
from flaskllm.core.config import load

ROUTED = """
providers:
  box: {kind: ollama}
deployments:
  llama: {provider: box, model: "llama3.1:8b"}
routes:
  - {alias: local, deployments: {llama: 1}, fallbacks: [offline]}
default_route: local
"""


class TestUsualVariables:
    def test_a_credential_alone_makes_a_route_that_falls_back(self, tmp_path):
        loaded = load({"OPENAI_API_KEY": "sk-1"}, tmp_path)

        settings = loaded.settings
        assert settings.providers["openai"].kind == "openai"
        assert settings.providers["openai"].api_key.get_secret_value() == "sk-1"
        deployment = settings.deployments["gpt-4o-mini"]
        assert deployment.model == "gpt-4o-mini"
        assert settings.providers["openai"].models == "discover"
        assert settings.routes[0].alias == settings.default_route == "default"
        assert settings.routes[0].deployments == {"gpt-4o-mini": 1}
        assert settings.routes[0].fallbacks == ("offline",)
        origin = "environment OPENAI_API_KEY"
        assert loaded.origins["providers.openai.api_key"] == origin
        assert loaded.origins["routes.0.deployments.gpt-4o-mini"] == origin

    def test_each_credential_makes_a_provider_and_the_first_the_default(self, tmp_path):
        environ = {
            "GEMINI_API_KEY": "g-1",
            "ANTHROPIC_API_KEY": "a-1",
            "GROQ_API_KEY": "q-1",
            "PERPLEXITY_API_KEY": "p-1",
        }

        settings = load(environ, tmp_path).settings

        discovered = {name: each.models for name, each in settings.providers.items()}
        assert discovered == {
            "anthropic": "discover",
            "gemini": "discover",
            "groq": "discover",
            "perplexity": None,
        }
        routes = [(route.alias, *route.deployments) for route in settings.routes]
        assert routes == [
            ("default", "claude-haiku-4-5"),
            ("gemini-2.5-flash", "gemini-2.5-flash"),
        ]
        assert settings.default_route == "default"

    def test_credentials_of_services_without_a_usual_model_make_no_alias(
        self, tmp_path
    ):
        settings = load({"GROQ_API_KEY": "q-1"}, tmp_path).settings

        assert settings.routes == ()
        assert settings.default_route is None

    def test_an_alias_that_was_chosen_is_kept(self, tmp_path):
        environ = {"GROQ_API_KEY": "q-1", "GROQ_MODEL": "llama-3.3-70b-versatile"}

        settings = load(environ, tmp_path).settings

        assert settings.default_route == "default"
        assert settings.routes[0].deployments == {"llama-3.3-70b-versatile": 1}

    def test_model_and_address_go_with_it(self, tmp_path):
        environ = {
            "OPENAI_API_KEY": "sk-1",
            "OPENAI_MODEL": "big",
            "OPENAI_BASE_URL": "https://llm.example.org/v1",
        }

        loaded = load(environ, tmp_path)

        assert loaded.settings.deployments["big"].model == "big"
        assert loaded.settings.deployments["big"].context_window is None
        assert loaded.settings.deployments["big"].max_output_tokens is None
        assert loaded.origins["deployments.big.model"] == "environment OPENAI_MODEL"
        base_url = loaded.settings.providers["openai"].base_url
        assert base_url == "https://llm.example.org/v1"

    def test_they_are_looked_for_when_a_file_names_no_provider(self, tmp_path):
        write(tmp_path, "default_route: offline\nserver: {port: 81}")

        settings = load({"OPENAI_API_KEY": "sk-1"}, tmp_path).settings

        assert "openai" in settings.providers
        assert settings.default_route == "offline"

    def test_own_deployments_keep_the_provider_and_get_no_route(self, tmp_path):
        write(tmp_path, "deployments: {mini: {provider: openai, model: gpt-4o}}")

        settings = load({"OPENAI_API_KEY": "sk-1"}, tmp_path).settings

        assert [*settings.deployments] == ["mini"]
        assert settings.routes == ()

    @pytest.mark.parametrize("where", ["file", "variable"])
    def test_a_configured_provider_keeps_them_out(self, tmp_path, where):
        environ = {"OPENAI_API_KEY": "sk-1"}
        if where == "file":
            write(tmp_path, ROUTED)
        else:
            environ["FLASKLLM_PROVIDERS__BOX__KIND"] = "ollama"

        assert [*load(environ, tmp_path).settings.providers] == ["box"]


class TestVariables:
    def test_a_whole_configuration_fits_in_them(self, tmp_path):
        environ = {
            "FLASKLLM_PROVIDERS__BOX__KIND": "ollama",
            "FLASKLLM_DEPLOYMENTS__LLAMA__PROVIDER": "box",
            "FLASKLLM_DEPLOYMENTS__LLAMA__MODEL": "llama3.1:8b",
            "FLASKLLM_DEPLOYMENTS__LLAMA__TAGS": "local, small",
            "FLASKLLM_ROUTES__0__ALIAS": "local",
            "FLASKLLM_ROUTES__0__DEPLOYMENTS__LLAMA": "2",
            "FLASKLLM_ROUTES__1__PATTERN": "llama*",
            "FLASKLLM_ROUTES__1__DEPLOYMENTS__LLAMA": "1",
            "FLASKLLM_DEFAULT_ROUTE": "local",
        }

        loaded = load(environ, tmp_path)

        assert loaded.settings.deployments["llama"].tags == ("local", "small")
        assert loaded.settings.routes[0].deployments == {"llama": 2}
        assert loaded.settings.routes[1].pattern == "llama*"
        origin = "environment FLASKLLM_ROUTES__0__DEPLOYMENTS__LLAMA"
        assert loaded.origins["routes.0.deployments.llama"] == origin

    @pytest.mark.parametrize("name", ["Azure-EU", "azure.eu", "AZURE_EU"])
    def test_names_of_the_file_match_whatever_their_case_and_dashes(
        self, tmp_path, name
    ):
        write(tmp_path, f"providers: {{{name}: {{kind: openai}}}}")

        settings = load(
            {"FLASKLLM_PROVIDERS__AZURE_EU__API_KEY": "k"}, tmp_path
        ).settings

        assert settings.providers[name].api_key.get_secret_value() == "k"

    def test_they_reach_into_the_file_s_routes(self, tmp_path):
        write(tmp_path, ROUTED)

        environ = {"FLASKLLM_ROUTES__0__DEPLOYMENTS__LLAMA": "7"}

        assert load(environ, tmp_path).settings.routes[0].deployments == {"llama": 7}

    def test_an_empty_one_is_not_set(self, tmp_path):
        assert load({"FLASKLLM_API_TOKEN": ""}, tmp_path).settings.api_token is None

    def test_those_of_the_tests_are_no_settings(self, tmp_path):
        environ = {"FLASKLLM_TEST_SAMPLES": "/x", "FLASKLLM_TEST_REQUIRE": "uwsgi"}

        load(environ, tmp_path)

    @pytest.mark.parametrize(
        ("name", "nearest", "found"),
        [
            ("FLASKLLM_PORT", "FLASKLLM_SERVER__PORT", "an unknown name"),
            ("FLASKLLM_SERVER_PORT", "FLASKLLM_SERVER__PORT", "an unknown name"),
            ("FLASKLLM_SERVR__PORT", "FLASKLLM_SERVER__PORT", "an unknown name"),
            ("FLASKLLM_API_TOKN", "FLASKLLM_API_TOKEN", "an unknown name"),
            ("FLASKLLM_CONFG", "FLASKLLM_CONFIG", "an unknown name"),
            ("FLASKLLM_DATA_DIR__X", "FLASKLLM_DATA_DIR", "an unknown name"),
            (
                "FLASKLLM_PROVIDERS__X__API_KYE",
                "FLASKLLM_PROVIDERS__X__API_KEY",
                "an unknown name",
            ),
            ("FLASKLLM_QQQQQ", "", "an unknown name"),
            ("FLASKLLM_URL", None, "an unknown name"),
            ("FLASKLLM_ROUTES__1__ALIAS", "FLASKLLM_API_TOKEN", "an unknown name"),
            ("FLASKLLM_ROUTES__X__ALIAS", None, "an unknown name"),
            ("FLASKLLM_PROVIDERS____KIND", None, "an unknown name"),
            ("FLASKLLM_SERVER", None, "a section, which has no value"),
            ("FLASKLLM_PROVIDERS__X", None, "a section, which has no value"),
            ("FLASKLLM_ROUTES", None, "a section, which has no value"),
        ],
    )
    def test_an_unknown_one_is_named_with_the_nearest(
        self, tmp_path, name, nearest, found
    ):
        problem = only({name: "sk-value"}, tmp_path)

        assert (problem.path, problem.found) == (name, found)
        assert problem.allowed.startswith("FLASKLLM_")
        assert "sk-value" not in problem.text()
        if name != "FLASKLLM_ROUTES__1__ALIAS" and nearest is not None:
            assert problem.nearest == nearest

    @pytest.mark.parametrize(
        ("text", "path"),
        [("server: x", "server"), ("routes: x", "routes"), ("routes: [x]", "routes.0")],
    )
    def test_a_file_that_bars_the_way_is_told_as_the_file_s_problem(
        self, tmp_path, text, path
    ):
        write(tmp_path, text)
        environ = {"FLASKLLM_SERVER__PORT": "1"}
        if "routes" in text:
            environ = {
                "FLASKLLM_ROUTES__0__ALIAS": "x",
                "FLASKLLM_ROUTES__0__DEPLOYMENTS__X": "1",
            }

        assert path in [problem.path for problem in problems(environ, tmp_path)]


class TestProcess:
    """The functions that read this process: its variables and its working folder."""

    @pytest.fixture(autouse=True)
    def process(self, tmp_path, monkeypatch):
        for name in [name for name in os.environ if name.startswith("FLASKLLM_")]:
            monkeypatch.delenv(name)
        for name in ("http_proxy", "HTTP_PROXY", "REQUESTS_CA_BUNDLE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.chdir(tmp_path)

    def test_load_takes_its_variables_and_its_folder(self, tmp_path, monkeypatch):
        write(tmp_path, "server: {port: 81}")
        monkeypatch.setenv("FLASKLLM_SERVER__THREADS", "3")

        loaded = config.load_from_process()

        assert (loaded.settings.server.port, loaded.settings.server.threads) == (81, 3)
        assert loaded.settings.data_dir == tmp_path / "data"

    def test_its_variables_can_be_handed_on(self, monkeypatch):
        monkeypatch.setenv("FLASKLLM_LOG_LEVEL", "DEBUG")

        environment = config.process_environment()

        assert environment == dict(os.environ)
        assert environment is not os.environ

    def test_proxies_and_certificates_come_from_it_or_from_dotenv(
        self, tmp_path, monkeypatch
    ):
        write(tmp_path, "HTTP_PROXY=http://p:1\n", ".env")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/ca.pem")

        assert config.read_proxies().for_url("http://far.example/") == "http://p:1"
        assert config.read_ca_bundle() == "/ca.pem"
        assert config.read_proxies({}).for_url("http://far.example/") is None
        assert config.read_ca_bundle({}) is None

    @pytest.mark.parametrize("name", ["flaskllm.yaml", ".env"])
    def test_the_watch_looks_after_its_files_even_new_ones(self, tmp_path, name):
        watch = config.watch_process(config.load_from_process(), pytest.fail)
        text = {"flaskllm.yaml": "log_level: DEBUG", ".env": "FLASKLLM_LOG_LEVEL=DEBUG"}

        write(tmp_path, text[name], name)

        def level(loaded):
            return loaded.settings.log_level

        assert watch.poll(0.0, level) is None
        assert watch.poll(1.0, level) == "DEBUG"
