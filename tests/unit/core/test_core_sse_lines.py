"""Lines of JSON come out whole, wherever the network cut their bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.errors import LLMProtocolError
from flaskllm.core.sse import LineParser


def fed(pieces, **caps):
    """Return the lines of these pieces, and what the end adds."""
    parser = LineParser(**caps)
    return [line for piece in pieces for line in parser.feed(piece)], parser.end()


CASES = {
    "nothing": (b"", [], []),
    "one line": (b'{"a": 1}\n', [b'{"a": 1}'], []),
    "CRLF": (b"{}\r\n[]\r\n", [b"{}", b"[]"], []),
    "blank lines": (b"\n{}\n\n \r\n[]\n", [b"{}", b"[]"], []),
    "no last break": (b"{}\n[]", [b"{}"], [b"[]"]),
    "only spaces at the end": (b"{}\n  ", [b"{}"], []),
    "a CR inside": (b"[1,\r2]\n", [b"[1,\r2]"], []),
    "UTF-8": ("ż🦊\n".encode(), ["ż🦊".encode()], []),
}


@pytest.mark.parametrize(("stream", "lines", "last"), CASES.values(), ids=CASES)
def test_a_stream_has_these_lines_wherever_it_is_cut(stream, lines, last):
    for place in range(len(stream) + 1):
        assert fed([stream[:place], stream[place:]]) == (lines, last), place


@given(
    pieces=st.lists(
        st.sampled_from([b"{}", b"[1]", b"\n", b"\r\n", b" ", "ß".encode()])
    )
)
def test_where_the_bytes_are_cut_changes_nothing(pieces):
    stream = b"".join(pieces)
    bytewise = [stream[place : place + 1] for place in range(len(stream))]

    assert fed(pieces) == fed([stream]) == fed(bytewise)


def test_after_the_end_nothing_is_left():
    parser = LineParser()
    parser.feed(b"{}")

    assert (parser.end(), parser.end()) == ([b"{}"], [])


@pytest.mark.parametrize(
    "pieces",
    [[b"x" * 101], [b"x" * 101 + b"\n"], [b"x" * 60] * 2, [b"a\n", b"x" * 101 + b"\n"]],
    ids=["no end", "whole", "in pieces", "second"],
)
def test_a_line_longer_than_the_cap_is_refused(pieces):
    assert fed([b"x" * 100 + b"\n"], max_line_bytes=100) == ([b"x" * 100], [])

    with pytest.raises(LLMProtocolError):
        fed(pieces, max_line_bytes=100)


def test_too_many_lines_are_refused_also_when_they_are_blank():
    assert fed([b"{}\n\n{}\n"], max_lines=3)[0] == [b"{}", b"{}"]

    with pytest.raises(LLMProtocolError):
        fed([b"{}\n\n", b"{}\n\n"], max_lines=3)
