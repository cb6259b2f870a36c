"""JSON over a wire: whatever a model said can be sent, and what comes is read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.json_text import dump, dump_line, load, read_object

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(value=VALUES)
def test_what_is_written_is_read_again(value):
    assert load(dump(value)) == value


def test_half_a_surrogate_pair_is_written_as_a_question_mark():
    assert dump({"a": "x \ud83d y"}) == b'{"a":"x ? y"}'


LENIENT = {
    "not a number": b'{"a": NaN}',
    "infinite": b'{"a": -Infinity}',
}


@pytest.mark.parametrize("data", LENIENT.values(), ids=LENIENT)
def test_what_pythons_own_writer_gives_away_is_read(data):
    assert repr(load(data)) == repr(json.loads(data))


def test_a_whole_number_beyond_64_bits_is_written_whole_and_read_roughly():
    written = dump({"a": 2**80})

    assert written == b'{"a":1208925819614629174706176}'
    assert load(written) == {"a": float(2**80)}


REFUSED = [b"", b"{", b'"\xff"', b'"\\ud83d"', b"[" * 100_000]


@pytest.mark.parametrize("data", REFUSED, ids=lambda data: repr(data[:9]))
def test_what_is_no_json_is_a_value_error(data):
    with pytest.raises(ValueError, match=r".+"):
        load(data)


@pytest.mark.parametrize("text", ["", "[]", "1", "{", "null", "[" * 100_000])
def test_what_is_no_object_is_none(text):
    assert read_object(text) is None
    assert read_object(text.encode()) is None


def test_an_object_is_itself():
    assert read_object(' {"a": 1} ') == read_object(b' {"a": 1} ') == {"a": 1}


def test_what_a_model_wrote_is_read_to_the_last_digit():
    assert read_object('{"a": 1208925819614629174706176}') == {"a": 2**80}
    assert read_object('{"a": "\\ud83d"}') == {"a": "\ud83d"}


@pytest.mark.parametrize("sign", ["\x85", "\u2028", "\u2029"])
def test_a_line_is_one_to_every_client(sign):
    line = dump_line({"a": f"x{sign}y"})

    assert len(line.decode().splitlines()) == 1
    assert load(line) == {"a": f"x{sign}y"}


def test_a_line_that_is_one_already_stays_as_it_is():
    assert dump_line({"a": "é"}) == dump({"a": "é"})
