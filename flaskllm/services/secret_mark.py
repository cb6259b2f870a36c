"""Whether the master secret is the one that the database was made with."""

import hmac
from collections.abc import Mapping

from sqlalchemy import Connection

from flaskllm.core.errors import ServiceUnavailable
from flaskllm.core.secrets import KeyRing, Purpose
from flaskllm.storage.marks import put_mark_once, read_mark, replace_mark

MARK = "master-secret"

_TEXT = b"flaskllm/master-secret"

_SET_IT = (
    "Set `secret` (FLASKLLM_SECRET, or the file `secret` in the data folder) to that "
    "one."
)


class SecretMark:
    """The mark that a master secret leaves in its database.

    It is ``HMAC-SHA-256(key of Purpose.MARK, a fixed text)``: it tells nothing of
    the secret, and no other secret leaves the same.
    """

    def __init__(self, keys: KeyRing) -> None:
        """Keep the ring; nothing is read."""
        self._keys = keys

    def check(self, connection: Connection) -> bool:
        """Tell whether the database has a mark, which then is that of a secret of ours.

        Where that is the previous one and there is no current one, one is made.

        Raises:
            ServiceUnavailable: It is another secret's, or ours is missing or cannot be
                read; a retry does not help.
        """
        is_marked = self._check(read_mark(connection, MARK), "database")
        if is_marked:
            self._keys.key(Purpose.MARK)
        return is_marked

    def check_marks(self, found: Mapping[str, bytes]) -> bool:
        """Tell the same of a backup, known by its marks alone; no secret is made.

        Raises:
            ServiceUnavailable: As `check`.
        """
        return self._check(found.get(MARK), "backup")

    def put(self, connection: Connection) -> None:
        """Leave the mark of the current secret where there is none yet.

        Raises:
            ServiceUnavailable: As `check`.
        """
        if not self.check(connection):
            put_mark_once(connection, MARK, self._own())
            self.check(connection)  # another process may have been first

    def replace(self, connection: Connection) -> bool:
        """Leave the mark of the current secret, and tell whether it was another's."""
        own = self._own()
        if read_mark(connection, MARK) == own:
            return False
        replace_mark(connection, MARK, own)
        return True

    def _check(self, mark: bytes | None, of_what: str) -> bool:
        if mark is None:
            return False
        # One that was made now would be another one, and stay in the way.
        known = self._keys.known(Purpose.MARK)
        if any(hmac.compare_digest(mark, _mark_of(key)) for key in known):
            return True
        if not self._keys.are_there():
            raise ServiceUnavailable(
                f"The master secret that this {of_what} was made with is missing.",
                details=_SET_IT,
            )
        raise ServiceUnavailable(
            f"The master secret is not the one this {of_what} was made with.",
            details=f"{_SET_IT} To change it, set `previous_secret` to that one "
            "and run `flaskllm db reseal`.",
        )

    def _own(self) -> bytes:
        return _mark_of(self._keys.key(Purpose.MARK))


def _mark_of(key: bytes) -> bytes:
    return hmac.digest(key, _TEXT, "sha256")
