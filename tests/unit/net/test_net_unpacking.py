"""Compressed bodies, wherever the network cut them."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.errors import LLMProtocolError
from flaskllm.net.unpacking import Unpacker


def unpacked(pieces):
    """Return each piece of what these pieces unpack to, up to their end."""
    unpacker = Unpacker()
    found = []
    for piece in pieces:
        unpacker.feed(piece)
        found.append(unpacker.read())
        while not unpacker.needs_more:
            found.append(unpacker.read())
    unpacker.end()
    return found


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
@given(body=st.binary(max_size=2000), cut=st.integers(0, 2000))
def test_cuts_change_nothing(pack, body, cut):
    packed = pack(body)
    pieces = [packed[:cut], packed[cut:]]

    assert b"".join(unpacked(filter(None, pieces))) == body


def test_several_members_are_one_body():
    packed = gzip.compress(b"one, ") + gzip.compress(b"two")

    assert b"".join(unpacked([packed])) == b"one, two"
    assert b"".join(unpacked([packed[n : n + 1] for n in range(len(packed))])) == (
        b"one, two"
    )


def test_nothing_unpacks_to_nothing():
    assert unpacked([]) == []


def test_no_piece_is_large_whatever_it_was_packed_to():
    pieces = unpacked([gzip.compress(bytes(3_000_000))])

    assert b"".join(pieces) == bytes(3_000_000)
    assert max(map(len, pieces)) <= 256 * 1024


@pytest.mark.parametrize(
    "packed",
    [
        b"not packed",
        gzip.compress(b"x" * 99)[:-8] + b"badcrc32",
        gzip.compress(b"x" * 99)[:-1],
        gzip.compress(b"x" * 99)[:3],
        gzip.compress(b"x") + b"more",
        zlib.compress(b"x" * 99, wbits=-15),
    ],
    ids=["plain", "damaged", "cut", "cut early", "surplus", "raw"],
)
def test_what_is_not_what_it_says_is_refused(packed):
    with pytest.raises(LLMProtocolError):
        unpacked([packed])
