"""Whether the master secret is the one that the database was made with."""

import hmac
from collections.abc import Mapping

from sqlalchemy import Connection

from flaskllm.core.errors import ServiceUnavailable
from flaskllm.core.secrets import KeyRing, Purpose
from flaskllm.storage.marks import put_mark_once, read_mark, replace_mark

MARK = "master-secret"

_TEXT = b"flaskllm/master-secret"


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

        Raises:
            ServiceUnavailable: It is another secret's, or ours cannot be read; a
                retry does not help.
        """
        found = read_mark(connection, MARK)
        return self.check_marks({} if found is None else {MARK: found})

    def check_marks(self, found: Mapping[str, bytes]) -> bool:
        """Tell the same of a database that is known by its marks alone.

        Raises:
            ServiceUnavailable: As `check`.
        """
        mark = found.get(MARK)
        if mark is None:
            return False
        if not any(hmac.compare_digest(mark, own) for own in self._own()):
            raise ServiceUnavailable(
                "The master secret is not the one this database was made with.",
                details="Set `secret` (FLASKLLM_SECRET, or the file `secret` in the "
                "data folder) to that one. To change it, set `previous_secret` to "
                "that one and run `flaskllm db reseal`.",
            )
        return True

    def put(self, connection: Connection) -> None:
        """Leave the mark of the current secret where there is none yet.

        Raises:
            ServiceUnavailable: As `check`.
        """
        if not self.check(connection):
            put_mark_once(connection, MARK, self._own()[0])
            self.check(connection)  # another process may have been first

    def replace(self, connection: Connection) -> bool:
        """Leave the mark of the current secret, and tell whether it was another's."""
        own = self._own()[0]
        if read_mark(connection, MARK) == own:
            return False
        replace_mark(connection, MARK, own)
        return True

    def _own(self) -> tuple[bytes, ...]:
        keys = self._keys.keys(Purpose.MARK)
        return tuple(hmac.digest(key, _TEXT, "sha256") for key in keys)
