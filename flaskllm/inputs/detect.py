"""Tell what kind of content was sent when the caller did not say it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flaskllm.inputs.calendar_lines import is_calendar
from flaskllm.inputs.media_types import CALENDAR, JSON, MAIL, PLAIN, SUBRIP, WEBVTT
from flaskllm.inputs.transcripts.chat import begins_message
from flaskllm.inputs.transcripts.cues import is_time_line
from flaskllm.inputs.transcripts.meet import begins_like_meet
from flaskllm.inputs.transcripts.otter import begins_like_otter
from flaskllm.inputs.transcripts.pasted import begins_like_fathom, is_timed

# What a mail's first lines name; two of them in a row make a header.
_MAIL_HEADERS = re.compile(
    r"(?:from|to|cc|subject|date|sender|reply-to|received|return-path|message-id|"
    r"mime-version|content-type|content-transfer-encoding|delivered-to|in-reply-to|"
    r"references|dkim-signature|x-[a-z0-9-]{1,40}):",
    re.IGNORECASE,
)
_ANY_HEADER = re.compile(r"[!-9;-~]{1,60}:|[ \t]")
_HEAD_LINES = 60
_HEAD_CHARACTERS = 20_000

ZOOM_CHAT = "zoom_chat"
GOOGLE_MEET = "google_meet"
FATHOM = "fathom"
OTTER = "otter"
TIMED = "timed"


_JSON_BEGINS = re.compile(r"\s*(?:\{|\[\s*[{\[])")


@dataclass(frozen=True, slots=True)
class _Mark:
    """One form of transcript as text, and how its first lines are known."""

    name: str
    fits: Callable[[Sequence[str]], bool]


# The telling ones first. What the first line begins with decides of a chat.
_TALKS = (
    _Mark(ZOOM_CHAT, lambda head: begins_message(head[0])),
    _Mark(GOOGLE_MEET, begins_like_meet),
    _Mark(FATHOM, begins_like_fathom),
    _Mark(OTTER, begins_like_otter),
)
TRANSCRIPTS = frozenset({WEBVTT, SUBRIP, JSON, TIMED, *(mark.name for mark in _TALKS)})
"""Those of the answers of `by_content` that are transcripts."""


def by_content(text: str, source: str | None) -> str:
    """Return what text is by what it begins with: a media type, or a form's name.

    Args:
        text: The decoded content.
        source: What the caller says it is; a mail is only looked for where the
            caller says that it is one, or says nothing, and in a mail only
            captions, a calendar or JSON are found.

    Returns:
        `MAIL`, `CALENDAR`, `PLAIN`, or one of `TRANSCRIPTS`. `JSON` is a guess:
        only reading it tells.
    """
    if is_calendar(text):
        return CALENDAR
    head = text.lstrip("\ufeff\r\n \t")[:_HEAD_CHARACTERS].splitlines() or [""]
    caption = _caption(head)
    if caption is not None:
        return caption
    if _JSON_BEGINS.match(text):
        return JSON
    talk = None if source == "email" else _talk(head[:_HEAD_LINES], source)
    if talk is not None:
        return talk
    is_asked = source in ("email", None)
    return MAIL if is_asked and _begins_like_mail(head, source) else PLAIN


def _caption(head: list[str]) -> str | None:
    if head[0].startswith("WEBVTT") and any(map(is_time_line, head)):
        return WEBVTT
    return SUBRIP if _begins_like_srt(head) else None


def _talk(head: Sequence[str], source: str | None) -> str | None:
    for mark in _TALKS:
        if mark.fits(head):
            return mark.name
    # Times in brackets may be those of any list; a document stays one.
    is_asked = source in ("meeting", "chat", None)
    return TIMED if is_asked and is_timed(head) else None


def _begins_like_srt(head: list[str]) -> bool:
    if is_time_line(head[0]):
        return True
    return head[0].strip().isdecimal() and len(head) > 1 and is_time_line(head[1])


def _begins_like_mail(head: list[str], source: str | None) -> bool:
    known = 0
    for line in head[:_HEAD_LINES]:
        if not _ANY_HEADER.match(line):
            break
        known += bool(_MAIL_HEADERS.match(line))
    # A pasted "Subject: ..." above a text is a mail where the caller says so.
    return known >= (1 if source == "email" else 2)
