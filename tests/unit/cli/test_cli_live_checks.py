"""`flaskllm config check --live` asks each upstream for its models, and no more."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from fakes import html, json_reply, reset, status

from flaskllm.cli.config import config

KEY = "sk-canary-0123456789"
SETTINGS = """
providers:
  box: {{kind: {kind}, base_url: "{url}", api_key: {key}}}
deployments:
  small: {{provider: box, model: "{model}", price: {{input: 1, output: 2}}}}
routes:
  - {{alias: fast, deployments: {{small: 1}}}}
"""


def listed(*names):
    return json_reply({"object": "list", "data": [{"id": name} for name in names]})


def pulled(*names):
    return json_reply({"models": [{"name": name} for name in names]})


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that checks a text and gives status and live checks."""
    monkeypatch.chdir(tmp_path)
    hidden = [name for name in os.environ if name.startswith(("FLASKLLM_", "OPENAI_"))]

    def run(text):
        Path("flaskllm.yaml").write_text(text, encoding="utf-8")
        arguments = ["check", "--live", "--json"]
        result = CliRunner().invoke(config, arguments, env=dict.fromkeys(hidden))
        assert KEY not in result.output
        checks = json.loads(result.stdout)["checks"]
        live = {each["name"]: each for each in checks if each["layer"] == "live"}
        return result.exit_code, live

    return run


@pytest.fixture
def ask(run, upstream):
    """Return a function that checks one upstream, which answers with this step."""

    def ask(step, kind="openai_compatible", model="m-1"):
        upstream.always(step)
        text = SETTINGS.format(url=upstream.url, kind=kind, key=KEY, model=model)
        return run(text)

    return ask


def statuses(live):
    return [live[name]["status"] for name in ("reachable", "credentials", "models")]


def test_an_upstream_that_lists_the_model_is_ok_and_was_asked_once(ask, upstream):
    code, live = ask(listed("m-0", "m-1"))

    (asked,) = upstream.requests
    assert (code, statuses(live)) == (0, ["ok", "ok", "ok"])
    assert (asked.method, asked.path) == ("GET", "/models")
    assert asked.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("code", [401, 403])
def test_a_credential_that_is_refused_is_an_error_at_its_line(ask, code):
    ended, live = ask(status(code))

    (problem,) = live["credentials"]["problems"]
    assert (ended, live["credentials"]["status"]) == (2, "error")
    assert problem["path"] == "providers.box.api_key"
    assert problem["line"] == 3
    assert str(code) in problem["found"]


@pytest.mark.parametrize(
    "step", [reset(), status(503), status(500)], ids=["reset", "503", "500"]
)
def test_an_upstream_that_does_not_answer_is_an_error(ask, step):
    code, live = ask(step)

    (problem,) = live["reachable"]["problems"]
    assert (code, live["reachable"]["status"]) == (2, "error")
    assert (problem["path"], problem["line"]) == ("providers.box", 3)
    assert live["models"]["problems"] == []


def test_one_that_nobody_listens_for_is_an_error(run, upstream):
    text = SETTINGS.format(
        url="http://127.0.0.1:1/v1", kind="openai_compatible", key=KEY, model="m"
    )

    code, live = run(text)

    (problem,) = live["reachable"]["problems"]
    assert code == 2
    assert "refused the connection" in problem["found"]


@pytest.mark.parametrize(
    ("step", "level", "code"), [(status(404), "warning", 0), (html(), "error", 2)]
)
def test_an_answer_that_is_no_list_is_told(ask, step, level, code):
    ended, live = ask(step)

    (problem,) = live["models"]["problems"]
    assert (ended, problem["level"]) == (code, level)


@pytest.mark.parametrize(
    ("kind", "step", "model", "word"),
    [
        ("openai_compatible", listed("m-2"), "m-1", "warning"),
        ("vllm", listed("m-2"), "m-1", "error"),
        ("vllm", listed("m-1"), "*", "ok"),
        ("ollama", pulled("llama3.1:8b"), "llama3.1:70b", "error"),
        ("ollama", pulled("llama3.2:latest"), "llama3.2", "ok"),
        ("openai_compatible", listed("m-1-20251001"), "m-1", "ok"),
        ("openai_compatible", listed("m-1-2025-10-01"), "m-1", "ok"),
        ("openai_compatible", listed("m-1-large"), "m-1", "warning"),
    ],
)
def test_a_model_that_is_not_listed_is_told(ask, kind, step, model, word):
    code, live = ask(step, kind, model)

    assert live["models"]["status"] == word
    assert code == (2 if word == "error" else 0)


def test_the_nearest_model_is_told_but_no_strange_name(ask):
    _, live = ask(listed("m 1!", "m-10"))

    (problem,) = live["models"]["problems"]
    assert problem["nearest"] == "m-10"
    assert problem["path"] == "deployments.small.model"


def test_who_lists_no_models_is_not_asked_and_named(run, upstream):
    text = f"""
providers:
  az: {{kind: azure, base_url: "{upstream.url}", api_key: {KEY}}}
  own: {{kind: extractive}}
"""
    code, live = run(text)

    assert (code, upstream.requests) == (0, [])
    assert live["reachable"]["note"] == (
        "not asked: az lists no models; own lists no models"
    )


def test_bad_settings_are_not_asked_about(run, upstream):
    text = SETTINGS.format(
        url=upstream.url, kind="openai_compatible", key=KEY, model="m"
    )

    code, live = run(f"{text}nonsense: 1\n")

    assert (code, statuses(live)) == (2, ["skipped"] * 3)
    assert upstream.requests == []


def test_without_a_provider_there_is_nobody_to_ask(run):
    code, live = run("")

    assert (code, statuses(live)) == (0, ["skipped"] * 3)
    assert live["models"]["note"] == "there is no provider"
