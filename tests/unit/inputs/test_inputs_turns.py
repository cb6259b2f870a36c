"""The normal form of transcripts."""

import pytest

from flaskllm.inputs.text import read_lines
from flaskllm.inputs.transcripts.cues import Cue
from flaskllm.inputs.transcripts.turns import (
    MAX_TURN_CHARACTERS,
    named,
    spoken_lines,
    to_document,
)


def said(text, start=None, end=None, speaker=None):
    return Cue(text, 0, 1, speaker, start, end)


def turns(*cues):
    document = to_document(cues, kind="meeting")
    return [(part.speaker, part.text) for part in document.parts]


def names(*texts):
    return [(cue.speaker, cue.text) for cue in named(said(text) for text in texts)]


@pytest.mark.parametrize(
    "name",
    [
        "Ann Lee",
        "Sam O'Neill",
        "Müller, Hans (Extern)",
        "Ann Lee (she/her)",
        "Speaker 1",
        "Ludwig van der Berg",
        "Dr. Ann Lee",
        "SPEAKER_00",
        "山田太郎",
        "[External] Ann Lee",
        "Ann Lee (HR:Bonn)",
        "iPhone",
    ],
)
def test_a_plausible_name_in_front_is_the_speaker(name):
    assert names(f"{name}: hello", f"{name}: again") == [
        (name, "hello"),
        (name, "again"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "https://x.example is the place",
        "10:30 is fine",
        "and so: yes",
        "Here is the thing: we are late",
        "Really?: yes",
        "One Two Three Four Five Six Seven: no",
        "a@b.example: yes",
        "(all): yes",
    ],
)
def test_what_is_no_name_stays_text(text):
    assert names(text, text) == [(None, text), (None, text)]


def test_a_second_colon_belongs_to_the_text():
    assert names("Ann Lee: so: yes", "Bob Ray: no")[0] == ("Ann Lee", "so: yes")


@pytest.mark.parametrize("name", ["jsmith", "+1 555***0100", "ann lee", "a@x.example"])
def test_what_a_tool_puts_in_front_of_every_cue_is_a_name(name):
    assert names(*[f"{name}: so: yes"] * 3)[0] == (name, "so: yes")


@pytest.mark.parametrize("label", ["note", "really?", "12:30", "x/y", "...", "12"])
def test_not_everything_in_front_of_every_cue_is_a_name(label):
    assert names(*[f"{label}: yes"] * 3)[0][0] is None


def test_a_name_with_a_colon_is_whole_where_it_always_is():
    texts = ["Team: North: hi", "Team: North: ho", "Team: North: no: yes", "Ann: a"]

    assert names(*texts, "Ann: b")[2:4] == [("Team: North", "no: yes"), ("Ann", "a")]
    assert names("Ann: Note: a", "Ann: Note: b", "Ann: Note: c")[0][0] == "Ann"
    assert names("Ann: So: a", "Ann: So: b", "Ann: So: c", "Ann: d")[0][0] == "Ann"


def test_a_full_width_colon_needs_no_space():
    assert names("山田：はい", "山田：いいえ")[0] == ("山田", "はい")


def test_a_few_names_in_a_lecture_are_no_speakers():
    texts = ["Important Note: this"] + ["so we see"] * 9

    assert names(*texts)[0] == (None, "Important Note: this")


def test_a_label_that_occurs_once_is_no_speaker():
    texts = ["Ann Lee: a", "Bob Ray: b", "Question: c", "so", "on"]

    assert names(*texts)[2] == ("Bob Ray", "Question: c")


def test_a_single_word_in_front_of_one_of_some_cues_is_no_speaker():
    assert names("Budget: a", "so", "on")[0] == (None, "Budget: a")


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param(("Dana: a", "Sam: b", "No name."), id="two of three"),
        pytest.param(("Dana: a", "a", "Sam: b", "b", "b", "b"), id="a third"),
        pytest.param(("Dana: a", "Dana: b", "Sam: c", "d"), id="one more often"),
        pytest.param(("Dana Ray: a", "Sam: b", "c"), id="one with two words"),
        pytest.param(("Dana: a",), id="one cue"),
    ],
)
def test_who_is_named_once_keeps_what_they_said(texts):
    expected = {text.partition(":")[0] for text in texts if ":" in text}

    assert {who for who, _ in names(*texts)} == expected


def test_a_cue_without_a_name_continues_the_speaker_before():
    assert names("Hello.", "Dana: I will order", "Sam: Yusuf has", "to check") == [
        (None, "Hello."),
        ("Dana", "I will order"),
        ("Sam", "Yusuf has"),
        ("Sam", "to check"),
    ]


def test_a_name_without_words_says_nothing_itself():
    assert names("Ann Lee:", "hi", "Bob Ray: ho") == [
        ("Ann Lee", "hi"),
        ("Bob Ray", "ho"),
    ]


def test_where_voices_are_tagged_a_colon_is_text():
    (cue, _) = named([said("Ann Lee: a", speaker="Bob"), said("Ann Lee: b")])

    assert (cue.speaker, cue.text) == ("Bob", "Ann Lee: a")


@pytest.mark.parametrize(
    ("cues", "expected"),
    [
        pytest.param(
            [said("a b", 0, 9, "A"), said("c", 5, 9, "B"), said("a b", 8, 20, "A")],
            [("A", "a b"), ("B", "c")],
            id="an exact duplicate, even across another speaker",
        ),
        pytest.param(
            [said("one two three", 0, 9), said("one two three four five", 9, 20)],
            [(None, "one two three four five")],
            id="rolling captions",
        ),
        pytest.param(
            [said("yes", 0, 9), said("yes", 500, 900)],
            [(None, "yes yes")],
            id="said twice",
        ),
        pytest.param(
            [said("we go", 0, 9), said("we go on", 9, 20)],
            [(None, "we go we go on")],
            id="two words are chance",
        ),
        pytest.param(
            [said("one two three"), said("one two three")],
            [(None, "one two three one two three")],
            id="without times nothing is a duplicate",
        ),
    ],
)
def test_what_captions_repeat_is_there_once(cues, expected):
    assert turns(*cues) == expected


@pytest.mark.parametrize(
    ("gap", "count"), [(0, 1), (2_000, 1), (2_001, 2), (-5_000, 1)]
)
def test_neighbours_of_one_speaker_are_joined_over_a_short_gap(gap, count):
    cues = [said("x.", 10_000, 20_000, "A"), said("y.", 20_000 + gap, 30_000, "A")]

    assert len(turns(*cues)) == count


def test_a_joined_turn_spans_its_cues():
    first, second = Cue("a", 5, 6, "A", 0, 100), Cue("b", 9, 10, "A", 150, 160)

    (part,) = to_document([first, second], kind="meeting").parts

    assert (part.start_ms, part.end_ms) == (0, 160)
    assert (part.origin.start, part.origin.end) == (5, 10)


def test_a_cue_without_a_time_is_not_joined_to_one_with_a_time():
    assert len(turns(said("a", 0, 9, "A"), said("b", speaker="A"))) == 2


def test_words_that_begin_together_and_have_no_end_are_one_turn():
    assert turns(said("a", 5), said("b", 5), said("c", 6)) == [
        (None, "a b"),
        (None, "c"),
    ]


def test_nothing_rolls_where_nothing_is_shown_on_a_screen():
    cues = [said("yes yes yes", 0, 9), said("yes yes yes", 9, 20)]

    (part,) = to_document(cues, kind="meeting", may_roll=False).parts

    assert part.text == "yes yes yes yes yes yes"


def test_overlaps_stay_in_the_order_of_their_start():
    cues = [said("late", 9_000, 9_500, "A"), said("early", 1_000, 9_900, "B")]

    assert turns(*cues) == [("B", "early"), ("A", "late")]


def test_turns_are_of_a_sane_length_and_end_with_a_sentence():
    sentences = [f"Sentence {at} of the talk goes on for a while." for at in range(99)]
    cues = [said(text, at, at + 9) for at, text in enumerate(sentences)]

    texts = [text for _, text in turns(*cues)]

    assert all(700 < len(text) <= MAX_TURN_CHARACTERS for text in texts[:-1])
    assert " ".join(texts) == " ".join(sentences)


@pytest.mark.parametrize(
    "unit", ["A sentence ends here. ", "no end of sentence ", "x"], ids=len
)
def test_a_cue_longer_than_a_turn_is_cut(unit):
    text = (unit * 3000).strip()

    texts = [text for _, text in turns(said(text, 0, 9))]

    assert all(len(piece) <= MAX_TURN_CHARACTERS for piece in texts)
    assert "".join(texts).replace(" ", "") == text.replace(" ", "")


def test_lines_with_names_become_cues_and_others_continue():
    lines = read_lines("Intro\nAnn Lee: hi\nand more\n\nBob Ray: ho\nBob Ray:\n").lines

    assert [(cue.speaker, cue.text) for cue in spoken_lines(lines)] == [
        (None, "Intro"),
        ("Ann Lee", "hi"),
        ("Ann Lee", "and more"),
        ("Bob Ray", "ho"),
    ]


def test_the_head_of_minutes_is_nobody():
    lines = read_lines("Date: 5 May\nVenue: Bonn\nWe met.\nAnn sends it.\n").lines

    assert spoken_lines(lines) == []


def test_text_without_names_gives_no_cues():
    assert spoken_lines(read_lines("just\na text").lines) == []
    assert spoken_lines(()) == []


def test_no_cues_make_no_turns():
    assert turns() == []
