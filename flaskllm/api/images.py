"""Pictures that callers send: an address, which we never fetch, or the bytes."""

import binascii
import re

from flaskllm.core.errors import InvalidInputError
from flaskllm.llm.parts import Image

MOST_BASE64_CHARACTERS = 20 * 1024 * 1024 * 4 // 3
LONGEST_ADDRESS = 8192

_MEDIA_TYPES = frozenset(("image/gif", "image/jpeg", "image/png", "image/webp"))
_ADDRESS = re.compile(r"https://[!-~]+", re.IGNORECASE)
_DATA_HEAD = re.compile(r"data:([a-z]+/[a-z0-9.+-]+);base64,", re.IGNORECASE)
_ALLOWED = "an https address, or data:image/...;base64,..."


def image_of(url: str, path: str, detail: str | None = None) -> Image:
    """Return the picture at an https address, or in a data URL.

    Args:
        url: What the caller sent.
        path: Where the request holds it.
        detail: OpenAI's `low`, `high` or `auto`.

    Raises:
        InvalidInputError: It is neither, or is too large.
    """
    head = _DATA_HEAD.match(url)
    if head:
        media_type = head[1].lower()
        return image_of_data(url[head.end() :], media_type, path, detail)
    if not _ADDRESS.fullmatch(url, 0, LONGEST_ADDRESS + 1):
        raise InvalidInputError.of(path, "is no address of a picture", _ALLOWED)
    if len(url) > LONGEST_ADDRESS:
        raise InvalidInputError.of(
            path, "is too long", f"at most {LONGEST_ADDRESS} characters"
        )
    return Image(url=url, detail=detail)


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
