"""Responses as they are told: whole, and as events in their order."""

import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_fakes import RESCUE, SEAM

from flaskllm.api.openai.responses_encoder import ResponsesEncoder
from flaskllm.api.openai.responses_events import ResponseEvents
from flaskllm.api.openai.responses_fields import ResponsesFields
from flaskllm.api.openai.responses_object import ended, new_response, output_of
from flaskllm.api.openai.responses_order import read_order
from flaskllm.api.openai.responses_thoughts import seal
from flaskllm.api.validation import parse_model
from flaskllm.core.errors import LLMProtocolError, LLMRateLimited, LLMTimeout
from flaskllm.core.sse import SSEParser
from flaskllm.llm.parts import Thinking, ToolCall
from flaskllm.llm.streams import Chunk, ToolFragment
from flaskllm.llm.types import Completion, Usage

USAGE = Usage(10, 20, 30, 4, 5, source="provider")
TOLD_USAGE = {
    "input_tokens": 60,
    "input_tokens_details": {"cached_tokens": 20},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 5},
    "total_tokens": 69,
}


@dataclass
class Whole:
    """What the encoder reads of an answer that ended."""

    finish_reason: str | None = "stop"
    usage: Usage = USAGE


def order_of(**fields):
    given = parse_model(ResponsesFields, {"input": "hi", **fields})
    return read_order(given, (), direct=False)


def tell(*chunks, answer=None, error=None, keep=None):
    response = new_response(order_of(), "m-1", 1_700_000_000)
    encoder = ResponsesEncoder(ResponseEvents(response, keep or (lambda whole: whole)))
    data = b"".join(map(encoder.encode, chunks))
    data += encoder.fail(error) if error else encoder.finish(answer or Whole())
    found = SSEParser().feed(data)
    events = [json.loads(each.data) for each in found]
    assert [each.name for each in found] == [event["type"] for event in events]
    return events


def types_of(events):
    return [event["type"].removeprefix("response.") for event in events]


def completion(text="", reason="stop", **fields):
    return Completion(text, reason, USAGE, "m-1", **fields)


def test_a_text_is_told_in_the_order_of_the_dialect():
    events = tell(Chunk(text="Hel"), Chunk(text="lo"))

    assert types_of(events) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert [event["sequence_number"] for event in events] == list(range(10))
    assert events[2]["item"]["content"] == []
    assert events[2]["item"]["status"] == "in_progress"
    assert events[6]["text"] == "Hello"
    assert events[-1]["response"]["output"] == [events[8]["item"]]
    assert events[8]["item"]["content"][0]["text"] == "Hello"
    assert events[-1]["response"]["usage"] == TOLD_USAGE
    assert events[0]["response"]["id"] == events[-1]["response"]["id"]


def test_a_thought_is_told_as_a_summary_with_its_proof():
    events = tell(
        Chunk(thinking="h"),
        Chunk(thinking="m"),
        Chunk(thinking_signature="sig"),
        Chunk(text="x"),
    )

    assert types_of(events)[2:9] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]
    assert events[6]["summary_index"] == 0
    thought, words = events[-1]["response"]["output"]
    assert thought["summary"] == [{"type": "summary_text", "text": "hm"}]
    assert thought["encrypted_content"] == seal("sig", None)
    assert words["type"] == "message"


def test_a_hidden_thought_is_an_item_without_words():
    events = tell(Chunk(thinking_redacted="xx"))

    assert types_of(events)[2:4] == ["output_item.added", "output_item.done"]
    assert events[3]["item"]["summary"] == []
    assert events[3]["item"]["encrypted_content"] == seal(None, "xx")


def test_a_call_is_told_with_its_arguments():
    events = tell(
        Chunk(tool=ToolFragment(0, "c1", "add", "", signature="ts")),
        Chunk(tool=ToolFragment(0, arguments='{"a":')),
        Chunk(tool=ToolFragment(0, arguments="1}")),
        answer=Whole("tool_calls"),
    )

    assert types_of(events)[2:7] == [
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
    ]
    assert events[5]["arguments"] == '{"a":1}'
    item = events[6]["item"]
    assert (item["call_id"], item["name"], item["status"]) == ("c1", "add", "completed")
    assert item["thought_signature"] == "ts"


def test_a_call_that_goes_on_after_a_text_is_no_second_call():
    with pytest.raises(LLMProtocolError):
        tell(
            Chunk(tool=ToolFragment(0, "c1", "add", '{"a"')),
            Chunk(text="Hm."),
            Chunk(tool=ToolFragment(0, arguments=":1}")),
        )


def test_calls_that_are_mixed_are_told_one_after_the_other():
    events = tell(
        Chunk(tool=ToolFragment(0, "c1", "f", '{"a"')),
        Chunk(tool=ToolFragment(1, "", "g", "{}")),
        Chunk(tool=ToolFragment(0, arguments=":1}")),
    )

    first, second = events[-1]["response"]["output"]
    assert (first["arguments"], second["arguments"]) == ('{"a":1}', "{}")
    assert second["call_id"].startswith("call_")


def test_a_refusal_is_a_part_of_its_own():
    events = tell(Chunk(refusal="No."), answer=Whole("content_filter"))

    assert "refusal.delta" in types_of(events)
    assert events[-1]["type"] == "response.incomplete"
    (item,) = events[-1]["response"]["output"]
    assert item["content"] == [{"type": "refusal", "refusal": "No."}]


@pytest.mark.parametrize(
    ("reason", "status", "why"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        (None, "completed", None),
        ("length", "incomplete", {"reason": "max_output_tokens"}),
        ("content_filter", "incomplete", {"reason": "content_filter"}),
    ],
)
def test_why_it_ended_decides_the_last_event(reason, status, why):
    last = tell(Chunk(text="x"), answer=Whole(reason))[-1]

    assert last["type"] == f"response.{status}"
    assert last["response"]["status"] == status
    assert last["response"]["incomplete_details"] == why
    assert last["response"]["output"][0]["status"] == status


def test_what_is_kept_is_what_is_told():
    kept = []

    def keep(whole):
        kept.append(whole)
        return {**whole, "store": False}

    last = tell(Chunk(text="x"), keep=keep)[-1]

    assert last["response"] == {**kept[0], "store": False}


@pytest.mark.parametrize(
    ("error", "code"),
    [(LLMTimeout(), "server_error"), (LLMRateLimited(), "rate_limit_exceeded")],
)
def test_a_stream_that_breaks_fails_and_is_not_kept(error, code):
    kept = []

    events = tell(Chunk(text="x"), error=error, keep=kept.append)

    assert events[-1]["type"] == "response.failed"
    assert events[-1]["response"]["status"] == "failed"
    assert events[-1]["response"]["error"] == {"code": code, "message": error.message}
    assert kept == []


def test_a_whole_answer_has_the_items_that_a_stream_has():
    whole = completion(
        "so",
        "tool_calls",
        thinking=(Thinking("hm", "sig"), Thinking(redacted="xx")),
        tool_calls=(ToolCall("c1", "f", "{}", "ts"),),
    )
    streamed = tell(
        Chunk(thinking="hm", thinking_signature="sig"),
        Chunk(thinking_redacted="xx"),
        Chunk(text="so"),
        Chunk(tool=ToolFragment(0, "c1", "f", "{}", "ts")),
    )

    def bare(items):
        return [{n: v for n, v in item.items() if n != "id"} for item in items]

    assert bare(output_of(whole)) == bare(streamed[-1]["response"]["output"])


@pytest.mark.parametrize(
    ("answer", "content", "status"),
    [
        (completion(), [{"text": "", "type": "output_text"}], "completed"),
        (
            completion("a", "length"),
            [{"text": "a", "type": "output_text"}],
            "incomplete",
        ),
        (
            completion(refusal="No.", reason="content_filter"),
            [{"refusal": "No.", "type": "refusal"}],
            "incomplete",
        ),
    ],
    ids=["nothing", "cut", "refused"],
)
def test_a_whole_answer_says_how_it_ended(answer, content, status):
    (item,) = output_of(answer)

    told = [
        {n: v for n, v in part.items() if n in ("type", "text", "refusal")}
        for part in item["content"]
    ]
    assert (told, item["status"]) == (content, status)


def test_a_response_tells_what_was_asked():
    order = order_of(
        instructions="Be kind.",
        metadata={"a": "b"},
        tools=[{"type": "function", "name": "f"}],
        tool_choice="required",
        reasoning={"effort": "low", "summary": "auto"},
        text={"format": {"type": "json_schema", "name": "n", "schema": {}}},
        store=False,
        parallel_tool_calls=False,
        temperature=0.5,
    )

    told = ended(new_response(order, "m-1", 7), [], "stop", USAGE)

    assert told["id"].startswith("resp_")
    assert told["created_at"] == 7
    assert told["instructions"] == "Be kind."
    assert told["metadata"] == {"a": "b"}
    assert told["tools"] == [{"type": "function", "name": "f"}]
    assert told["tool_choice"] == "required"
    assert told["reasoning"] == {"effort": "low", "summary": "auto"}
    assert told["text"]["format"]["schema"] == {}
    assert told["store"] is False
    assert told["parallel_tool_calls"] is False
    assert told["temperature"] == 0.5


words = st.text(max_size=5)
said = st.one_of(
    st.builds(Chunk, text=words),
    st.builds(Chunk, thinking=words),
    st.builds(Chunk, thinking=words, thinking_signature=words),
    st.builds(Chunk, thinking_redacted=words),
    st.builds(Chunk, refusal=words),
    st.builds(
        lambda index: Chunk(tool=ToolFragment(index, "c", "f", "{}")),
        st.integers(0, 50),
    ),
)


@given(
    st.lists(said, max_size=12, unique_by=lambda c: c.tool.index if c.tool else id(c))
)
def test_whatever_is_told_items_come_one_at_a_time_and_numbers_increase(chunks):
    events = tell(*chunks)

    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    added = [e["output_index"] for e in events if e["type"].endswith("item.added")]
    done = [e["output_index"] for e in events if e["type"].endswith("item.done")]
    assert added == done == list(range(len(events[-1]["response"]["output"])))
    opened = None
    for event in events:
        if event["type"].endswith("item.added"):
            assert opened is None
            opened = event["output_index"]
        elif event["type"].endswith("item.done"):
            assert opened == event["output_index"]
            opened = None
        elif "output_index" in event:
            assert event["output_index"] == opened
    texts = "".join(
        e["delta"] for e in events if e["type"].endswith("output_text.delta")
    )
    assert texts == "".join(chunk.text for chunk in chunks)


def test_an_answer_that_another_goes_on_with_is_one_item_and_names_the_seam():
    response = new_response(order_of(), "m-1", 1_700_000_000)
    kept = []
    encoder = ResponsesEncoder(
        ResponseEvents(response, lambda whole: kept.append(whole) or whole)
    )

    told = encoder.encode(Chunk(text="Hel"))
    encoder.resume(SEAM)
    told += encoder.encode(Chunk(text="lo")) + encoder.finish(Whole())

    events = [json.loads(each.data) for each in SSEParser().feed(told)]
    assert types_of(events) == types_of(tell(Chunk(text="Hel"), Chunk(text="lo")))
    assert events[-1]["flaskllm"] == {"rescue": RESCUE}
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == "Hello"
    assert not any("flaskllm" in each for each in [*events[:-1], *kept])
