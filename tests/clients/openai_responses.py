"""The `openai` Python SDK: responses, whole, streamed, kept and gone on with."""

import asyncio
import json

import openai
from checks import Checks, error_of
from pydantic import BaseModel

check = Checks()
client = openai.OpenAI(max_retries=0)

TOOL = {
    "type": "function",
    "name": "weather",
    "description": "Tells of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}


class City(BaseModel):
    name: str
    population: int


def result_of(call):
    """Return the item that gives a call its result."""
    return {
        "type": "function_call_output",
        "call_id": call.call_id,
        "output": "sunny",
    }


@check
def an_input_is_answered_with_usage():
    for model in ("open", "claude"):
        told = client.responses.create(
            model=model,
            input="Hallo 👋",
            instructions="Be brief.",
            max_output_tokens=50,
        )

        assert told.output_text == "You said: Hallo 👋"
        assert told.status == "completed"
        assert told.instructions == "Be brief."
        assert told.usage.input_tokens > 0
        total = told.usage.input_tokens + told.usage.output_tokens
        assert told.usage.total_tokens == total


@check
def a_stream_has_its_events_in_order_and_numbered():
    for model in ("open", "claude"):
        events = list(client.responses.create(model=model, input="Hallo", stream=True))

        kinds = [each.type for each in events]
        assert kinds[:4] == [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
        ]
        assert kinds[-4:] == [
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ]
        assert set(kinds[4:-4]) == {"response.output_text.delta"}
        assert [each.sequence_number for each in events] == list(range(len(events)))
        text = "".join(each.delta for each in events[4:-4])
        assert text == events[-1].response.output_text == "You said: Hallo"


@check
def a_stream_that_is_torn_goes_on_as_if_nothing_were():
    for model in ("torn-open", "torn-claude"):
        with client.responses.stream(model=model, input="Hallo, wie geht es?") as it:
            events = list(it)
            final = it.get_final_response()

        assert events[-1].type == "response.completed"
        assert final.output_text == "You said: Hallo, wie geht es?"
        assert len(final.output) == 1
        assert [each.sequence_number for each in events] == list(range(len(events)))


@check
def the_stream_helper_gathers_the_response():
    with client.responses.stream(model="open", input="Hallo") as stream:
        deltas = [e.delta for e in stream if e.type == "response.output_text.delta"]
        final = stream.get_final_response()

    assert "".join(deltas) == final.output_text == "You said: Hallo"


@check
def the_next_turn_knows_the_one_before():
    asked = client.responses.create(model="open", input="Weather?", tools=[TOOL])
    (call,) = asked.output
    assert call.type == "function_call"
    assert json.loads(call.arguments) == {"city": "Zürich"}

    told = client.responses.create(
        model="open",
        previous_response_id=asked.id,
        input=[result_of(call)],
        tools=[TOOL],
    )
    assert told.output_text == "The tools said: sunny"
    assert told.previous_response_id == asked.id


@check
def the_next_turn_may_bring_the_items_itself():
    asked = client.responses.create(
        model="claude", input="Weather?", tools=[TOOL], store=False
    )
    (call,) = asked.output
    question = {"role": "user", "content": "Weather?"}
    items = [question, call.to_dict(), result_of(call)]

    told = client.responses.create(model="claude", input=items, tools=[TOOL])
    assert told.output_text == "The tools said: sunny"


@check
def thoughts_are_given_back_with_their_proof():
    ask = {"model": "claude", "tools": [TOOL], "reasoning": {"effort": "low"}}
    asked = client.responses.create(input="Weather?", store=False, **ask)
    thought, call = asked.output
    assert thought.summary[0].text.startswith("They want an answer")
    assert thought.encrypted_content

    question = {"role": "user", "content": "Weather?"}
    items = [question, thought.to_dict(), call.to_dict(), result_of(call)]
    told = client.responses.create(input=items, **ask)
    assert told.output_text == "The tools said: sunny"


@check
def a_call_is_streamed_in_fragments():
    for model in ("open", "claude"):
        stream = client.responses.create(
            model=model, input="Weather?", tools=[TOOL], stream=True
        )
        events = list(stream)

        kind = "response.function_call_arguments"
        (done,) = (each for each in events if each.type == f"{kind}.done")
        deltas = [each.delta for each in events if each.type == f"{kind}.delta"]
        assert len(deltas) > 1
        assert "".join(deltas) == done.arguments
        (call,) = events[-1].response.output
        assert (call.name, json.loads(call.arguments)) == (
            "weather",
            {"city": "Zürich"},
        )


@check
def a_response_is_parsed_by_its_model():
    for model in ("open", "claude"):
        told = client.responses.parse(model=model, input="Which?", text_format=City)

        assert told.output_parsed == City(name="Ada", population=447_082)


@check
def a_response_is_kept_read_and_deleted():
    made = client.responses.create(
        model="open", input="Keep it", metadata={"topic": "x"}
    )

    found = client.responses.retrieve(made.id)
    assert found.output_text == made.output_text == "You said: Keep it"
    assert found.metadata == {"topic": "x"}
    (item,) = client.responses.input_items.list(made.id)
    assert item.content[0].text == "Keep it"

    client.responses.delete(made.id)
    gone = {"response_id": made.id}
    error_of(openai.NotFoundError, client.responses.retrieve, **gone)
    error_of(openai.NotFoundError, client.responses.delete, **gone)


@check
def a_response_that_was_not_to_be_kept_is_not_there():
    made = client.responses.create(model="open", input="Forget it", store=False)

    next_turn = {"model": "open", "input": "?", "previous_response_id": made.id}
    error_of(openai.NotFoundError, client.responses.retrieve, response_id=made.id)
    error_of(openai.NotFoundError, client.responses.create, **next_turn)


@check
def a_streamed_response_is_kept_too():
    *_, last = client.responses.create(model="open", input="Keep it", stream=True)

    assert client.responses.retrieve(last.response.id).output_text == (
        "You said: Keep it"
    )


@check
def wrong_input_is_refused_with_its_place():
    wrong = {
        "input": {"input": [{"type": "computer_call"}]},
        "tools": {"tools": [{"type": "web_search"}]},
        "background": {"background": True},
    }
    for param, fields in wrong.items():
        asked = {"model": "open", "input": "x", **fields}
        error = error_of(openai.BadRequestError, client.responses.create, **asked)

        assert error.param.startswith(param), (param, error.param)


@check
def an_async_client_streams():
    async def ask():
        async with openai.AsyncOpenAI() as anybody:
            stream = await anybody.responses.create(
                model="open", input="Hallo", stream=True
            )
            return [event.type async for event in stream]

    assert asyncio.run(ask())[-1] == "response.completed"


@check
def a_connection_holds_several_turns():
    with client.responses.connect() as connection:
        connection.response.create(model="open", input="One", store=False)
        first = last_of(connection)
        connection.response.create(
            model="open", input="Two", previous_response_id=first.id, store=False
        )
        second = last_of(connection)

    assert first.output_text == "You said: One"
    assert second.output_text == "You said: Two"


def last_of(connection):
    """Return the response of one turn on a connection."""
    for event in connection:
        if event.type == "response.completed":
            return event.response
    raise AssertionError("the connection ended")


if __name__ == "__main__":
    check.run()
