"""Lines of text, free of what nobody sees."""

import pytest

from flaskllm.inputs.text import (
    MAX_CHARACTERS,
    MAX_LINES,
    Line,
    Lines,
    clean,
    clean_line,
    join,
    read_lines,
    removal_notices,
    unfold,
)


def texts(lines):
    return [line.text for line in lines]


@pytest.mark.parametrize(
    ("dirty", "visible", "removed"),
    [
        ("a\u200bb\u200c\u200d", "ab", 3),
        ("\u202eevil\u202c", "evil", 2),
        ("x\U000e0041\U000e007f", "x", 2),
        ("soft\u00adhyphen\ufeff", "softhyphen", 2),
        ("❤\ufe0f ok", "❤\ufe0f ok", 0),
        ("❤\ufe0f\ufe0e\ufe0f", "❤\ufe0f", 2),
        ("a\x1b[31mb\x00c\td", "a [31mb c d", 0),
        ("no\u00a0break", "no break", 0),
        ("x\x85é", "x é", 0),
        ("lone \ud800é", "lone ?é", 0),
    ],
)
def test_only_what_a_reader_sees_is_left(dirty, visible, removed):
    cleaned = clean(dirty)

    assert (cleaned.text, cleaned.removed) == (visible, removed)


def test_a_name_becomes_one_line_with_single_spaces():
    assert clean_line(" Ann\r\n  \u200bLee ") == "Ann Lee"


def test_lines_end_at_every_kind_of_break_and_know_their_place():
    source = "a\r\nb\rc\nd\u2028e\x0bf"

    lines = read_lines(source).lines

    assert texts(lines) == ["a", "b", "c", "d", "e", "f"]
    assert all(source[line.start : line.end] == line.text for line in lines)


def test_a_place_counts_the_characters_that_were_removed():
    lines = read_lines("x\u200by\nz")

    assert (lines.lines[1].start, lines.invisible) == (4, 1)


def test_a_text_with_too_many_lines_is_cut():
    lines = read_lines("a\n" * (MAX_LINES + 5))

    assert (len(lines.lines), lines.is_cut) == (MAX_LINES, True)


def test_a_text_with_too_many_characters_is_cut():
    lines = read_lines("a" * (MAX_CHARACTERS + 5))

    assert (len(lines.lines[0].text), lines.is_cut) == (MAX_CHARACTERS, True)


def test_joining_drops_outer_and_repeated_empty_lines():
    assert join(read_lines("\n\na  \n\n\nb\n\n").lines) == "a\n\nb"


def test_a_piece_that_continues_its_line_is_joined_without_a_break():
    lines = [Line("Is it? ", 0, 1), Line("Yes.", 1, 2, continues=True)]

    assert join(lines) == "Is it? Yes."
    assert join(lines[1:]) == "Yes."


@pytest.mark.parametrize(
    ("written", "delete_space", "text"),
    [
        ("one \ntwo\nthree", False, "one two\nthree"),
        ("one  \ntwo", True, "one two"),
        ("one \ntwo", True, "one two"),
        ("日本 \n語", True, "日本語"),
        (" stuffed", False, "stuffed"),
        ("> a \n> b\n>> c", False, "> a b\n>> c"),
        ("> a \nb", False, "> a \nb"),
        ("-- \nAnn", False, "-- \nAnn"),
        ("a \n-- \nAnn", False, "a \n-- \nAnn"),
    ],
)
def test_flowed_lines_become_paragraphs(written, delete_space, text):
    lines = unfold(read_lines(written).lines, delete_space=delete_space)

    assert "\n".join(texts(lines)) == text


def test_a_flowed_paragraph_keeps_the_place_of_all_its_lines():
    (line,) = unfold(read_lines("one \ntwo").lines, delete_space=False)

    assert (line.start, line.end) == (0, 8)


def test_each_kind_of_removal_has_a_notice():
    lines = Lines((), invisible=2, hidden=3, is_cut=True)

    assert [notice.code for notice in removal_notices(lines)] == [
        "invisible_characters_removed",
        "hidden_text_removed",
        "text_cut",
    ]
    assert removal_notices(Lines(())) == []
