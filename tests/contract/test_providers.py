"""What every provider keeps, whatever its dialect: recorded bytes in, values out."""

import json
from pathlib import Path

import pytest
from fakes import FakeClock

from flaskllm.core.errors import (
    LLMAPIError,
    LLMContextTooLong,
    LLMCredentialRejected,
    LLMRateLimited,
    LLMRefused,
    LLMRequestRejected,
    LLMUnavailable,
    NoModelConfigured,
)
from flaskllm.llm.providers import LocalProvider, build_provider
from flaskllm.llm.types import (
    Completion,
    CompletionRequest,
    Deployment,
    Extraction,
    Message,
    Usage,
)
from flaskllm.net.transport import HttpReply

RECORDED = Path(__file__).parent.parent / "recorded"
KINDS = ["openai", "openai_compatible", "vllm", "llamacpp", "ollama"]
REQUEST = CompletionRequest("fast", (Message("user", "When is the launch?"),))


def build(kind):
    return build_provider(kind, "https://upstream.test/v1", "sk-fake", FakeClock())


def recorded(name):
    """Return a recorded reply as the transport hands it over."""
    told = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
    body = json.dumps(told["body"], ensure_ascii=False).encode()
    return HttpReply(told["status"], told["headers"], body)


COMPLETIONS = {
    ("openai", "openai/completion"): Completion(
        "The launch moves to Friday.",
        "stop",
        Usage(176, 1024, 0, 118, 192, "provider"),
        "gpt-4o-mini-2024-07-18",
    ),
    ("openai", "openai/completion_length"): Completion(
        "", "length", Usage(40, 0, 0, 0, 64, "provider"), "gpt-4o-mini-2024-07-18"
    ),
    ("openai", "openai/completion_refusal"): Completion(
        "",
        "content_filter",
        Usage(33, 0, 0, 9, 0, "provider"),
        "gpt-4o-mini-2024-07-18",
    ),
    ("openai", "openai/completion_filtered"): Completion(
        "",
        "content_filter",
        Usage(33, 0, 0, 0, 0, "provider"),
        "gpt-4o-mini-2024-07-18",
    ),
    ("vllm", "openai/vllm_completion"): Completion(
        '{"answer": 1}', "stop", Usage(21, 0, 0, 8, 0, "provider"), "Qwen/Qwen3-8B"
    ),
    ("llamacpp", "openai/llamacpp_completion"): Completion(
        "Friday.", "stop", Usage(18, 0, 0, 3, 0, "provider"), "/models/some.gguf"
    ),
    ("ollama", "openai/ollama_completion"): Completion(
        "Friday.", "stop", Usage(26, 0, 0, 3, 0, "provider"), "llama3.1:8b"
    ),
    ("openai_compatible", "openai/mistral_pieces"): Completion(
        "Friday.", "stop", Usage(9, 0, 0, 12, 0, "provider"), "magistral-small"
    ),
    ("openai_compatible", "openai/gemini_compatible"): Completion(
        "Friday.", "stop", Usage(10, 0, 0, 3, 60, "provider"), "gemini-2.5-flash"
    ),
}

ERRORS = {
    ("openai", "openai/error_context_length"): LLMContextTooLong,
    ("openai", "openai/error_invalid_key"): LLMCredentialRejected,
    ("openai", "openai/error_model_not_found"): LLMRequestRejected,
    ("openai", "openai/error_rate_limit"): LLMRateLimited,
    ("openai", "openai/error_quota"): LLMCredentialRejected,
    ("openai", "openai/error_content_policy"): LLMRefused,
    ("openai", "openai/error_server"): LLMUnavailable,
    ("openai_compatible", "openai/error_azure_filter"): LLMRefused,
    ("vllm", "openai/vllm_error_context"): LLMContextTooLong,
    ("vllm", "openai/vllm_error_context_old"): LLMContextTooLong,
    ("llamacpp", "openai/llamacpp_error_context"): LLMContextTooLong,
    ("llamacpp", "openai/llamacpp_error_loading"): LLMUnavailable,
    ("ollama", "openai/ollama_error_context"): LLMContextTooLong,
}


def name_of(case):
    return case[1].removeprefix("openai/")


@pytest.mark.parametrize(("kind", "name"), COMPLETIONS, ids=map(name_of, COMPLETIONS))
def test_a_recorded_completion_becomes_its_value(kind, name):
    assert build(kind).decode(recorded(name)) == COMPLETIONS[kind, name]


@pytest.mark.parametrize(("kind", "name"), ERRORS, ids=map(name_of, ERRORS))
def test_a_recorded_error_becomes_its_type(kind, name):
    assert type(build(kind).explain(recorded(name))) is ERRORS[kind, name]


def test_a_recorded_rate_limit_says_when_to_come_back():
    found = build("openai").explain(recorded("openai/error_rate_limit"))

    assert found.retry_after_seconds == 1.7


def test_a_recorded_error_with_status_200_is_raised():
    with pytest.raises(LLMRateLimited):
        build("openai_compatible").decode(recorded("openai/openrouter_error_within"))


def test_every_recording_is_used():
    used = {name for _, name in [*COMPLETIONS, *ERRORS]}
    used.add("openai/openrouter_error_within")

    there = {f"{p.parent.name}/{p.stem}" for p in RECORDED.glob("*/*.json")}

    assert used == there


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_names_the_deployments_model_and_holds_the_messages(kind):
    sent = build(kind).encode(REQUEST, Deployment("a", "p", kind, "model-1"))

    body = json.loads(sent.body)
    assert sent.url.startswith("https://upstream.test/v1/")
    assert body["model"] == "model-1"
    assert "When is the launch?" in sent.body.decode()
    assert "sk-fake" not in sent.body.decode() + sent.url


GARBAGE = [b"", b"null", b"[]", b"{}", b"<html>", b"\xff\xfe", b'{"choices": [null]}']


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", GARBAGE, ids=repr)
def test_garbage_is_a_typed_error(kind, body):
    with pytest.raises(LLMAPIError):
        build(kind).decode(HttpReply(200, {}, body))


@pytest.mark.parametrize("kind", KINDS)
def test_every_status_is_explained_by_a_typed_error(kind):
    provider = build(kind)

    for status in range(201, 600):
        for body in GARBAGE:
            assert isinstance(
                provider.explain(HttpReply(status, {}, body)), LLMAPIError
            )


LOCAL_CANNOT = {
    "a chat": REQUEST,
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
