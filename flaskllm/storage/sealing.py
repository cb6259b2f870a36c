"""Content at rest: sealed under a key that the database does not hold.

A sealed value is one byte of version, four bytes that name the key, a nonce of
twelve bytes, and the ciphertext with its tag of sixteen (AES-256-GCM). Version,
key and the column's name are authenticated too, so that what was sealed for one
column does not open in another.
"""

import os
import zlib
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.exc import DontWrapMixin

from flaskllm.core.errors import ServiceUnavailable
from flaskllm.core.secrets import Purpose, derive_key

VERSION = 1
KEY_ID_BYTES = 4
PREFIX_BYTES = 1 + KEY_ID_BYTES
"""What a sealed value begins with: its version and the id of its key."""

# Random nonces may meet after about 2^32 of them under one key (NIST SP 800-38D,
# 8.3); a gateway with a hundred answers a second gets there after a year and more,
# and a new master secret begins anew.
_NONCE_BYTES = 12

# The first byte of what is sealed says how the rest is written.
_AS_IT_IS = b"\x00"
_DEFLATED = b"\x01"
_WORTH_DEFLATING_BYTES = 256

_KEY_ID = "content-key-id/1"


class ContentUnavailable(DontWrapMixin, ServiceUnavailable):
    """Content cannot be sealed, or what was sealed cannot be opened.

    A retry does not help: the master secret is another one, or it cannot be read,
    or the value was changed. SQLAlchemy lets it through as it is.
    """


class Keys(Protocol):
    """The keys of the master secrets: see `KeyRing`."""

    def keys(self, purpose: Purpose) -> tuple[bytes, ...]:
        """Return the current one, then the previous one if there is one."""
        ...


@dataclass(frozen=True, slots=True)
class _Key:
    """One key, and the bytes that a value sealed under it begins with."""

    prefix: bytes
    cipher: AESGCM


class ContentSealer:
    """Seals under the current master secret; opens what either has sealed.

    Keys are derived at first use. Any number of threads may share it.
    """

    def __init__(self, keys: Keys) -> None:
        """Keep the ring; nothing is read."""
        self._ring = keys
        self._known: tuple[_Key, ...] = ()

    def seal(self, plain: bytes, column: str) -> bytes:
        """Return the bytes, sealed for this column (such as `responses.body`).

        The result is 34 bytes longer than the plain ones, or than these deflated.

        Raises:
            ContentUnavailable: The master secret cannot be read.
        """
        key = self._keys()[0]
        nonce = os.urandom(_NONCE_BYTES)
        packed = _pack(plain)
        return (
            key.prefix + nonce + key.cipher.encrypt(nonce, packed, _bound(key, column))
        )

    def open(self, sealed: bytes, column: str) -> bytes:
        """Return what was sealed for this column.

        Raises:
            ContentUnavailable: It was sealed under a master secret that is not known
                here, for another column, or it was changed.
        """
        prefix, nonce = sealed[:PREFIX_BYTES], sealed[PREFIX_BYTES:][:_NONCE_BYTES]
        key = next((each for each in self._keys() if each.prefix == prefix), None)
        if key is None:
            raise _not_opened(column, "sealed under another master secret")
        ciphertext = sealed[PREFIX_BYTES + _NONCE_BYTES :]
        try:
            return _unpack(key.cipher.decrypt(nonce, ciphertext, _bound(key, column)))
        except (InvalidTag, ValueError) as error:  # the latter where it was cut short
            raise _not_opened(
                column, "changed, or sealed for something else"
            ) from error

    def prefixes(self) -> tuple[bytes, ...]:
        """Return what values begin with: under the current, then the previous secret.

        Raises:
            ContentUnavailable: The master secret cannot be read.
        """
        return tuple(key.prefix for key in self._keys())

    def _keys(self) -> tuple[_Key, ...]:
        if not self._known:
            try:
                keys = self._ring.keys(Purpose.CONTENT)
            except ServiceUnavailable as error:
                raise ContentUnavailable(
                    error.message, details=error.details
                ) from error
            self._known = tuple(map(_named, keys))
        return self._known


def _named(key: bytes) -> _Key:
    key_id = derive_key(key, _KEY_ID)[:KEY_ID_BYTES]
    return _Key(bytes([VERSION]) + key_id, AESGCM(key))


def _bound(key: _Key, column: str) -> bytes:
    return key.prefix + column.encode()


def _pack(plain: bytes) -> bytes:
    if len(plain) < _WORTH_DEFLATING_BYTES:
        return _AS_IT_IS + plain
    deflated = zlib.compress(plain)
    return _DEFLATED + deflated if len(deflated) < len(plain) else _AS_IT_IS + plain


def _unpack(packed: bytes) -> bytes:
    how, rest = packed[:1], packed[1:]
    # Only what we sealed ourselves comes here: it is no bomb.
    return zlib.decompress(rest) if how == _DEFLATED else rest


def _not_opened(column: str, why: str) -> ContentUnavailable:
    return ContentUnavailable(
        "What is kept cannot be read.", details=f"A value of {column} was {why}."
    )
