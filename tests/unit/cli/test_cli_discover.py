"""What listens on this machine's ports becomes a catalogue that can be pasted."""

import json
import socket

import pytest
import yaml
from click.testing import CliRunner
from config_files import write
from fakes import Upstream, hang, json_reply, raw, status

from flaskllm.cli.config import config
from flaskllm.cli.discover import catalogue_text
from flaskllm.cli.probing import DEFAULT_PORTS, Server
from flaskllm.core.config import load
from flaskllm.llm.providers import ListedModel

SHOWN = {
    "llama3.1:8b": {
        "capabilities": ["completion", "tools"],
        "model_info": {"general.architecture": "llama", "llama.context_length": 131072},
    },
    "nomic-embed-text:latest": {
        "capabilities": ["embedding"],
        "model_info": {"general.architecture": "nomic", "nomic.context_length": 2048},
    },
}
OLLAMA = {
    "/api/version": {"version": "0.34.4"},
    "/api/tags": {"models": [{"name": name} for name in reversed(SHOWN)]},
}
VLLM = {
    "/version": {"version": "0.30.0"},
    "/v1/models": {"data": [{"id": "Qwen/Qwen3-8B", "max_model_len": 40960}]},
}
LLAMACPP = {
    "/props": {"default_generation_settings": {"n_ctx": 4096}, "total_slots": 1},
    "/v1/models": {
        "data": [{"id": "/models/tiny one.gguf", "meta": {"n_ctx_train": 8192}}]
    },
}
COMPATIBLE = {"/v1/models": {"object": "list", "data": [{"id": "mine"}]}}


def serving(answers, otherwise=None):
    """Return a step that answers each path; another with 404."""

    def step(exchange):
        path = exchange.request.path
        if path == "/api/show":
            step_ = json_reply(SHOWN[exchange.request.json["model"]])
        elif path in answers:
            step_ = json_reply(answers[path])
        else:
            step_ = otherwise or status(404)
        step_(exchange)

    return step


@pytest.fixture
def upstream():
    with Upstream() as upstream:
        yield upstream


def run(*ports):
    options = [word for port in ports for word in ("--port", str(port))]
    return CliRunner().invoke(config, ["discover", *options])


def discovered(upstream, answers, otherwise=None):
    """Return the catalogue of one server."""
    upstream.always(serving(answers, otherwise))
    result = run(upstream.port)
    assert result.exit_code == 0, result.output
    return yaml.safe_load(result.stdout)


def test_ollama_is_told_with_its_models_and_what_each_can_do(upstream):
    found = discovered(upstream, OLLAMA)

    assert found == {
        "providers": {"ollama": {"kind": "ollama", "base_url": upstream.url}},
        "deployments": {
            "nomic-embed-text:latest": {
                "provider": "ollama",
                "model": "nomic-embed-text:latest",
                "context_window": 2048,
                "capabilities": ["embeddings"],
            },
            "llama3.1:8b": {
                "provider": "ollama",
                "model": "llama3.1:8b",
                "context_window": 131072,
                "capabilities": ["json", "tools"],
            },
        },
        "routes": [
            {
                "alias": "nomic-embed-text:latest",
                "deployments": {"nomic-embed-text:latest": 1},
            },
            {"alias": "llama3.1:8b", "deployments": {"llama3.1:8b": 1}},
        ],
        "default_route": "llama3.1:8b",
    }


def test_vllm_is_told_with_the_window_that_it_serves(upstream):
    found = discovered(upstream, VLLM)

    assert found["providers"] == {
        "vllm": {"kind": "vllm", "base_url": f"{upstream.url}/v1"}
    }
    assert found["deployments"]["Qwen/Qwen3-8B"]["context_window"] == 40960


def test_llama_cpp_is_told_with_the_window_of_one_request_and_a_short_name(upstream):
    found = discovered(upstream, LLAMACPP)

    deployment = found["deployments"]["tiny-one"]
    assert found["providers"]["llamacpp"]["kind"] == "llamacpp"
    assert deployment["model"] == "/models/tiny one.gguf"
    assert deployment["context_window"] == 4096


OTHERS = {
    "404 to every other path": None,
    "200 and an error to every other path": json_reply({"error": "unexpected"}),
    "200 and a page to every other path": raw(
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", close=False
    ),
}


@pytest.mark.parametrize("otherwise", OTHERS.values(), ids=OTHERS)
def test_any_other_server_of_the_dialect_is_compatible(upstream, otherwise):
    found = discovered(upstream, COMPATIBLE, otherwise)

    assert found["providers"] == {
        "local": {"kind": "openai_compatible", "base_url": f"{upstream.url}/v1"}
    }
    assert list(found["deployments"]) == ["mine"]


@pytest.mark.parametrize(
    "answers", [OLLAMA, VLLM, LLAMACPP, COMPATIBLE], ids=lambda each: next(iter(each))
)
def test_a_catalogue_is_valid_as_it_is_printed(upstream, tmp_path, answers):
    upstream.always(serving(answers))
    write(tmp_path, run(upstream.port).stdout)

    settings = load({}, tmp_path).settings

    assert settings.default_route in settings.deployments
    assert len(settings.routes) == len(settings.deployments)


def test_a_server_without_models_is_told_alone(upstream):
    found = discovered(upstream, {**OLLAMA, "/api/tags": {"models": []}})

    assert list(found) == ["providers"]


def test_a_model_that_tells_nothing_is_told_by_its_name(upstream):
    listed = {**OLLAMA, "/api/tags": {"models": [{"name": "llama3.1:8b"}]}}

    def step(exchange):
        if exchange.request.path == "/api/show":
            exchange.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull")
        else:
            serving(listed)(exchange)

    upstream.always(step)
    found = yaml.safe_load(run(upstream.port).stdout)

    assert found["deployments"] == {
        "llama3.1:8b": {"provider": "ollama", "model": "llama3.1:8b"}
    }


def test_a_server_that_asks_for_a_credential_is_told_without_models(upstream):
    only_version = {"/version": VLLM["/version"]}
    upstream.always(serving(only_version, status(401)))

    result = run(upstream.port)

    assert "asks for a credential" in result.stderr
    assert list(yaml.safe_load(result.stdout)) == ["providers"]


def test_a_known_server_that_lists_nothing_is_told_without_models(upstream):
    found = discovered(upstream, {"/version": VLLM["/version"]})

    assert found == {
        "providers": {"vllm": {"kind": "vllm", "base_url": f"{upstream.url}/v1"}}
    }


NOT_SERVERS = {
    "a page": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", close=False),
    "nothing but refusals": status(403),
    "not found": status(404),
    "no HTTP": raw(b"220 mail ready\r\n"),
    "silence": hang(),
}


@pytest.mark.parametrize("step", NOT_SERVERS.values(), ids=NOT_SERVERS)
def test_what_is_no_model_server_is_not_told(upstream, step):
    upstream.always(step)

    result = run(upstream.port)

    assert result.exit_code == 1
    assert str(upstream.port) in result.stderr
    assert result.stdout == ""


def test_nothing_found_ends_with_status_1_and_says_where_it_looked():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    result = run(port)

    assert result.exit_code == 1
    assert f"no model server answers on 127.0.0.1: {port}" in result.stderr


def test_several_servers_make_one_catalogue_and_no_name_twice(tmp_path):
    with Upstream() as first, Upstream() as second, Upstream() as silent:
        first.always(serving(COMPATIBLE))
        second.always(serving(COMPATIBLE))
        silent.always(hang())

        result = run(silent.port, first.port, second.port, first.port)

        found = yaml.safe_load(result.stdout)
        assert {
            name: each["base_url"] for name, each in found["providers"].items()
        } == {
            "local": f"{first.url}/v1",
            "local-2": f"{second.url}/v1",
        }
    assert list(found["deployments"]) == ["mine", "mine-2"]
    assert found["deployments"]["mine-2"] == {"provider": "local-2", "model": "mine"}
    assert load({"FLASKLLM_CONFIG": str(write(tmp_path, result.stdout))}, tmp_path)


def test_only_questions_are_sent_and_no_credential(upstream):
    discovered(upstream, OLLAMA)

    asked = [(each.method, each.path) for each in upstream.requests]
    assert asked == [
        ("GET", "/api/version"),
        ("GET", "/api/tags"),
        ("POST", "/api/show"),
        ("POST", "/api/show"),
    ]
    assert not any("authorization" in each.headers for each in upstream.requests)


NAMES = {
    "/models/a/Some Model.Q4.gguf": "Some-Model.Q4",
    "C:\\models\\tiny.gguf": "tiny",
    "org/model:tag": "org/model:tag",
    "@cf/org/model": "cf/org/model",
    "möglich": "m-glich",
    "模型": "model",
    "offline": "offline-model",
    "x" * 300: "x" * 100,
}


@pytest.mark.parametrize(("id_", "name"), NAMES.items(), ids=map(ascii, NAMES))
def test_a_name_is_made_that_the_settings_allow(id_, name, tmp_path):
    server = Server(1, "p", "vllm", "http://127.0.0.1:1/v1", (ListedModel(id_[:250]),))

    text = catalogue_text([server])

    assert list(yaml.safe_load(text)["deployments"]) == [name]
    assert load({"FLASKLLM_CONFIG": str(write(tmp_path, text))}, tmp_path)


def test_where_all_is_for_vectors_the_first_is_the_default():
    models = (ListedModel("a", capabilities=frozenset({"embeddings"})),)

    text = catalogue_text([Server(1, "p", "ollama", "http://127.0.0.1:1", models)])

    assert yaml.safe_load(text)["default_route"] == "a"


def test_the_usual_ports_are_those_of_the_servers_that_are_known():
    assert json.loads(json.dumps(DEFAULT_PORTS)) == {
        "11434": "ollama",
        "8000": "vllm",
        "8080": "llamacpp",
        "1234": "lmstudio",
        "30000": "sglang",
    }
