"""The gateway before a real llama.cpp server, whose model answers noise.

What it says is never looked at, only how: the protocol is the engine's own.
`make test-engines` builds the engine and runs this; elsewhere it is skipped.
"""

import json

import pytest
import requests

QUESTION = [{"role": "user", "content": "When do we meet?"}]
LONG = [{"role": "user", "content": "we meet on friday " * 200}]


def events(response):
    """Return the data of each event of a stream."""
    blocks = response.content.decode().split("\n\n")
    return [each[6:] for each in blocks if each.startswith("data: ")]


def test_the_model_answers_and_its_tokens_are_counted_by_the_engine(gateway, engine):
    body = {"model": "measured", "messages": QUESTION, "max_tokens": 8}

    answer = gateway.post("/v1/chat/completions", body)

    assert answer.status_code == 200
    told = answer.json()
    direct = requests.post(f"{engine}/chat/completions", json=body, timeout=60).json()
    assert told["choices"][0]["finish_reason"] in ("stop", "length")
    assert told["usage"]["prompt_tokens"] == direct["usage"]["prompt_tokens"] > 10
    assert told["usage"]["completion_tokens"] >= 1


def test_the_native_chat_reaches_the_model_too(gateway):
    answer = gateway.post("/api/v1/chat", {"message": "Hello", "model": "measured"})

    assert answer.status_code == 200
    assert answer.json()["meta"]["usage"]["tokens_output"] >= 1


def test_a_stream_ends_well_with_its_finish_and_mark(gateway):
    answer = gateway.post(
        "/v1/chat/completions",
        {
            "model": "measured",
            "messages": QUESTION,
            "max_tokens": 8,
            "stream": True,
        },
    )

    *chunks, mark = events(answer)
    told = [json.loads(each) for each in chunks]
    finishes = [
        choice["finish_reason"]
        for chunk in told
        for choice in chunk["choices"]
        if choice["finish_reason"]
    ]
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert mark == "[DONE]"
    assert finishes in (["stop"], ["length"])
    assert {chunk["model"] for chunk in told} == {"tiny"}


def test_a_stream_in_another_dialect_is_translated_and_its_usage_estimated(gateway):
    answer = gateway.post(
        "/v1/messages",
        {"model": "measured", "messages": QUESTION, "max_tokens": 8, "stream": True},
    )

    told = [
        json.loads(line[6:]) for line in answer.text.split("\n") if "data: " in line
    ]
    assert told[0]["type"] == "message_start"
    assert [each["type"] for each in told[-2:]] == ["message_delta", "message_stop"]
    # This engine does not count what it streams.
    assert told[-2]["usage"]["output_tokens"] >= 1


def test_text_completions_are_answered(gateway):
    answer = gateway.post(
        "/v1/completions",
        {"model": "measured", "prompt": "we meet on", "max_tokens": 4},
    )

    assert answer.status_code == 200
    assert isinstance(answer.json()["choices"][0]["text"], str)


def test_json_is_what_the_engines_grammar_makes_of_noise(gateway):
    answer = gateway.post(
        "/v1/chat/completions",
        {
            "model": "plain",
            "messages": QUESTION,
            "max_tokens": 200,
            "temperature": 0,
            "response_format": {"type": "json_object"},
        },
    )

    choice = answer.json()["choices"][0]
    assert answer.status_code == 200
    assert choice["message"]["content"].startswith("{")
    if choice["finish_reason"] == "stop":
        assert isinstance(json.loads(choice["message"]["content"]), dict)


def test_the_models_of_the_engine_are_listed_and_can_be_asked_without_a_deployment(
    gateway,
):
    listed = {each["id"] for each in gateway.get("/v1/models").json()["data"]}
    body = {"model": "engine/tiny", "messages": QUESTION, "max_tokens": 4}

    answer = gateway.post("/v1/chat/completions", body)

    assert {"measured", "unmeasured", "plain"} <= listed
    assert any(each.endswith("tiny") for each in listed)
    assert answer.status_code == 200


REFUSED = {
    "by ourselves": ("measured", False),
    "by ourselves, streamed": ("measured", True),
    "by the engine": ("unmeasured", False),
}


@pytest.mark.parametrize(("alias", "stream"), REFUSED.values(), ids=REFUSED)
def test_an_input_beyond_the_context_is_refused_as_openai_does(gateway, alias, stream):
    answer = gateway.post(
        "/v1/chat/completions",
        {"model": alias, "messages": LONG, "max_tokens": 8, "stream": stream},
    )

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "context_length_exceeded"


def test_a_stream_that_the_engine_ends_before_its_first_word_is_no_clean_end(gateway):
    # This engine has no other sign for a streamed input that is too long.
    answer = gateway.post(
        "/v1/chat/completions",
        {"model": "unmeasured", "messages": LONG, "max_tokens": 8, "stream": True},
    )

    assert answer.status_code == 502
    assert "[DONE]" not in answer.text


def test_the_native_face_names_the_same_refusal_by_its_code(gateway):
    answer = gateway.post(
        "/api/v1/chat", {"messages": LONG, "model": "unmeasured", "max_tokens": 8}
    )

    assert answer.status_code == 413
    assert answer.json()["code"] == "LLM_CONTEXT_TOO_LONG"


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_vectors_come_one_for_each_input(gateway, encoding):
    answer = gateway.post(
        "/v1/embeddings",
        {"model": "plain", "input": ["one", "two"], "encoding_format": encoding},
    )

    assert answer.status_code == 200
    first, second = (each["embedding"] for each in answer.json()["data"])
    assert len(first) == len(second) > 0
    assert first != second


def test_an_unknown_model_is_refused_before_the_engine_is_asked(gateway):
    answer = gateway.post(
        "/v1/chat/completions", {"model": "measurd", "messages": QUESTION}
    )

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "model_not_found"


def test_the_engine_is_discovered(engine, engine_house):
    port = engine.removesuffix("/v1").rpartition(":")[2]

    found = engine_house.run("config", "discover", "--port", port)

    assert found.returncode == 0, found.stderr
    assert b"kind: openai_compatible" in found.stdout
    assert b"model: tiny" in found.stdout
