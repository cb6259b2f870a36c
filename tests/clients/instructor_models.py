"""Instructor: answers as models, by each of its ways to ask for them."""

import anthropic
import instructor
import openai
from checks import Checks
from pydantic import BaseModel

check = Checks()

HELLO = [{"role": "user", "content": "Which city?"}]


class City(BaseModel):
    """A city."""

    name: str
    population: int


ADA = {"name": "Ada", "population": 447_082}


@check
def an_answer_is_a_model_by_a_tool():
    client = instructor.from_openai(openai.OpenAI(), mode=instructor.Mode.TOOLS)

    for model in ("open", "claude"):
        told = client.chat.completions.create(
            model=model, messages=HELLO, response_model=City
        )
        assert told.model_dump() == ADA


@check
def an_answer_is_a_model_by_a_schema():
    client = instructor.from_openai(openai.OpenAI(), mode=instructor.Mode.JSON_SCHEMA)

    for model in ("open", "claude"):
        told = client.chat.completions.create(
            model=model, messages=HELLO, response_model=City
        )
        assert told.model_dump() == ADA


@check
def a_model_is_streamed_as_it_grows():
    client = instructor.from_openai(openai.OpenAI(), mode=instructor.Mode.TOOLS)

    for model in ("open", "claude"):
        *_, last = client.chat.completions.create_partial(
            model=model, messages=HELLO, response_model=City
        )
        assert last.model_dump() == ADA


@check
def an_answer_of_the_other_sdk_is_a_model():
    client = instructor.from_anthropic(anthropic.Anthropic())

    for model in ("open", "claude"):
        told = client.messages.create(
            model=model, messages=HELLO, max_tokens=200, response_model=City
        )
        assert told.model_dump() == ADA


if __name__ == "__main__":
    check.run()
