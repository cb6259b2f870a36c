"""Pictures that callers send: an address, which we never fetch, or the bytes."""

import binascii
import re
from urllib.parse import urlsplit

from flaskllm.core.addresses import is_public
from flaskllm.core.errors import InvalidInputError
from flaskllm.llm.parts import Image

MOST_BASE64_CHARACTERS = 20 * 1024 * 1024 * 4 // 3
LONGEST_ADDRESS = 8192

_MEDIA_TYPES = frozenset(("image/gif", "image/jpeg", "image/png", "image/webp"))
# No backslash: some take it for a slash and read another host than we do.
_ADDRESS = re.compile(r"https://[!-\[\]-~]+", re.IGNORECASE)
_DATA_HEAD = re.compile(r"data:([a-z]+/[a-z0-9.+-]+);base64,", re.IGNORECASE)
_NO_ADDRESS = "is no address of a picture"
_ALLOWED = "a public https address, or data:image/...;base64,..."


def image_of(url: str, path: str, detail: str | None = None) -> Image:
    """Return the picture at an https address, or in a data URL.

    Args:
        url: What the caller sent.
        path: Where the request holds it.
        detail: OpenAI's `low`, `high` or `auto`.

    Raises:
        InvalidInputError: It is neither, is too large, holds a credential, or leads
            into a network of its reader's own.
    """
    head = _DATA_HEAD.match(url)
    if head:
        media_type = head[1].lower()
        return image_of_data(url[head.end() :], media_type, path, detail)
    if not _ADDRESS.fullmatch(url, 0, LONGEST_ADDRESS + 1):
        raise InvalidInputError.of(path, _NO_ADDRESS, _ALLOWED)
    if len(url) > LONGEST_ADDRESS:
        raise InvalidInputError.of(
            path, "is too long", f"at most {LONGEST_ADDRESS} characters"
        )
    _check_host(url, path)
    return Image(url=url, detail=detail)


def _check_host(url: str, path: str) -> None:
    """Refuse an address that shows a credential, or points inside a network.

    The model's service fetches it, and that may run in the operator's own network.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError as error:  # a bracket that is not closed
        raise InvalidInputError.of(path, _NO_ADDRESS, _ALLOWED) from error
    if not host:
        raise InvalidInputError.of(path, _NO_ADDRESS, _ALLOWED)
    if parts.username is not None:
        raise InvalidInputError.of(path, "holds a credential", _ALLOWED)
    if not is_public(host):
        raise InvalidInputError.of(path, "is not on the public internet", _ALLOWED)


def image_of_data(
    data: str, media_type: str, path: str, detail: str | None = None
) -> Image:
    """Return the picture that this base64 stands for.

    Raises:
        InvalidInputError: It is no base64, too large, or of another media type.
    """
    if media_type not in _MEDIA_TYPES:
        raise InvalidInputError.of(
            path, "is not a picture", ", ".join(sorted(_MEDIA_TYPES))
        )
    if len(data) > MOST_BASE64_CHARACTERS:
        raise InvalidInputError.of(path, "is too large", "at most 20 MiB")
    try:
        binascii.a2b_base64(data, strict_mode=True)
    except ValueError as error:  # binascii.Error is one
        raise InvalidInputError.of(path, "is not base64", "base64") from error
    if not data:
        raise InvalidInputError.of(path, "is empty", "base64")
    return Image(data=data, media_type=media_type, detail=detail)
