"""Ranges and kinds of single values, and how a wrong one is told."""

import pytest

from flaskllm.core.config import ConfigError, ServerSettings, Settings, load
from flaskllm.core.config_problems import describe, nearest
from flaskllm.core.config_shape import shape_at

SECTION = "a section: names with values, indented below it"


def problem_in(text, folder):
    (folder / "flaskllm.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load({}, folder)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("text", "found", "allowed"),
    [
        ("server: {port: 65536}", "65536", "less than or equal to 65535"),
        ("server: {port: -1}", "-1", "greater than or equal to 0"),
        ("server: {port: high}", "'high'", "a whole number"),
        ("server: {port: 80.5}", "80.5", "a whole number"),
        ("server: {port: yes}", "true or false", "a number"),
        ("server: {port: [80]}", "a list", "a whole number"),
        ("server: {port: {a: 1}}", "a section", "a whole number"),
        (f"server: {{port: 0x{'f' * 30}}}", "a very large number", None),
        ("server: {threads: 0}", "0", "greater than or equal to 1"),
        ("server: {workers: 65}", "65", "less than or equal to 64"),
        ("server: {proxy_hops: 11}", "11", "less than or equal to 10"),
        ("server: {host: ''}", "''", None),
        ("server: {host: 1.5}", "1.5", "a text; put it in quotes"),
        ("server: {trusted_hosts: a.example}", "'a.example'", "a list"),
        ("server: {trusted_hosts: [~]}", "nothing", "a text; put it in quotes"),
        ("server: {require_https: maybe}", "'maybe'", "true or false"),
        ("server: text", "a text of 4 characters", SECTION),
        ("server: [1]", "a list", SECTION),
        ("providers: {a: sk-geheim}", "a text of 9 characters", SECTION),
        ("providers: {a: }", "nothing", "a value; providers.a.kind is required"),
        ("providers: {'a b': {kind: ollama}}", None, "up to 128 letters, digits"),
        ("providers: []", "a list", SECTION),
        ("routes: {}", "a section", "a list"),
        ("limits: {unauthenticated_per_minute: 0}", "0", None),
        ("timeouts: {connect_seconds: 0}", "0", "greater than 0"),
        ("timeouts: {connect_seconds: .nan}", "nan", None),
        ("timeouts: {connect_seconds: .inf}", "inf", None),
        ("timeouts: {connect_seconds: soon}", "'soon'", "a number"),
        ("timeouts: {deadline_seconds: 3601}", "3601", "less than or equal to 3600"),
        ("data_dir: ''", "an empty text", "a path"),
        ("data_dir: 5", "5", "a path; put it in quotes"),
        ("log_format: xml", "'xml'", "auto, json, text"),
        (f"log_format: {'x' * 25}", "a text of 25 characters", "auto, json, text"),
        ("log_level: 5", "5", "DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        ("secret: 5", "a secret, not shown here", "a text; put it in quotes"),
        ("secret: [sk-geheim]", "a secret, not shown here", None),
        (
            "database_url: 'mysql://u:geheim@h/d'",
            "an address that is of neither SQLite nor PostgreSQL",
            "",
        ),
        (
            "providers: {a: {kind: ollama, api_key: ' '}}",
            "an empty text",
            "the credential; leave it out for none",
        ),
        ("default_route: 5", "5", "a text; put it in quotes"),
        (
            "deployments: {a: {provider: 5, model: m}}",
            "5",
            "a text; put it in quotes",
        ),
    ],
)
def test_a_wrong_value_is_told_with_what_is_allowed(tmp_path, text, found, allowed):
    problem = problem_in(text, tmp_path)

    assert found is None or problem.found == found
    assert problem.allowed.startswith(allowed or "")
    assert problem.allowed
    assert problem.origin == "flaskllm.yaml:1"
    assert "geheim" not in problem.text()


@pytest.mark.parametrize(
    "text",
    ["sqlite://", "sqlite:///data/x.db", "sqlite:////var/x.db"],
)
def test_sqlite_addresses_are_good(text):
    assert Settings(database_url=text).database_url.get_secret_value() == text


def test_a_credential_may_be_any_text_that_is_not_empty(tmp_path):
    text = "providers: {a: {kind: openai, api_key: k}}"
    (tmp_path / "flaskllm.yaml").write_text(text, encoding="utf-8")

    key = load({}, tmp_path).settings.providers["a"].api_key

    assert key.get_secret_value() == "k"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("PROT", "port"), ("thread", "threads"), ("zzz", ""), ("", "")],
)
def test_the_nearest_name_is_found_whatever_the_case(name, expected):
    assert nearest(name, ["host", "port", "threads"]) == expected


def test_a_place_that_does_not_exist_shows_no_value():
    shape = shape_at(Settings, ["server", "prot", "x"])

    assert shape is None
    assert describe("geheim", shape) == "a text of 6 characters"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("gateway.intern", "http://gateway.intern:8000"),
    ],
)
def test_the_own_address_is_one_that_this_machine_reaches(host, url):
    assert ServerSettings(host=host).local_url == url


@pytest.mark.parametrize(
    ("host", "bind"),
    [
        ("127.0.0.1", "127.0.0.1:81"),
        ("gateway.example", "gateway.example:81"),
        ("::1", "[::1]:81"),
        ("::", "[::]:81"),
    ],
)
def test_an_ipv6_address_is_bracketed_where_a_port_follows(host, bind):
    assert ServerSettings(host=host, port=81).bind == bind


ROUTE = """
providers: {{p: {{kind: ollama}}}}
deployments: {{d: {{provider: p, model: m}}}}
routes: [{{alias: a, deployments: {{d: 1}}, rescue: {rescue}}}]
"""


@pytest.mark.parametrize("said", ["off", "'off'", "false"])
def test_rescue_is_off_with_and_without_quotes(tmp_path, said):
    text = ROUTE.format(rescue=said)
    (tmp_path / "flaskllm.yaml").write_text(text, encoding="utf-8")

    assert load({}, tmp_path).settings.routes[0].rescue == "off"


@pytest.mark.parametrize("said", ["on", "true", "0"])
def test_rescue_is_nothing_else_that_yaml_makes_of_a_word(tmp_path, said):
    problem = problem_in(ROUTE.format(rescue=said), tmp_path)

    assert problem.path == "routes.0.rescue"
    assert problem.allowed == "match, continue, off"
