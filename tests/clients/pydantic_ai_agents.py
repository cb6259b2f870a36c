"""Pydantic AI: agents with tools and a type of their output."""

import asyncio

from checks import Checks
from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel

check = Checks()


class City(BaseModel):
    """A city."""

    name: str
    population: int


ADA = City(name="Ada", population=447_082)


def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"sunny in {city}"


def returned_by_tools(messages):
    """Return what tools said in a conversation."""
    parts = (part for message in messages for part in message.parts)
    return [part.content for part in parts if part.part_kind == "tool-return"]


def models():
    """Give each kind of model in front of its own dialect and of the other one."""
    # Its model of Anthropic's cannot build a message with the SDK of our lock, whose
    # `BetaMessageParam` has become a union.
    for kind in (OpenAIChatModel, OpenAIResponsesModel):
        for name in ("open", "claude"):
            yield kind(name)


@check
def an_agent_answers():
    for model in models():
        told = Agent(model, instructions="Be brief.").run_sync("Hallo 👋")

        assert told.output == "You said: Hallo 👋"
        assert told.usage.output_tokens > 0


@check
def an_agent_calls_its_tool_and_gives_its_type():
    for model in models():
        told = Agent(model, output_type=City, tools=[weather]).run_sync("How is it?")

        assert told.output == ADA
        assert "sunny in Zürich" in returned_by_tools(told.all_messages())


@check
def an_agent_gives_its_type_by_the_schema_of_the_answer():
    for model in models():
        agent = Agent(model, output_type=NativeOutput(City))

        assert agent.run_sync("Which?").output == ADA


@check
def an_agent_streams_its_words():
    async def ask(model):
        async with Agent(model).run_stream("Hallo 👋") as told:
            return [text async for text in told.stream_text(delta=True)]

    for model in models():
        pieces = asyncio.run(ask(model))

        assert "".join(pieces) == "You said: Hallo 👋"


@check
def an_agent_streams_its_type():
    async def ask(model):
        async with Agent(model, output_type=City).run_stream("Which?") as told:
            return [city async for city in told.stream_output()]

    for model in models():
        assert asyncio.run(ask(model))[-1] == ADA


@check
def an_agent_remembers_its_turns():
    for model in models():
        agent = Agent(model)
        first = agent.run_sync("One")
        second = agent.run_sync("Two", message_history=first.all_messages())

        assert second.output == "You said: Two"
        assert len(second.all_messages()) == 4


if __name__ == "__main__":
    check.run()
