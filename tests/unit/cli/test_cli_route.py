"""`flaskllm route explain`: by the settings alone, or by a running gateway."""

import json
import re
from dataclasses import dataclass, replace
from random import Random

import pytest
from click.testing import CliRunner
from fakes import html, json_reply, redirect
from routing_scene import make_catalog

from flaskllm.cli.route import route
from flaskllm.core.errors import LLMUnavailable
from flaskllm.llm.catalog import Catalog
from flaskllm.llm.explaining import Explainer
from flaskllm.llm.health import Health
from flaskllm.llm.types import Usage
from flaskllm.llm.upstreams import Upstreams
from flaskllm.services.routes import Routes

CHAT = json.dumps({"model": "fast", "messages": [{"role": "user", "content": "Hi"}]})
TOKEN = "fllm_api_0123456789ab"


@dataclass(frozen=True)
class SomeServices:
    """What the command uses of the services."""

    routes: Routes


def services_of(catalog, health=None):
    explainer = Explainer(
        catalog, Upstreams({}, {}), health, Random(1), lambda known, request: known
    )

    def never():
        raise AssertionError("the database was looked at")

    return SomeServices(Routes(lambda: catalog, lambda: explainer, health, never))


@pytest.fixture
def run():
    def run(*arguments, services=None, **options):
        made = services or services_of(make_catalog())
        return CliRunner(env={"FLASKLLM_API_TOKEN": None}).invoke(
            route, ["explain", *arguments], obj=lambda: made, **options
        )

    return run


def test_the_candidates_are_a_table_in_the_order_to_ask_them(run):
    result = run(CHAT)

    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert lines[:2] == ["Route fast: weighted, rescue match.", "Fallbacks: own."]
    heading, *rows = lines[lines.index("") + 1 :]
    assert heading.split()[:3] == ["ROUTE", "DEPLOYMENT", "MODEL"]
    assert [row.split()[:3] for row in rows] in (
        [["1.", "fast", "mini"], ["2.", "fast", "large"], ["3.", "own", "rack"]],
        [["1.", "fast", "large"], ["2.", "fast", "mini"], ["3.", "own", "rack"]],
    )
    mini = next(row for row in rows if " mini " in row)
    assert " 0.75 " in mini
    assert "+400 " in mini
    assert " $0.0002" in mini
    assert heading.index("STATE") == mini.index("closed")
    assert "unknown" in rows[-1]


def test_it_says_that_it_has_no_history(run):
    result = run(CHAT)

    assert "this process has no history" in result.stderr
    assert "--url" in result.stderr


def test_its_hint_is_the_address_of_the_settings(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flaskllm.yaml").write_text("server: {host: '::', port: 8123}")

    assert "--url http://[::1]:8123 asks" in run(CHAT).stderr


def test_settings_that_cannot_be_read_leave_the_usual_address(
    run, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flaskllm.yaml").write_text("server: [")

    assert "--url http://127.0.0.1:8000 asks" in run(CHAT).stderr


def test_it_says_for_each_route_what_its_score_is(run):
    lines = run(CHAT).stdout.splitlines()

    assert lines[2:5] == [
        "Score of fast: share of the requests, from 0 to 1; first by turns.",
        "Score of own: attempts under way for each unit of weight, lowest first.",
        "",
    ]


@pytest.mark.parametrize("strategy", ["cheapest", "adaptive"])
def test_a_score_that_is_money_is_told_in_dollars(run, strategy):
    lines = scored_by(run, strategy)

    mini = next(line for line in lines if " mini " in line)
    assert "Score of fast: " in lines[2]
    assert " dollars" in lines[2]
    assert re.search(r" gpt-\S+ +\$0\.0\d{5} ", mini)


def test_a_score_that_is_not_known_is_told_so(run):
    lines = scored_by(run, "lowest_latency")

    mini = next(line for line in lines if " mini " in line)
    assert "lowest first; unknown: not known yet." in lines[2]
    assert re.search(r" gpt-\S+ +unknown ", mini)


def scored_by(run, strategy):
    catalog = make_catalog()
    first, *others = catalog.routes
    routes = (replace(first, strategy=strategy), *others)
    made = services_of(replace(catalog, routes=routes))
    return run(CHAT, services=made).stdout.splitlines()


def test_json_is_for_machines(run):
    told = json.loads(run(CHAT, "--json").stdout)

    assert told["route"]["name"] == "fast"
    assert {each["deployment"] for each in told["candidates"]} == {
        "mini",
        "large",
        "rack",
    }
    assert told["error"] is None


def test_the_chat_may_come_on_standard_input(run):
    result = run("-", "--json", input='{"model": "own", "prompt": "Hi"}')

    assert [each["deployment"] for each in json.loads(result.stdout)["candidates"]] == [
        "rack"
    ]


def test_what_means_nothing_is_told(run):
    result = run('{"model": "fast", "max_token": 5, "stream": true, "n": 2}')

    assert result.exit_code == 0
    warned = [line for line in result.stderr.splitlines() if "warning" in line]
    assert warned == ["warning: unknown_field: max_token"]


def test_providers_may_be_named_directly(run):
    result = run('{"model": "box/any"}')

    assert result.exit_code == 0
    assert "box/any" in result.stdout


def test_who_is_left_out_stands_below_with_the_reason(run, fake_clock):
    health = Health(fake_clock, Random(1))
    mini = make_catalog().deployments["mini"]
    for _ in range(5):
        visit = health.enter(mini, "fast", tokens=1, streams=False)
        visit.end(LLMUnavailable(), Usage(), 0.1)
    catalog = make_catalog()
    small = replace(catalog.deployments["large"], context_window=2)
    catalog = replace(catalog, deployments={**catalog.deployments, "large": small})

    lines = run(CHAT, services=services_of(catalog, health)).stdout.splitlines()

    heading, *rows = lines[lines.index("Not asked now:") + 1 :]
    assert heading.split() == ["ROUTE", "DEPLOYMENT", "MODEL", "WHY", "FOR", "DETAILS"]
    told = {row.split()[1]: row for row in rows}
    assert set(told) == {"mini", "large"}
    assert re.search(r"cooling down +[456] s +-$", told["mini"])
    assert re.search(r"input too long +- +about \d+ tokens .* 2$", told["large"])


def test_where_nobody_is_ready_the_last_resort_is_named(run, fake_clock):
    health = Health(fake_clock, Random(1))
    catalog = make_catalog()
    for _ in range(5):
        visit = health.enter(
            catalog.deployments["rack"], "own", tokens=1, streams=False
        )
        visit.end(LLMUnavailable(), Usage(), 0.1)

    result = run('{"model": "own"}', services=services_of(catalog, health))

    assert "one request at a time may try rack" in result.stdout
    assert "Fallbacks: none." in result.stdout


def test_where_nobody_can_do_it_the_error_is_told(run):
    catalog = make_catalog()
    small = {
        name: replace(each, context_window=2)
        for name, each in catalog.deployments.items()
    }

    result = run(CHAT, services=services_of(replace(catalog, deployments=small)))

    assert "Nobody would be asked: LLM_CONTEXT_TOO_LONG." in result.stdout
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"model": "fsat"}', "the nearest: fast"),
        ('{"model": 5}', "model: is not a string"),
        ("{", "The body is not valid JSON."),
        ("[]", "it is not an object"),
    ],
)
def test_what_is_wrong_with_the_words_ends_it_with_status_2(run, body, words):
    result = run(body)

    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stdout == ""


def test_without_a_model_it_ends_with_status_1(run):
    result = run(CHAT, services=services_of(Catalog((), {})))

    assert result.exit_code == 1
    assert "No language model is configured" in result.stderr


class TestGateway:
    """With --url the gateway there is asked."""

    @pytest.fixture
    def explained(self, run):
        data = json.loads(run(CHAT, "--json").stdout)
        warnings = ["unknown_field: tool"]
        return {"data": data, "meta": {"settings_version": "3", "warnings": warnings}}

    def test_it_tells_what_the_gateway_knows(self, run, upstream, explained):
        upstream.always(json_reply(explained))

        result = run(CHAT, "--url", f"{upstream.url}/", "--token", TOKEN)

        (asked,) = upstream.requests
        assert (asked.method, asked.path) == ("POST", "/api/v1/routes/explain")
        assert asked.headers["authorization"] == f"Bearer {TOKEN}"
        assert asked.body == CHAT.encode()
        assert result.exit_code == 0
        assert "Route fast: weighted" in result.stdout
        assert result.stderr == "warning: unknown_field: tool\n"

    def test_the_token_may_stand_in_the_environment(self, run, upstream, explained):
        upstream.always(json_reply(explained))

        result = run(CHAT, "--url", upstream.url, env={"FLASKLLM_API_TOKEN": TOKEN})

        assert result.exit_code == 0
        assert upstream.requests[0].headers["authorization"] == f"Bearer {TOKEN}"

    def test_without_a_token_nobody_is_asked(self, run, upstream):
        result = run(CHAT, "--url", upstream.url)

        assert result.exit_code == 2
        assert "--token" in result.stderr
        assert upstream.requests == []

    @pytest.mark.parametrize(
        ("status", "exit_code"), [(400, 2), (404, 2), (401, 1), (503, 1)]
    )
    def test_what_the_gateway_refuses_is_told_in_its_words(
        self, run, upstream, status, exit_code
    ):
        error = {"error": "It cannot.", "details": "the nearest: fast", "code": "X"}
        upstream.always(json_reply(error, status))

        result = run(CHAT, "--url", upstream.url, "--token", TOKEN)

        assert result.exit_code == exit_code
        assert "It cannot. the nearest: fast" in result.stderr

    @pytest.mark.parametrize(
        "answer",
        [
            html(),
            json_reply([1]),
            json_reply({"status": "ok"}),
            json_reply({"data": {"id": "msg_1"}, "meta": {}}),
            json_reply({"status": "error"}, 404),
            redirect("http://127.0.0.1:9/"),
        ],
    )
    def test_what_is_no_gateway_is_told(self, run, upstream, answer):
        upstream.always(answer)

        result = run(CHAT, "--url", upstream.url, "--token", TOKEN)

        assert result.exit_code == 1
        assert f"No gateway answers at {upstream.url}" in result.stderr
        assert len(upstream.requests) == 1

    def test_an_address_where_nobody_listens_is_told(self, run, upstream):
        url = upstream.url
        upstream.stop()

        result = run(CHAT, "--url", url, "--token", TOKEN)

        assert result.exit_code == 1
        assert "ConnectionError" in result.stderr
