import json
from dataclasses import replace

import pytest
from fakes import FakeClock

from flaskllm.core.errors import LLMRateLimited
from flaskllm.llm.parts import Message
from flaskllm.llm.providers import Embedder, build_provider
from flaskllm.llm.types import (
    CallerBody,
    CompletionRequest,
    Deployment,
    EmbeddingRequest,
)
from flaskllm.net.transport import HttpReply

REQUEST = CompletionRequest("fast", (Message("user", "Hi"),))
THERE = Deployment("a", "p", "azure", "my deployment/1")
RESOURCE = "https://acme.openai.azure.com"


def provider(base_url=RESOURCE, api_version=None):
    return build_provider("azure", base_url, "k-fake", FakeClock(), api_version)


ADDRESSES = {
    "the resource": (
        RESOURCE,
        None,
        f"{RESOURCE}/openai/deployments/my%20deployment%2F1/chat/completions"
        "?api-version=2024-10-21",
    ),
    "the resource's path": (
        f"{RESOURCE}/openai/",
        "2025-01-01-preview",
        f"{RESOURCE}/openai/deployments/my%20deployment%2F1/chat/completions"
        "?api-version=2025-01-01-preview",
    ),
    "v1": (f"{RESOURCE}/openai/v1/", None, f"{RESOURCE}/openai/v1/chat/completions"),
    "v1 with a version": (
        f"{RESOURCE}/openai/v1",
        "preview",
        f"{RESOURCE}/openai/v1/chat/completions?api-version=preview",
    ),
}


@pytest.mark.parametrize(
    ("base_url", "version", "url"), ADDRESSES.values(), ids=ADDRESSES
)
def test_the_deployment_stands_where_the_form_of_the_address_wants_it(
    base_url, version, url
):
    sent = provider(base_url, version).encode(REQUEST, THERE)

    assert sent.url == url
    assert json.loads(sent.body)["model"] == "my deployment/1"
    assert sent.headers["api-key"] == "k-fake"
    assert "authorization" not in sent.headers


def test_a_text_and_vectors_have_their_own_paths():
    found, text = provider(), CallerBody("openai.text", {"prompt": "Hi"})

    completed = found.encode(replace(REQUEST, body=text), THERE)
    embedded = found.encode_embedding(EmbeddingRequest("fast", ("x",)), THERE)

    assert isinstance(found, Embedder)
    assert "/my%20deployment%2F1/completions?" in completed.url
    assert "/my%20deployment%2F1/embeddings?" in embedded.url


VERSIONS = {
    None: True,
    "2024-10-21": True,
    "2024-09-01-preview": True,
    "2024-06-01": False,
    "preview": True,
}


@pytest.mark.parametrize(("version", "asks"), VERSIONS.items(), ids=map(str, VERSIONS))
def test_usage_is_asked_for_where_the_version_knows_how(version, asks):
    sent = provider(api_version=version).encode(replace(REQUEST, stream=True), THERE)

    assert json.loads(sent.body)["stream"] is True
    assert ("stream_options" in json.loads(sent.body)) is asks


BAD = {
    "no address": (None, "k", None, "base_url"),
    "no credential": (RESOURCE, None, None, "api_key"),
    "a version that ends the query": (RESOURCE, "k", "1&x=2", "api_version"),
}


@pytest.mark.parametrize(("url", "key", "version", "word"), BAD.values(), ids=BAD)
def test_what_cannot_be_used_is_refused_by_name(url, key, version, word):
    with pytest.raises(ValueError, match=word):
        build_provider("azure", url, key, FakeClock(), version)


def test_the_credential_is_not_shown():
    assert "k-fake" not in repr(provider())


def test_a_limit_says_to_the_millisecond_when_to_come_back():
    found = provider().explain(HttpReply(429, {"retry-after-ms": "250"}, b"{}"))

    assert type(found) is LLMRateLimited
    assert found.retry_after_seconds == 0.25
