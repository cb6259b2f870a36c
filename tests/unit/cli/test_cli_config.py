"""`flaskllm config`, the example files and the documentation tell the same."""

import json
import os
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from click.testing import CliRunner
from dotenv import dotenv_values

from flaskllm.cli.config import config
from flaskllm.cli.config_text import example_text, mask, schema_text, show_text
from flaskllm.core.config import Settings, load
from flaskllm.core.config_shape import settings_of
from flaskllm.core.config_version import version_of

ROOT = Path(__file__).parents[3]
STRONG = "k3V9qLz0pXyT7sWb2RfHnJm5cDgA8eUi"
VARIABLES = {
    "OPENAI_API_KEY": "sk-abcdefghijklmnop",
    "FLASKLLM_SECRET": STRONG,
    "FLASKLLM_PREVIOUS_SECRET": STRONG[2:] + "yz",
    "FLASKLLM_API_TOKEN": STRONG[::-1],
    "FLASKLLM_SERVER__METRICS_TOKEN": STRONG[1:] + "x",
    "AZURE_KEY": "az-abcdefghijklmnop",
    "SMTP_PASSWORD": "a password of the mail server",
    "INBOUND_PASSWORD": "a password of a sender",
    "FIREFLIES_SECRET": "a secret of a sender",
    "FIREFLIES_API_KEY": "ff-abcdefghijklmnop",
    "CALLS_SECRET": "a secret of our own",
}
NAMED = (
    ("privacy", "patterns"),
    ("privacy", "words"),
    ("providers",),
    ("deployments",),
    ("routes", "<n>", "deployments"),
    ("inbound",),
    ("inbound", "<name>", "mapping"),
    ("inbound", "<name>", "digest"),
)
FILE = """
secret: ${A_SECRET}
providers:
  odd@name: {kind: openai, api_key: short}
deployments:
  "on": {provider: odd@name, model: "llama3.1:8b", tags: [a, "no"]}
routes:
  - {alias: fast, deployments: {"on": 3}, fallbacks: [offline]}
  - {pattern: "q*", deployments: {"on": 1}}
"""


def uncommented(text):
    return re.sub(r"^( *)#(?=\S)", r"\1", text, flags=re.MULTILINE)


def paths_in(value, path=()):
    """Return the dotted paths of a tree, in the form in which settings are listed."""
    if isinstance(value, dict) and value:
        named = path in NAMED
        return {
            found
            for key, each in value.items()
            for found in paths_in(each, (*path, "<name>" if named else key))
        }
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {found for each in value for found in paths_in(each, (*path, "<n>"))}
    return {".".join(path)}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that runs a command in an empty folder without variables."""
    monkeypatch.chdir(tmp_path)
    hidden = [name for name in os.environ if name.startswith(("FLASKLLM_", "OPENAI_"))]

    def run(*arguments, **variables):
        environ = {**dict.fromkeys(hidden), **variables}
        return CliRunner().invoke(config, arguments, env=environ)

    return run


class TestCommands:
    def test_problems_go_to_standard_error_with_status_2(self, run):
        Path("flaskllm.yaml").write_text("server: {prot: 1}", encoding="utf-8")

        result = run("show")

        assert (result.exit_code, result.stdout) == (2, "")
        assert "server.prot (flaskllm.yaml:1)" in result.stderr
        assert "nearest: port" in result.stderr

    def test_show_tells_values_and_origins(self, run):
        result = run("show", FLASKLLM_SERVER__PORT="81")

        assert result.exit_code == 0
        assert "  port: 81  # environment FLASKLLM_SERVER__PORT\n" in result.stdout
        assert "  threads: 32  # default\n" in result.stdout

    def test_example_prints_a_file_that_check_accepts(self, run):
        Path("flaskllm.yaml").write_text(run("example").stdout, encoding="utf-8")

        assert run("check", **VARIABLES).exit_code == 0

    def test_example_and_schema_need_no_good_configuration(self, run):
        Path("flaskllm.yaml").write_text("[", encoding="utf-8")

        assert run("example").stdout == example_text()
        assert json.loads(run("schema").stdout) == json.loads(schema_text())


class TestShow:
    @pytest.fixture
    def loaded(self, tmp_path):
        (tmp_path / "flaskllm.yaml").write_text(FILE, encoding="utf-8")
        return load({"A_SECRET": STRONG}, tmp_path)

    def test_it_is_yaml_with_every_value(self, loaded):
        shown = yaml.safe_load(show_text(loaded))

        expected = json.loads(loaded.settings.model_dump_json())
        expected["secret"] = "****8eUi"
        expected["providers"]["odd@name"]["api_key"] = "****"
        assert shown == expected

    def test_the_version_stands_first(self, loaded):
        first = show_text(loaded).splitlines()[0]

        assert first == f"# version {version_of(loaded.settings)}"

    def test_every_value_has_its_origin(self, loaded):
        _, *lines = show_text(loaded).splitlines()

        assert 'secret: "****8eUi"  # flaskllm.yaml:2 through ${A_SECRET}' in lines
        assert "  - alias: fast  # flaskllm.yaml:8" in lines
        assert '      "on": 3  # flaskllm.yaml:8' in lines
        assert all("  # " in line or line.rstrip().endswith(":") for line in lines)

    def test_nothing_is_a_good_value_too(self, tmp_path):
        shown = yaml.safe_load(show_text(load({}, tmp_path)))

        assert (shown["providers"], shown["routes"]) == ({}, [])

    @pytest.mark.parametrize(
        ("secret", "shown"),
        [("", "****"), ("123456789012345", "****"), ("1234567890123456", "****3456")],
    )
    def test_a_mask_leaves_four_characters_of_a_long_secret(self, secret, shown):
        assert mask(secret) == shown


class TestExample:
    def test_the_shipped_file_is_what_the_command_prints(self):
        shipped = (ROOT / "flaskllm.example.yaml").read_text(encoding="utf-8")

        assert shipped == example_text()

    def test_its_lines_fit_the_page(self):
        assert max(map(len, example_text().splitlines())) <= 88

    @pytest.mark.parametrize("edit", [str, uncommented])
    def test_it_loads_with_and_without_its_samples(self, tmp_path, edit):
        (tmp_path / "templates").mkdir()
        text = edit(example_text())
        (tmp_path / "flaskllm.yaml").write_text(text, encoding="utf-8")

        settings = load(VARIABLES, tmp_path).settings

        assert settings.default_route == "fast"
        key = settings.providers["openai"].api_key
        assert key.get_secret_value() == VARIABLES["OPENAI_API_KEY"]

    def test_it_names_every_setting(self):
        tree = yaml.safe_load(uncommented(example_text()))

        missing = {path for path, _ in settings_of(Settings)} - paths_in(tree)

        assert missing == set()

    def test_defaults_in_it_are_the_defaults(self, tmp_path):
        (tmp_path / "templates").mkdir()
        (tmp_path / "flaskllm.yaml").write_text(
            uncommented(example_text()), encoding="utf-8"
        )

        settings = load(VARIABLES, tmp_path).settings

        assert settings.timeouts == Settings().timeouts
        assert settings.limits == Settings().limits
        samples = {"trusted_hosts": (), "allowed_origins": (), "metrics_token": None}
        given = settings.server.model_copy(update=samples)
        assert given == Settings().server


class TestDotenvExample:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")

    def test_a_copy_changes_nothing(self, tmp_path):
        (tmp_path / ".env").write_text(self.text, encoding="utf-8")

        empty = tmp_path / "empty"
        loaded = load({}, tmp_path)

        assert set(loaded.origins.values()) == {"default"}
        assert loaded.origins == load({}, empty).origins

    def test_every_variable_in_it_is_known(self, tmp_path):
        sample = tmp_path / "all.env"
        sample.write_text(uncommented(self.text), encoding="utf-8")
        variables = dotenv_values(sample)
        (tmp_path / "file.yaml").write_text("", encoding="utf-8")
        (tmp_path / "templates").mkdir()

        variables["FLASKLLM_CONFIG"] = "file.yaml"
        settings = load(variables, tmp_path).settings

        assert settings.default_route == "local"
        assert settings.server.trusted_hosts == (
            "llm.example.org",
            ".intern.example.org",
        )

    def test_it_has_every_plain_setting_but_the_limits(self):
        plain = {
            "FLASKLLM_" + path.upper().replace(".", "__")
            for path, _ in settings_of(Settings)
            if "<" not in path and not path.startswith(("limits.", "server."))
        }

        assert {name for name in plain if f"{name}=" not in self.text} == set()


class TestSchema:
    schema = json.loads(schema_text())

    def test_it_is_a_schema(self):
        jsonschema.Draft202012Validator.check_schema(self.schema)

    def test_it_accepts_the_example(self):
        jsonschema.validate(yaml.safe_load(uncommented(example_text())), self.schema)

    @pytest.mark.parametrize(
        ("value", "valid"),
        [
            ({"server": {"port": "${PORT:-80}"}}, True),
            ({"server": {"port": "eighty"}}, False),
            ({"server": {"port": 70000}}, False),
            ({"server": {"prot": 80}}, False),
            ({"timeouts": {"connect_seconds": 0}}, False),
            ({"server": {"require_https": "${HTTPS}"}}, True),
        ],
    )
    def test_it_refuses_what_load_refuses(self, value, valid):
        errors = [*jsonschema.Draft202012Validator(self.schema).iter_errors(value)]

        assert (not errors) is valid


class TestDocumentation:
    text = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")

    def test_it_lists_exactly_the_settings(self):
        listed = re.findall(r"^\| `([a-z_.<>]+)` \|", self.text, flags=re.MULTILINE)

        assert sorted(listed) == sorted(path for path, _ in settings_of(Settings))

    def test_its_files_load(self, tmp_path):
        blocks = re.findall(r"```yaml\n(.*?)```", self.text, flags=re.DOTALL)
        assert len(blocks) >= 2

        for block in blocks:
            (tmp_path / "flaskllm.yaml").write_text(block, encoding="utf-8")
            assert load(VARIABLES, tmp_path).settings.routes

    def test_it_names_the_defaults(self):
        for path, field in settings_of(Settings):
            if isinstance(field.default, int | str) and not field.is_required():
                shown = str(field.default).removesuffix(".0")
                shown = shown.lower() if isinstance(field.default, bool) else shown
                assert f"| `{path}` | `{shown}` |" in self.text
