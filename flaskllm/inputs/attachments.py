"""Which attachments are text, and what an attached file is called.

Nothing is opened by what its name claims alone when its type says what it is;
names decide where the type says nothing, as it is with most mail programs.
"""

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import PurePosixPath
from typing import Literal

from flaskllm.core.errors import InvalidInputError
from flaskllm.inputs.charsets import decode
from flaskllm.inputs.document import Part
from flaskllm.inputs.encoded_words import decode_words
from flaskllm.inputs.html import read_html
from flaskllm.inputs.mime import MESSAGE_TYPES, Node
from flaskllm.inputs.text import Cleaned, Line, Lines, clean, read_lines
from flaskllm.inputs.transcripts.srt import parse_srt
from flaskllm.inputs.transcripts.vtt import parse_vtt

Form = Literal["text", "html", "calendar", "webvtt", "subrip", "mail"]

# What is read of one mail: so many attachments, none of them larger.
MAX_READ = 20
MAX_BYTES = 1024 * 1024
MAX_LISTED = 100
LONGEST_NAME = 120

_BY_TYPE: dict[str, Form] = {
    "text/html": "html",
    "text/calendar": "calendar",
    "application/ics": "calendar",
    "text/vtt": "webvtt",
    "application/x-subrip": "subrip",
}
_BY_ENDING: dict[str, Form] = {
    ".txt": "text",
    ".text": "text",
    ".md": "text",
    ".csv": "text",
    ".tsv": "text",
    ".log": "text",
    ".html": "html",
    ".htm": "html",
    ".ics": "calendar",
    ".vtt": "webvtt",
    ".srt": "subrip",
    ".eml": "mail",
}
# Types under which programs send files that they do not know.
_VAGUE = frozenset(
    {
        "text/plain",
        "application/octet-stream",
        "binary/octet-stream",
        "application/x-download",
        "application/force-download",
        "application/unknown",
        "application/plain",
        "application/txt",
        "application/csv",
        "application/vnd.ms-excel",
    }
)
# Text for machines: programs, styles, address cards, markup of documents.
_NOT_READ = re.compile(
    r"text/(?:css|ecmascript|javascript|rtf|richtext|enriched|xml|xsl|vcard|x-vcard|"
    r"directory|x-amp-html)"
)
_MARKS = (BOM_UTF8, BOM_UTF16_LE, BOM_UTF16_BE)
_FOLDER = re.compile(r"[/\\]")


def form_of(node: Node, name: str | None) -> Form | None:
    """Return how an attachment is read, or None when it is not.

    Args:
        node: A part without parts of its own.
        name: The name of the file, clean.
    """
    media_type = node.media_type
    if media_type in MESSAGE_TYPES and node.is_encoded:
        return "mail"
    if media_type in _VAGUE:
        ending = PurePosixPath(name or "").suffix.lower()
        is_text = media_type == "text/plain"
        return _BY_ENDING.get(ending, "text" if is_text else None)
    if media_type.startswith("text/") and not _NOT_READ.fullmatch(media_type):
        return _BY_TYPE.get(media_type, "text")
    return _BY_TYPE.get(media_type)


def is_readable(payload: bytes) -> bool:
    """Tell whether bytes are few enough and can be text at all."""
    is_text = payload.startswith(_MARKS) or b"\0" not in payload[:4_096]
    return is_text and len(payload) <= MAX_BYTES


def read_form(form: Form, content: str) -> Lines:
    """Return the visible lines of a file; a transcript's are `Name: words`.

    A transcript that has no cue is read as the plain text it is.
    """
    if form == "html":
        return read_html(content)
    lines = read_lines(content)
    parse = _TRANSCRIPTS.get(form)
    if parse is None:
        return lines
    try:
        document = parse(lines, field_name="file")
    except InvalidInputError:
        return lines
    return replace(lines, lines=tuple(chain.from_iterable(map(_said, document.parts))))


def _said(turn: Part) -> Iterator[Line]:
    place = turn.origin
    text = f"{turn.speaker}: {turn.text}" if turn.speaker else turn.text
    return (Line(each, place.start, place.end) for each in text.split("\n"))


_TRANSCRIPTS = {"webvtt": parse_vtt, "subrip": parse_srt}


def clean_name(node: Node) -> Cleaned:
    """Return the name of an attached file: no folders, one short clean line.

    The text is empty where there is no name.
    """
    written = node.file_name()
    if isinstance(written, tuple):
        charset, _, value = written
        # RFC 2231: percent-encoded bytes, here as Latin-1 characters.
        name = decode(value.encode("latin-1", "replace"), charset).text
    else:
        name = decode_words(written or "")
    cleaned = clean(name)
    last = _FOLDER.split(cleaned.text)[-1]
    shown = " ".join(last.split()).strip(" .\"'")
    return Cleaned(_shortened(shown), cleaned.removed)


def _shortened(name: str) -> str:
    if len(name) <= LONGEST_NAME:
        return name
    ending = PurePosixPath(name).suffix[:10]
    return name[: LONGEST_NAME - len(ending)] + ending
