"""Two texts are joined so that nothing is lost and nothing stands twice."""

from itertools import pairwise, takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.errors import LLMAnswerDiffers
from flaskllm.llm.joining import (
    OVERLAP_CHARACTERS,
    Continuation,
    Joiner,
    Repetition,
    may_overlap_more,
    overlap,
)
from flaskllm.llm.streams import Chunk, ToolFragment
from flaskllm.llm.types import Usage

TEXTS = st.text(max_size=60)
ALIKE = st.text(alphabet="ab 1", max_size=24)


def pieces_of(text, marks):
    """Return the text in pieces, cut at these places."""
    edges = [0, *sorted(mark % (len(text) + 1) for mark in marks), len(text)]
    return [text[a:b] for a, b in pairwise(edges) if a < b]


def fresh_of(joint, pieces):
    """Return what the joint lets go of in an answer of these pieces."""
    return "".join(map(joint.take, pieces)) + joint.end()


def common(one, other):
    """Return how many characters two texts begin with alike."""
    alike = (a == b for a, b in zip(one, other, strict=False))
    return sum(takewhile(bool, alike))


def swallow(joint, pieces, swallowed):
    """Take pieces of which nothing is new, and keep which they were."""
    for piece in pieces:
        assert joint.take(piece) == ""
        swallowed.append(piece)
    joint.end()


class TestRepetition:
    @given(TEXTS, TEXTS, st.lists(st.integers(0, 200), max_size=8))
    def test_what_was_shown_is_swallowed_however_it_is_cut(self, shown, rest, marks):
        joint = Repetition(shown)

        assert fresh_of(joint, pieces_of(shown + rest, marks)) == rest
        assert joint.is_joined

    @given(
        st.text(min_size=1, max_size=60),
        TEXTS,
        st.lists(st.integers(0, 200), max_size=8),
    )
    def test_any_other_answer_differs_at_the_piece_with_its_first_other_character(
        self, shown, other, marks
    ):
        same = common(shown, other)
        joint, swallowed = Repetition(shown), []
        pieces = pieces_of(other, marks)

        if other.startswith(shown):
            assert fresh_of(joint, pieces) == other[len(shown) :]
            return
        with pytest.raises(LLMAnswerDiffers) as caught:
            swallow(joint, pieces, swallowed)

        assert other[:same].startswith("".join(swallowed))
        assert f" {same} characters" in caught.value.details
        assert not joint.is_joined

    def test_the_joint_is_there_with_the_first_new_character(self):
        joint = Repetition("On Fri")

        assert (joint.take("On F"), joint.is_joined) == ("", False)
        assert (joint.take("ri"), joint.is_joined) == ("", False)
        assert (joint.take("day"), joint.is_joined) == ("day", True)
        assert joint.take(".") == "."

    def test_an_answer_that_ends_too_early_differs(self):
        joint = Repetition("On Friday")
        joint.take("On")

        with pytest.raises(LLMAnswerDiffers) as caught:
            joint.end()

        assert caught.value.details == "It ends after 2 characters."

    def test_where_no_text_was_shown_all_is_new(self):
        joint = Repetition("")

        assert not joint.is_joined
        assert joint.take("On Friday") == "On Friday"

    def test_an_error_says_nothing_of_the_texts(self):
        with pytest.raises(LLMAnswerDiffers) as caught:
            Repetition("secret").take("section")

        assert caught.value.details == "It differs after 3 characters."


OVERLAPS = {
    "none": ("On Friday", " at noon.", 0),
    "a word": ("The launch is on Friday", "Friday at noon.", 6),
    "several words": ("The launch is on Friday", "is on Friday at noon.", 12),
    "all of it": ("On Friday", "On Friday at noon.", 9),
    "a space": ("On ", " Friday", 1),
    "the longest of several": ("a la la", "la land", 5),
    "in a word, long enough": ("The launch is on Frida", "rida y", 4),
    "in a word, too short to tell": ("a cook", "okie", 0),
    "in a number": ("about 10", "00 guests", 0),
    "a whole number": ("about 10", "1000 guests", 2),
    "a script without case": ("会議は金", "金曜日です", 1),
    "a line break": ("- one\n", "\n- two", 1),
    "nothing was shown": ("", "On Friday", 0),
    "nothing was said": ("On Friday", "", 0),
}


@pytest.mark.parametrize(("shown", "begun", "length"), OVERLAPS.values(), ids=OVERLAPS)
def test_the_overlap_is_the_longest_end_that_is_told_again(shown, begun, length):
    assert overlap(shown, begun) == length


def test_no_more_than_256_characters_are_compared():
    words = " ".join(str(number) for number in range(400))
    told = words[-300:]

    assert overlap(words, told) < 300
    assert overlap(words, words[-OVERLAP_CHARACTERS:]) == OVERLAP_CHARACTERS
    assert not may_overlap_more(words, told)


class TestContinuation:
    @given(ALIKE, ALIKE, st.lists(st.integers(0, 200), max_size=8))
    def test_how_it_is_cut_makes_no_difference(self, shown, told, marks):
        in_one = Continuation(shown)
        in_pieces = Continuation(shown)

        whole = fresh_of(in_one, [told] if told else [])

        assert fresh_of(in_pieces, pieces_of(told, marks)) == whole
        assert told.endswith(whole)

    @given(
        st.lists(st.sampled_from(["on", "Friday", "noon", "at"]), max_size=30),
        st.integers(0, 30),
        st.lists(st.integers(0, 200), max_size=8),
    )
    def test_words_that_are_told_again_stand_once(self, words, again, marks):
        shown = " ".join(["The launch is planned for", *words])
        told = " ".join(words[max(0, len(words) - again) :]) if again else ""
        joint = Continuation(shown)

        # The bracket is nowhere else: so much of the end is told again, no more.
        fresh = fresh_of(joint, pieces_of(f"{told}[the rest]", marks))

        assert fresh == "[the rest]"

    def test_what_may_be_an_overlap_is_held_back_until_it_is_decided(self):
        joint = Continuation("The launch is on Friday")

        assert (joint.take("Fri"), joint.is_joined) == ("", False)
        assert (joint.take("day"), joint.is_joined) == ("", False)
        assert (joint.take(" at"), joint.is_joined) == (" at", True)
        assert joint.take(" noon.") == " noon."
        assert joint.end() == ""

    def test_what_turns_out_to_be_none_is_let_go(self):
        joint = Continuation("The launch is on Friday")

        assert joint.take("Fri") == ""
        assert joint.take("ght") == "Fright"

    def test_an_answer_that_tells_all_of_it_anew_goes_on_where_it_is_new(self):
        shown = "The launch is on Friday, and everybody is invited to it"
        joint = Continuation(shown)

        assert fresh_of(joint, pieces_of(f"{shown}. Come!", [7, 30, 50])) == ". Come!"

    @pytest.mark.parametrize("ending", [" Something else.", ""], ids=["other", "end"])
    def test_an_answer_that_begins_anew_and_goes_elsewhere_differs(self, ending):
        shown = "The launch is on Friday, and everybody is invited to it"
        joint = Continuation(shown)

        with pytest.raises(LLMAnswerDiffers):
            fresh_of(joint, [shown[:40] + ending])

    def test_a_beginning_that_is_the_same_by_chance_is_none(self):
        joint = Continuation("The launch is on")

        assert fresh_of(joint, ["The", " other one"]) == "The other one"

    def test_an_answer_that_ends_while_it_is_held_back_is_let_go(self):
        assert fresh_of(Continuation("On Friday. On"), ["On", " F"]) == " F"


ELSE = {
    "a finish": Chunk(finish_reason="stop"),
    "a call": Chunk(tool=ToolFragment(0, "1", "look")),
    "a refusal": Chunk(refusal="No."),
    "an end in the same chunk": Chunk(text=" Fri", finish_reason="length"),
}


class TestChunks:
    def test_text_that_is_partly_new_comes_as_a_chunk_of_the_rest(self):
        joiner = Joiner(Repetition("On Fri"))

        assert joiner.take(Chunk(text="On ")) is None
        assert joiner.take(Chunk(text="Friday")) == Chunk(text="day")
        assert joiner.is_joined

    def test_thoughts_name_and_count_before_the_joint_are_swallowed(self):
        joiner = Joiner(Repetition("On"))

        for chunk in (
            Chunk(model="m-2"),
            Chunk(thinking="Hm."),
            Chunk(thinking_signature="s"),
            Chunk(thinking_redacted="r"),
            Chunk(usage=Usage(1, source="provider")),
        ):
            assert joiner.take(chunk) is None
        assert not joiner.is_joined

    def test_a_finish_right_after_what_was_shown_ends_the_answer(self):
        joiner = Joiner(Repetition("On Friday"))

        assert joiner.take(Chunk(text="On Friday")) is None
        assert not joiner.is_joined
        finish = Chunk(finish_reason="stop", stop_sequence="x")
        assert joiner.take(finish) == finish
        assert joiner.is_joined

    @pytest.mark.parametrize("chunk", ELSE.values(), ids=ELSE)
    def test_anything_else_before_all_was_repeated_differs(self, chunk):
        joiner = Joiner(Repetition("On Friday"))
        joiner.take(Chunk(text="On"))

        with pytest.raises(LLMAnswerDiffers):
            joiner.take(chunk)

    @pytest.mark.parametrize("chunk", ELSE.values(), ids=ELSE)
    def test_where_thoughts_alone_were_shown_anything_goes_on(self, chunk):
        joiner = Joiner(Repetition(""))
        joiner.take(Chunk(thinking="Hm."))

        assert joiner.take(chunk) == chunk
        assert joiner.is_joined

    def test_what_was_held_back_comes_with_the_finish(self):
        joiner = Joiner(Continuation("It is on Friday"))
        joiner.take(Chunk(text="on Fri"))

        told = joiner.take(Chunk(finish_reason="stop"))

        assert told == Chunk(text="on Fri", finish_reason="stop")

    def test_what_was_held_back_comes_at_an_end_without_a_finish(self):
        joiner = Joiner(Continuation("It is on Friday"))
        joiner.take(Chunk(text="on Fri"))

        assert joiner.end() == Chunk(text="on Fri")

    def test_an_end_with_nothing_held_back_is_nothing(self):
        joiner = Joiner(Repetition(""))

        assert joiner.end() is None
        assert joiner.is_joined
