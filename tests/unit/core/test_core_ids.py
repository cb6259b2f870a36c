"""Identifiers are base62, of their length, and never twice the same."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.ids import (
    BASE62,
    is_id,
    new_id,
    new_ordered_id,
    random_base62,
    request_id,
    to_base62,
)


def test_the_alphabet_has_62_characters_in_the_order_of_their_codes():
    assert len(set(BASE62)) == 62
    assert "".join(sorted(BASE62)) == BASE62


@pytest.mark.parametrize("length", [0, 1, 40])
def test_random_text_has_its_length_and_its_alphabet(length):
    text = random_base62(length)

    assert len(text) == length
    assert set(text) <= set(BASE62)


def test_ids_have_a_prefix_and_differ():
    made = {new_id("dig") for _ in range(100)}

    assert len(made) == 100
    assert all(re.fullmatch(r"dig_[0-9A-Za-z]{20}", each) for each in made)


@pytest.mark.parametrize(
    ("number", "width", "text"),
    [(0, 3, "000"), (61, 1, "z"), (62, 2, "10"), (62, 1, "10"), (0, 0, "")],
)
def test_a_number_is_padded_to_its_width_and_never_cut(number, width, text):
    assert to_base62(number, width) == text


@given(st.integers(min_value=0, max_value=2**40))
def test_a_written_number_is_that_number(number):
    read = 0
    for digit in to_base62(number, 1):
        read = read * 62 + BASE62.index(digit)

    assert read == number


def test_ordered_ids_are_in_the_order_of_their_milliseconds_and_never_the_same():
    made = [new_ordered_id("att") for _ in range(5000)]

    assert all(re.fullmatch(r"att_[0-9A-Za-z]{20}", each) for each in made)
    assert len(set(made)) == 5000
    times = [each[4:12] for each in made]
    assert times == sorted(times)


@pytest.mark.parametrize("sane", ["abcd1234", "a" * 128, "A-b_c.9-", "0" * 8])
def test_a_sane_request_id_is_kept(sane):
    assert request_id(sane) == sane


@pytest.mark.parametrize(
    "odd",
    [
        None,
        "",
        "short12",
        "a" * 129,
        "with space",
        "new\nline1",
        "ümlaut123",
        "abcd1234\n",
    ],
    ids=[
        "none",
        "empty",
        "short",
        "long",
        "space",
        "line",
        "umlaut",
        "line at the end",
    ],
)
def test_another_is_replaced(odd):
    assert re.fullmatch(r"req_[0-9A-Za-z]{20}", request_id(odd))


@pytest.mark.parametrize(
    "text", ["job_1", "job_" + "z" * 40, "job_0VbeNB3AXmeSdMfY5yqX"]
)
def test_a_prefix_and_base62_is_an_id(text):
    assert is_id(text, "job")


@pytest.mark.parametrize(
    "text",
    [
        *("", "job", "job_", "msg_1", "job_1_2", "job_1\n", "job_é", "job_\0"),
        *(" job_1", "job_" + "z" * 41, "JOB_1", "job_1.2"),
    ],
)
def test_anything_else_is_none(text):
    assert not is_id(text, "job")
