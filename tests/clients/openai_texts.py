"""The `openai` Python SDK: texts completed, embeddings, and the list of models."""

import openai
from checks import Checks, error_of

check = Checks()
client = openai.OpenAI(max_retries=0)

HELLO = [{"role": "user", "content": "Hello"}]


@check
def texts_are_completed_whole_and_as_a_stream():
    told = client.completions.create(model="open", prompt="One, two", max_tokens=5)
    stream = client.completions.create(model="open", prompt="One", stream=True)

    assert told.choices[0].text == " and so on: One, two"
    assert told.object == "text_completion"
    assert "".join(each.choices[0].text for each in stream) == " and so on: One"


@check
def a_text_is_completed_by_a_chat_where_there_is_nothing_else():
    told = client.completions.create(model="claude", prompt="One", max_tokens=5)
    stream = client.completions.create(
        model="claude", prompt="One", max_tokens=5, stream=True
    )

    assert told.choices[0].text == "You said: One"
    assert "".join(each.choices[0].text for each in stream) == "You said: One"


@check
def several_texts_are_completed_at_once():
    told = client.completions.create(model="open", prompt=["One", "Two"])

    texts = {each.index: each.text for each in told.choices}
    assert texts == {0: " and so on: One", 1: " and so on: Two"}


@check
def embeddings_come_packed_by_default_and_as_numbers_when_asked():
    packed = client.embeddings.create(model="open", input=["a", "abc"])
    plain = client.embeddings.create(
        model="open", input=["a", "abc"], encoding_format="float"
    )

    vectors = [[1.0, -0.5, 0.25], [3.0, -0.5, 0.25]]
    assert [each.embedding for each in packed.data] == vectors
    assert [each.embedding for each in plain.data] == vectors
    assert [each.index for each in packed.data] == [0, 1]
    assert packed.usage.prompt_tokens == 8


@check
def token_numbers_are_embedded():
    one = client.embeddings.create(model="open", input=[5, 6, 7, 8])
    several = client.embeddings.create(model="open", input=[[5, 6], [7]])

    assert [each.embedding[0] for each in one.data] == [4.0]
    assert [each.embedding[0] for each in several.data] == [2.0, 1.0]


@check
def what_a_model_cannot_do_is_refused():
    create = client.completions.create
    for prompt in (["One", "Two"], [1, 2, 3]):
        several = {"model": "claude", "prompt": prompt, "max_tokens": 5}
        assert error_of(openai.BadRequestError, create, **several).status_code == 400
    embed = client.embeddings.create
    error = error_of(openai.BadRequestError, embed, model="claude", input="x")
    assert error.param == "model"


@check
def models_are_listed_and_found():
    listed = {each.id: each for each in client.models.list()}

    assert {"open", "claude", "team/fast"} <= listed.keys()
    assert listed["open"].object == "model"
    assert client.models.retrieve("open").id == "open"


@check
def a_model_with_slashes_in_its_name_is_found_and_asked():
    assert client.models.retrieve("team/fast").id == "team/fast"
    assert client.models.retrieve("lab/any/thing").id == "lab/any/thing"
    told = client.chat.completions.create(model="team/fast", messages=HELLO)
    assert told.choices[0].finish_reason == "stop"


@check
def the_default_model_answers_to_auto():
    told = client.chat.completions.create(model="auto", messages=HELLO)

    assert told.choices[0].message.content == "You said: Hello"


if __name__ == "__main__":
    check.run()
