"""Floor 2: pure parsers. Bytes of a mail, a transcript or a text -> Document.

What is broken in a source becomes a `Notice` in `Document.warnings`:

    addresses_unreadable         a header of addresses is broken
    attachments_ignored          attachments were not read
    charset_guessed              no charset was declared; one was guessed
    charset_unknown              the declared charset does not exist
    charset_wrong                the declared charset does not fit the bytes
    cue_without_time             text of a transcript has no time
    date_unreadable              the date of a mail is missing its sense
    encrypted_content            a part of a mail is encrypted
    header_cut                   a header is too long
    hidden_text_removed          text that no reader sees was taken out
    invisible_characters_removed characters without a shape were taken out
    multipart_without_parts      a mail announces parts and has none
    nesting_cut                  parts are nested too deeply
    no_text_found                a mail holds no text that can be read
    participants_cut             too many people are named
    parts_cut                    there are too many parts
    text_cut                     the text is too long
    tnef_ignored                 a part in Outlook's own format was not read
    undecodable_bytes            some bytes are no characters
"""

from dataclasses import replace
from typing import Protocol

from flaskllm.core.errors import InvalidInputError
from flaskllm.inputs import detect
from flaskllm.inputs.charsets import decode
from flaskllm.inputs.document import Document, Kind
from flaskllm.inputs.email import parse_mail
from flaskllm.inputs.media_types import MAIL, PLAIN, SUBRIP, WEBVTT, resolve
from flaskllm.inputs.plain import parse_plain
from flaskllm.inputs.text import Lines, read_lines
from flaskllm.inputs.transcripts.srt import parse_srt
from flaskllm.inputs.transcripts.vtt import parse_vtt

_KINDS: dict[str | None, Kind] = {
    "email": "email",
    "meeting": "meeting",
    "chat": "chat",
}
# Who names one of these may have sent any form of it as plain text.
_TELLING_SOURCES = frozenset({"email", "meeting", "chat"})


def parse(
    content: bytes,
    *,
    media_type: str | None,
    source: str | None,
    charset: str | None = None,
    file_name: str | None = None,
) -> Document:
    """Return what was sent as a document; never sends, reads or keeps anything.

    Args:
        content: The bytes as they came.
        media_type: The content type of a raw body or file, with or without
            parameters; None for the prompt of a JSON request, whose form is
            then found from the content.
        source: What the caller says it is: email, meeting, document, chat,
            other, or None.
        charset: The declared charset, or None. A mail declares its own.
        file_name: The name of an uploaded file; a hint where the media type
            says nothing.

    Raises:
        InvalidInputError: There is no text, a mail has no header, or a
            transcript has no cue. The same content fails again.
        UnsupportedMediaType: The media type is not read here.
    """
    field_name = field_name_of(media_type, file_name)
    refuse_empty(content, field_name)
    known = None if media_type is None else resolve(media_type, file_name)
    if known == MAIL:
        return parse_mail(content, field_name=field_name)
    decoded = decode(content, charset)
    if known is None or (known == PLAIN and source in _TELLING_SOURCES):
        known = detect.by_content(decoded.text, source)
    document = _parse_decoded(known, decoded.text, source, field_name)
    return replace(document, warnings=(*decoded.warnings, *document.warnings))


def field_name_of(media_type: str | None, file_name: str | None) -> str:
    """Return the field in which content came to `parse`: prompt, file or body."""
    if file_name is not None:
        return "file"
    return "prompt" if media_type is None else "body"


def refuse_empty(content: bytes, field_name: str) -> None:
    """Return only when something but ASCII white space is there.

    Raises:
        InvalidInputError: It is not; the field is named.
    """
    if not content.strip():
        raise InvalidInputError.of(
            field_name, "it is empty", "a mail, a transcript or a text"
        )


def _parse_decoded(
    media_type: str, text: str, source: str | None, field_name: str
) -> Document:
    if media_type == MAIL:
        return parse_mail(text, field_name=field_name)
    lines = read_lines(text)
    transcript = _TRANSCRIPTS.get(media_type)
    if transcript is not None:
        return transcript(lines, field_name=field_name)
    kind = _KINDS.get(source, "document")
    return parse_plain(lines, kind=kind, field_name=field_name)


class _Transcript(Protocol):
    """A parser of one caption format."""

    def __call__(self, lines: Lines, *, field_name: str) -> Document:
        """Return the document of the file."""
        ...


_TRANSCRIPTS: dict[str, _Transcript] = {
    WEBVTT: parse_vtt,
    SUBRIP: parse_srt,
}
