"""The `openai` Python SDK: chats whole and streamed, tools, JSON by a schema."""

import asyncio
import json

import openai
from checks import Checks
from pydantic import BaseModel

check = Checks()
client = openai.OpenAI()

HELLO = [{"role": "user", "content": "Grüße an 東京 👋"}]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": "Tells of a city.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
                "additionalProperties": False,
            },
            "strict": True,
        },
    }
    for name in ("weather", "population")
]


class City(BaseModel):
    name: str
    population: int
    tags: list[str]


@check
def a_chat_is_answered_with_usage():
    for model in ("open", "claude"):
        told = client.chat.completions.create(
            model=model, messages=HELLO, max_completion_tokens=50, temperature=0.2
        )

        assert told.choices[0].message.content == "You said: Grüße an 東京 👋"
        assert told.choices[0].finish_reason == "stop"
        assert told.object == "chat.completion"
        assert told.usage.prompt_tokens > 0
        total = told.usage.prompt_tokens + told.usage.completion_tokens
        assert told.usage.total_tokens == total


@check
def a_stream_gives_the_same_words_and_no_usage_unasked():
    for model in ("open", "claude"):
        chunks = list(
            client.chat.completions.create(model=model, messages=HELLO, stream=True)
        )

        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        assert text == "You said: Grüße an 東京 👋"
        assert len(chunks) > 3
        assert len({chunk.id for chunk in chunks}) == 1
        assert chunks[0].choices[0].delta.role == "assistant"
        assert chunks[-1].choices[0].finish_reason == "stop"


@check
def a_stream_ends_with_its_usage_when_that_is_asked_for():
    for model in ("open", "claude"):
        *chunks, last = client.chat.completions.create(
            model=model,
            messages=HELLO,
            stream=True,
            stream_options={"include_usage": True},
        )

        assert last.choices == []
        assert last.usage.total_tokens > 0
        assert all(chunk.usage is None for chunk in chunks)


@check
def a_stream_that_is_torn_goes_on_as_if_nothing_were():
    for model in ("torn-open", "torn-claude"):
        with client.chat.completions.stream(
            model=model, messages=HELLO, stream_options={"include_usage": True}
        ) as stream:
            chunks = [each.chunk for each in stream if each.type == "chunk"]
            final = stream.get_final_completion()

        assert final.choices[0].message.content == "You said: Grüße an 東京 👋"
        assert final.choices[0].finish_reason == "stop"
        assert len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1
        counted = [chunk for chunk in chunks if chunk.usage]
        assert counted == chunks[-1:]
        assert counted[0].choices == []
        assert chunks[-2].model_extra["flaskllm"]["rescue"]["at_character"] > 0


@check
def the_stream_helper_gathers_the_answer():
    with client.chat.completions.stream(model="open", messages=HELLO) as stream:
        deltas = [each.delta for each in stream if each.type == "content.delta"]
        final = stream.get_final_completion()

    assert "".join(deltas) == "You said: Grüße an 東京 👋"
    assert final.choices[0].message.content == "".join(deltas)


@check
def an_async_client_gets_both():
    async def ask():
        async with openai.AsyncOpenAI() as anybody:
            whole = await anybody.chat.completions.create(model="open", messages=HELLO)
            stream = await anybody.chat.completions.create(
                model="open", messages=HELLO, stream=True
            )
            parts = [each.choices[0].delta.content or "" async for each in stream]
        return whole.choices[0].message.content, "".join(parts)

    assert set(asyncio.run(ask())) == {"You said: Grüße an 東京 👋"}


@check
def many_async_chats_run_at_once():
    async def ask():
        async with openai.AsyncOpenAI() as anybody:
            return await asyncio.gather(
                *(
                    anybody.chat.completions.create(
                        model="open", messages=[{"role": "user", "content": str(n)}]
                    )
                    for n in range(16)
                )
            )

    said = [each.choices[0].message.content for each in asyncio.run(ask())]
    assert said == [f"You said: {n}" for n in range(16)]


@check
def a_tool_is_called_and_its_result_taken_back():
    for model in ("open", "claude"):
        asked = client.chat.completions.create(
            model=model, messages=HELLO, tools=TOOLS, tool_choice="required"
        )
        message = asked.choices[0].message
        (call,) = message.tool_calls
        assert asked.choices[0].finish_reason == "tool_calls"
        assert call.function.name == "weather"
        assert json.loads(call.function.arguments) == {"city": "Zürich"}

        result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
        told = client.chat.completions.create(
            model=model, messages=[*HELLO, message, result], tools=TOOLS
        )
        assert told.choices[0].message.content == "The tools said: sunny"


@check
def a_tool_is_called_by_a_model_that_thinks():
    ask = {"model": "claude", "tools": TOOLS, "reasoning_effort": "low"}
    message = client.chat.completions.create(messages=HELLO, **ask).choices[0].message
    assert message.reasoning_content.startswith("They want an answer")

    result = {
        "role": "tool",
        "tool_call_id": message.tool_calls[0].id,
        "content": "sunny",
    }
    told = client.chat.completions.create(messages=[*HELLO, message, result], **ask)
    assert told.choices[0].message.content == "The tools said: sunny"


@check
def calls_in_a_stream_are_put_together_by_the_helper():
    both = [{"role": "user", "content": "Tell me both."}]
    for model in ("open", "claude"):
        with client.chat.completions.stream(
            model=model, messages=both, tools=TOOLS
        ) as stream:
            done = [
                event
                for event in stream
                if event.type == "tool_calls.function.arguments.done"
            ]
            final = stream.get_final_completion().choices[0]

        assert [each.name for each in done] == ["weather", "population"]
        assert [json.loads(each.arguments) for each in done] == [{"city": "Zürich"}] * 2
        assert len({call.id for call in final.message.tool_calls}) == 2
        assert final.finish_reason == "tool_calls"


@check
def the_fragments_of_a_call_carry_id_and_name_once():
    for model in ("open", "claude"):
        stream = client.chat.completions.create(
            model=model, messages=HELLO, tools=TOOLS, stream=True
        )
        calls = [
            call for chunk in stream for call in chunk.choices[0].delta.tool_calls or ()
        ]

        assert [bool(call.id) for call in calls] == [True] + [False] * (len(calls) - 1)
        assert calls[0].function.name == "weather"
        arguments = "".join(call.function.arguments or "" for call in calls)
        assert json.loads(arguments) == {"city": "Zürich"}


@check
def one_named_tool_is_called():
    for model in ("open", "claude"):
        choice = {"type": "function", "function": {"name": "population"}}
        asked = client.chat.completions.create(
            model=model, messages=HELLO, tools=TOOLS, tool_choice=choice
        )

        (call,) = asked.choices[0].message.tool_calls
        assert call.function.name == "population"


@check
def an_answer_is_parsed_by_its_model():
    for model in ("open", "claude"):
        told = client.chat.completions.parse(
            model=model, messages=HELLO, response_format=City
        )

        city = City(name="Ada", population=447_082, tags=["lake"])
        assert told.choices[0].message.parsed == city


@check
def a_streamed_answer_is_parsed_by_its_model():
    with client.chat.completions.stream(
        model="open", messages=HELLO, response_format=City
    ) as stream:
        stream.until_done()
        final = stream.get_final_completion()

    assert final.choices[0].message.parsed.population == 447_082


@check
def the_arguments_of_a_tool_are_parsed_by_its_model():
    told = client.chat.completions.parse(
        model="open", messages=HELLO, tools=[openai.pydantic_function_tool(City)]
    )

    (call,) = told.choices[0].message.tool_calls
    assert call.function.parsed_arguments.tags == ["lake"]


@check
def an_image_reaches_the_model():
    pixel = (
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4"
        "2mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
    parts = [
        {"type": "text", "text": "What is "},
        {"type": "image_url", "image_url": {"url": pixel, "detail": "low"}},
    ]
    told = client.chat.completions.create(
        model="open", messages=[{"role": "user", "content": parts}]
    )

    assert told.choices[0].message.content == "You said: What is [image_url]"


if __name__ == "__main__":
    check.run()
