"""`flaskllm config check` and `reload`: named checks, in layers, each with its line."""

import json
import os
import re
import socket
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from flaskllm.cli.config import config
from flaskllm.cli.config_check import LAYERS
from flaskllm.core.config import load
from flaskllm.core.config_version import version_of

GOOD = """\
providers:
  box: {kind: openai_compatible, base_url: "http://127.0.0.1:9/v1"}
deployments:
  small: {provider: box, model: m, price: {input: 1, output: 2}}
routes:
  - {alias: fast, deployments: {small: 1}}
"""
UNPRICED = GOOD.replace(", price: {input: 1, output: 2}", "")
# Each breaks what the check of its name looks at: the text, the path, the line.
BROKEN = {
    "file": ("routes: [\n", "flaskllm.yaml", 2),
    "references": (
        GOOD.replace('"http://127.0.0.1:9/v1"', '"${NOT_THERE}"'),
        "providers.box.base_url",
        2,
    ),
    "names": (f"{GOOD}servr: {{}}\n", "servr", 7),
    "values": (f"{GOOD}server: {{port: many}}\n", "server.port", 7),
    "secrets": (f"{GOOD}secret: changeme\n", "secret", 7),
    "inbound": (
        f"{GOOD}inbound: {{a: {{sender: zoom, secret: s, api_token: 4fGh2kLm9pQr, "
        "topics: [x]}}\n",
        "inbound.a.topics",
        7,
    ),
    "providers": (f"{GOOD}".replace("127.0.0.1:9", "8.8.8.8"), None, 2),
    "deployments": (
        GOOD.replace("provider: box", "provider: bix"),
        "deployments.small.provider",
        4,
    ),
    "routes": (
        GOOD.replace("deployments: {small: 1}}", "deployments: {small: 1, x: 1}}"),
        "routes.0.deployments.x",
        6,
    ),
    "duplicates": (
        f"{GOOD}  - {{alias: fast, deployments: {{small: 1}}}}\n",
        "routes.1.alias",
        7,
    ),
    "fallbacks": (
        GOOD.replace("alias: fast,", "alias: fast, fallbacks: [fast],"),
        "routes.0.fallbacks",
        6,
    ),
    "reach": (
        f"{GOOD}  - {{pattern: fast, deployments: {{small: 1}}}}\n",
        "routes.1.pattern",
        7,
    ),
    "capabilities": (
        GOOD.replace("model: m,", "model: m, capabilities: [json],")
        + "  - {capability: tools, deployments: {small: 1}}\n",
        "routes.1.capability",
        7,
    ),
    "default_route": (f"{GOOD}default_route: slow\n", "default_route", 7),
    "prices": (
        UNPRICED.replace("alias: fast,", "alias: fast, require_price: true,"),
        "routes.0.require_price",
        6,
    ),
    "templates": (f"{GOOD}templates_dir: nowhere\n", "templates_dir", 7),
}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that runs a command over a file in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    names = ("FLASKLLM_", "OPENAI_", "REQUESTS_CA", "SSL_CERT", "CURL_CA")
    hidden = [name for name in os.environ if name.startswith(names)]

    def run(text, *arguments, **variables):
        Path("flaskllm.yaml").write_text(text, encoding="utf-8")
        environ = {**dict.fromkeys(hidden), **variables}
        return CliRunner().invoke(config, arguments, env=environ)

    return run


@pytest.fixture
def report(run):
    """Return a function that gives the exit status and the checks by their names."""

    def report(text, **variables):
        result = run(text, "check", "--json", **variables)
        checks = json.loads(result.stdout)["checks"]
        return result.exit_code, {each["name"]: each for each in checks}

    return report


class TestGood:
    def test_every_check_is_named_once_with_its_layer_and_is_ok(self, run):
        result = run(GOOD, "check")

        lines = result.stdout.splitlines()
        named = [tuple(line.split()[:3]) for line in lines[:-2]]
        assert result.exit_code == 0
        assert named == [
            ("ok", layer, name)
            for layer, names in LAYERS.items()
            if layer != "live"
            for name in names
        ]
        assert len(named) >= 11
        assert lines[-1] == f"ok: {len(named)} checks, 0 warnings"

    def test_without_any_file_all_is_ok_too(self, tmp_path, run):
        result = run("", "check")

        assert (result.exit_code, "error" in result.stdout) == (0, False)

    def test_for_a_machine_it_tells_the_version_too(self, run, tmp_path):
        told = json.loads(run(GOOD, "check", "--json").stdout)

        assert told["status"] == "ok"
        assert told["version"] == version_of(load({}, tmp_path).settings)


class TestWrong:
    @pytest.mark.parametrize("name", BROKEN)
    def test_each_check_finds_what_it_looks_for_and_names_the_line(self, report, name):
        text, path, line = BROKEN[name]

        status, checks = report(text)

        (problem,) = checks[name]["problems"]
        assert status == 2
        assert checks[name]["status"] == problem["level"] == "error"
        assert problem["path"] == path or path is None
        assert (problem["file"], problem["line"]) == ("flaskllm.yaml", line)
        assert problem["found"]
        assert problem["allowed"]
        others = {each["status"] for key, each in checks.items() if key != name}
        assert others <= {"ok", "skipped"}

    def test_a_line_of_dotenv_is_named_too(self, report):
        Path(".env").write_text("GOOD=1\n'\n")

        status, checks = report(GOOD)

        (problem,) = checks["dotenv"]["problems"]
        assert status == 2
        assert (problem["file"], problem["line"]) == (".env", 2)

    def test_a_variable_that_is_no_setting_is_found(self, report):
        status, checks = report(GOOD, FLASKLLM_SERVER__PROT="1")

        (problem,) = checks["variables"]["problems"]
        assert status == 2
        assert problem["path"] == "FLASKLLM_SERVER__PROT"
        assert problem["nearest"] == "FLASKLLM_SERVER__PORT"

    def test_a_value_of_a_variable_is_told_with_its_variable(self, report):
        _, checks = report(GOOD, FLASKLLM_SERVER__PORT="many")

        (problem,) = checks["values"]["problems"]
        assert problem["origin"] == "environment FLASKLLM_SERVER__PORT"
        assert problem["line"] is None

    def test_certificates_that_cannot_be_read_are_found(self, report):
        status, checks = report(GOOD, REQUESTS_CA_BUNDLE="missing.pem")

        (problem,) = checks["certificates"]["problems"]
        assert status == 2
        assert "missing.pem" in problem["found"]

    def test_a_template_that_is_none_is_found(self, report, tmp_path):
        (tmp_path / "own").mkdir()
        (tmp_path / "own" / "bad.md").write_text("no front matter")

        status, checks = report(f"{GOOD}templates_dir: own\n")

        (problem,) = checks["templates"]["problems"]
        assert status == 2
        assert "bad.md" in problem["found"]
        assert problem["line"] == 7

    def test_without_live_nobody_connects_to_a_database(self, report):
        endpoint = "inbound: {a: {sender: zoom, secret: s, api_token: 4fGh2kLm9pQr}}"
        with socket.create_server(("127.0.0.1", 0)) as database:
            database.setblocking(False)
            url = f"postgresql://u:p@127.0.0.1:{database.getsockname()[1]}/x"
            secret = f"secret: k3V9qLz0pXyT7sWb2RfHnJm5cDgA8eUi\n{endpoint}"

            status, checks = report(f"{GOOD}database_url: {url}\n{secret}\n")

            assert (status, checks["inbound"]["status"]) == (0, "ok")
            with pytest.raises(BlockingIOError):
                database.accept()

    def test_what_cannot_be_looked_at_is_skipped(self, report):
        _, checks = report(BROKEN["file"][0])

        skipped = {name for name, each in checks.items() if each["status"] == "skipped"}
        assert skipped == set(checks) - {"file", "dotenv", "variables"}
        assert checks["routes"]["note"] == "the file cannot be read"

    def test_for_a_person_each_problem_stands_below_its_check(self, run):
        result = run(BROKEN["default_route"][0], "check")

        assert result.exit_code == 2
        assert re.search(
            r"""^error    consistency  default_route .*
    error: default_route \(flaskllm\.yaml:7\)
      found: 'slow', which is no alias
      allowed: fast, offline
""",
            result.stdout,
            re.MULTILINE,
        )
        assert result.stdout.splitlines()[-1] == "1 error: 19 checks, 0 warnings"

    def test_no_secret_is_shown(self, run):
        secret = "sk-canary-0123456789"
        text = f"{GOOD}secret: {secret}\napi_token: {secret}\n"

        assert "canary" not in run(text, "check").stdout


class TestPrices:
    def test_a_missing_price_is_a_warning_and_stops_nothing(self, run, report):
        result = run(UNPRICED, "check")
        status, checks = report(UNPRICED)

        (problem,) = checks["prices"]["problems"]
        assert (status, checks["prices"]["status"]) == (0, "warning")
        assert (problem["level"], problem["path"]) == (
            "warning",
            "deployments.small.model",
        )
        assert problem["line"] == 4
        assert result.stdout.splitlines()[-1] == "ok: 19 checks, 1 warning"

    @pytest.mark.parametrize(
        ("provider", "model", "strategy", "warns"),
        [
            ("{kind: ollama}", "m", "weighted", False),
            ("{kind: ollama}", "m", "cheapest", True),
            ("{kind: vllm}", "m", "adaptive", True),
            ("{kind: openai, api_key: sk-1}", "gpt-4o-mini", "cheapest", False),
            ("{kind: openai, api_key: sk-1}", "nobody-knows-it", "weighted", True),
            ("{kind: openai, api_key: sk-1}", '"*"', "weighted", False),
            ("{kind: extractive}", "extractive", "cheapest", False),
        ],
    )
    def test_it_is_missed_where_it_would_be_paid_or_counts(
        self, report, provider, model, strategy, warns
    ):
        text = f"""
providers: {{p: {provider}}}
deployments: {{d: {{provider: p, model: {model}}}}}
routes: [{{alias: a, strategy: {strategy}, deployments: {{d: 1}}}}]
"""
        status, checks = report(text)

        assert status == 0
        assert checks["prices"]["status"] == ("warning" if warns else "ok")

    def test_a_deployment_of_two_routes_is_told_once(self, report):
        text = f"{UNPRICED}  - {{alias: slow, deployments: {{small: 1}}}}\n"

        _, checks = report(text)

        assert len(checks["prices"]["problems"]) == 1


class TestSeldomMeant:
    """What may be said but probably does something else is a warning."""

    @pytest.mark.parametrize(
        ("old", "new", "check", "path", "words"),
        [
            (
                "9/v1",
                "9/v1/chat/completions",
                "providers",
                "providers.box.base_url",
                "ends in /chat/completions",
            ),
            (
                "9/v1",
                "9/v1/Messages/",
                "providers",
                "providers.box.base_url",
                "ends in /messages",
            ),
            (
                "routes:",
                "  spare: {provider: box, model: n}\nroutes:",
                "deployments",
                "deployments.spare",
                "no route names",
            ),
            (
                "routes:\n  - {alias: fast, deployments: {small: 1}}\n",
                "",
                "routes",
                "deployments",
                "no route",
            ),
            (
                "alias: fast,",
                "alias: fast, second_price: 0.001,",
                "routes",
                "routes.0.second_price",
                "weighted",
            ),
        ],
    )
    def test_it_is_told_with_its_place_and_stops_nothing(
        self, report, old, new, check, path, words
    ):
        assert old in GOOD

        status, checks = report(GOOD.replace(old, new))

        (problem,) = checks[check]["problems"]
        assert (status, checks[check]["status"]) == (0, "warning")
        assert (problem["level"], problem["path"]) == ("warning", path)
        assert words in problem["found"]
        assert problem["line"] > 0

    @pytest.mark.parametrize("end", ["v1/completions/v1", "v1/mymessages"])
    def test_an_address_that_only_looks_like_it_is_good(self, report, end):
        _, checks = report(GOOD.replace("9/v1", f"9/{end}"))

        assert checks["providers"]["status"] == "ok"

    def test_an_adaptive_route_may_have_its_second_price(self, report):
        said = "alias: fast, strategy: adaptive, second_price: 0.002,"

        _, checks = report(GOOD.replace("alias: fast,", said))

        assert checks["routes"]["status"] == "ok"


class TestReload:
    def test_a_good_file_writes_the_mark_for_its_owner_and_tells_the_version(
        self, run, tmp_path
    ):
        (tmp_path / "data").mkdir()

        result = run(GOOD, "reload")

        mark = tmp_path / "data" / "reload"
        told = result.stdout.splitlines()[0].split()[-1]
        assert told == version_of(load({}, tmp_path).settings)
        assert (result.exit_code, mark.read_text().strip()) == (0, told)
        assert stat.S_IMODE(mark.stat().st_mode) == 0o600
        assert [path.name for path in mark.parent.iterdir()] == ["reload"]

    def test_it_tells_which_settings_take_a_restart(self, run, tmp_path):
        (tmp_path / "data").mkdir()

        told = run(GOOD, "reload").stdout.splitlines()[1]

        waiting, but = told.split(": ")[1].removesuffix(")").split(" (but for ")
        assert waiting.startswith("data_dir, database_url, redis_url, secret, ")
        assert waiting.endswith(", timeouts.deadline_seconds")
        assert not {"routes", "providers", "deployments"} & set(waiting.split(", "))
        assert but == "health.probe_idle_seconds"

    def test_a_bad_file_is_told_as_check_does_and_nothing_happens(self, run, tmp_path):
        (tmp_path / "data").mkdir()
        bad = BROKEN["reach"][0]

        done, told = run(bad, "reload"), run(bad, "check")

        assert (done.exit_code, done.stdout) == (2, told.stdout)
        assert list((tmp_path / "data").iterdir()) == []

    def test_without_a_data_folder_nobody_can_be_told(self, run):
        result = run(GOOD, "reload")

        assert (result.exit_code, "cannot be written" in result.stderr) == (1, True)
