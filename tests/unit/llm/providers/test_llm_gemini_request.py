import json
from dataclasses import replace

import pytest
from fakes import FakeClock

from flaskllm.core.errors import InvalidInputError
from flaskllm.llm.parts import Image, Message, Text, Thinking, ToolCall, ToolResult
from flaskllm.llm.providers import Embedder, Lister, build_provider
from flaskllm.llm.providers.gemini_schema import narrow
from flaskllm.llm.types import (
    CallerBody,
    CompletionRequest,
    Deployment,
    EmbeddingRequest,
    JsonFormat,
    Tool,
)

PROVIDER = build_provider("gemini", None, "AIza-fake", FakeClock())
FLASH, NEW = "gemini-2.5-flash", "gemini-3.5-flash"
ASK = CompletionRequest("fast", (Message("user", "Hi"),))
SCHEMA = {"type": "object", "properties": {"day": {"type": "string"}}}
TOOL = Tool("look_up", "", SCHEMA)


def there(model=FLASH, **known):
    return Deployment("a", "google", "gemini", model, **known)


def body(request, model=FLASH, **known):
    return json.loads(PROVIDER.encode(request, there(model, **known)).body)


def config(model=FLASH, **wish):
    return body(replace(ASK, **wish), model).get("generationConfig", {})


def contents(*messages, model=FLASH):
    return body(replace(ASK, messages=messages), model)["contents"]


def test_a_request_signs_in_by_header_and_names_the_model_in_its_address():
    sent = PROVIDER.encode(ASK, there())

    root = "https://generativelanguage.googleapis.com/v1beta/models"
    assert sent.url == f"{root}/gemini-2.5-flash:generateContent"
    assert dict(sent.headers) == {
        "accept": "application/json",
        "content-type": "application/json",
        "x-goog-api-key": "AIza-fake",
    }


def test_a_stream_has_an_address_of_its_own():
    sent = PROVIDER.encode(replace(ASK, stream=True), there("models/gemini-x"))

    assert sent.url.endswith("/models/gemini-x:streamGenerateContent?alt=sse")
    assert sent.headers["accept"] == "text/event-stream"


def test_a_name_from_a_caller_stays_one_name():
    sent = PROVIDER.encode(ASK, there("../a?key=b#c"))

    assert sent.url.endswith("/v1beta/models/..%2Fa%3Fkey%3Db%23c:generateContent")


ROUTES = ["", "/", "/v1beta", "/v1beta/openai/", "/v1"]


@pytest.mark.parametrize("route", ROUTES)
def test_the_base_url_may_hold_a_route_or_not(route):
    provider = build_provider("gemini", f"https://x.test{route}", "k", FakeClock())

    assert provider.encode_listing().url == (
        "https://x.test/v1beta/models?pageSize=1000"
    )


def test_it_offers_what_the_dialect_has():
    assert isinstance(PROVIDER, Lister)
    assert isinstance(PROVIDER, Embedder)
    assert PROVIDER.wires == frozenset()
    assert "AIza-fake" not in repr(PROVIDER)


def test_turns_have_two_roles_and_the_system_stands_outside():
    request = replace(
        ASK,
        messages=(
            Message("system", "Be brief."),
            Message("user", "One"),
            Message("user", (Text(""), Text("Two"))),
            Message("assistant", ""),
            Message("system", ""),
            Message("assistant", (Thinking("Hm.", "sig"), Text("Three"))),
        ),
    )

    sent = body(request)

    assert sent["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert sent["contents"] == [
        {"role": "user", "parts": [{"text": "One"}, {"text": "Two"}]},
        {"role": "model", "parts": [{"text": "Three"}]},
    ]


def test_results_of_tools_name_their_function_and_stay_by_themselves():
    found = contents(
        Message("user", "Hi"),
        Message("assistant", (ToolCall("a", "look_up", '{"day": "x"}', "sig"),)),
        Message("tool", (ToolResult("a", (Text("gone"),), is_error=True),)),
        Message("tool", (ToolResult("b", (Text("x"), Image(data="iVBO"))),)),
        Message("user", "And?"),
    )

    assert found[1:] == [
        {
            "role": "model",
            "parts": [
                {
                    "functionCall": {
                        "id": "a",
                        "name": "look_up",
                        "args": {"day": "x"},
                    },
                    "thoughtSignature": "sig",
                }
            ],
        },
        {
            "role": "user",
            "parts": [
                {
                    "functionResponse": {
                        "id": "a",
                        "name": "look_up",
                        "response": {"error": "gone"},
                    }
                },
                {
                    "functionResponse": {
                        "id": "b",
                        "name": "b",
                        "response": {"result": "x"},
                    }
                },
            ],
        },
        {
            "role": "user",
            "parts": [
                {"inlineData": {"mimeType": "image/png", "data": "iVBO"}},
                {"text": "And?"},
            ],
        },
    ]


def test_the_first_call_of_a_turn_has_a_signature_where_one_is_checked():
    calls = (ToolCall("a", "t", "{}"), ToolCall("b", "t", ""))
    proven = (ToolCall("a", "t", "{}", "sig"),)

    for message, signatures in (
        (Message("assistant", calls), ["skip_thought_signature_validator", None]),
        (Message("assistant", proven), ["sig"]),
    ):
        (turn,) = contents(message, model=NEW)
        assert [part.get("thoughtSignature") for part in turn["parts"]] == signatures
    assert (
        "thoughtSignature" not in contents(Message("assistant", calls))[0]["parts"][0]
    )


@pytest.mark.parametrize(
    ("text", "sent"),
    [("", {}), ('{"a": 1}', {"a": 1}), ("[1]", {"arguments": "[1]"})],
)
def test_arguments_become_an_object_whatever_a_model_wrote(text, sent):
    (turn,) = contents(Message("assistant", (ToolCall("a", "t", text),)))

    assert turn["parts"][0]["functionCall"]["args"] == sent


def test_images_are_sent_as_bytes_or_by_their_address():
    (turn,) = contents(
        Message(
            "user",
            (
                Image(data="iVBO", media_type="image/webp"),
                Image(url="https://x.test/a.jpg?size=1"),
                Image(url="https://x.test/a"),
                Image(url="https://x.test/a", media_type="image/gif"),
            ),
        )
    )

    assert turn["parts"] == [
        {"inlineData": {"mimeType": "image/webp", "data": "iVBO"}},
        {
            "fileData": {
                "mimeType": "image/jpeg",
                "fileUri": "https://x.test/a.jpg?size=1",
            }
        },
        {"fileData": {"fileUri": "https://x.test/a"}},
        {"fileData": {"mimeType": "image/gif", "fileUri": "https://x.test/a"}},
    ]


def test_sampling_is_said_in_the_dialect():
    wish = {"temperature": 0.0, "top_p": 0.5, "top_k": 3, "seed": 2**31 + 7}

    assert config(**wish, stop=tuple("abcdef"), max_output_tokens=9) == {
        "maxOutputTokens": 9,
        "temperature": 0.0,
        "topP": 0.5,
        "topK": 3,
        "seed": 7,
        "stopSequences": ["a", "b", "c", "d", "e"],
    }
    assert body(ASK).keys() == {"contents"}


def test_a_tool_is_declared_with_its_whole_schema_or_with_none():
    bare = Tool("bare", "Does it.", {"type": "object", "properties": {}})

    sent = body(replace(ASK, tools=(TOOL, bare)))

    assert sent["tools"] == [
        {
            "functionDeclarations": [
                {
                    "name": "look_up",
                    "description": "look_up",
                    "parametersJsonSchema": SCHEMA,
                },
                {"name": "bare", "description": "Does it."},
            ]
        }
    ]
    assert "toolConfig" not in sent


CHOICES = {
    "auto": {"mode": "AUTO"},
    "none": {"mode": "NONE"},
    "required": {"mode": "ANY"},
    "look_up": {"mode": "ANY", "allowedFunctionNames": ["look_up"]},
}


@pytest.mark.parametrize(("choice", "sent"), CHOICES.items(), ids=CHOICES)
def test_a_choice_of_tools_is_said_in_the_dialect(choice, sent):
    request = replace(ASK, tools=(TOOL,), tool_choice=choice)

    assert body(request)["toolConfig"] == {"functionCallingConfig": sent}
    assert "toolConfig" not in body(replace(request, tools=()))


def test_json_is_asked_for_by_its_schema_or_without():
    json_type = {"responseMimeType": "application/json"}

    assert config(json_schema=SCHEMA) == {**json_type, "responseJsonSchema": SCHEMA}
    assert config(json_format=JsonFormat(SCHEMA)) == config(json_schema=SCHEMA)
    assert config(json_format=JsonFormat()) == json_type


def test_a_deployment_without_json_is_not_asked_for_it():
    request = replace(ASK, json_schema=SCHEMA)

    assert "generationConfig" not in body(request, capabilities=frozenset())
    assert "generationConfig" in body(request, capabilities=frozenset({"json"}))


@pytest.mark.parametrize("schema", [SCHEMA, None])
def test_beside_tools_json_is_asked_for_in_words_where_else_it_is_refused(schema):
    request = replace(ASK, tools=(TOOL,), json_format=JsonFormat(schema))

    old, new = body(request), body(request, NEW)

    (said,) = old["systemInstruction"]["parts"]
    assert "one JSON object" in said["text"]
    assert (json.dumps(SCHEMA, separators=(",", ":")) in said["text"]) is bool(schema)
    assert "generationConfig" not in old
    assert new["generationConfig"]["responseMimeType"] == "application/json"


SCHEMAS = {
    "what is known stays": (SCHEMA, SCHEMA),
    "a constant is a choice of one": ({"const": 5}, {"enum": [5]}),
    "what only narrows goes": ({"type": "string", "pattern": "x"}, {"type": "string"}),
    "inside too": (
        {
            "properties": {"pattern": {"type": "string", "maxLength": 3}},
            "items": {"const": 1},
            "anyOf": [{"const": 2}, True],
            "additionalProperties": False,
        },
        {
            "properties": {"pattern": {"type": "string"}},
            "items": {"enum": [1]},
            "anyOf": [{"enum": [2]}, True],
            "additionalProperties": False,
        },
    ),
    "a reference stands alone": (
        {"$ref": "#/$defs/a", "title": "x", "$defs": {"a": {"const": 1}}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"enum": [1]}}},
    ),
    "what is no schema": ({"anyOf": 5, "properties": []}, {}),
}


@pytest.mark.parametrize(("given", "sent"), SCHEMAS.values(), ids=SCHEMAS)
def test_a_schema_keeps_what_the_dialect_reads(given, sent):
    assert narrow(given) == sent


LOST = {
    "the user": (replace(ASK, user="u"), None, "user"),
    "more answers than one": (replace(ASK, choices=2), None, "n"),
    "too many stops": (replace(ASK, stop=tuple("abcdef")), None, "stop"),
    "one call at a time": (
        replace(ASK, parallel_tools=False),
        None,
        "parallel_tool_calls",
    ),
    "thoughts of a model without": (
        replace(ASK, effort="high"),
        "gemma-3",
        "reasoning_effort",
    ),
    "what the dialect does not know": (
        replace(ASK, body=CallerBody("openai.chat", {}, ("logit_bias",))),
        None,
        "logit_bias",
    ),
}


@pytest.mark.parametrize(("request_", "model", "name"), LOST.values(), ids=LOST)
def test_what_cannot_be_said_is_left_out_and_named(request_, model, name):
    assert PROVIDER.dropped(request_, there(model or FLASH)) == (name,)


def test_what_can_be_said_drops_nothing():
    request = replace(ASK, effort="high", seed=1, top_k=2, parallel_tools=True)

    assert PROVIDER.dropped(request, there()) == ()
    assert PROVIDER.dropped(ASK, there("gemma-3")) == ()


def test_vectors_may_be_asked_for_with_fewer_dimensions():
    request = EmbeddingRequest("fast", ("one",), dimensions=256)

    sent = PROVIDER.encode_embedding(request, there("gemini-embedding-001"))

    (asked,) = json.loads(sent.body)["requests"]
    assert sent.url.endswith("/models/gemini-embedding-001:batchEmbedContents")
    assert asked["outputDimensionality"] == 256


def test_numbers_of_tokens_cannot_be_embedded():
    with pytest.raises(InvalidInputError) as caught:
        PROVIDER.encode_embedding(EmbeddingRequest("fast", ((1, 2),)), there())

    assert caught.value.fields[0].path == "input"
