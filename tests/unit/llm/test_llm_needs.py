"""What a dialect cannot say keeps a request away before money is spent."""

from dataclasses import replace

import pytest
from model_scene import FakeDialects

from flaskllm.core.errors import InvalidInputError
from flaskllm.llm.candidates import line_up
from flaskllm.llm.catalog import Catalog, Route
from flaskllm.llm.parts import Image, Message, Text, ToolResult
from flaskllm.llm.types import CallerBody, CompletionRequest, Deployment

A = Deployment("a", "p", "openai", "model-a")
B = Deployment("b", "p", "openai", "model-b")
ROUTES = Catalog(
    (
        Route(alias="top", weights={"a": 1}, fallbacks=("rest",)),
        Route(alias="rest", weights={"b": 1}),
    ),
    {"a": A, "b": B},
)
REQUEST = CompletionRequest("top", (Message("user", "Hello"),))
ADDRESS = Image(url="https://pictures.test/plot.png")
PICTURE = Image(data="AA==", media_type="image/png")


def names(request, dialects, catalog=ROUTES):
    lineup = line_up(catalog, request, dialects, lambda known, request: known)
    return [each.deployment.name for each in lineup.candidates]


def showing(*parts):
    return replace(REQUEST, messages=(Message("user", (Text("Look:"), *parts)),))


BY_ADDRESS = {
    "an image": showing(PICTURE, ADDRESS),
    "a tool's image": showing(ToolResult("call-1", (Text("a plot"), ADDRESS))),
}


@pytest.mark.parametrize("asked", BY_ADDRESS.values(), ids=BY_ADDRESS)
def test_who_fetches_no_image_is_not_asked_with_an_address(asked):
    assert names(asked, FakeDialects(fetch_nothing=frozenset({"a"}))) == ["b"]


def test_an_address_that_nobody_fetches_is_the_callers_to_mend():
    with pytest.raises(InvalidInputError) as caught:
        names(showing(ADDRESS), FakeDialects(fetch_nothing=frozenset({"a", "b"})))

    (field,) = caught.value.fields
    assert field.path == "messages"
    assert "base64" in field.allowed


def test_an_image_that_is_there_goes_anywhere():
    dialects = FakeDialects(fetch_nothing=frozenset({"a", "b"}))

    assert names(showing(PICTURE), dialects) == ["a", "b"]


def texts(prompt):
    return replace(REQUEST, body=CallerBody("openai.text", {"prompt": prompt}))


TEXT = FakeDialects(frozenset({"openai.text"}))
SPECIAL = {
    "several texts": ["a", "b"],
    "token numbers": [1, 2],
    "one token number": [1],
    "several token numbers": [[1], [2]],
}


@pytest.mark.parametrize("prompt", SPECIAL.values(), ids=SPECIAL)
def test_what_is_no_one_text_goes_only_where_the_dialect_is_shared(prompt):
    assert names(texts(prompt), TEXT) == ["a", "b"]

    with pytest.raises(InvalidInputError) as caught:
        names(texts(prompt), FakeDialects())

    (field,) = caught.value.fields
    assert (field.path, field.allowed) == ("prompt", "one text")


@pytest.mark.parametrize("prompt", ["a", ["a"]])
def test_one_text_goes_anywhere(prompt):
    assert names(texts(prompt), FakeDialects()) == ["a", "b"]


def test_several_answers_to_several_texts_name_both():
    with pytest.raises(InvalidInputError) as caught:
        names(replace(texts(["a", "b"]), choices=2), FakeDialects())

    assert [field.path for field in caught.value.fields] == ["n", "prompt"]
