"""A stream that broke goes on elsewhere, seamlessly, or not at all."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from rescue_scene import heard_from, rescue_scene, seams_of, text_of
from stream_scene import RAW, REQUEST, Silence

from flaskllm.core.errors import (
    LLMProtocolError,
    LLMTimeout,
    LLMUnavailable,
)
from flaskllm.llm.streams import Chunk, Opening, Seam, ToolFragment
from flaskllm.llm.types import CallerBody, Usage

END = b"finish:stop\nusage:12,9\ndone\n"
FIRST = [b"text:The launch \n", b"text:is on \n"]
WHOLE = [b"text:The launch is \n", b"text:on Friday\n", b"text: at noon.\n", END]
SHOWN = "The launch is on "
TOLD = "The launch is on Friday at noon."

TEXTS = st.text(
    st.characters(exclude_characters="\n", exclude_categories=["Cs"]),
    min_size=1,
    max_size=40,
)
MARKS = st.lists(st.integers(0, 400), max_size=8)


def cut_at(whole, marks):
    """Return a text or bytes in pieces, cut at these places."""
    edges = [0, *sorted(mark % (len(whole) + 1) for mark in marks), len(whole)]
    return [whole[a:b] for a, b in pairwise(edges) if a < b]


def lines_of(text, marks):
    return [f"text:{each}\n".encode() for each in cut_at(text, marks)]


@given(TEXTS, MARKS, MARKS, MARKS, MARKS, st.integers(0, 600), st.booleans())
def test_what_is_repeated_goes_on_with_nothing_lost_and_nothing_twice(
    text, chunks, reads, other_chunks, other_reads, place, is_raw
):
    wire = b"".join(lines_of(text, chunks))
    cut = wire[: place % (len(wire) + 1)]
    assume(b"\n" in cut)
    second = b"".join([*lines_of(text, other_chunks), END])
    request = RAW if is_raw else REQUEST

    shown = rescue_scene(
        cut_at(cut, reads), cut_at(second, other_reads), request=request
    )
    pieces, error = heard_from(shown.answer)

    assert error is None
    assert text_of(pieces) == text
    (seam,) = seams_of(pieces)
    before, after = pieces[: pieces.index(seam)], pieces[pieces.index(seam) + 1 :]
    assert seam.at_character == len(text_of(before))
    assert all(isinstance(each, Chunk) for each in after)
    assert shown.codes == ["LLM_PROTOCOL_ERROR", "OK"]
    assert shown.answer.finish_reason == "stop"


@given(TEXTS, TEXTS, MARKS, MARKS)
def test_another_answer_is_read_no_further_than_the_chunk_that_differs(
    text, other, chunks, other_chunks
):
    assume(not other.startswith(text))
    lines = lines_of(other, other_chunks)

    shown = rescue_scene(lines_of(text, chunks), [*lines, END])
    pieces, error = heard_from(shown.answer)

    assert text_of(pieces) == text
    assert not seams_of(pieces)
    assert isinstance(error, LLMProtocolError)
    assert error is shown.walk.heard[0]
    assert shown.codes == ["LLM_PROTOCOL_ERROR", "LLM_ANSWER_DIFFERS"]
    second = shown.walk.opened[1]
    assert second.closed
    assert len(second.read_with) == _reads_until_it_differs(text, lines)


def _reads_until_it_differs(text, lines):
    """Return how many of the lines have to be read to see it; all, and the end."""
    told = ""
    for number, line in enumerate(lines, 1):
        told += line.decode().removeprefix("text:").removesuffix("\n")
        if not text.startswith(told):
            return number
    return len(lines) + 1


BREAKS = {
    "closed": ([], LLMProtocolError),
    "broken off": ([LLMUnavailable()], LLMUnavailable),
    "an error event": ([b"error\n"], LLMUnavailable),
    "silence": ([Silence(60.0)], LLMTimeout),
}


@pytest.mark.parametrize(("steps", "error"), BREAKS.values(), ids=BREAKS)
def test_whatever_breaks_it_the_answer_goes_on(steps, error):
    shown = rescue_scene([*FIRST, *steps], WHOLE)

    pieces, failed = heard_from(shown.answer)

    assert failed is None
    assert text_of(pieces) == TOLD
    seam = Seam("a", "b", len(SHOWN), error.code, "match")
    assert seams_of(pieces) == [seam]
    assert shown.answer.seam == seam
    assert shown.codes == [error.code, "OK"]


def test_an_answer_that_was_whole_already_ends_at_its_seam():
    shown = rescue_scene(FIRST, [b"text:The launch is on \n", b"done\n"])

    pieces, error = heard_from(shown.answer)

    assert error is None
    assert isinstance(pieces[-1], Seam)


def test_what_came_in_the_bytes_of_an_error_event_is_shown_too():
    shown = rescue_scene([FIRST[0], FIRST[1] + b"error\n"], WHOLE)

    pieces, error = heard_from(shown.answer)

    assert error is None
    assert seams_of(pieces)[0].at_character == len(SHOWN)
    assert text_of(pieces) == TOLD


class TestWhoAnswers:
    def test_before_the_break_it_is_the_first(self):
        answer = rescue_scene([b"model:m-1\n" + FIRST[0]], WHOLE).answer

        assert (answer.alias, answer.deployment.name) == ("main", "a")
        assert (answer.attempts, answer.failures, answer.model) == (1, (), "m-1")
        assert (answer.seam, answer.finish_reason) == (None, None)

    def test_after_it_the_one_that_goes_on(self):
        shown = rescue_scene(FIRST, [b"model:m-2\n", *WHOLE])

        heard_from(shown.answer)

        answer = shown.answer
        assert (answer.alias, answer.deployment.name) == ("to-b", "b")
        assert (answer.attempts, answer.model) == (2, "m-2")
        assert answer.failures == ("LLM_PROTOCOL_ERROR",)
        assert answer.finish_reason == "stop"

    def test_the_attempt_says_what_it_is_for(self):
        shown = rescue_scene(FIRST, WHOLE)

        heard_from(shown.answer)

        attempt, _ = shown.ended[1]
        assert attempt.decision == "rescue of attempt 1 after 17 characters"

    def test_its_name_thoughts_and_first_count_are_not_told(self):
        second = [b"model:m-2\nthink:Hm.\nusage:1,1\n", *WHOLE]
        shown = rescue_scene(FIRST, second)

        pieces, _ = heard_from(shown.answer)

        chunks = [each for each in pieces if isinstance(each, Chunk)]
        assert not any(each.model or each.thinking for each in chunks)
        assert sum(each.usage is not None for each in chunks) == 1


class TestUsage:
    def test_the_answers_is_the_sum_of_both_attempts(self):
        shown = rescue_scene([b"usage:12,30\n", *FIRST], WHOLE)

        pieces, _ = heard_from(shown.answer)

        assert shown.answer.usage == Usage(24, 0, 0, 39, 0, "provider")
        said = [e.usage for e in pieces if isinstance(e, Chunk) and e.usage]
        assert said[-1] == shown.answer.usage
        _, outcome = shown.ended[1]
        assert outcome.usage == Usage(12, 0, 0, 9, 0, "provider")

    def test_where_nobody_goes_on_the_broken_attempt_is_counted_once(self):
        other = [b"usage:12,7\n", b"text:Sorry, no.\n"]
        shown = rescue_scene([b"usage:12,30\n", *FIRST], other)

        heard_from(shown.answer)

        parts = [outcome.usage for _, outcome in shown.ended]
        assert shown.answer.usage == parts[0] + parts[1]

    def test_an_attempt_that_did_not_fit_is_counted_and_billed(self):
        other = [b"usage:12,7\n", b"text:Sorry, no.\n"]
        shown = rescue_scene([b"usage:12,30\n", *FIRST], other, WHOLE)

        heard_from(shown.answer)

        _, outcome = shown.ended[1]
        assert outcome.usage == Usage(12, 0, 0, 7, 0, "provider")
        assert shown.answer.usage == Usage(36, 0, 0, 46, 0, "provider")


class TestRaw:
    def test_what_follows_the_seam_comes_in_chunks_under_the_first_opening(self):
        shown = rescue_scene(FIRST, WHOLE, request=RAW)
        answer = shown.answer

        assert answer.is_raw
        pieces, _ = heard_from(answer)

        (seam,) = seams_of(pieces)
        assert seam.opening == Opening(id="line-1")
        assert not answer.is_raw
        assert pieces[: len(FIRST)] == FIRST

    def test_the_second_is_asked_in_the_callers_words_and_read_in_chunks(self):
        shown = rescue_scene(FIRST, WHOLE, request=RAW)

        heard_from(shown.answer)

        assert shown.walk.asked[1] == (RAW, replace(RAW, body=None))

    def test_a_text_to_go_on_with_is_asked_as_a_chat(self):
        text = replace(REQUEST, body=CallerBody("openai.text", {}))
        shown = rescue_scene(FIRST, WHOLE, request=text)

        heard_from(shown.answer)

        chat = replace(text, body=None)
        assert shown.walk.asked[1] == (chat, chat)

    def test_one_that_fails_keeps_the_answer_as_it_was(self):
        shown = rescue_scene(FIRST, request=RAW)

        pieces, error = heard_from(shown.answer)

        assert error is shown.walk.heard[0]
        assert shown.answer.is_raw
        assert [each for each in pieces if each] == FIRST


class TestSignsOfLife:
    def test_one_comes_before_each_attempt(self):
        shown = rescue_scene(FIRST, [b"text:No.\n"], LLMUnavailable(), WHOLE)

        pieces, _ = heard_from(shown.answer)

        assert pieces[2:5] == [None, None, None]
        assert pieces.count(None) == 3

    def test_one_comes_for_each_silence_while_text_is_swallowed(self):
        shown = rescue_scene(FIRST, [WHOLE[0], Silence(12.0), *WHOLE[1:]])

        pieces, _ = heard_from(shown.answer)

        assert pieces[2:5] == [None, None, None]
        assert isinstance(pieces[5], Seam)

    def test_one_comes_every_five_seconds_of_swallowing_without_silence(self):
        slow = [s for n in range(17) for s in (Silence(1.0), b"text:x\n")]
        shown = rescue_scene([b"text:" + b"x" * 17 + b"\n"], [*slow, END])

        pieces, error = heard_from(shown.answer)

        assert error is None
        assert pieces.count(None) == 1 + 3


THOUGHTS = [b"think:Let me see.\n"]


class TestThoughtsAlone:
    def test_the_next_answer_goes_on_from_its_start_without_its_thoughts(self):
        shown = rescue_scene(THOUGHTS, [b"think:Hm.\n", *WHOLE])

        pieces, _ = heard_from(shown.answer)

        seam = Seam("a", "b", 0, "LLM_PROTOCOL_ERROR", "match")
        assert pieces[:4] == [
            Chunk(thinking="Let me see."),
            None,
            seam,
            Chunk(text="The launch is "),
        ]
        assert text_of(pieces) == TOLD

    def test_it_may_call_a_tool(self):
        second = [b"think:Hm.\n", b"tool:look\n", END]
        shown = rescue_scene(THOUGHTS, second)

        pieces, error = heard_from(shown.answer)

        assert error is None
        assert Chunk(tool=ToolFragment(0, "call-1", "look")) in pieces

    def test_nobody_is_asked_for_the_rest_of_nothing(self):
        shown = rescue_scene(THOUGHTS, WHOLE, rescue="continue")

        heard_from(shown.answer)

        assert not shown.walk.may_continue


class TestClosedEarly:
    def read_to(self, answer, is_there):
        for piece in answer:
            if is_there(piece):
                return

    def test_while_the_second_is_being_swallowed(self):
        second = [WHOLE[0], Silence(12.0), *WHOLE[1:]]
        shown = rescue_scene(FIRST, second)
        pieces = iter(shown.answer)
        for _ in range(4):
            next(pieces)

        shown.answer.close()

        assert shown.codes == ["LLM_PROTOCOL_ERROR", "CALLER_GONE"]
        assert shown.walk.opened[1].closed

    def test_at_the_seam(self):
        shown = rescue_scene(FIRST, WHOLE)
        self.read_to(shown.answer, lambda piece: isinstance(piece, Seam))

        shown.answer.close()
        shown.answer.close()

        assert shown.codes == ["LLM_PROTOCOL_ERROR", "CALLER_GONE"]
        assert shown.walk.opened[1].closed

    def test_before_the_second_is_asked(self):
        shown = rescue_scene(FIRST, WHOLE)
        self.read_to(shown.answer, lambda piece: piece is None)

        shown.answer.close()

        assert shown.codes == ["LLM_PROTOCOL_ERROR"]
        assert len(shown.walk.opened) == 1

    def test_before_anything_was_read(self):
        shown = rescue_scene(FIRST, WHOLE)

        shown.answer.close()

        assert shown.codes == ["CALLER_GONE"]
        assert shown.walk.opened[0].closed
        assert list(shown.answer) == []

    def test_after_the_whole_answer_nothing_is_told_again(self):
        shown = rescue_scene(FIRST, WHOLE)
        heard_from(shown.answer)

        shown.answer.close()

        assert shown.codes == ["LLM_PROTOCOL_ERROR", "OK"]
