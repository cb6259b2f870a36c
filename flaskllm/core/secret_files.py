"""The files of the master secret, and the folder that they lie in."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from flaskllm.core.config_strength import MAKE_A_SECRET, SHORTEST
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.core.ids import random_base62

SECRET_CHARACTERS = 43
"""So many of base62 have 256 bits."""

_SECRET_FILE = "secret"
_OPEN_TO_OTHERS = 0o077


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
        return long_enough(given.encode(), "The setting `secret`")
    with _secret_errors_told():
        return _from_file(folder / _SECRET_FILE)


def has_secret(data_dir: Path) -> bool:
    """Tell whether the data folder has a master secret, without making one.

    Raises:
        ServiceUnavailable: The data folder cannot be looked into.
    """
    with _secret_errors_told():
        return (data_dir / _SECRET_FILE).exists()


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
            raise not_set_up(
                f"The data folder (FLASKLLM_DATA_DIR) has the mode {mode:o} and is "
                "in use, so other users can enter it. Make sure that it is meant "
                "for this service, then run `chmod 700` on it."
            )
        path.chmod(0o700)
    return path


def _from_file(path: Path) -> bytes:
    if not path.exists():
        _create_once(path, random_base62(SECRET_CHARACTERS))
    return _from_private_file(path)


def read_secret(path: Path) -> bytes | None:
    """Return the secret that lies there, None where no file is.

    Raises:
        ServiceUnavailable: It is short, open to other users, or cannot be read.
    """
    with _disk_errors_told(f"The file `{path.name}` in the data folder"):
        return _from_private_file(path) if path.exists() else None


def _from_private_file(path: Path) -> bytes:
    mode = path.stat().st_mode & 0o777
    if mode & _OPEN_TO_OTHERS:
        raise not_set_up(
            f"The file `{path.name}` in the data folder has the mode {mode:o}, so "
            "other users may have read the secret in it. Run `chmod 600` on it and "
            "change the secret: docs/storage.md says how."
        )
    source = f"The file `{path.name}` in the data folder"
    return long_enough(path.read_bytes().strip(), source)


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
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Return when the names in the folder are on the disk."""
    # The file's name is only durable once its folder is on the disk too.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def long_enough(secret: bytes, source: str) -> bytes:
    """Return the secret; `source` says where it stood.

    Raises:
        ServiceUnavailable: It has less than 32 characters.
    """
    if len(secret) < SHORTEST:
        raise not_set_up(
            f"{source} has {len(secret)} characters; at least {SHORTEST} "
            f"unpredictable ones are needed. This makes a good one: {MAKE_A_SECRET}"
        )
    return secret


@contextmanager
def _disk_errors_told(subject: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise not_set_up(f"{subject} cannot be used: {error.strerror}.") from error


def _secret_errors_told() -> AbstractContextManager[None]:
    return _disk_errors_told(f"The file `{_SECRET_FILE}` in the data folder")


def not_set_up(details: str) -> ServiceUnavailable:
    """Return the error for what the operator has to do first."""
    return ServiceUnavailable("The service is not set up.", details=details)
