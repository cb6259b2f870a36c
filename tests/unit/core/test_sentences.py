import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flaskllm.core.sentences import Span, split

# Text as it comes: punctuation of many scripts, every kind of line break, list
# markers, lone surrogates, marks that never close.
PIECES = st.sampled_from(
    [
        *'aBé日한ا. ?!\n\r\t\x00\ud800\u2028\x85"“”«(。？؟…:;,-*•>',
        "1. ",
        "2) ",
        "\n\n",
        "\n- ",
        "Dr. ",
        "z.B. ",
        " 6. Mai, ",
        "https://a.example/b?c=d ",
    ]
)
TEXTS = st.one_of(st.text(), st.lists(PIECES, max_size=60).map("".join))
LANGUAGES = st.sampled_from(["en", "de", "fr", "ja", "ar", "hi", "th", "xx", ""])


def sentences(text, language="en"):
    return [text[span.start : span.end] for span in split(text, language)]


@given(text=TEXTS, language=LANGUAGES)
@example(text="", language="en")
@example(text="-\n-\n", language="en")
def test_sentences_are_ordered_and_cover_everything_but_space(text, language):
    position = 0
    for span in split(text, language):
        assert position <= span.start < span.end <= len(text)
        assert not text[position : span.start].strip()
        assert text[span.start : span.end] == text[span.start : span.end].strip()
        position = span.end
    assert not text[position:].strip()


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        (
            "en",
            "Hello Dr. Smith.  How are you?",
            ["Hello Dr. Smith.", "How are you?"],
        ),
        (
            "de",
            "Am 5. Mai kommt Dr. Müller, z.B. um 3 Uhr. Danke!",
            ["Am 5. Mai kommt Dr. Müller, z.B. um 3 Uhr.", "Danke!"],
        ),
        (
            "de",
            "Bis Mittwoch, 6. Mai, schicke ich es. Gut.",
            ["Bis Mittwoch, 6. Mai, schicke ich es.", "Gut."],
        ),
        (
            "de",
            "Wir nehmen Version 3. Danach 4.",
            ["Wir nehmen Version 3.", "Danach 4."],
        ),
        ("pl", "Spotkanie 3. maja. Tak.", ["Spotkanie 3. maja.", "Tak."]),
        ("ja", "今日は。元気ですか？はい。", ["今日は。", "元気ですか？", "はい。"]),
        ("ar", "ما هذا؟ هذا كتاب.", ["ما هذا؟", "هذا كتاب."]),
        ("hi", "यह एक है। यह दो है।", ["यह एक है।", "यह दो है।"]),
        ("xx", "One. Two.", ["One.", "Two."]),
    ],
)
def test_each_language_has_its_rules(language, text, expected):
    assert sentences(text, language) == expected


def test_a_wrapped_paragraph_goes_on():
    text = "Two corrections: the delivery is on 24 June,\nnot 17 June, and it is late."

    assert sentences(text) == [text]


def test_a_number_that_begins_a_wrapped_line_is_no_list_item():
    text = "Bis zu unserem nächsten Treffen am Mittwoch, den\n6. Mai, schicke ich es."

    assert sentences(text, "de") == [text]


def test_a_break_that_no_wrapping_explains_ends_a_sentence():
    text = (
        "Hi Renate,\nThanks for the long letter that you wrote to all of us.\nBye\nAnn"
    )

    assert sentences(text) == [
        "Hi Renate,",
        "Thanks for the long letter that you wrote to all of us.",
        "Bye",
        "Ann",
    ]


def test_a_blank_line_ends_a_sentence():
    assert sentences("no stop\n \nnor here\n\n\nnor there") == [
        "no stop",
        "nor here",
        "nor there",
    ]


def test_list_items_are_sentences_with_their_markers():
    text = "Agenda\n1. The price. It rose\n2. Dates that go\n   on here\n(a) one\n* two"

    assert sentences(text) == [
        "Agenda",
        "1. The price.",
        "It rose",
        "2. Dates that go\n   on here",
        "(a) one",
        "* two",
    ]


def test_offsets_count_code_points_past_astral_characters():
    assert split("😀 Yes. Nø.", "en") == (Span(0, 6), Span(7, 10))


@pytest.mark.parametrize(
    "text",
    ['("“' * 100_000, "“a b. " * 50_000, "- \n" * 50_000, "x" * 300_000],
    ids=["marks", "quotes", "bullets", "word"],
)
@pytest.mark.no_cover
def test_the_time_grows_with_the_length_only(text):
    start = time.perf_counter()

    assert split(text, "en")
    assert time.perf_counter() - start < 5
