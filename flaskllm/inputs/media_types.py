"""What is read here, and how a content type and a file name say which it is."""

from collections.abc import Sequence
from pathlib import PurePath

from flaskllm.core.errors import UnsupportedMediaType
from flaskllm.inputs.binary import OUTLOOK_REMEDY

MAIL = "message/rfc822"
WEBVTT = "text/vtt"
SUBRIP = "application/x-subrip"
PLAIN = "text/plain"
CALENDAR = "text/calendar"
JSON = "application/json"
OUTLOOK = "application/vnd.ms-outlook"

SUPPORTED = (MAIL, WEBVTT, SUBRIP, PLAIN, CALENDAR)
"""What the body of a request may be. As JSON it is the request itself."""

FILE_TYPES = (*SUPPORTED, JSON)
"""What a file may be."""

_BY_ENDING = {
    ".eml": MAIL,
    ".vtt": WEBVTT,
    ".srt": SUBRIP,
    ".txt": PLAIN,
    ".ics": CALENDAR,
    ".json": JSON,
}
_OUTLOOK_ENDING = ".msg"
_ALSO_CALLED = {"text/json": JSON, "text/srt": SUBRIP, "application/ics": CALENDAR}
# Many clients call every file a text or a stream of bytes; its name knows more.
_VAGUE = frozenset({"", "application/octet-stream", PLAIN})
_LONGEST_SHOWN = 40


def by_file_name(file_name: str | None) -> str | None:
    """Return the media type that a file name's ending stands for, or None.

    It may be that of Outlook's own format, which is known and not read.
    """
    ending = PurePath((file_name or "").strip()).suffix.lower()
    return OUTLOOK if ending == _OUTLOOK_ENDING else _BY_ENDING.get(ending)


def resolve(
    media_type: str, file_name: str | None = None, *, also: Sequence[str] = ()
) -> str:
    """Return which of `FILE_TYPES` the content is.

    Args:
        media_type: The content type, with or without parameters.
        file_name: The name of a file; it decides where the type says nothing.
        also: Content types that the caller of this reads besides; named in a
            refusal.

    Raises:
        UnsupportedMediaType: It is none of them.
    """
    found = media_type.partition(";")[0].strip().lower()
    if found in _VAGUE:
        found = by_file_name(file_name) or found
    found = _ALSO_CALLED.get(found, found)
    if found in FILE_TYPES:
        return found
    if found == OUTLOOK:
        raise UnsupportedMediaType(details=OUTLOOK_REMEDY)
    known = SUPPORTED if file_name is None else (*FILE_TYPES, *_endings())
    raise UnsupportedMediaType(
        details=f"Content-Type: {_shown(found)}; allowed: {', '.join((*also, *known))}."
    )


def _endings() -> list[str]:
    return [f"*{ending}" for ending in _BY_ENDING]


def _shown(found: str) -> str:
    if not found:
        return "none"
    return f"{found[:_LONGEST_SHOWN]}…" if len(found) > _LONGEST_SHOWN else found
