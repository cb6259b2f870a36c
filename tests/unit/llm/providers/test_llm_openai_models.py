import json

import pytest
from fakes import FakeClock

from flaskllm.core.errors import LLMProtocolError
from flaskllm.llm.providers import ListedModel, build_provider
from flaskllm.net.transport import HttpReply


def provider(kind="vllm", api_key=None):
    return build_provider(kind, None, api_key, FakeClock())


def decode(listed):
    body = listed if isinstance(listed, bytes) else json.dumps(listed).encode()
    return provider().decode_listing(HttpReply(200, {}, body))


def test_the_list_is_asked_for_with_the_credential():
    request = provider("openai", "sk-fake").encode_listing()

    assert (request.method, request.url, request.body) == (
        "GET",
        "https://api.openai.com/v1/models",
        b"",
    )
    assert request.headers["authorization"] == "Bearer sk-fake"


def test_without_a_credential_none_is_sent():
    assert "authorization" not in provider().encode_listing().headers


ENTRIES = {
    "vllm": ({"max_model_len": 4096}, ListedModel("m", 4096)),
    "groq": (
        {"context_window": 8192, "max_completion_tokens": 100},
        ListedModel("m", 8192, 100),
    ),
    "llama.cpp, as it is served": (
        {"meta": {"n_ctx": 4096, "n_ctx_train": 131072}},
        ListedModel("m", 4096),
    ),
    "llama.cpp, as it was trained": (
        {"meta": {"n_ctx_train": 131072}},
        ListedModel("m"),
    ),
    "counts that cannot be true": (
        {"max_model_len": -1, "context_length": "8k", "context_window": True},
        ListedModel("m"),
    ),
    "a group that is none": ({"meta": None, "top_provider": 7}, ListedModel("m")),
    "capabilities of another type": (
        {"capabilities": ["x"], "supported_parameters": "tools"},
        ListedModel("m"),
    ),
    "parameters without an architecture": (
        {"supported_parameters": ["tools"]},
        ListedModel("m", capabilities=frozenset({"tools"})),
    ),
}


@pytest.mark.parametrize(("told", "model"), ENTRIES.values(), ids=ENTRIES)
def test_a_model_is_read_with_what_the_service_tells(told, model):
    assert decode({"data": [{"id": "m", **told}]}) == (model,)


def test_a_list_may_stand_for_itself():
    assert decode([{"id": "m"}]) == (ListedModel("m"),)


def test_an_entry_without_a_name_is_left_out():
    entries = [{"id": "m"}, {}, {"id": ""}, {"id": 7}, {"id": "x" * 201}, "m", None]

    assert decode({"data": entries}) == (ListedModel("m"),)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"data": {}}', b"7"])
def test_what_is_no_list_is_a_protocol_error(body):
    with pytest.raises(LLMProtocolError):
        decode(body)
