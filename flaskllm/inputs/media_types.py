"""What is read here, and how a content type and a file name say which it is."""

from collections.abc import Sequence
from pathlib import PurePath

from flaskllm.core.errors import UnsupportedMediaType

MAIL = "message/rfc822"
WEBVTT = "text/vtt"
SUBRIP = "application/x-subrip"
PLAIN = "text/plain"
CALENDAR = "text/calendar"

SUPPORTED = (MAIL, WEBVTT, SUBRIP, PLAIN)

_BY_ENDING = {".eml": MAIL, ".vtt": WEBVTT, ".srt": SUBRIP, ".txt": PLAIN}
# Many clients call every file a text or a stream of bytes; its name knows more.
_VAGUE = frozenset({"", "application/octet-stream", PLAIN})
_LONGEST_SHOWN = 40


def by_file_name(file_name: str | None) -> str | None:
    """Return the media type that a file name's ending stands for, or None.

    It may be that of a calendar, which is known and not read.
    """
    ending = PurePath((file_name or "").strip()).suffix.lower()
    return CALENDAR if ending == ".ics" else _BY_ENDING.get(ending)


def resolve(
    media_type: str, file_name: str | None = None, *, also: Sequence[str] = ()
) -> str:
    """Return which of `SUPPORTED` the content is.

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
    if found in SUPPORTED:
        return found
    if found == CALENDAR:
        raise UnsupportedMediaType(
            "Calendar files are not available yet.",
            details=f"Send the invitation as {MAIL} or {PLAIN}.",
        )
    endings = () if file_name is None else (f"*{ending}" for ending in _BY_ENDING)
    raise UnsupportedMediaType(
        details=f"Content-Type: {_shown(found)}; "
        f"allowed: {', '.join((*also, *SUPPORTED, *endings))}."
    )


def _shown(found: str) -> str:
    if not found:
        return "none"
    return f"{found[:_LONGEST_SHOWN]}…" if len(found) > _LONGEST_SHOWN else found
