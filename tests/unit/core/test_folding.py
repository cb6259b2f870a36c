"""The plain form of a text, and where words begin and end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.folding import fold, is_border, next_border

TEXTS = st.text(
    st.one_of(
        st.sampled_from(" \n>.,-'’“…ßﬁ½²éé\u0301\u00ad\u200b\u00a0Aa1漢กำ"),
        st.characters(exclude_categories=("Cs",)),
    ),
    max_size=60,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("Über  das\n\nDach", "ÜBER DAS DACH", id="case and space"),
        pytest.param("“quoted” ‘so’", "\"quoted\" 'so'", id="quote marks"),
        pytest.param("3–6 April", "3-6 April", id="short dashes"),
        pytest.param("wait…", "wait...", id="ellipsis"),
        pytest.param("cafe\u0301", "café", id="accents apart"),
        pytest.param("ﬁnal ８", "final 8", id="compatible forms"),
        pytest.param("Daten\u00adschutz", "Datenschutz", id="soft hyphen"),
        pytest.param("one\n> > two", "one two", id="quoted mail"),
        pytest.param("STRASSE", "Straße", id="sharp s"),
    ],
)
def test_what_reads_the_same_folds_to_the_same(one, other):
    assert fold(one).text == fold(other).text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("10²", "102"),
        ("½", "1/2"),
        ("résumé", "resume"),
        ("1,5", "15"),
        ("we're", "were"),
        ("①", "1"),
    ],
)
def test_what_means_something_else_folds_to_something_else(one, other):
    assert fold(one).text != fold(other).text


@given(TEXTS)
def test_every_folded_character_knows_where_it_comes_from(text):
    folded = fold(text)
    for index in range(len(folded.text)):
        start, end = folded.span(index, index + 1)

        assert 0 <= start < end <= len(text)
        assert folded.text[index] in fold(text[start:end]).text


@given(TEXTS)
def test_folding_twice_changes_nothing_more_in_length_of_words(text):
    once = fold(text).text

    assert fold(once).text.split() == fold(fold(once).text).text.split()


def test_an_index_between_two_letters_of_one_splits_it():
    folded = fold("Maß ﬁx")

    assert folded.splits_character(3)
    assert not folded.splits_character(2)
    assert not folded.splits_character(0)
    assert not folded.splits_character(len(folded.text))


@pytest.mark.parametrize(
    "text",
    [
        "can|'t",
        "can’|t",
        "non|-binding",
        "non-|binding",
        "1|,000",
        "1,|000",
        "1| 000",
        "1 |000",
        "12:|30",
        "-|5 degrees",
        "5|%",
        "5| %",
        "example|.com",
        "me|@example.com",
        "Daten|\u00adschutz",
        "e|\u0301",
        "कि|ताब",
        "กำ|\u0e48",
        "snake|_case",
    ],
)
def test_a_cut_that_would_say_something_else_is_no_border(text):
    index = text.index("|")

    assert not is_border(text.replace("|", ""), index)


@pytest.mark.parametrize(
    "text",
    [
        "|word",
        "word|",
        "one| two",
        "one |two",
        "end|.",
        "“|so”",
        "日|本",
        "5| apples",
        "in 2026| 300 people",
        "wait|—what",
        "- |5",
        "a|, b",
        "|",
        "'|so'",
    ],
)
def test_words_begin_and_end_at_borders(text):
    index = text.index("|")

    assert is_border(text.replace("|", ""), index)


@given(TEXTS, st.integers(0, 60))
def test_no_border_is_leapt_over(text, index):
    place = min(index, len(text))
    leap = next_border(text, place)

    assert leap > place
    assert not any(
        is_border(text, each) for each in range(place + 1, min(leap, len(text)))
    )
