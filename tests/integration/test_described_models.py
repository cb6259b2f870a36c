"""A server of one's own is asked about its models, through the whole gateway."""

import json

import pytest
from dialect_scene import Caller
from fakes import json_reply, status

SETTINGS = """
providers:
  box: {{kind: ollama, base_url: "{url}", models: discover}}
  rack: {{kind: vllm, base_url: "{url}"}}
deployments:
  llama: {{provider: box, model: "llama3.1:8b"}}
  qwen: {{provider: rack, model: qwen}}
routes:
  - {{alias: local, deployments: {{llama: 1}}}}
  - {{alias: rack, deployments: {{qwen: 1}}}}
"""
SHOWN = {
    "model_info": {"general.architecture": "x", "x.context_length": 4096},
    "capabilities": ["completion"],
}
SAID = {
    "model": "llama3.1:8b",
    "message": {"role": "assistant", "content": "Friday."},
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 900,
    "eval_count": 3,
}
REPLIES = {
    "/api/tags": json_reply({"models": [{"name": "gemma3:4b"}]}),
    "/api/show": json_reply(SHOWN),
    "/api/chat": json_reply(SAID),
    "/v1/models": json_reply({"data": [{"id": "qwen", "max_model_len": 1024}]}),
}
LONG = [{"role": "user", "content": "we meet on friday " * 200}]
TOO_LONG = [{"role": "user", "content": "we meet on friday " * 2000}]
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
ADDRESS = {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}


def serve(exchange):
    REPLIES[exchange.request.path](exchange)


@pytest.fixture
def caller(make_gateway, upstream):
    upstream.always(serve)
    return Caller(make_gateway(SETTINGS.format(url=upstream.url)))


def ask(caller, messages, model="local", **fields):
    body = {"model": model, "messages": messages, **fields}
    return caller.post("/v1/chat/completions", body)


def paths(upstream):
    return [request.path for request in upstream.requests]


def test_a_short_question_asks_nothing_else(caller, upstream):
    assert ask(caller, [{"role": "user", "content": "Hello"}]).status_code == 200
    assert paths(upstream) == ["/api/chat"]


@pytest.mark.parametrize("model", ["local", "gemma3:4b"])
def test_a_long_one_gets_no_more_context_than_the_model_has(caller, upstream, model):
    assert ask(caller, LONG, model).status_code == 200
    assert ask(caller, LONG, model).status_code == 200

    assert [path for path in paths(upstream) if path != "/api/tags"] == [
        "/api/show",
        "/api/chat",
        "/api/chat",
    ]
    assert upstream.requests[-1].json["options"]["num_ctx"] == 4096


@pytest.mark.parametrize(
    ("model", "asked"), [("local", "/api/show"), ("rack", "/v1/models")]
)
def test_one_that_is_too_long_is_told_so_before_the_model_is_asked(
    caller, upstream, model, asked
):
    response = ask(caller, TOO_LONG, model)

    assert response.status_code == 400
    assert response.json["error"]["code"] == "context_length_exceeded"
    assert paths(upstream) == [asked]


def test_an_image_is_refused_for_a_model_that_cannot_see(caller, upstream):
    response = ask(caller, [{"role": "user", "content": [PICTURE]}])

    assert response.status_code == 400
    assert response.json["error"]["param"] == "messages"
    assert paths(upstream) == ["/api/show"]


def test_an_image_by_its_address_is_refused_where_nobody_fetches_it(caller, upstream):
    response = ask(caller, [{"role": "user", "content": [ADDRESS]}])

    assert response.status_code == 400
    assert "base64" in response.json["error"]["message"]
    assert "/api/chat" not in paths(upstream)


def test_a_server_that_does_not_tell_is_believed_to_do_it_all(caller, upstream):
    upstream.script(status(500))

    assert ask(caller, TOO_LONG).status_code == 200
    assert paths(upstream) == ["/api/show", "/api/chat"]
    assert caller.gateway.events("model_not_described")
    assert json.loads(upstream.requests[0].body) == {"model": "llama3.1:8b"}
