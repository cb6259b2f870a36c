"""LangChain: chat models of both vendors and embeddings."""

from typing import Annotated

from checks import Checks
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAI, OpenAIEmbeddings
from pydantic import BaseModel, Field

check = Checks()

# Each class in front of its own dialect and of the other one.
MODELS = tuple(
    kind(model=model, max_retries=0)
    for kind in (ChatOpenAI, ChatAnthropic)
    for model in ("open", "claude")
)


class City(BaseModel):
    """A city."""

    name: str = Field(description="How it is called.")
    population: int


@tool
def weather(city: Annotated[str, "Where."]) -> str:
    """Tell the weather of a city."""
    return f"sunny in {city}"


@check
def a_chat_is_answered():
    for model in MODELS:
        told = model.invoke([SystemMessage("Be brief."), HumanMessage("Hallo 👋")])

        assert told.text == "You said: Hallo 👋"
        assert told.usage_metadata["total_tokens"] > 0


@check
def a_stream_gives_the_same_words_and_its_usage():
    for model in MODELS:
        chunks = list(model.stream("Hallo 👋", stream_usage=True))

        whole = chunks[0]
        for chunk in chunks[1:]:
            whole += chunk
        assert whole.text == "You said: Hallo 👋"
        assert len(chunks) > 3
        assert whole.usage_metadata["output_tokens"] > 0


@check
def a_tool_is_called_and_its_result_taken_back():
    for model in MODELS:
        bound = model.bind_tools([weather])
        asked = bound.invoke("How is it there?")
        (call,) = asked.tool_calls
        assert (call["name"], call["args"]) == ("weather", {"city": "Zürich"})

        result = ToolMessage(weather.invoke(call["args"]), tool_call_id=call["id"])
        told = bound.invoke([HumanMessage("How is it there?"), asked, result])
        assert told.text == "The tools said: sunny in Zürich"


@check
def calls_in_a_stream_are_put_together():
    for model in MODELS:
        chunks = list(model.bind_tools([weather]).stream("How is it there?"))

        whole = chunks[0]
        for chunk in chunks[1:]:
            whole += chunk
        (call,) = whole.tool_calls
        assert call["args"] == {"city": "Zürich"}


@check
def an_answer_is_structured():
    for model in MODELS:
        told = model.with_structured_output(City).invoke("Which?")

        assert told == City(name="Ada", population=447_082)


@check
def an_answer_is_structured_by_a_tool():
    for model in MODELS:
        structured = model.with_structured_output(City, method="function_calling")

        assert structured.invoke("Which?") == City(name="Ada", population=447_082)


@check
def responses_are_used_where_they_are_asked_for():
    model = ChatOpenAI(model="open", use_responses_api=True, max_retries=0)

    assert model.invoke("Hallo").text == "You said: Hallo"
    assert "".join(chunk.text for chunk in model.stream("Hallo")) == "You said: Hallo"
    (call,) = model.bind_tools([weather]).invoke("How is it?").tool_calls
    assert call["args"] == {"city": "Zürich"}


@check
def a_text_is_completed():
    model = OpenAI(model="open", max_tokens=5, max_retries=0)

    assert model.invoke("One") == " and so on: One"


@check
def texts_are_embedded():
    model = OpenAIEmbeddings(
        model="open", check_embedding_ctx_length=False, max_retries=0
    )

    assert model.embed_query("abc") == [3.0, -0.5, 0.25]
    assert [vector[0] for vector in model.embed_documents(["a", "ab"])] == [1.0, 2.0]


if __name__ == "__main__":
    check.run()
