"""What every provider keeps, whatever its dialect: recorded bytes in, values out.

One suite over all of them. How an exchange or a provider is added is said in
`recordings.py`.
"""

import json

import pytest
from contract_requests import ASKS, CHAT, EMBEDDING, MODEL, QUESTION, deployment
from fakes import FakeClock
from folding import forget_ids
from recordings import (
    CREDENTIAL,
    build,
    completion_of,
    embeddings_of,
    models_of,
    place,
    read_all,
)

from flaskllm.core import errors
from flaskllm.core.errors import LLMAPIError, NoModelConfigured
from flaskllm.llm.providers import Embedder, Lister, LocalProvider, build_provider
from flaskllm.llm.types import CompletionRequest, Extraction
from flaskllm.net.transport import HttpReply

RECORDINGS = read_all()
FOLDERS = sorted({recording.folder for recording in RECORDINGS})
WHOLE = [each for each in RECORDINGS if not each.is_stream]


def wholes(exchange):
    """Return the recordings of whole answers of one exchange."""
    return [each for each in WHOLE if each.exchange == exchange and not each.is_error]


ERRORS = [each for each in WHOLE if each.is_error]
REQUESTS = [each for each in RECORDINGS if "sends" in each.told]


@pytest.mark.parametrize("recording", wholes("chat"), ids=str)
def test_a_recorded_completion_becomes_its_value(recording):
    decoded = build(recording.folder).decode(recording.reply, ASKS[recording.asks])

    assert forget_ids(decoded, recording.means) == completion_of(recording.means)


@pytest.mark.parametrize("recording", wholes("embedding"), ids=str)
def test_recorded_vectors_become_their_values(recording):
    provider = build(recording.folder)

    assert isinstance(provider, Embedder)
    found = provider.decode_embedding(recording.reply)
    assert embeddings_of(recording.means) == type(found)(
        tuple(map(tuple, found.vectors)), found.usage, found.model
    )


@pytest.mark.parametrize("recording", wholes("models"), ids=str)
def test_a_recorded_list_of_models_becomes_its_value(recording):
    provider = build(recording.folder)

    assert isinstance(provider, Lister)
    assert provider.decode_listing(recording.reply) == models_of(recording.means)


@pytest.mark.parametrize("recording", ERRORS, ids=str)
def test_a_recorded_error_becomes_its_type(recording):
    provider, means = build(recording.folder), recording.means
    if recording.reply.status == 200:
        with pytest.raises(LLMAPIError) as caught:
            provider.decode(recording.reply, CHAT)
        found = caught.value
    else:
        found = provider.explain(recording.reply)

    assert type(found) is getattr(errors, means["error"])
    assert found.retry_after_seconds == means.get("retry_after_seconds")
    assert [each.path for each in found.fields] == means.get("fields", [])


@pytest.mark.parametrize("recording", REQUESTS, ids=str)
def test_a_request_says_in_the_dialect_what_was_asked(recording):
    provider, there = build(recording.folder), deployment(place(recording.folder).kind)
    if recording.exchange == "embedding":
        sent = provider.encode_embedding(EMBEDDING, there)
    else:
        sent = provider.encode(ASKS[recording.asks], there)

    assert json.loads(sent.body) == recording.told["sends"]


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("asked", ASKS.values(), ids=ASKS)
def test_a_request_goes_to_the_upstream_with_the_credential_in_a_header(folder, asked):
    sent = build(folder).encode(asked, deployment(place(folder).kind))

    assert sent.method == "POST"
    assert sent.url.startswith("https://upstream.test/")
    assert MODEL in sent.url + sent.body.decode()
    assert asked.messages[-1].text in sent.body.decode()
    assert CREDENTIAL not in sent.body.decode() + sent.url + repr(sent)
    assert any(CREDENTIAL in value for value in sent.headers.values())
    assert all(name == name.lower() for name in sent.headers)


@pytest.mark.parametrize("folder", FOLDERS)
def test_half_a_surrogate_pair_does_not_stop_a_request(folder):
    asked = CompletionRequest(None, (type(CHAT.messages[0])("user", "a \ud83d b"),))

    sent = build(folder).encode(asked, deployment(place(folder).kind))

    assert "a " in sent.body.decode("utf-8")


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_was_asked_without_a_body_of_the_callers_drops_nothing_unnamed(folder):
    there = deployment(place(folder).kind)

    dropped = build(folder).dropped(ASKS["plain"], there)

    assert dropped == ()
    assert QUESTION not in dropped


GARBAGE = [b"", b"null", b"[]", b"{}", b"<html>", b"\xff\xfe", b'{"choices": [null]}']


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("body", GARBAGE, ids=repr)
def test_garbage_is_a_typed_error(folder, body):
    with pytest.raises(LLMAPIError):
        build(folder).decode(HttpReply(200, {}, body), CHAT)


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("body", [b"", b"null", b"{}", b"<html>", b'{"data": [1]}'])
def test_garbage_holds_no_vectors(folder, body):
    provider = build(folder)
    if isinstance(provider, Embedder):
        with pytest.raises(LLMAPIError):
            provider.decode_embedding(HttpReply(200, {}, body))


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("body", [b"", b"null", b"{}", b"<html>"])
def test_garbage_holds_no_models(folder, body):
    provider = build(folder)
    if isinstance(provider, Lister):
        with pytest.raises(LLMAPIError):
            provider.decode_listing(HttpReply(200, {}, body))


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_status_is_explained_by_a_typed_error(folder):
    provider = build(folder)

    for status in range(201, 600):
        for body in GARBAGE:
            assert isinstance(
                provider.explain(HttpReply(status, {}, body)), LLMAPIError
            )


LOCAL_CANNOT = {
    "a chat": CHAT,
    "a translation": CompletionRequest(
        None, (), extraction=Extraction("translation", "de", ())
    ),
}


@pytest.mark.parametrize("request_", LOCAL_CANNOT.values(), ids=LOCAL_CANNOT)
def test_a_provider_without_a_model_says_what_it_cannot_do(request_):
    provider = build_provider("extractive", None, None, FakeClock())

    assert isinstance(provider, LocalProvider)
    with pytest.raises(NoModelConfigured):
        provider.answer(request_)
