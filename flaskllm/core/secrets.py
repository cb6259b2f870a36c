"""The master secret, the keys derived from it, and the folder that holds it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from flaskllm.core.config_strength import MAKE_A_SECRET, SHORTEST
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.core.ids import random_base62
from flaskllm.core.redaction import Redactor

KEY_BYTES = 32

_SECRET_FILE = "secret"
_SECRET_CHARACTERS = 43  # 256 bits in base62
_OPEN_TO_OTHERS = 0o077


class Purpose(StrEnum):
    """Every use of the master secret. A label that changes voids what it guarded."""

    API_TOKENS = "api-tokens/1"


class KeyRing:
    """Gives one key per purpose; the master secret is read or made at first use."""

    def __init__(
        self, given: str | None, data_dir: Path, redactor: Redactor | None = None
    ) -> None:
        """Remember where the secret is: `given`, else a file in `data_dir`.

        The `redactor` learns the secret when it is read.
        """
        self._given = given
        self._data_dir = data_dir
        self._redactor = redactor or Redactor()
        self._master: bytes | None = None

    def key(self, purpose: Purpose) -> bytes:
        """Return the 32 bytes that serve this purpose alone.

        Raises:
            ServiceUnavailable: The secret or its folder cannot be used; a retry
                does not help until the operator has acted.
        """
        if self._master is None:
            self._master = master_secret(self._given, self._data_dir)
            self._redactor.add(self._master.decode("utf-8", "replace"))
        return derive_key(self._master, purpose)


def derive_key(master: bytes, purpose: str) -> bytes:
    """Return 32 bytes by HKDF-SHA-256 (RFC 5869), the purpose as its info.

    Keys of different purposes tell nothing of each other or of the master.
    """
    info = b"flaskllm/" + purpose.encode()
    return HKDF(SHA256(), length=KEY_BYTES, salt=None, info=info).derive(master)


def master_secret(given: str | None, data_dir: Path) -> bytes:
    """Return the given secret, else that of the data folder, made when absent.

    Processes that start together all return the same one. The data folder is
    looked after in either case: the database and the logs live there.

    Raises:
        ServiceUnavailable: The secret is shorter than 32 characters, its file is
            open to other users, or it can be neither read nor made.
    """
    folder = ensure_data_dir(data_dir)
    if given is not None:
        return _long_enough(given.encode(), "The setting `secret`")
    with _disk_errors_told("The secret file in the data folder"):
        return _from_file(folder / _SECRET_FILE)


def ensure_data_dir(path: Path) -> Path:
    """Make sure that the folder exists and that nobody else can look into it.

    A new folder is made with mode 0700, an empty one is narrowed to it. A folder
    in use that others may enter is refused: they may have read or put something
    there, and it may be a folder that was never meant for us, such as `/tmp`.

    Raises:
        ServiceUnavailable: The folder is refused, or cannot be made.
    """
    with _disk_errors_told("The data folder (FLASKLLM_DATA_DIR)"):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = path.stat().st_mode & 0o777
        if not mode & _OPEN_TO_OTHERS:
            return path
        if any(path.iterdir()):
            raise _unusable(
                f"The data folder (FLASKLLM_DATA_DIR) has the mode {mode:o} and is "
                "in use, so other users can enter it. Make sure that it is meant "
                "for this service, then run `chmod 700` on it."
            )
        path.chmod(0o700)
    return path


def _from_file(path: Path) -> bytes:
    if not path.exists():
        _create_once(path, random_base62(_SECRET_CHARACTERS))
    mode = path.stat().st_mode & 0o777
    if mode & _OPEN_TO_OTHERS:
        raise _unusable(
            f"The secret file in the data folder has the mode {mode:o}, so other "
            "users may have read it. Run `chmod 600` on it, or remove it to start "
            "with a new secret: all API tokens then have to be made anew."
        )
    return _long_enough(path.read_bytes().strip(), "The secret file in the data folder")


def _create_once(path: Path, text: str) -> None:
    """Put the text at `path` unless something is there already.

    The file is written whole under another name and then linked: whoever loses
    the race reads a complete secret, and a crash never leaves half of one.
    """
    draft = path.with_name(f"{path.name}.{random_base62(12)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    # The file's name is only durable once its folder is on the disk too.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _long_enough(secret: bytes, source: str) -> bytes:
    if len(secret) < SHORTEST:
        raise _unusable(
            f"{source} has {len(secret)} characters; at least {SHORTEST} "
            f"unpredictable ones are needed. This makes a good one: {MAKE_A_SECRET}"
        )
    return secret


@contextmanager
def _disk_errors_told(subject: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _unusable(f"{subject} cannot be used: {error.strerror}.") from error


def _unusable(details: str) -> ServiceUnavailable:
    return ServiceUnavailable("The service is not set up.", details=details)
