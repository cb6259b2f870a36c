"""What the contract promises of every provider, asked of the real ones.

`make test-live` asks those whose credential or URL is set and skips the others by
name. Nothing is asked once FLASKLLM_TEST_SPEND_DOLLARS (0.05) could be overrun. What
a model says is never looked at, only how.
"""

import json
import os
from dataclasses import replace

import pytest
from places import ABSENT, CAP_VARIABLE, VARIABLES, VECTORS

from flaskllm.core.errors import (
    LLMAPIError,
    LLMCredentialRejected,
    LLMInvalidRequest,
    LLMRequestRejected,
)
from flaskllm.llm.parts import Message
from flaskllm.llm.providers import Embedder, Lister
from flaskllm.llm.types import CompletionRequest, EmbeddingRequest, JsonFormat, Tool

if not os.environ.get(CAP_VARIABLE):
    pytest.skip("`make test-live` asks real providers", allow_module_level=True)

CHAT = CompletionRequest(
    "live",
    (
        Message("system", "Answer in one word."),
        Message("user", "On which day of the week does a week begin in Europe?"),
    ),
    max_output_tokens=48,
)
SCHEMA = {
    "type": "object",
    "properties": {"day": {"type": "string"}},
    "required": ["day"],
    "additionalProperties": False,
}
REFUSALS = (LLMInvalidRequest, LLMRequestRejected)
FINISHES = ("stop", "length", "tool_calls")


def ask(live, purse, request):
    """Return the completion of a whole answer, which is paid."""
    purse.reserve(request)
    reply = live.send(live.provider.encode(request, live.deployment))
    if reply.status != 200:
        raise live.provider.explain(reply)
    completion = live.provider.decode(reply, request)
    purse.pay(completion.usage)
    return completion


@pytest.mark.parametrize("kind", ABSENT)
def test_who_is_not_there_is_skipped_by_name(kind):
    pytest.skip(f"{kind}: {VARIABLES[kind]} is not set")


def test_a_whole_answer_has_words_a_finish_and_counted_tokens(live, purse):
    found = ask(live, purse, CHAT)

    assert found.finish_reason in ("stop", "length")
    assert found.text or found.thinking or found.finish_reason == "length"
    assert found.usage.source == "provider"
    assert found.usage.tokens_input > 5
    assert found.model


def test_a_stream_has_tokens_a_finish_and_an_end(live, purse):
    asked = replace(CHAT, stream=True)
    purse.reserve(asked)
    reader = live.provider.read_stream(asked)

    chunks = []
    for data in live.pieces(live.provider.encode(asked, live.deployment)):
        chunks += reader.feed(data)
    chunks += reader.end()

    purse.pay(reader.usage)
    assert reader.is_finished
    assert reader.finish_reason in ("stop", "length")
    assert reader.malformed == 0
    assert reader.has_token
    assert "".join(chunk.thinking + chunk.text for chunk in chunks) == reader.output
    if not live.is_local:
        assert reader.usage.source == "provider"


def test_json_is_valid_against_the_schema_or_refused_by_type(live, purse):
    asked = replace(CHAT, json_format=JsonFormat(SCHEMA, "day", strict=True))
    try:
        found = ask(live, purse, asked)
    except LLMAPIError:
        if live.is_local:  # llama-cpp-python knows no schema: status 500
            return
        raise

    if found.finish_reason == "stop":
        assert isinstance(json.loads(found.text), dict)


def test_a_tool_is_called_with_json_or_left_alone_or_refused_by_type(live, purse):
    tool = Tool("name_day", "Takes the name of a day of the week.", SCHEMA)
    try:
        found = ask(live, purse, replace(CHAT, tools=(tool,)))
    except LLMAPIError:
        if live.is_local:  # an engine may need a flag for tools
            return
        raise

    assert found.finish_reason in FINISHES
    if found.finish_reason == "tool_calls":
        assert all(call.id and call.name == "name_day" for call in found.tool_calls)
        assert all(isinstance(json.loads(c.arguments), dict) for c in found.tool_calls)


def test_the_models_are_listed_and_the_one_that_is_asked_is_among_them(live):
    if not isinstance(live.provider, Lister):
        pytest.skip(f"{live.kind} lists no models")

    listed = live.models()

    assert listed
    assert any(live.model in name or name in live.model for name in listed)


def test_an_unknown_model_is_refused_by_type(live, purse):
    purse.reserve(CHAT)
    there = replace(live.deployment, model="no-such-model-of-ours")

    reply = live.send(live.provider.encode(CHAT, there))

    if reply.status == 200:
        assert live.kind == "llamacpp", "only llama.cpp answers to any name"
    else:
        assert isinstance(live.provider.explain(reply), REFUSALS)


def test_a_wrong_credential_is_told_as_one(live):
    if live.is_local:
        pytest.skip(f"{live.kind} may ask for no credential")

    sent = live.build("sk-wrong-on-purpose").encode(CHAT, live.deployment)
    found = live.provider.explain(live.send(sent))

    assert isinstance(found, LLMCredentialRejected)


def test_vectors_come_one_for_each_input(live, purse):
    if not isinstance(live.provider, Embedder):
        pytest.skip(f"{live.kind} has no vectors")
    model = VECTORS.get(live.kind) or (live.model if live.is_local else "")
    if not model:
        pytest.skip(f"{live.kind}: no model for vectors is known")
    asked = EmbeddingRequest("live", ("one", "two"))

    reply = live.send(
        live.provider.encode_embedding(asked, replace(live.deployment, model=model))
    )

    if reply.status != 200:
        assert live.is_local, live.provider.explain(reply)
        assert isinstance(live.provider.explain(reply), LLMAPIError)
        return
    found = live.provider.decode_embedding(reply)
    purse.pay(found.usage)
    assert len(found.vectors) == 2
    assert len(found.vectors[0]) == len(found.vectors[1]) > 0
