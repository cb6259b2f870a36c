"""Floor 2: pure parsers. Bytes of a mail, a transcript or a text -> Document.

What is broken in a source becomes a `Notice` in `Document.warnings`:

    addresses_unreadable         a header of addresses is broken
    attachments_ignored          attachments were not read
    automatic_mail               a machine wrote a mail; the detail says which
    charset_guessed              no charset was declared; one was guessed
    charset_unknown              the declared charset does not exist
    charset_wrong                the declared charset does not fit the bytes
    cue_without_time             text of a transcript has no time
    direct_messages_left_out     messages of a chat to one person were not read
    date_unreadable              the date of a mail is missing its sense
    encrypted_content            a part of a mail is encrypted
    header_broken                lines in a header are none; they were left out
    header_cut                   a header is too long
    hidden_text_removed          text that no reader sees was taken out
    invisible_characters_removed characters without a shape were taken out
    multipart_without_parts      a mail announces parts and has none
    mailing_list_mail            a mail came through a mailing list
    nesting_cut                  parts are nested too deeply
    no_text_found                a mail holds no text that can be read
    participants_cut             too many people are named
    parts_cut                    there are too many parts
    text_cut                     the text is too long
    time_zone_unknown            times of a calendar are shown without their zone
    reactions_left_out           reactions in a chat were not read
    speakers_unnamed             a transcript tells speakers apart without names
    tnef_ignored                 a part in Outlook's own format was not read
    undecodable_bytes            some bytes are no characters
"""

import codecs
from collections.abc import Callable
from dataclasses import replace

from flaskllm.core.errors import InvalidInputError, UnsupportedMediaType
from flaskllm.inputs import detect
from flaskllm.inputs.binary import refuse_binary
from flaskllm.inputs.calendar import parse_calendar
from flaskllm.inputs.charsets import decode
from flaskllm.inputs.document import Document, Kind
from flaskllm.inputs.email import parse_mail
from flaskllm.inputs.media_types import (
    CALENDAR,
    JSON,
    MAIL,
    PLAIN,
    SUBRIP,
    WEBVTT,
    resolve,
)
from flaskllm.inputs.plain import parse_plain
from flaskllm.inputs.text import read_lines
from flaskllm.inputs.transcripts.chat import parse_zoom_chat
from flaskllm.inputs.transcripts.json_forms import JSON_FORMS, parse_json
from flaskllm.inputs.transcripts.json_text import UnreadableJsonError
from flaskllm.inputs.transcripts.meet import parse_google_meet
from flaskllm.inputs.transcripts.otter import parse_otter
from flaskllm.inputs.transcripts.pasted import parse_fathom, parse_timed
from flaskllm.inputs.transcripts.srt import parse_srt
from flaskllm.inputs.transcripts.vtt import parse_vtt

_KINDS: dict[str | None, Kind] = {
    "email": "email",
    "meeting": "meeting",
    "chat": "chat",
}
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
_Parser = Callable[[str, str | None, str], Document]
"""Text, what the caller says it is, and the field of an error -> its document."""


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
        UnsupportedMediaType: The media type is not read here, the bytes are those
            of a file of another kind, or the JSON is no transcript that is known;
            the details tell what is.
    """
    field_name = field_name_of(media_type, file_name)
    refuse_empty(content, field_name)
    known = None if media_type is None else resolve(media_type, file_name)
    has_mark = content.startswith(_WIDE_MARKS)
    is_explained = known == MAIL or charset is not None or has_mark
    refuse_binary(content, may_hold_nul=is_explained)
    if known == MAIL:
        return parse_mail(content, field_name=field_name)
    decoded = decode(content, charset)
    document = _parse_text(known, decoded.text, source, field_name)
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


def _parse_text(
    known: str | None, text: str, source: str | None, field_name: str
) -> Document:
    reading = _reading(known, text, source)
    if reading == JSON:
        document = _parse_json(text, source, field_name, is_declared=known == JSON)
        if document is not None:
            return document
        # What only looked like it is what it was declared to be, or text.
        reading = known or PLAIN
    return _PARSERS[reading](text, source, field_name)


def _reading(known: str | None, text: str, source: str | None) -> str:
    """Return how text is read: by its content, within what was declared."""
    if known == CALENDAR or (known == PLAIN and source in ("document", "other")):
        return known
    found = detect.by_content(text, source)
    if known is None:
        return found
    if known == PLAIN:
        # A text may quote a mail at its beginning; only who says so sends one.
        return PLAIN if found == MAIL and source is None else found
    return found if found in detect.TRANSCRIPTS else known


def _parse_json(
    text: str, source: str | None, field_name: str, *, is_declared: bool
) -> Document | None:
    """Return the document of JSON; None where it may be read as text instead."""
    try:
        document = parse_json(text, field_name=field_name)
    except UnreadableJsonError as error:
        if is_declared:
            raise InvalidInputError.of(
                field_name, f"it is no JSON: {error}", "a JSON text (RFC 8259)"
            ) from error
        return None
    if document is None and (is_declared or source in ("meeting", "chat")):
        names = ", ".join(form.name for form in JSON_FORMS)
        raise UnsupportedMediaType(
            "The JSON holds no transcript of a known shape.",
            details=f"Known shapes: {names}. Others can be sent as text with a line "
            "`Name: words` for each thing said.",
        )
    return document


def _of_lines(parse_lines: Callable[..., Document]) -> _Parser:
    """Return a parser of cleaned lines as one of text."""
    return lambda text, _, field_name: parse_lines(
        read_lines(text), field_name=field_name
    )


def _of_text(parse_all: Callable[..., Document]) -> _Parser:
    """Return a parser that needs the text as written as one of all."""
    return lambda text, _, field_name: parse_all(text, field_name=field_name)


def _parse_timed(text: str, source: str | None, field_name: str) -> Document:
    kind: Kind = "chat" if source == "chat" else "meeting"
    return parse_timed(read_lines(text), kind=kind, field_name=field_name)


def _parse_plain(text: str, source: str | None, field_name: str) -> Document:
    kind = _KINDS.get(source, "document")
    return parse_plain(read_lines(text), kind=kind, field_name=field_name)


_PARSERS: dict[str, _Parser] = {
    MAIL: _of_text(parse_mail),
    CALENDAR: _of_text(parse_calendar),
    WEBVTT: _of_lines(parse_vtt),
    SUBRIP: _of_lines(parse_srt),
    detect.ZOOM_CHAT: _of_text(parse_zoom_chat),
    detect.GOOGLE_MEET: _of_lines(parse_google_meet),
    detect.OTTER: _of_lines(parse_otter),
    detect.FATHOM: _of_lines(parse_fathom),
    detect.TIMED: _parse_timed,
    PLAIN: _parse_plain,
}
