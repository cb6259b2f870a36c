"""An event that is like another but for its text is read as if it were parsed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.sse import SSEEvent
from flaskllm.llm.providers.openai_refrain import Refrain


def event(data, name=""):
    return SSEEvent(b"data: " + data + b"\n\n", name, data)


def delta(text, /, **more):
    """Return an event as OpenAI's own; the text as JSON writes it."""
    chunk = {"choices": [{"index": 0, "delta": {"content": text}}], **more}
    return event(json.dumps(chunk, ensure_ascii=False).encode("utf-8", "surrogatepass"))


@pytest.fixture
def refrain():
    """Return one that has learnt from a first word."""
    refrain = Refrain()
    refrain.learn(delta("Hello"), "Hello")
    return refrain


@pytest.mark.parametrize("text", ["a", " word", "Grüße", "日本", "\x7f", "{}[]:,'"])
def test_another_text_is_recognised(refrain, text):
    assert refrain.text_of(delta(text)) == text


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(delta(""), id="no text, so no token"),
        pytest.param(delta('say "x"'), id="an escaped quote"),
        pytest.param(delta("a\nb"), id="an escaped line break"),
        pytest.param(delta("a", usage={"total_tokens": 3}), id="more behind"),
        pytest.param(event(b'{"id":1,' + delta("a").data[1:]), id="more before"),
        pytest.param(event(delta("a").data, "error"), id="a name"),
        pytest.param(event(delta("a").data[:-1]), id="cut"),
        pytest.param(event(delta("Hello").data[:-30]), id="cut within the text"),
        pytest.param(event(delta("ab").data.replace(b"ab", b"\xff")), id="no UTF-8"),
        pytest.param(delta("\ud800"), id="half a surrogate pair"),
        pytest.param(event(delta("ab").data.replace(b"ab", b"\x01")), id="control"),
        pytest.param(
            event(delta("a").data.replace(b'"a"', b'"a","content":"b"')),
            id="the same key again",
        ),
    ],
)
def test_whatever_else_differs_has_to_be_parsed(refrain, other):
    assert refrain.text_of(other) is None


@pytest.mark.parametrize(
    ("taught", "text"),
    [
        pytest.param(delta("a", text="a"), "a", id="two strings might be it"),
        pytest.param(delta("b"), "a", id="another text"),
        pytest.param(delta("a\\"), "a\\", id="an escape"),
        pytest.param(event(rb'{"content":"a","c\u006fntent":"a"}'), "a", id="a key"),
        pytest.param(event(delta("a").data, "note"), "a", id="a name"),
        pytest.param(delta(""), "", id="no text"),
    ],
)
def test_nothing_is_learnt_where_it_is_not_plain(taught, text):
    refrain = Refrain()

    refrain.learn(taught, text)

    assert refrain.text_of(SSEEvent(taught.raw, "", taught.data)) is None


def test_it_stops_to_learn_where_something_else_changes_every_time():
    refrain = Refrain()
    for number in range(20):
        refrain.learn(delta("a", padding="x" * number), "a")

    assert refrain.text_of(delta("b", padding="x" * 15)) == "b"
    assert refrain.text_of(delta("b", padding="x" * 19)) is None


@given(
    st.text(min_size=1),
    st.text(),
    st.dictionaries(st.sampled_from(["id", "text", "content", "x"]), st.text()),
    st.booleans(),
)
def test_what_is_recognised_parses_to_the_same(first, second, more, in_ascii):
    def written(text):
        chunk = {"choices": [{"delta": {"content": text}}], **more}
        data = json.dumps(chunk, ensure_ascii=in_ascii)
        return event(data.encode("utf-8", "surrogatepass"))

    refrain = Refrain()
    refrain.learn(written(first), first)

    assert refrain.text_of(written(second)) in (None, second)
