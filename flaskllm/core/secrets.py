"""The master secrets, the current one and the one before, and the keys of them."""

import threading
from enum import StrEnum
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from flaskllm.core.config_strength import MAKE_A_SECRET
from flaskllm.core.ids import random_base62
from flaskllm.core.redaction import Redactor
from flaskllm.core.secret_files import (
    SECRET_CHARACTERS,
    has_secret,
    long_enough,
    master_secret,
    not_set_up,
    read_secret,
)

KEY_BYTES = 32

WhenMissing = Literal["make_file", "make_in_memory", "refuse"]
"""What becomes of a secret that was not given: made and kept in the data folder,
made for the life of this process alone (the data folder is not touched), or asked
for, since other machines need the same one."""

_PREVIOUS_FILE = "secret.previous"


class Purpose(StrEnum):
    """Every use of the master secret. A label that changes voids what it guarded."""

    API_TOKENS = "api-tokens/1"
    CONTENT = "content/1"
    MARK = "mark/1"
    IDEMPOTENCY = "idempotency/1"
    EVENTS = "events/1"
    THREADS = "threads/1"
    ROUTING = "routing/1"
    CACHE = "cache/1"


class KeyRing:
    """Gives the keys of a purpose; master secrets are read or made at first use.

    While the secret is changed there are two: the current one, under which all is
    made, and the previous one, under which older things are still good.
    """

    def __init__(
        self,
        given: str | None,
        data_dir: Path,
        redactor: Redactor | None = None,
        *,
        previous: str | None = None,
        when_missing: WhenMissing = "make_file",
    ) -> None:
        """Remember where the secrets are; nothing is opened.

        Args:
            given: The current secret; else the file `secret` in `data_dir`.
            data_dir: The data folder.
            redactor: That of the logs; it learns the secrets when they are read.
            previous: The secret before; else the file `secret.previous`, if any.
            when_missing: What becomes of a current secret that is nowhere.
        """
        self._given = given
        self._given_previous = previous
        self._data_dir = data_dir
        self._redactor = redactor or Redactor()
        self._when_missing = when_missing
        self._masters: tuple[bytes, ...] = ()
        self._derived: dict[Purpose, tuple[bytes, ...]] = {}
        self._reading = threading.Lock()

    def key(self, purpose: Purpose) -> bytes:
        """Return the 32 bytes that serve this purpose alone, of the current secret.

        Raises:
            ServiceUnavailable: The secret or its folder cannot be used; a retry
                does not help until the operator has acted.
        """
        return self.keys(purpose)[0]

    def keys(self, purpose: Purpose) -> tuple[bytes, ...]:
        """Return the key of the current secret, then of the previous if there is one.

        Raises:
            ServiceUnavailable: As `key`.
        """
        derived = self._derived.get(purpose)
        if derived is None:
            masters = self._read_once()
            derived = tuple(derive_key(master, purpose) for master in masters)
            self._derived[purpose] = derived
        return derived

    def known(self, purpose: Purpose) -> tuple[bytes, ...]:
        """Return the keys of the secrets that are there, without making one.

        Where there is no current one, that is the previous one's, or none.

        Raises:
            ServiceUnavailable: As `key`.
        """
        if self.are_there():
            return self.keys(purpose)
        previous = self._previous()
        return () if previous is None else (derive_key(previous, purpose),)

    def are_there(self) -> bool:
        """Tell whether the current secret is there, without making one.

        One that is kept in memory alone always is.

        Raises:
            ServiceUnavailable: The data folder cannot be looked into.
        """
        if self._masters or self._given is not None:
            return True
        return self._when_missing != "make_file" or has_secret(self._data_dir)

    def _read_once(self) -> tuple[bytes, ...]:
        # One at a time: two threads must not make two secrets in memory.
        with self._reading:
            if not self._masters:
                self._masters = self._read()
                for master in self._masters:
                    self._redactor.add(master.decode("utf-8", "replace"))
            return self._masters

    def _read(self) -> tuple[bytes, ...]:
        current = self._current()
        previous = self._previous()
        # A secret that did not change is no second one.
        return (current,) if previous in (None, current) else (current, previous)

    def _current(self) -> bytes:
        if self._when_missing == "make_file":
            return master_secret(self._given, self._data_dir)
        if self._given is not None:
            return long_enough(self._given.encode(), "The setting `secret`")
        if self._when_missing == "make_in_memory":
            return random_base62(SECRET_CHARACTERS).encode()
        raise not_set_up(
            "Other machines may share this database, so the master secret must be "
            "given: set `secret` (FLASKLLM_SECRET) to the same on all of them. This "
            f"makes a good one: {MAKE_A_SECRET}"
        )

    def _previous(self) -> bytes | None:
        if self._given_previous is not None:
            source = "The setting `previous_secret`"
            return long_enough(self._given_previous.encode(), source)
        if self._when_missing == "make_in_memory":
            return None
        return read_secret(self._data_dir / _PREVIOUS_FILE)


def derive_key(master: bytes, purpose: str) -> bytes:
    """Return 32 bytes by HKDF-SHA-256 (RFC 5869), the purpose as its info.

    Keys of different purposes tell nothing of each other or of the master.
    """
    info = b"flaskllm/" + purpose.encode()
    return HKDF(SHA256(), length=KEY_BYTES, salt=None, info=info).derive(master)
