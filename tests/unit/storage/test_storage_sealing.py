"""Sealed content: it opens for its column, under a secret of ours, or not at all."""

import base64
import zlib

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import example, given
from hypothesis import strategies as st
from sealers import CURRENT, OTHER, PREVIOUS, content_sealer, key_ring

from flaskllm.core.errors import ServiceUnavailable
from flaskllm.core.secrets import KeyRing, Purpose, derive_key
from flaskllm.storage.sealing import ContentSealer, ContentUnavailable

COLUMN = "responses.body"
SEALER = content_sealer()
CONTENT = st.binary(max_size=2000) | st.text(max_size=2000).map(str.encode)
MOST_OVERHEAD = 1 + 4 + 12 + 1 + 16


@given(CONTENT)
@example(b"")
@example(b"\x00")
@example(b"\x01")
@example(b"a" * 255)
@example(b"a" * 256)
@example(zlib.compress(b"a" * 5000))
def test_any_bytes_come_out_as_they_went_in(plain):
    assert SEALER.open(SEALER.seal(plain, COLUMN), COLUMN) == plain


@given(CONTENT, st.data())
def test_a_flipped_bit_is_an_error_and_never_another_content(plain, data):
    sealed = bytearray(SEALER.seal(plain, COLUMN))
    at = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[at // 8] ^= 1 << at % 8

    with pytest.raises(ContentUnavailable):
        SEALER.open(bytes(sealed), COLUMN)


@given(CONTENT, st.data())
def test_what_was_cut_or_lengthened_is_an_error(plain, data):
    sealed = SEALER.seal(plain, COLUMN)
    length = data.draw(st.integers(0, len(sealed) - 1))

    for changed in (sealed[:length], sealed + b"\x00"):
        with pytest.raises(ContentUnavailable):
            SEALER.open(changed, COLUMN)


@given(st.binary(max_size=100))
def test_what_was_never_sealed_is_an_error(garbage):
    with pytest.raises(ContentUnavailable):
        SEALER.open(garbage, COLUMN)


@given(CONTENT)
def test_what_was_sealed_for_another_column_does_not_open(plain):
    with pytest.raises(ContentUnavailable):
        SEALER.open(SEALER.seal(plain, "responses.input_items"), COLUMN)


@pytest.mark.parametrize("purpose", [each for each in Purpose if each != "content/1"])
def test_what_another_purpose_has_sealed_does_not_open(purpose):
    (own_prefix,) = SEALER.prefixes()
    key = key_ring().key(purpose)
    nonce = bytes(12)
    foreign = AESGCM(key).encrypt(nonce, b"\x00secret", own_prefix + COLUMN.encode())

    with pytest.raises(ContentUnavailable):
        SEALER.open(own_prefix + nonce + foreign, COLUMN)


def test_what_another_secret_has_sealed_does_not_open_and_is_told_so():
    with pytest.raises(ContentUnavailable) as refused:
        SEALER.open(content_sealer(OTHER).seal(b"x", COLUMN), COLUMN)

    assert "another master secret" in refused.value.details
    assert COLUMN in refused.value.details


def test_a_value_is_laid_out_as_documented():
    (key,) = key_ring().keys(Purpose.CONTENT)

    sealed = SEALER.seal(b"hello", COLUMN)

    key_id = derive_key(key, "content-key-id/1")[:4]
    assert sealed[:5] == b"\x01" + key_id == SEALER.prefixes()[0]
    bound = sealed[:5] + COLUMN.encode()
    assert AESGCM(key).decrypt(sealed[5:17], sealed[17:], bound) == b"\x00hello"
    assert len(sealed) == 5 + MOST_OVERHEAD


def test_the_id_of_a_key_is_no_part_of_it():
    (key,) = key_ring().keys(Purpose.CONTENT)

    assert SEALER.prefixes()[0][1:] not in key


def test_the_same_content_never_lies_there_twice_alike():
    assert len({SEALER.seal(b"x", COLUMN) for _ in range(50)}) == 50


@given(CONTENT)
def test_a_sealed_value_is_hardly_longer_than_its_content(plain):
    assert len(SEALER.seal(plain, COLUMN)) <= len(plain) + MOST_OVERHEAD


def test_long_texts_are_deflated_and_short_ones_are_not():
    text = b"the same words again and again. " * 100

    assert len(SEALER.seal(text, COLUMN)) < len(text) / 10
    assert len(SEALER.seal(text[:255], COLUMN)) == 255 + MOST_OVERHEAD


def test_content_shows_in_no_form_within_what_is_sealed():
    word = b"canaryword"
    sealed = SEALER.seal(b"say " + word, COLUMN)

    assert word not in sealed
    assert base64.b64encode(word)[:-4] not in sealed


def test_the_previous_secret_opens_and_the_current_one_seals():
    older = content_sealer(PREVIOUS).seal(b"old", COLUMN)
    both = content_sealer(CURRENT, PREVIOUS)

    assert both.open(older, COLUMN) == b"old"
    assert SEALER.open(both.seal(b"new", COLUMN), COLUMN) == b"new"
    assert both.prefixes() == (SEALER.prefixes()[0], older[:5])


def test_no_secret_is_read_before_something_is_sealed(tmp_path):
    sealer = ContentSealer(KeyRing(None, tmp_path / "data"))

    assert not (tmp_path / "data").exists()

    sealer.seal(b"x", COLUMN)

    assert (tmp_path / "data" / "secret").exists()


@pytest.mark.parametrize("act", ["seal", "open"])
def test_a_secret_that_cannot_be_read_is_told(tmp_path, act):
    sealer = ContentSealer(KeyRing("short", tmp_path))

    with pytest.raises(ContentUnavailable) as refused:
        getattr(sealer, act)(b"x", COLUMN)

    assert isinstance(refused.value, ServiceUnavailable)
    assert "5 characters" in refused.value.details


def test_no_content_stands_in_an_error():
    with pytest.raises(ContentUnavailable) as refused:
        SEALER.open(b"canaryword" * 9, COLUMN)

    assert "canaryword" not in f"{refused.value}{refused.value.details}"
