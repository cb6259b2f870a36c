"""A schema for a service that knows no field for one is asked for in words."""

import json

import pytest
from fakes import FakeClock

from flaskllm.llm.parts import Message
from flaskllm.llm.providers import build_provider
from flaskllm.llm.types import CompletionRequest, Deployment, JsonFormat

SCHEMA = {"type": "object", "properties": {"day": {"type": "string"}}}
ASKED = Message("user", "When is it?")


WISH = JsonFormat(SCHEMA)


def sent(*messages, kind="deepseek", wish=WISH):
    provider = build_provider(kind, None, "sk-abcdefghijkl", FakeClock())
    request = CompletionRequest("m", messages, json_format=wish)
    return json.loads(provider.encode(request, Deployment("d", "p", kind, "m")).body)


def test_the_words_hold_the_schema_and_the_wish_for_json():
    body = sent(ASKED)

    instruction, question = body["messages"]
    assert instruction["role"] == "system"
    assert json.dumps(SCHEMA, separators=(",", ":")) in instruction["content"]
    assert question == {"role": "user", "content": "When is it?"}
    assert body["response_format"] == {"type": "json_object"}


def test_they_join_the_instruction_that_is_there():
    (instruction, _) = sent(Message("system", "Be brief."), ASKED)["messages"]

    assert instruction["content"].startswith("Be brief.\n\nAnswer with one JSON object")


@pytest.mark.parametrize(
    ("kind", "wish"),
    [("openai", JsonFormat(SCHEMA)), ("deepseek", JsonFormat()), ("deepseek", None)],
    ids=["a service that knows schemas", "any JSON", "any text"],
)
def test_nothing_is_said_where_it_is_not_needed(kind, wish):
    assert len(sent(ASKED, kind=kind, wish=wish)["messages"]) == 1
