"""The fields of a form as bytes: each may be written in a charset of its own.

Web frameworks decode forms as UTF-8 and drop files without a name; senders of mail
write one field in cp1252 beside another in UTF-8 and attach files without a name.
So multipart (RFC 7578) and urlencoded bodies are cut here, within caps.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import unquote_to_bytes

from flaskllm.inputs.charsets import decode
from flaskllm.inputs.senders.types import Delivery, SenderRefusedError

MAX_FIELDS = 2_000
MAX_FORM_BYTES = 64 * 1024 * 1024
MAX_PART_HEADER_BYTES = 8 * 1024
MAX_PROOF_BYTES = 4 * 1024  # of one field that proves something, and of its name

MULTIPART = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"

_PIECE_BYTES = 64 * 1024
_BOUNDARY = re.compile(r';\s*boundary=(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))', re.I)
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_FOLD = re.compile(rb"\r?\n[ \t]+")
# A quoted value that is never closed runs to the end, so that each character is
# looked at once.
_PARAMETER = re.compile(r';\s*([\w*-]{1,40})\s*=\s*("(?:[^"\\]++|\\.)*+"?|[^;\s]*)')
_EXTENDED = re.compile(r"[\w-]{1,40}'[^']*'(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form.

    Attributes:
        name: As it came.
        value: Its bytes, as they came.
        file_name: None of a field that is no file; may be empty.
        media_type: That of the part, lower case, without parameters; may be empty.
        charset: That the part declares, or None.
        content_id: Without angle brackets, where the part has one, or empty.
    """

    name: str
    value: bytes = field(repr=False)
    file_name: str | None = None
    media_type: str = ""
    charset: str | None = None
    content_id: str = ""

    def text(self, charset: str | None = None) -> str:
        """Return the value as text, in the charset named here, else in its own."""
        return decode(self.value, charset or self.charset).text


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form in the order in which they came."""

    fields: tuple[Field, ...]
    _last: Mapping[str, Field] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the last field of each name."""
        last = {each.name.lower(): each for each in self.fields}
        object.__setattr__(self, "_last", last)

    def last(self, name: str) -> Field | None:
        """Return the last field of a name, without regard to case, or None."""
        return self._last.get(name.lower())

    def text(self, name: str, charset: str | None = None) -> str:
        """Return the text of the last field of a name; empty where there is none."""
        found = self.last(name)
        return found.text(charset) if found else ""

    @property
    def files(self) -> tuple[Field, ...]:
        """The fields that are files."""
        return tuple(each for each in self.fields if each.file_name is not None)


def is_form(delivery: Delivery) -> bool:
    """Tell whether the content type is one that `read_form` reads."""
    return _media_type(delivery.content_type) in (MULTIPART, URLENCODED)


def read_form(delivery: Delivery) -> Form:
    """Return the fields of a multipart or urlencoded body.

    Raises:
        SenderRefusedError: `malformed`: it is neither, has no boundary, no end,
            too many fields, or is too large.
    """
    if _checked_type(delivery) == URLENCODED:
        return Form(tuple(_urlencoded(delivery.body)))
    return Form(tuple(_multipart(delivery.body, _boundary(delivery.content_type))))


def read_proof(delivery: Delivery, names: frozenset[str]) -> Form:
    """Return the fields of these names, lower case, and of the others nothing.

    A form may be large, and to read it costs many times its bytes: nothing else of it
    is looked into before it is proven. A field that is too long for a proof is empty,
    so that an earlier one of its name does not stand for it.

    Raises:
        SenderRefusedError: `malformed`, as `read_form`.
    """
    media_type = _checked_type(delivery)
    if media_type == URLENCODED:
        fields = _urlencoded(delivery.body, MAX_PROOF_BYTES)
    else:
        fields = _multipart(delivery.body, _boundary(delivery.content_type))
    found = (each for each in fields if each.name.lower() in names)
    return Form(
        tuple(
            each if len(each.value) <= MAX_PROOF_BYTES else replace(each, value=b"")
            for each in found
        )
    )


def _checked_type(delivery: Delivery) -> str:
    if len(delivery.body) > MAX_FORM_BYTES:
        raise _malformed(f"The form is larger than {MAX_FORM_BYTES} bytes.")
    media_type = _media_type(delivery.content_type)
    if media_type not in (MULTIPART, URLENCODED):
        raise _malformed(f"The body is no form; send {MULTIPART} or {URLENCODED}.")
    return media_type


def _urlencoded(body: bytes, longest: int | None = None) -> Iterator[Field]:
    """Yield the fields; what is longer than `longest` as it came is empty."""
    if body.count(b"&") >= MAX_FIELDS:
        raise _too_many()
    for pair in body.split(b"&"):
        if pair:
            name, _, value = pair.partition(b"=")
            yield Field(_name(_decoded(name, longest)), _decoded(value, longest))


def _decoded(raw: bytes, longest: int | None) -> bytes:
    """Return what a name or a value stands for, in memory that its length bounds.

    The library's own function makes an object of each escape, so that it gets a piece
    at a time, none of which ends within one.
    """
    if longest is not None and len(raw) > longest:
        return b""
    pieces, start = [], 0
    while start < len(raw):
        end = start + _PIECE_BYTES
        within = raw.rfind(b"%", end - 2, end)
        end = within if within > start and end < len(raw) else end
        pieces.append(unquote_to_bytes(raw[start:end].replace(b"+", b" ")))
        start = end
    return b"".join(pieces)


def _multipart(body: bytes, boundary: bytes) -> Iterator[Field]:
    # Lines of SDK samples end in LF alone; the break before a delimiter is its own.
    delimiter = re.compile(
        rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r?\n|\Z)"
    )
    begun: int | None = None
    count = 0
    for found in delimiter.finditer(body):
        if begun is not None:
            count += 1
            if count > MAX_FIELDS:
                raise _too_many()
            yield _field(body, begun, found.start())
        if found.group(1):
            return
        begun = found.end()
    raise _malformed("The multipart body has no end, or its boundary never occurs.")


def _field(body: bytes, start: int, end: int) -> Field:
    """Return the field of the part that begins with the break after its delimiter."""
    blank = _BLANK_LINE.search(body, start, min(end, start + MAX_PART_HEADER_BYTES))
    if blank is None:
        raise _malformed("A part of the form has no header, or one that never ends.")
    headers = _headers(body[start : blank.start()])
    disposition = _parameters(headers.get("content-disposition", ""))
    kind = headers.get("content-type", "")
    return Field(
        name=disposition.get("name", ""),
        value=body[blank.end() : end],
        file_name=disposition.get("filename"),
        media_type=_media_type(kind),
        charset=_parameters(kind).get("charset") or None,
        content_id=headers.get("content-id", "").strip("<> \t"),
    )


def _headers(block: bytes) -> dict[str, str]:
    lines = _FOLD.sub(b" ", block).splitlines()
    pairs = (_name(line).partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _parameters(value: str) -> dict[str, str]:
    """Return the parameters of a header; `name*` (RFC 5987) wins over `name`."""
    found: dict[str, str] = {}
    for name, raw in _PARAMETER.findall(value):
        found[name.lower()] = _unquoted(raw)
    for name in [name for name in found if name.endswith("*")]:
        extended = _EXTENDED.fullmatch(found.pop(name))
        if extended:
            found[name.rstrip("*")] = _name(unquote_to_bytes(extended[1]))
    return found


def _unquoted(raw: str) -> str:
    if raw[:1] != '"':
        return raw
    # Some senders write a file's whole path with single backslashes.
    return re.sub(r'\\(["\\])', r"\1", raw[1:].removesuffix('"'))


def _boundary(content_type: str) -> bytes:
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise _malformed("The content type names no boundary.")
    return (found[1] or found[2]).encode("utf-8", "replace").rstrip()


def _name(raw: bytes) -> str:
    """Return a name as text. Not by guessing: a form has thousands of names."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _too_many() -> SenderRefusedError:
    return _malformed(f"The form has more than {MAX_FIELDS} fields.")


def _malformed(detail: str) -> SenderRefusedError:
    return SenderRefusedError("malformed", detail)
