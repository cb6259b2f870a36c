import json
from dataclasses import replace

import pytest
from fakes import FakeClock

from flaskllm.core.errors import InvalidInputError
from flaskllm.llm.parts import Image, Message, Text, Thinking, ToolCall, ToolResult
from flaskllm.llm.providers import build_provider
from flaskllm.llm.tokens import estimate_request
from flaskllm.llm.types import (
    CallerBody,
    CompletionRequest,
    Deployment,
    EmbeddingRequest,
    JsonFormat,
    Tool,
)

LLAMA = Deployment("llama", "box", "ollama", "llama3.1:8b")
ASKED = CompletionRequest("fast", (Message("user", "Hello"),))


def provider(base_url=None, api_key=None):
    return build_provider("ollama", base_url, api_key, FakeClock())


def body(request, deployment=LLAMA):
    return json.loads(provider().encode(request, deployment).body)


ADDRESSES = {
    "the default": None,
    "the server": "http://box.test:11434",
    "with a slash": "http://box.test:11434/",
    "its OpenAI route": "http://box.test:11434/v1",
    "its own route": "http://box.test:11434/api/",
}


@pytest.mark.parametrize("base_url", ADDRESSES.values(), ids=ADDRESSES)
def test_any_address_of_the_server_leads_to_its_own_routes(base_url):
    root = "http://box.test:11434" if base_url else "http://127.0.0.1:11434"

    there = provider(base_url)

    assert there.encode(ASKED, LLAMA).url == f"{root}/api/chat"
    assert there.encode_listing().url == f"{root}/api/tags"
    assert there.encode_show("llama3.1:8b").url == f"{root}/api/show"


def test_a_server_behind_a_path_keeps_it():
    sent = provider("https://box.test/ollama/v1").encode(ASKED, LLAMA)

    assert sent.url == "https://box.test/ollama/api/chat"


def test_without_a_credential_no_authorization_is_sent():
    assert "authorization" not in provider().encode(ASKED, LLAMA).headers


def test_the_list_is_asked_for_with_the_credential():
    headers = provider(api_key="sk-box").encode_listing().headers

    assert headers["authorization"] == "Bearer sk-box"


def test_the_details_of_a_model_are_asked_for_by_its_name():
    sent = provider().encode_show("llama3.1:8b")

    assert (sent.method, json.loads(sent.body)) == ("POST", {"model": "llama3.1:8b"})


class TestContext:
    def test_a_short_question_takes_the_smallest_context(self):
        assert body(ASKED)["options"]["num_ctx"] == 8192

    @pytest.mark.parametrize("words", [5_000, 20_000, 80_000])
    def test_a_long_mail_gets_the_next_power_of_two_that_holds_it_and_an_answer(
        self, words
    ):
        asked = replace(ASKED, messages=(Message("user", "meeting " * words),))

        tokens = body(asked)["options"]["num_ctx"]

        needed = estimate_request(asked, "cl100k") + 4096
        assert needed <= tokens < 2 * needed
        assert tokens & (tokens - 1) == 0

    def test_the_cap_of_the_answer_counts(self):
        asked = replace(ASKED, max_output_tokens=9_000)

        assert body(asked)["options"]["num_ctx"] == 16384

    def test_it_is_never_more_than_the_known_window(self):
        small = replace(LLAMA, context_window=4096)

        assert body(ASKED, small)["options"]["num_ctx"] == 4096

    def test_a_larger_window_is_not_filled(self):
        large = replace(LLAMA, context_window=131072)

        assert body(ASKED, large)["options"]["num_ctx"] == 8192

    def test_tools_and_images_count(self):
        large = Tool("t", "x " * 6000, {"type": "object"})
        pictures = tuple(Image(data="aGk=") for _ in range(6))

        with_tool = body(replace(ASKED, tools=(large,)))
        with_images = body(replace(ASKED, messages=(Message("user", pictures),)))

        assert with_tool["options"]["num_ctx"] == 16384
        assert with_images["options"]["num_ctx"] == 16384

    def test_nothing_is_cut_or_shifted_in_silence(self):
        sent = body(ASKED)

        assert (sent["truncate"], sent["shift"]) == (False, False)


def test_every_option_has_its_own_name():
    asked = replace(
        ASKED,
        max_output_tokens=50,
        temperature=0.0,
        top_p=0.9,
        top_k=40,
        seed=7,
        stop=("END",),
    )

    assert body(asked)["options"] == {
        "num_ctx": 8192,
        "num_predict": 50,
        "temperature": 0.0,
        "top_p": 0.9,
        "top_k": 40,
        "seed": 7,
        "stop": ["END"],
    }


@pytest.mark.parametrize("stream", [True, False])
def test_whether_to_stream_is_always_said(stream):
    assert body(replace(ASKED, stream=stream))["stream"] is stream


SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
FORMATS = {
    "a digest's schema": ({"json_schema": SCHEMA}, None, SCHEMA),
    "a caller's schema": ({"json_format": JsonFormat(SCHEMA)}, None, SCHEMA),
    "any object": ({"json_format": JsonFormat()}, None, "json"),
    "an empty schema": ({"json_format": JsonFormat({})}, None, "json"),
    "the capability is listed": ({"json_schema": SCHEMA}, {"json"}, SCHEMA),
    "the capability is not listed": ({"json_schema": SCHEMA}, {"tools"}, None),
    "text": ({}, None, None),
}


@pytest.mark.parametrize(("wish", "able", "sent"), FORMATS.values(), ids=FORMATS)
def test_the_format_is_the_schema_or_any_json(wish, able, sent):
    there = replace(LLAMA, capabilities=frozenset(able) if able else None)

    assert body(replace(ASKED, **wish), there).get("format") == sent


THOUGHTS = {
    "nobody says": ({}, "qwen3", None, None),
    "off by effort": ({"effort": "none"}, "qwen3", None, False),
    "off by budget": ({"thinking_tokens": 0}, "qwen3", None, False),
    "on by effort": ({"effort": "high"}, "qwen3", None, True),
    "on by budget": ({"thinking_tokens": 2000}, "qwen3", None, True),
    "effort goes first": ({"effort": "low", "thinking_tokens": 0}, "qwen3", None, True),
    "a model that can": ({"effort": "low"}, "qwen3", {"thinking"}, True),
    "a model that cannot": ({"effort": "low"}, "llama3.1", {"json"}, None),
    "levels": ({"effort": "medium"}, "gpt-oss:20b", None, "medium"),
    "the highest level": ({"effort": "xhigh"}, "gpt-oss:20b", None, "high"),
    "the lowest level": ({"effort": "none"}, "gpt-oss:20b", None, "low"),
    "a budget as a level": ({"thinking_tokens": 9}, "gpt-oss:20b", None, "medium"),
}


@pytest.mark.parametrize(
    ("wish", "model", "able", "sent"), THOUGHTS.values(), ids=THOUGHTS
)
def test_thinking_is_switched_as_the_model_has_it(wish, model, able, sent):
    able = frozenset(able) if able else None
    there = replace(LLAMA, model=model, capabilities=able)

    assert body(replace(ASKED, **wish), there).get("think") == sent


class TestMessages:
    def test_thoughts_and_broken_arguments_go_back_as_well_as_they_can(self):
        turn = Message(
            "assistant",
            (Thinking("Hm. "), Thinking("Yes."), ToolCall("c1", "find", "{oops")),
        )

        (sent,) = body(replace(ASKED, messages=(turn,)))["messages"]

        assert sent == {
            "role": "assistant",
            "content": "",
            "thinking": "Hm. Yes.",
            "tool_calls": [
                {
                    "id": "c1",
                    "function": {"name": "find", "arguments": {"arguments": "{oops"}},
                }
            ],
        }

    def test_hidden_thoughts_are_left_out(self):
        turn = Message("assistant", (Thinking(redacted="xyz"), Text("Yes.")))

        (sent,) = body(replace(ASKED, messages=(turn,)))["messages"]

        assert sent == {"role": "assistant", "content": "Yes."}

    def test_a_call_without_arguments_has_an_empty_object(self):
        turn = Message("assistant", (ToolCall("c1", "now", ""),))

        (sent,) = body(replace(ASKED, messages=(turn,)))["messages"]

        assert sent["tool_calls"][0]["function"]["arguments"] == {}

    def test_a_result_names_what_was_called_last_under_its_id(self):
        turns = (
            Message("assistant", (ToolCall("c", "first", "{}"),)),
            Message("tool", (ToolResult("c", (Text("1"),)),)),
            Message("assistant", (ToolCall("c", "second", "{}"),)),
            Message("tool", (ToolResult("c", (Text("2"), Image(data="aGk="))),)),
            Message("tool", (ToolResult("unknown", (Text("3"),)),)),
        )

        sent = body(replace(ASKED, messages=turns))["messages"]

        assert [each.get("tool_name") for each in sent if each["role"] == "tool"] == [
            "first",
            "second",
            None,
        ]
        assert sent[3]["images"] == ["aGk="]

    def test_an_image_by_address_is_refused_by_naming_its_message(self):
        picture = Message("user", (Text("Look"), Image(url="https://x.test/a.png")))
        asked = replace(ASKED, messages=(*ASKED.messages, picture))

        with pytest.raises(InvalidInputError) as caught:
            provider().encode(asked, LLAMA)

        assert [field.path for field in caught.value.fields] == ["messages.1"]


class TestTools:
    def test_no_choice_means_no_tools(self):
        asked = replace(ASKED, tools=(Tool("now"),), tool_choice="none")

        assert "tools" not in body(asked)

    def test_a_tool_without_parameters_takes_an_empty_object(self):
        (tool,) = body(replace(ASKED, tools=(Tool("now"),)))["tools"]

        assert tool["function"]["parameters"] == {"type": "object", "properties": {}}


DROPPED = {
    "nothing": ({}, ()),
    "what only another dialect has": (
        {"body": CallerBody("openai.chat", {}, ("logit_bias",))},
        ("logit_bias",),
    ),
    "several answers": ({"choices": 2}, ("n",)),
    "a forced tool": ({"tool_choice": "required"}, ("tool_choice",)),
    "a free choice": ({"tool_choice": "auto"}, ()),
    "no choice": ({"tool_choice": "none"}, ()),
    "parallel calls": ({"parallel_tools": False}, ("parallel_tool_calls",)),
    "the user": ({"user": "u1"}, ("user",)),
}


def test_a_wish_for_thoughts_is_named_where_the_model_has_none():
    thinks = replace(LLAMA, capabilities=frozenset({"thinking"}))
    asked = replace(ASKED, effort="high")

    assert provider().dropped(asked, thinks) == ()
    plain = replace(LLAMA, capabilities=frozenset())
    assert provider().dropped(asked, plain) == ("reasoning_effort",)


@pytest.mark.parametrize(("wish", "names"), DROPPED.values(), ids=DROPPED)
def test_what_cannot_be_said_is_named(wish, names):
    assert provider().dropped(replace(ASKED, **wish), LLAMA) == names


class TestEmbeddings:
    def test_the_length_of_the_vectors_is_passed_on(self):
        asked = EmbeddingRequest("e", ("one",), dimensions=256)

        sent = provider().encode_embedding(asked, LLAMA)

        assert sent.url.endswith("/api/embed")
        assert json.loads(sent.body)["dimensions"] == 256

    def test_token_numbers_are_refused_by_naming_them(self):
        asked = EmbeddingRequest("e", ("one", (1, 2)))

        with pytest.raises(InvalidInputError) as caught:
            provider().encode_embedding(asked, LLAMA)

        assert [field.path for field in caught.value.fields] == ["input.1"]
