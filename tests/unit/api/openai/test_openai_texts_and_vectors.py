"""Text completions, embeddings and the list of models."""

import base64
import struct

import pytest
from face_fakes import build
from model_fakes import CHAT, USAGE

from flaskllm.api.openai.replies import embedding_list
from flaskllm.core.errors import LLMProtocolError
from flaskllm.llm.parts import Message
from flaskllm.llm.types import Completion, Embeddings

HELLO = {"messages": [{"role": "user", "content": "Hello"}]}


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("Once", "Once"),
        (["Once"], "Once"),
        (["Once", "Twice"], "Once\nTwice"),
        ([1, 2, 3], ""),
        ([[1, 2], [3]], ""),
    ],
)
def test_a_prompt_is_one_turn_for_every_other_dialect(ask, completions, prompt, text):
    body = {"prompt": prompt, "max_tokens": 4, "echo": True, "best_of": 1, "stop": "x"}
    assert ask("/completions", body).status_code == 200

    (request,) = completions.asked
    assert request.messages == (Message("user", text),)
    assert (request.choices, request.stop) == (1, ("x",))
    assert request.max_output_tokens == 4
    assert (request.body.wire, request.body.fields) == ("openai.text", body)
    assert sorted(request.body.extras) == ["best_of", "echo"]


def test_a_text_completion_has_every_field_that_clients_read(ask):
    told = ask("/completions", {"prompt": "Once"}).json

    assert told.pop("id").startswith("cmpl-")
    assert told["object"] == "text_completion"
    assert told["choices"] == [
        {"text": "Hi.", "index": 0, "logprobs": None, "finish_reason": "stop"}
    ]
    assert told["usage"]["total_tokens"] == 25


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": {}}, "prompt"),
        ({"prompt": ["a", 1]}, "prompt.1"),
        ({"prompt": [1, "a"]}, "prompt.1"),
        ({"prompt": [-1]}, "prompt.0"),
        ({"prompt": [[1], []]}, "prompt.1"),
        ({"prompt": ["a"] * 129}, "prompt"),
        ({"prompt": "a", "best_of": 100}, "best_of"),
        ({"prompt": "a", "n": 3, "best_of": 2}, "best_of"),
        ({"prompt": "a", "logprobs": 21}, "logprobs"),
        ({"prompt": "a", "stream_options": {}}, "stream_options"),
        ({"prompt": "a", "base_url": "x"}, "base_url"),
    ],
    ids=str,
)
def test_a_text_completion_that_is_wrong_is_refused(ask, completions, body, param):
    reply = ask("/completions", body)

    assert (reply.status_code, reply.json["error"]["param"]) == (400, param)
    assert completions.asked == []


@pytest.mark.parametrize(
    ("given", "inputs"),
    [
        ("a", ("a",)),
        (["a", "b"], ("a", "b")),
        ([1, 2], ((1, 2),)),
        ([[1, 2], [3]], ((1, 2), (3,))),
    ],
)
def test_embeddings_take_texts_and_tokens(ask, completions, given, inputs):
    body = {"model": "fast", "input": given, "dimensions": 2, "user": "u"}
    assert ask("/embeddings", body).status_code == 200

    (request,) = completions.asked
    assert request.inputs == inputs
    assert (request.model, request.dimensions, request.user) == ("fast", 2, "u")


@pytest.mark.parametrize("encoding", [None, "float"])
def test_vectors_are_numbers_in_the_order_of_the_inputs(ask, encoding):
    reply = ask("/embeddings", {"input": ["a", "b"], "encoding_format": encoding})

    assert reply.json == {
        "object": "list",
        "data": [
            {"object": "embedding", "index": 0, "embedding": [0.5, -1.0]},
            {"object": "embedding", "index": 1, "embedding": [0.25, 2.0]},
        ],
        "model": "upstream-name",
        "usage": {"prompt_tokens": 16, "total_tokens": 16},
    }


def test_vectors_in_base64_are_little_endian_floats_of_32_bits(ask):
    reply = ask("/embeddings", {"input": "a", "encoding_format": "base64"})

    first = base64.b64decode(reply.json["data"][0]["embedding"], validate=True)
    assert struct.unpack("<2f", first) == (0.5, -1.0)


def test_a_number_that_32_bits_cannot_hold_is_a_broken_answer():
    embeddings = Embeddings(((3e300,),), USAGE, "upstream-name")

    with pytest.raises(LLMProtocolError):
        embedding_list(embeddings, "base64")


def test_fields_that_no_embedder_is_told_are_named(ask):
    reply = ask("/embeddings", {"input": "a", "input_type": "query"})

    assert reply.headers["X-Flaskllm-Dropped"] == "input_type"


def test_a_request_of_300_000_token_numbers_is_read(ask, completions):
    body = {"input": [list(range(1000))] * 300}

    assert ask("/embeddings", body).status_code == 200
    assert len(completions.asked[0].inputs) == 300


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "input"),
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": ["a", ""]}, "input.1"),
        ({"input": ["a"] * 2049}, "input"),
        ({"input": [[]]}, "input.0"),
        ({"input": "a", "encoding_format": "hex"}, "encoding_format"),
        ({"input": "a", "dimensions": 0}, "dimensions"),
        ({"input": "a", "headers": {}}, "headers"),
    ],
    ids=str,
)
def test_a_wrong_request_for_embeddings_is_refused(ask, completions, body, param):
    reply = ask("/embeddings", body)

    assert (reply.status_code, reply.json["error"]["param"]) == (400, param)
    assert completions.asked == []


@pytest.fixture
def client(services):
    return build(services).test_client()


def test_models_are_listed(client):
    reply = client.get("/v1/models", headers=CHAT)

    assert reply.json["object"] == "list"
    assert [each["id"] for each in reply.json["data"]] == ["fast", "org/name"]


@pytest.mark.parametrize("name", ["fast", "org/name"])
def test_a_model_is_found_by_its_name_with_slashes_too(client, bearer, name):
    reply = client.get(f"/v1/models/{name}", headers=bearer("read"))

    assert reply.json == {
        "id": name,
        "object": "model",
        "created": 1767603600,
        "owned_by": "flaskllm",
    }


def test_an_unknown_model_is_404_with_its_nearest(client):
    reply = client.get("/v1/models/fats", headers=CHAT)

    assert reply.status_code == 404
    assert reply.json["error"]["code"] == "model_not_found"
    assert "fast" in reply.json["error"]["message"]


@pytest.mark.parametrize("path", ["/chat/completions", "/completions", "/embeddings"])
def test_only_the_scope_chat_may_ask_models(client, bearer, path):
    reply = client.post(f"/v1{path}", json=HELLO, headers=bearer("read"))

    assert reply.status_code == 403
    assert reply.json["error"]["code"] == "insufficient_permissions"


def test_a_text_completion_of_an_upstream_of_this_dialect_is_the_reply(
    ask, completions
):
    completions.answer = Completion("", "stop", USAGE, "m", raw=b'{"id": "theirs"}')

    assert ask("/completions", {"prompt": "Once"}).data == b'{"id": "theirs"}'
