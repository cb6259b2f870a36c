import json
from dataclasses import replace

import pytest
from fakes import FakeClock

from flaskllm.llm.parts import Message
from flaskllm.llm.providers import build_provider
from flaskllm.llm.types import CompletionRequest, Deployment

DEPLOYMENT = Deployment("mini", "openai", "openai", "gpt-4o-mini")
REQUEST = CompletionRequest(
    "fast", (Message("system", "Be brief."), Message("user", "Grüße, 你好"))
)
SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
    "additionalProperties": False,
}


def provider(kind="openai", base_url=None, api_key="sk-fake"):
    return build_provider(kind, base_url, api_key, FakeClock())


def body(request, deployment=DEPLOYMENT, kind="openai"):
    base_url = "https://x.test/v1" if kind == "openai_compatible" else None
    return json.loads(provider(kind, base_url).encode(request, deployment).body)


def test_a_request_holds_the_deployments_model_and_the_messages_and_nothing_unasked():
    sent = provider().encode(REQUEST, DEPLOYMENT)

    assert (sent.method, sent.url) == (
        "POST",
        "https://api.openai.com/v1/chat/completions",
    )
    assert dict(sent.headers) == {
        "content-type": "application/json",
        "accept": "application/json",
        "authorization": "Bearer sk-fake",
    }
    assert json.loads(sent.body) == {
        "model": "gpt-4o-mini",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Grüße, 你好"},
        ],
    }


def test_without_a_credential_no_authorization_is_sent():
    sent = provider("vllm", api_key=None).encode(REQUEST, DEPLOYMENT)

    assert "authorization" not in sent.headers


def test_a_lone_surrogate_does_not_stop_a_request():
    request = replace(REQUEST, messages=(Message("user", "half \ud83d pair"),))

    assert body(request)["messages"][0]["content"] == "half ? pair"


def test_a_temperature_of_zero_is_sent():
    assert body(replace(REQUEST, temperature=0.0))["temperature"] == 0.0


CAPS = {
    "openai": "max_completion_tokens",
    "openai_compatible": "max_tokens",
    "vllm": "max_tokens",
    "llamacpp": "max_tokens",
    "groq": "max_completion_tokens",
    "mistral": "max_tokens",
    "cerebras": "max_completion_tokens",
}


@pytest.mark.parametrize(("kind", "name"), CAPS.items(), ids=CAPS)
def test_the_cap_on_the_answer_has_the_name_that_the_service_knows(kind, name):
    sent = body(replace(REQUEST, max_output_tokens=500), kind=kind)

    assert sent[name] == 500
    assert len(CAPS.keys() & set(sent)) == 0
    assert {"max_tokens", "max_completion_tokens"} & set(sent) == {name}


def test_the_cap_is_never_above_the_deployments_longest_answer():
    deployment = replace(DEPLOYMENT, max_output_tokens=100)

    sent = body(replace(REQUEST, max_output_tokens=500), deployment)

    assert sent["max_completion_tokens"] == 100


@pytest.mark.parametrize("kind", ["openai", "vllm", "llamacpp", "mistral"])
def test_a_schema_is_sent_to_who_can_hold_an_answer_to_it(kind):
    sent = body(replace(REQUEST, json_schema=SCHEMA), kind=kind)

    assert sent["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA},
    }


def test_a_schema_without_a_strict_form_is_sent_as_it_is_and_as_advice():
    loose = {"type": "object", "properties": {"answer": {"type": "string"}}}

    sent = body(replace(REQUEST, json_schema=loose))

    assert sent["response_format"]["json_schema"] == {
        "name": "answer",
        "strict": False,
        "schema": loose,
    }


def test_others_are_asked_for_json_only():
    sent = body(replace(REQUEST, json_schema=SCHEMA), kind="openai_compatible")

    assert sent["response_format"] == {"type": "json_object"}


CAPABILITIES = {
    "unknown": (None, True),
    "listed": (frozenset({"json"}), True),
    "not listed": (frozenset({"tools"}), False),
}


@pytest.mark.parametrize(
    ("capabilities", "is_asked"), CAPABILITIES.values(), ids=CAPABILITIES
)
def test_a_deployment_that_lists_no_json_is_not_asked_for_it(capabilities, is_asked):
    deployment = replace(DEPLOYMENT, capabilities=capabilities)

    sent = body(replace(REQUEST, json_schema=SCHEMA), deployment)

    assert ("response_format" in sent) is is_asked
