"""Tell what kind of content was sent when the caller did not say it."""

import re

from flaskllm.inputs.media_types import MAIL, PLAIN, SUBRIP, WEBVTT
from flaskllm.inputs.transcripts.cues import is_time_line

# What a mail's first lines name; two of them in a row make a header.
_MAIL_HEADERS = re.compile(
    r"(?:from|to|cc|subject|date|sender|reply-to|received|return-path|message-id|"
    r"mime-version|content-type|content-transfer-encoding|delivered-to|in-reply-to|"
    r"references|dkim-signature|x-[a-z0-9-]{1,40}):",
    re.IGNORECASE,
)
_ANY_HEADER = re.compile(r"[!-9;-~]{1,60}:|[ \t]")
_HEAD_LINES = 60


def by_content(text: str, source: str | None) -> str:
    """Return the media type of text by what it begins with.

    Args:
        text: The decoded content.
        source: What the caller says it is; a mail is only looked for where the
            caller says that it is one, or says nothing.
    """
    head = text.lstrip("\ufeff\r\n \t")[:20_000].splitlines()[:_HEAD_LINES]
    has_times = any(is_time_line(line) for line in head)
    if has_times and head[0].startswith("WEBVTT"):
        return WEBVTT
    if has_times and _begins_like_srt(head):
        return SUBRIP
    if source in ("email", None) and _begins_like_mail(head, source):
        return MAIL
    return PLAIN


def _begins_like_srt(head: list[str]) -> bool:
    if is_time_line(head[0]):
        return True
    return head[0].strip().isdecimal() and len(head) > 1 and is_time_line(head[1])


def _begins_like_mail(head: list[str], source: str | None) -> bool:
    known = 0
    for line in head:
        if not _ANY_HEADER.match(line):
            break
        known += bool(_MAIL_HEADERS.match(line))
    # A pasted "Subject: ..." above a text is a mail where the caller says so.
    return known >= (1 if source == "email" else 2)
