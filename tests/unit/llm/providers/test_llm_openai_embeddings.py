import json
import math
from base64 import b64encode
from struct import pack

import pytest
from fakes import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.errors import LLMProtocolError, LLMRateLimited
from flaskllm.llm.providers import build_provider
from flaskllm.llm.types import Deployment, EmbeddingRequest, Embeddings, Usage
from flaskllm.net.transport import HttpReply

REQUEST = EmbeddingRequest("fast", ("one", (1, 2, 3)))


def provider(kind="openai"):
    return build_provider(kind, None, "sk-fake", FakeClock())


def sent(request, kind="openai"):
    found = provider(kind).encode_embedding(request, Deployment("a", "p", kind, "m-1"))
    return found.url, json.loads(found.body)


def decode(data, **others):
    body = json.dumps({"data": data, "model": "m-1", **others}).encode()
    return provider().decode_embedding(HttpReply(200, {}, body))


def test_texts_and_tokens_are_sent_in_their_order_and_nothing_unasked():
    assert sent(REQUEST, "llamacpp") == (
        "http://127.0.0.1:8080/v1/embeddings",
        {"model": "m-1", "input": ["one", [1, 2, 3]]},
    )


def test_base64_is_asked_for_where_it_is_offered():
    assert sent(REQUEST)[1]["encoding_format"] == "base64"


def test_size_and_user_are_sent_when_they_are_set():
    request = EmbeddingRequest("fast", ("one",), dimensions=8, user="u-1")

    assert sent(request)[1]["dimensions"] == 8
    assert sent(request)[1]["user"] == "u-1"
    assert sent(request, "mistral")[1] == {
        "model": "m-1",
        "input": ["one"],
        "output_dimension": 8,
    }


def test_vectors_come_in_the_order_of_the_inputs():
    data = [{"index": 1, "embedding": [2]}, {"index": 0, "embedding": [1.5]}]

    assert decode(data, usage={"prompt_tokens": 3, "total_tokens": 3}) == Embeddings(
        ((1.5,), (2.0,)), Usage(3, source="provider"), "m-1"
    )


def test_without_indexes_the_order_is_as_given():
    assert decode([{"embedding": [1.0]}, {"embedding": [2.0]}]).vectors == (
        (1.0,),
        (2.0,),
    )


@given(
    numbers=st.lists(
        st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1
    )
)
def test_base64_holds_little_endian_floats(numbers):
    text = b64encode(pack(f"<{len(numbers)}f", *numbers)).decode()

    assert decode([{"index": 0, "embedding": text}]).vectors == (tuple(numbers),)


UNREADABLE = {
    "no data": None,
    "empty": [],
    "no objects": [7],
    "twice the same": [{"index": 0, "embedding": [1]}] * 2,
    "one is missing": [{"index": 1, "embedding": [1]}],
    "an index of another type": [{"index": "0", "embedding": [1]}],
    "no vector": [{"index": 0}],
    "an empty vector": [{"index": 0, "embedding": []}],
    "an empty text": [{"index": 0, "embedding": ""}],
    "no base64": [{"index": 0, "embedding": "%%%"}],
    "a part of a float": [{"index": 0, "embedding": "AAA="}],
    "words": [{"index": 0, "embedding": ["a"]}],
    "too large": [{"index": 0, "embedding": [10**400]}],
    "not a number": [{"index": 0, "embedding": [math.nan]}],
    "infinite": [{"index": 0, "embedding": [math.inf]}],
}


@pytest.mark.parametrize("data", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_list_of_vectors_is_a_protocol_error(data):
    with pytest.raises(LLMProtocolError):
        decode(data)


def test_an_error_with_status_200_is_the_error_that_it_is():
    body = b'{"error": {"code": 429, "message": "later"}}'

    with pytest.raises(LLMRateLimited):
        provider().decode_embedding(HttpReply(200, {}, body))
