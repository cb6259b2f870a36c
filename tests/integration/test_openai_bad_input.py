"""What a caller sends wrong is a typed 4xx, and no upstream hears of it."""

import json

import pytest
from fakes import Upstream, chat

from flaskllm.core.auth import Scope

SETTINGS = """
providers:
  box: {{kind: openai_compatible, base_url: {url}}}
deployments:
  small: {{provider: box, model: scripted-1}}
  tiny: {{provider: box, model: scripted-1, context_window: 100}}
  blind: {{provider: box, model: scripted-1, capabilities: [json]}}
routes:
  - {{alias: fast, deployments: {{small: 1}}}}
  - {{alias: tiny, deployments: {{tiny: 1}}}}
  - {{alias: blind, deployments: {{blind: 1}}}}
default_route: fast
"""
HELLO = [{"role": "user", "content": "Hello"}]
PIXEL = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0K"}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}


@pytest.fixture
def post(make_gateway, upstream):
    """Post to a route below `/v1`."""
    gateway = make_gateway(SETTINGS.format(url=upstream.url))
    upstream.always(chat("Hi."))
    headers = {"Authorization": f"Bearer {gateway.make_token(Scope.CHAT)}"}

    def send(path="/chat/completions", headers_too=(), **fields):
        body = {"model": "fast", "messages": HELLO} | fields
        return gateway.client.post(
            f"/v1{path}", json=body, headers=headers | dict(headers_too)
        )

    return send


def test_a_good_request_passes(post, upstream):
    assert post().status_code == 200
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    ("fields", "status", "code", "param"),
    [
        ({"model": "fats"}, 404, "model_not_found", "model"),
        ({"model": "box/scripted-1"}, 404, "model_not_found", "model"),
        (
            {"model": "tiny", "messages": [{"role": "user", "content": "word " * 999}]},
            400,
            "context_length_exceeded",
            "messages",
        ),
        ({"messages": [{"role": "robot"}]}, 400, None, "messages.0.role"),
        ({"messages": HELLO * 10**4}, 400, None, "messages"),
        (
            {"model": "blind", "messages": [{"role": "user", "content": [PIXEL]}]},
            400,
            None,
            "messages",
        ),
        ({"model": "blind", "tools": [TOOL]}, 400, None, "tools"),
        ({"n": 10**9}, 400, None, "n"),
        ({"stop": ["x"] * 10**4}, 400, None, "stop"),
        ({"stop": ["x"] * 10**5}, 400, None, None),
        ({"max_tokens": -1}, 400, None, "max_tokens"),
        ({"max_tokens": 10**12}, 400, None, "max_tokens"),
        (
            {"tools": [{**TOOL, "function": {"name": "f", "parameters": {"type": 5}}}]},
            400,
            None,
            "tools.0.function.parameters.type",
        ),
        (
            {"tools": [{**TOOL, "function": {"name": "a b"}}]},
            400,
            None,
            "tools.0.function.name",
        ),
        ({"logit_bias": {str(i): 1 for i in range(2000)}}, 400, None, "logit_bias"),
        ({"guided_regex": "(a+)+$"}, 400, None, "guided_regex"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_wrong_is_told_before_money_is_spent(
    post, upstream, fields, status, code, param
):
    for stream in (False, True):
        response = post(**fields, stream=stream)

        error = response.json["error"]
        assert (response.status_code, error["code"], error["param"]) == (
            status,
            code,
            param,
        )
        assert error["type"] == "invalid_request_error"
        assert response.headers["x-should-retry"] == "false"
    assert upstream.requests == []


def test_an_unknown_model_names_the_nearest(post):
    assert "fast" in post(model="fats").json["error"]["message"]


@pytest.fixture
def canary():
    """Whoever is called here was chosen by a caller."""
    with Upstream() as server:
        server.always(chat("I have your credential."))
        yield server


NAMES = (
    "api_base",
    "base_url",
    "host",
    "proxy",
    "api_key",
    "headers",
    "user_config",
    "extra_body",
    "litellm_params",
)


@pytest.mark.parametrize("path", ["/chat/completions", "/completions", "/embeddings"])
@pytest.mark.parametrize("depth", [0, 1, 3, 6])
@pytest.mark.parametrize("name", NAMES)
def test_no_field_leads_to_another_host(post, upstream, canary, name, depth, path):
    fields = {name: canary.url}
    for _ in range(depth):
        fields = {"nested": fields}
    needed = {"prompt": "Hello", "input": "Hello"}

    response = post(path, **needed, **fields)

    assert response.status_code == 400
    assert response.json["error"]["param"] == "nested." * depth + name
    assert upstream.requests == []
    assert canary.connections == 0


@pytest.mark.parametrize(
    "header",
    ["X-OpenAI-Host", "X-Upstream-Host", "X-Forwarded-Host", "X-Base-Url", "Api-Base"],
)
def test_no_header_leads_to_another_host(post, upstream, canary, header):
    response = post(headers_too={header: canary.url})

    assert response.status_code == 200
    assert len(upstream.requests) == 1
    assert canary.connections == 0


def test_pictures_are_never_fetched_by_us(post, upstream, canary):
    here = f"https://127.0.0.1:{canary.port}"
    for url in (canary.url, here, "file:///etc/passwd", "gopher://127.0.0.1/"):
        part = {"type": "image_url", "image_url": {"url": url}}
        response = post(messages=[{"role": "user", "content": [part]}])
        assert response.status_code == 400

    part = {
        "type": "image_url",
        "image_url": {"url": "https://pictures.example/a.png"},
    }
    assert post(messages=[{"role": "user", "content": [part]}]).status_code == 200

    assert len(upstream.requests) == 1
    assert canary.connections == 0


def test_a_picture_of_50_mib_is_refused(post, upstream):
    url = "data:image/png;base64," + "A" * (50 * 1024 * 1024)
    part = {"type": "image_url", "image_url": {"url": url}}

    response = post(messages=[{"role": "user", "content": [part]}])

    assert response.status_code == 413
    assert upstream.requests == []


def test_names_in_messages_schemas_arguments_and_metadata_pass(post, upstream):
    any_json = {"api_base": 1, "headers": {"proxy": 2}}
    call = {"id": "c", "type": "function"}
    call["function"] = {"name": "f", "arguments": json.dumps(any_json)}
    parameters = {"type": "object", "properties": {"headers": {}, "host": {}}}

    response = post(
        messages=[
            {"role": "user", "content": json.dumps(any_json)},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "content": json.dumps(any_json)},
        ],
        tools=[
            {"type": "function", "function": {"name": "f", "parameters": parameters}}
        ],
        metadata=any_json,
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "a", "schema": parameters},
        },
    )

    assert response.status_code == 200
    assert upstream.requests[0].json["metadata"] == any_json
