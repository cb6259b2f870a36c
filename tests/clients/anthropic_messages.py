"""The `anthropic` Python SDK: messages, tools, thoughts, in front of both dialects."""

import asyncio

import anthropic
from checks import Checks
from pydantic import BaseModel

check = Checks()
client = anthropic.Anthropic(max_retries=0)

HELLO = [{"role": "user", "content": "Grüße an 東京 👋"}]
ASK = {"max_tokens": 2000, "messages": HELLO}
TOOLS = [
    {
        "name": name,
        "description": "Tells of a city.",
        "input_schema": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    }
    for name in ("weather", "population")
]
# `claude` passes its bytes through; `open` is translated.
BOTH = ("claude", "open")
TORN_THOUGHT = ("torn-claude", True)
THINKING = {"type": "enabled", "budget_tokens": 1024}


class City(BaseModel):
    name: str
    population: int


@check
def a_message_is_answered_with_usage():
    for model in BOTH:
        told = client.messages.create(model=model, system="Be brief.", **ASK)

        assert [block.text for block in told.content] == ["You said: Grüße an 東京 👋"]
        assert (told.type, told.role, told.stop_reason) == (
            "message",
            "assistant",
            "end_turn",
        )
        assert told.usage.input_tokens > 0
        assert told.usage.output_tokens > 0


@check
def a_stream_gives_the_same_words():
    for model in BOTH:
        with client.messages.stream(model=model, **ASK) as stream:
            pieces = list(stream.text_stream)
            final = stream.get_final_message()

        assert "".join(pieces) == "You said: Grüße an 東京 👋"
        assert len(pieces) > 2
        assert final.content[0].text == "".join(pieces)
        assert final.stop_reason == "end_turn"
        assert final.usage.output_tokens > 0


@check
def a_stream_has_its_events_in_order():
    for model in BOTH:
        stream = client.messages.create(model=model, stream=True, **ASK)
        kinds = [event.type for event in stream]

        assert kinds[:2] == ["message_start", "content_block_start"]
        assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
        assert set(kinds[2:-3]) == {"content_block_delta"}


@check
def a_stream_starts_with_a_count_of_its_input():
    for model in BOTH:
        stream = client.messages.create(model=model, stream=True, **ASK)
        start, *_ = stream

        assert start.message.usage.input_tokens > 0


@check
def an_async_client_gets_both():
    async def ask():
        async with anthropic.AsyncAnthropic() as anybody:
            whole = await anybody.messages.create(model="open", **ASK)
            async with anybody.messages.stream(model="open", **ASK) as stream:
                parts = [text async for text in stream.text_stream]
        return whole.content[0].text, "".join(parts)

    assert set(asyncio.run(ask())) == {"You said: Grüße an 東京 👋"}


@check
def a_tool_is_called_and_its_result_taken_back():
    for model in BOTH:
        asked = client.messages.create(
            model=model, tools=TOOLS, tool_choice={"type": "any"}, **ASK
        )
        (call,) = asked.content
        assert asked.stop_reason == "tool_use"
        assert (call.name, call.input) == ("weather", {"city": "Zürich"})

        result = {"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}
        turns = [
            *HELLO,
            {"role": "assistant", "content": asked.content},
            {"role": "user", "content": [result]},
        ]
        told = client.messages.create(
            model=model, tools=TOOLS, max_tokens=50, messages=turns
        )
        assert told.content[0].text == "The tools said: sunny"


@check
def calls_in_a_stream_are_put_together():
    both = [{"role": "user", "content": "Tell me both."}]
    for model in BOTH:
        with client.messages.stream(
            model=model, tools=TOOLS, max_tokens=50, messages=both
        ) as stream:
            parts = [each for each in stream if each.type == "input_json"]
            final = stream.get_final_message()

        assert [call.name for call in final.content] == ["weather", "population"]
        assert [call.input for call in final.content] == [{"city": "Zürich"}] * 2
        assert len({call.id for call in final.content}) == 2
        assert len(parts) >= 4
        assert final.stop_reason == "tool_use"


@check
def the_results_of_two_tools_go_back_in_one_turn():
    both = [{"role": "user", "content": "Tell me both."}]
    for model in BOTH:
        asked = client.messages.create(
            model=model, tools=TOOLS, max_tokens=50, messages=both
        )
        results = [
            {
                "type": "tool_result",
                "tool_use_id": call.id,
                "content": [{"type": "text", "text": f"{call.name}!"}],
            }
            for call in asked.content
        ]
        turns = [
            *both,
            {"role": "assistant", "content": asked.content},
            {"role": "user", "content": results},
        ]

        told = client.messages.create(
            model=model, tools=TOOLS, max_tokens=50, messages=turns
        )
        assert told.content[0].text == "The tools said: weather!; population!"


@check
def one_named_tool_is_called():
    for model in BOTH:
        choice = {"type": "tool", "name": "population"}
        asked = client.messages.create(
            model=model, tools=TOOLS, tool_choice=choice, **ASK
        )

        assert [call.name for call in asked.content] == ["population"]


@check
def thoughts_are_kept_with_their_signature_and_given_back():
    asked = client.messages.create(model="claude", thinking=THINKING, **ASK)
    thought, text = asked.content
    assert thought.thinking.startswith("They want an answer")
    assert thought.signature == "c2lnbmF0dXJlLW9mLXRoZS10aG91Z2h0"
    assert text.text == "You said: Grüße an 東京 👋"

    turns = [
        *HELLO,
        {"role": "assistant", "content": asked.content},
        {"role": "user", "content": "And now?"},
    ]
    told = client.messages.create(
        model="claude", thinking=THINKING, max_tokens=2000, messages=turns
    )
    assert told.content[1].text == "You said: And now?"


@check
def thoughts_are_streamed_with_their_signature():
    with client.messages.stream(model="claude", thinking=THINKING, **ASK) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_message()

    assert {"thinking", "signature", "text"} <= kinds
    assert [block.type for block in final.content] == ["thinking", "text"]
    assert final.content[0].signature == "c2lnbmF0dXJlLW9mLXRoZS10aG91Z2h0"


@check
def a_tool_is_called_by_a_model_that_thinks():
    for model in BOTH:
        ask = {"model": model, "tools": TOOLS, "thinking": THINKING}
        asked = client.messages.create(**ask, **ASK)
        call = asked.content[-1]
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}

        turns = [
            *HELLO,
            {"role": "assistant", "content": asked.content},
            {"role": "user", "content": [result]},
        ]
        told = client.messages.create(**ask, max_tokens=2000, messages=turns)
        assert told.content[-1].text == "The tools said: sunny"


@check
def a_stream_that_is_torn_goes_on_as_if_nothing_were():
    for model, thinks in (("torn-claude", False), ("torn-open", False), TORN_THOUGHT):
        thinking = {"thinking": THINKING} if thinks else {}
        with client.messages.stream(model=model, **thinking, **ASK) as stream:
            events = list(stream)
            final = stream.get_final_message()

        (ended,) = [each for each in events if each.type == "message_delta"]
        assert ended.model_extra["flaskllm"]["rescue"]["at_character"] > 0
        assert final.content[-1].text == "You said: Grüße an 東京 👋"
        kinds = ["thinking", "text"] if thinks else ["text"]
        assert [each.type for each in final.content] == kinds
        assert final.stop_reason == "end_turn"
        assert final.usage.output_tokens > 0
        starts = [e.index for e in events if e.type == "content_block_start"]
        stops = [e.index for e in events if e.type == "content_block_stop"]
        assert starts == stops == list(range(len(kinds)))


@check
def an_answer_is_parsed_by_its_model():
    for model in BOTH:
        told = client.messages.parse(model=model, output_format=City, **ASK)

        assert told.parsed_output == City(name="Ada", population=447_082)


@check
def tokens_are_counted_before_they_are_sent():
    for model in BOTH:
        short = client.messages.count_tokens(model=model, messages=HELLO)
        long = client.messages.count_tokens(
            model=model, messages=HELLO, system="Be brief. " * 100, tools=TOOLS
        )

        assert 0 < short.input_tokens < long.input_tokens - 100


if __name__ == "__main__":
    check.run()
