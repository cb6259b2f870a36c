"""`/v1/completions`, `/v1/embeddings` and `/v1/models` before real upstreams."""

import base64
import json
import struct

import pytest
from dialect_scene import Caller, claude_events, message, settings
from fakes import chat, json_reply
from stream_steps import DONE, event, sse

CHOICE = {"text": " upon", "index": 0, "logprobs": None, "finish_reason": "stop"}
TEXT = {
    "id": "cmpl-up",
    "object": "text_completion",
    "created": 1767603600,
    "model": "fake-model-1",
    "choices": [
        {"text": " upon", "index": 0, "logprobs": None, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
SPEAKS_IT = """
providers:
  rack: {{kind: vllm, base_url: {url}/v1}}
deployments:
  any: {{provider: rack, model: "*"}}
routes:
  - {{pattern: "qwen*", deployments: {{any: 1}}}}
"""


@pytest.fixture
def caller(make_gateway, upstream):
    return Caller(make_gateway(settings(upstream)))


@pytest.fixture
def rack(make_gateway, upstream):
    """A caller of a gateway whose upstream completes texts itself."""
    return Caller(make_gateway(SPEAKS_IT.format(url=upstream.url)))


@pytest.mark.parametrize("prompt", ["Once", ["Once", "Twice"], [1, 2], [[1], [2]]])
def test_any_prompt_passes_where_the_dialect_is_shared(rack, upstream, prompt):
    upstream.always(json_reply(TEXT))
    body = {"model": "qwen-7b", "prompt": prompt, "echo": True, "logprobs": 2}

    response = rack.post("/v1/completions", body)

    assert response.json == TEXT
    (sent,) = upstream.requests
    assert (sent.path, sent.json) == ("/v1/completions", body)


def test_a_stream_of_texts_passes_where_the_dialect_is_shared(rack, upstream):
    choice = {"text": " upon", "index": 0, "finish_reason": None}
    last = {"text": "", "index": 0, "finish_reason": "stop"}
    events = [event({"choices": [choice]}), event({"choices": [last]})]
    counted = event({"choices": [], "usage": TEXT["usage"]})
    upstream.always(sse([*events, counted, DONE]))

    response = rack.post(
        "/v1/completions", {"model": "qwen-7b", "prompt": "Once", "stream": True}
    )

    assert response.data == b"".join([*events, DONE])


def test_a_prompt_becomes_a_turn_of_the_user_s_elsewhere(caller, upstream):
    upstream.always(message())

    response = caller.post(
        "/v1/completions",
        {"model": "claude", "prompt": "Once", "max_tokens": 9, "echo": True},
    )

    assert response.json["object"] == "text_completion"
    assert response.json["choices"][0]["text"] == "Hi there."
    assert "echo" in response.headers["X-Flaskllm-Dropped"].split(", ")
    (sent,) = upstream.requests
    assert sent.path == "/v1/messages"
    assert json.dumps(sent.json["messages"]).count("Once") == 1


def test_a_stream_is_told_in_texts_elsewhere(caller, upstream):
    upstream.always(sse(claude_events("Hi", " there")))

    response = caller.post(
        "/v1/completions", {"model": "claude", "prompt": "Once", "stream": True}
    )

    lines = response.data.decode().split("\n\n")
    texts = [json.loads(line[6:])["choices"][0]["text"] for line in lines[:-2]]
    assert texts == ["Hi", " there", ""]
    assert lines[-2:] == ["data: [DONE]", ""]


@pytest.mark.parametrize("prompt", [["a", "b"], [1, 2], [[1], [2]]])
def test_a_prompt_that_is_no_one_text_is_refused_elsewhere(caller, upstream, prompt):
    response = caller.post("/v1/completions", {"model": "claude", "prompt": prompt})

    assert response.status_code == 400
    assert response.json["error"]["param"] == "prompt"
    assert upstream.requests == []


def vectors(*given):
    data = [
        {"object": "embedding", "index": index, "embedding": vector}
        for index, vector in given
    ]
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    return json_reply({"object": "list", "data": data, "model": "e", "usage": usage})


def test_vectors_come_in_the_order_of_the_inputs(caller, upstream):
    upstream.always(vectors((1, [0.25, 2.0]), (0, [0.5, -1.0])))

    response = caller.post("/v1/embeddings", {"model": "open", "input": ["a", "b"]})

    told = [(each["index"], each["embedding"]) for each in response.json["data"]]
    assert told == [(0, [0.5, -1.0]), (1, [0.25, 2.0])]
    assert response.json["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


def test_vectors_in_base64_are_made_of_any_upstream_s(caller, upstream):
    upstream.always(vectors((0, [0.5, -1.0])))

    response = caller.post(
        "/v1/embeddings",
        {"model": "open", "input": [1, 2, 3], "encoding_format": "base64"},
    )

    (item,) = response.json["data"]
    told = base64.b64decode(item["embedding"], validate=True)
    assert struct.unpack("<2f", told) == (0.5, -1.0)
    assert upstream.requests[0].json["input"] == [[1, 2, 3]]


def test_embeddings_of_an_unknown_model_are_404(caller, upstream):
    response = caller.post("/v1/embeddings", {"model": "opne", "input": "a"})

    assert (response.status_code, response.json["error"]["code"]) == (
        404,
        "model_not_found",
    )
    assert upstream.requests == []


def test_embeddings_where_no_upstream_has_them_are_refused(caller, upstream):
    response = caller.post("/v1/embeddings", {"model": "claude", "input": "a"})

    assert 400 <= response.status_code < 504
    assert set(response.json["error"]) == {"message", "type", "param", "code"}
    assert upstream.requests == []


def test_the_list_holds_every_alias(caller):
    response = caller.open("GET", "/v1/models")

    assert response.json["object"] == "list"
    ids = [each["id"] for each in response.json["data"]]
    assert ids == ["claude", "open", "tiny", "both"]
    assert all(each["object"] == "model" for each in response.json["data"])


def test_a_name_that_a_pattern_matches_is_a_model_too(rack, upstream):
    response = rack.open("GET", "/v1/models/qwen/2.5-7b")

    assert (response.status_code, response.json["id"]) == (200, "qwen/2.5-7b")


def test_the_default_route_serves_who_names_no_model(caller, upstream):
    upstream.always(chat("Hi."))

    for model in (None, "", "auto"):
        body = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
        assert caller.post("/v1/chat/completions", body).status_code == 200
