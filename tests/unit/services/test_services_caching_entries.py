"""Answers go into the cache and come out as they were; streams are told again."""

from dataclasses import replace
from types import MappingProxyType

import pytest
from fakes import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.errors import (
    CallerGone,
    LLMProtocolError,
    LLMTimeout,
    LLMUnavailable,
)
from flaskllm.llm.cached import Remembered
from flaskllm.llm.parts import Thinking, ToolCall
from flaskllm.llm.streams import Chunk, Seam, ToolFragment
from flaskllm.llm.types import (
    Completion,
    CompletionRequest,
    Deployment,
    Embeddings,
    Usage,
)
from flaskllm.llm.whole import chunks_of, gathered
from flaskllm.services.caching import landing
from flaskllm.services.caching.entries import Entry, as_cached
from flaskllm.services.caching.forms import Streamed
from flaskllm.services.caching.streams import Recording, Retold

SMALL = Deployment("small", "box", "vllm", "scripted-1")
USED = Usage(12, 1, 2, 5, 3, "provider")
SAID = Completion("Hello", "stop", USED, "m-1")
ENTRY = Entry("fast", ("small", "box", "vllm", "scripted-1"), 1000.0, 17, SAID)

# Also what no UTF-8 can hold: half a surrogate pair.
texts = st.text(st.characters(exclude_categories=()), max_size=20)
counts = st.integers(0, 10**9)
usages = st.builds(
    Usage,
    counts,
    counts,
    counts,
    counts,
    counts,
    st.sampled_from(["provider", "estimated"]),
)
calls = st.builds(ToolCall, texts, texts, texts, st.none() | texts)
thoughts = st.builds(Thinking, texts, st.none() | texts, st.none()) | st.builds(
    Thinking, st.just(""), st.none(), texts
)
completions = st.builds(
    Completion,
    text=texts,
    finish_reason=st.sampled_from(["stop", "tool_calls", "length", "content_filter"]),
    usage=usages,
    model=texts,
    tool_calls=st.lists(calls, max_size=3).map(tuple),
    thinking=st.lists(thoughts, max_size=3).map(tuple),
    stop_sequence=st.none() | texts,
    refusal=st.none() | texts,
    raw=st.none() | st.text(max_size=20).map(str.encode),
)
vectors = st.lists(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=4), max_size=3
)


@given(completions, st.none() | st.text(max_size=30).map(str.encode), st.booleans())
def test_what_comes_out_is_what_went_in(said, events, has_usage):
    entry = replace(
        ENTRY,
        completion=said,
        events=events,
        has_usage=has_usage,
        dropped=("seed",),
        marks={"-/mark/all": "x"},
    )

    assert Entry.from_text(entry.to_text()) == entry


@given(vectors, usages)
def test_so_do_vectors(found, usage):
    embedded = Embeddings(tuple(found), usage, "m-1")
    entry = replace(ENTRY, completion=None, vectors=embedded)

    assert Entry.from_text(entry.to_text()) == entry
    told = entry.embedding_answer()
    assert told.embeddings.vectors == tuple(found)
    assert told.embeddings.usage.source == "cached"


# A stream has no border between two thoughts that nobody signed, and none of nothing.
told_alike = st.builds(
    Completion,
    text=texts,
    finish_reason=st.sampled_from(["stop", "tool_calls"]),
    usage=usages,
    model=texts,
    tool_calls=st.lists(
        st.builds(ToolCall, texts, texts, texts, st.none() | texts.filter(bool)),
        max_size=3,
    ).map(tuple),
    thinking=st.lists(
        st.builds(Thinking, texts, texts, st.none())
        | st.builds(Thinking, st.just(""), st.none(), texts),
        max_size=3,
    ).map(tuple),
    stop_sequence=st.none() | texts.filter(bool),
    refusal=st.none() | texts.filter(bool),
)


@given(told_alike)
def test_a_whole_answer_in_chunks_put_together_is_the_same(said):
    whole = gathered(chunks_of(said)).completion(
        said.finish_reason, said.usage, said.model
    )

    assert whole == said


def test_a_thought_that_nobody_signed_is_kept():
    said = replace(SAID, thinking=(Thinking("hm"),))

    whole = gathered(chunks_of(said)).completion("stop", USED, "m-1")

    assert whole.thinking == (Thinking("hm"),)


def test_fragments_of_a_call_are_put_together():
    chunks = [
        Chunk(tool=ToolFragment(1, "b", "look", '{"a"')),
        Chunk(tool=ToolFragment(0, "a", "find", "{}")),
        Chunk(tool=ToolFragment(1, arguments=": 1}", signature="s")),
    ]

    whole = gathered(chunks).completion("tool_calls", USED, "m-1")

    assert whole.tool_calls == (
        ToolCall("a", "find", "{}"),
        ToolCall("b", "look", '{"a": 1}', "s"),
    )


def test_an_entry_of_another_version_is_none():
    assert (
        Entry.from_text(ENTRY.to_text().replace('"version":1', '"version":2')) is None
    )


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "{}", '{"version": 1}', ENTRY.to_text().replace('"text"', '"x"')],
)
def test_so_is_one_that_cannot_be_read(text):
    assert Entry.from_text(text) is None


def test_bytes_that_are_no_text_are_not_kept():
    with pytest.raises(ValueError, match="utf-8"):
        replace(ENTRY, events=b"\xff").to_text()


def test_an_entry_tells_where_it_came_from():
    assert ENTRY.remembered(1030.5) == Remembered(
        "fast", "small", "box", "scripted-1", 30.5, 17
    )
    assert ENTRY.remembered(900.0).age_seconds == 0.0
    answer = ENTRY.answer()
    assert answer.completion == as_cached(SAID)
    assert (answer.deployment, answer.attempts, answer.alias) == (SMALL, 0, "fast")


class TestLanding:
    def test_an_error_is_the_same_for_all(self):
        error = LLMUnavailable("Away.", details="box", retry_after_seconds=3)

        with pytest.raises(LLMUnavailable) as told:
            landing.read(landing.text_of_error(error))

        assert (told.value.message, told.value.details) == ("Away.", "box")
        assert told.value.retry_after_seconds == 3

    def test_an_answer_is_read(self):
        assert landing.read(ENTRY.to_text()) == ENTRY

    def test_an_error_that_is_not_known_here_is_nothing(self):
        told = landing.text_of_error(LLMTimeout()).replace(LLMTimeout.code, "NEWER")

        assert landing.read(told) is None


class FakeStream:
    """A stream of these pieces; an error among them is raised."""

    dropped = ("seed",)
    rate_limits = MappingProxyType({"x-ratelimit-a": "1"})
    seam = None
    is_complete = False
    alias = "fast"
    deployment = SMALL
    attempts = 2
    failures = ("LLM_TIMEOUT",)
    usage = USED
    finish_reason = "stop"
    model = "m-1"

    def __init__(self, *pieces, is_raw=False, **others):
        self.is_raw = is_raw
        self.closed = 0
        self._pieces = pieces
        vars(self).update(others)

    def __iter__(self):
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    def close(self):
        self.closed += 1


class Heard:
    """What was heard of a recorded stream."""

    def __init__(self, chunks=()):
        self.whole = []
        self.given_up = []
        self.clock = FakeClock()
        self._chunks = chunks

    def record(self, stream):
        return Recording(
            stream, self._read, self._conclude, self.given_up.append, self.clock
        )

    def _read(self, events):
        if events == b"unreadable":
            raise LLMProtocolError
        return iter(self._chunks)

    def _conclude(self, completion, events):
        self.whole.append((completion, events))


class TestRecording:
    def test_a_stream_passes_as_it_is_and_is_told_when_it_is_whole(self):
        heard, stream = Heard(), FakeStream(Chunk("Hel"), None, Chunk("lo"))

        recorded = heard.record(stream)

        assert [*recorded] == [Chunk("Hel"), None, Chunk("lo")]
        assert heard.whole == [(SAID, None)]
        recorded.close()
        assert (heard.given_up, stream.closed) == ([], 1)

    def test_what_is_not_there_yet_is_not_sought_for_ever(self):
        with pytest.raises(AttributeError, match="_answer"):
            _ = Recording.__new__(Recording).model

    def test_it_is_what_the_stream_is(self):
        stream = FakeStream()
        recorded = Heard().record(stream)

        for name in (
            *("dropped", "rate_limits", "seam", "is_raw", "is_complete", "alias"),
            *("deployment", "attempts", "failures", "usage", "finish_reason", "model"),
        ):
            assert getattr(recorded, name) == getattr(stream, name), name

    def test_events_that_are_passed_on_are_kept_beside_what_they_say(self):
        heard = Heard([Chunk("Hello")])

        assert [*heard.record(FakeStream(b"ev", b"ents", is_raw=True))]

        assert heard.whole == [(SAID, b"events")]

    @pytest.mark.parametrize(
        "stream",
        [
            FakeStream(b"unreadable", is_raw=True),
            FakeStream(Chunk("x"), finish_reason=None),
            FakeStream(Chunk("x"), seam=Seam("a", "b", 1, "X", "match")),
            FakeStream(Chunk("x" * 9_000_000), Chunk("y")),
        ],
        ids=["unreadable", "unfinished", "joined", "long"],
    )
    def test_what_is_no_whole_answer_is_given_up(self, stream):
        heard = Heard()

        assert [*heard.record(stream)]

        assert (heard.whole, heard.given_up) == ([], [None])

    def test_what_no_model_said_is_for_nobody_else(self):
        stream = FakeStream(Chunk("x"), deployment=replace(SMALL, degraded=True))
        concluded, given_up = [], []
        form = Streamed(None, CompletionRequest("fast", ()), FakeClock())

        assert [*form.keep(stream, concluded.append, given_up.append)]

        assert (concluded, given_up) == ([], [None])

    def test_one_that_breaks_tells_why(self):
        heard, error = Heard(), LLMTimeout()

        with pytest.raises(LLMTimeout):
            list(heard.record(FakeStream(Chunk("x"), error)))

        assert heard.given_up == [error]

    @pytest.mark.parametrize("pieces", [(Chunk("x"), KeyError()), (Chunk("x"),)])
    def test_whatever_goes_wrong_it_is_given_up(self, pieces):
        heard = Heard()
        heard.whole = None  # who hears of it fails

        with pytest.raises((KeyError, AttributeError)):
            list(heard.record(FakeStream(*pieces)))

        assert [type(each) for each in heard.given_up] in ([KeyError], [AttributeError])

    def test_who_reads_slowly_holds_up_nobody_and_is_kept_all_the_same(self):
        heard, told = Heard(), []

        for piece in heard.record(FakeStream(*map(Chunk, "Hello"))):
            told.append((piece.text, len(heard.given_up)))
            heard.clock.advance(2.5)

        assert told == [("H", 0), ("e", 0), ("l", 0), ("l", 1), ("o", 1)]
        assert [type(each) for each in heard.given_up] == [CallerGone]
        assert heard.whole == [(SAID, None)]

    def test_one_that_is_closed_early_is_given_up_once(self):
        heard, stream = Heard(), FakeStream(Chunk("x"), Chunk("y"))
        recorded = heard.record(stream)
        next(iter(recorded))

        recorded.close()
        recorded.close()

        assert [type(each) for each in heard.given_up] == [GeneratorExit]

    def test_one_that_is_closed_before_it_began_is_too(self):
        heard = Heard()

        heard.record(FakeStream(Chunk("x"))).close()

        assert [type(each) for each in heard.given_up] == [CallerGone]


class TestRetold:
    def test_an_answer_is_told_in_chunks(self):
        told = Retold(ENTRY, is_raw=False)

        whole = gathered(told).completion(told.finish_reason, told.usage, told.model)

        assert whole == as_cached(SAID)
        assert (told.alias, told.deployment, told.attempts) == ("fast", SMALL, 0)
        assert (told.is_complete, told.seam, told.failures) == (True, None, ())

    def test_its_own_events_are_passed_on(self):
        told = Retold(replace(ENTRY, events=b"data: x\n\n"), is_raw=True)

        assert [*told] == [b"data: x\n\n"]

    def test_it_can_be_closed(self):
        told = Retold(ENTRY, is_raw=False)
        told.close()

        assert [*told] == []
