"""The texts of a mail's parts: what is body, what is attached, what is left out."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from flaskllm.inputs import quotes
from flaskllm.inputs.alternatives import Text, choose
from flaskllm.inputs.attachments import (
    MAX_LISTED,
    MAX_READ,
    Form,
    clean_name,
    form_of,
    is_readable,
    read_form,
)
from flaskllm.inputs.calendar import read_calendar
from flaskllm.inputs.charsets import decode
from flaskllm.inputs.document import Attachment, Notice, PartKind, Person
from flaskllm.inputs.html import read_html
from flaskllm.inputs.mime import MESSAGE_TYPES, Node, read_mail
from flaskllm.inputs.quotes import Block
from flaskllm.inputs.text import Cleaned, Lines, read_lines, removal_notices, unfold

_TEXT_TYPES = frozenset({"text/plain", "text/html", "text/markdown"})
_ENCRYPTED = frozenset(
    {"application/pkcs7-mime", "application/x-pkcs7-mime", "multipart/encrypted"}
)
TNEF = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
# Proofs and reports that come with a mail; nobody attached them.
_SILENT = frozenset(
    {
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/pgp-signature",
        "application/pgp-encrypted",
        "text/x-amp-html",
        "message/delivery-status",
        "message/disposition-notification",
        "message/feedback-report",
    }
)

# Lines and tags after which no further part of a mail is read: the caps of one
# text hold for each part, and a mail may have a thousand of them.
MAX_EFFORT = 120_000


@dataclass(slots=True)
class Reader:
    """Reads the texts of a tree and remembers what it found and left out.

    `is_decoded` when the mail came as text. `people` are those of invitations,
    `attached` the mails in the mail.
    """

    is_forward: bool
    is_decoded: bool
    attachments: list[Attachment] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    attached: list[Node] = field(default_factory=list)
    warnings: list[Notice] = field(default_factory=list)
    calendars: dict[str, Lines] = field(default_factory=dict)
    effort: int = 0
    invisible: int = 0

    def texts(self, node: Node, place: int = 0) -> list[Text]:
        """Return the texts of a part and of everything in it, in order.

        Args:
            node: The part.
            place: How many parts stand before it in the same multipart.
        """
        if node.media_type in _ENCRYPTED:
            detail = "A part of the mail is encrypted and was not read."
            self.warnings.append(Notice("encrypted_content", detail))
        if node.media_type in MESSAGE_TYPES and node.children:
            return self._message(node)
        if node.media_type == "multipart/alternative":
            return self._alternatives(node)
        if node.media_type == "multipart/signed":
            # The second part is the signature, whatever type it claims; even
            # the first is missing where a cap left it out.
            return self._inside(replace(node, children=node.children[:1]))
        if node.media_type.startswith("multipart/"):
            return self._inside(node)
        if _is_text(node) and not _is_attached(node, place):
            return self._read(node, None, node.payload())
        return self._attachment(node)

    def _inside(self, node: Node) -> list[Text]:
        return [
            text
            for place, child in enumerate(node.children)
            for text in self.texts(child, place)
        ]

    def _alternatives(self, node: Node) -> list[Text]:
        """Return what says most; an invitation says what no other part does."""
        calendars = [each for each in node.children if _is_calendar(each)]
        others = [each for each in node.children if not _is_calendar(each)]
        chosen = choose([self.texts(each) for each in others])
        return chosen + [text for each in calendars for text in self.texts(each)]

    def _message(self, node: Node) -> list[Text]:
        inner = node.children[0]
        if node.is_encoded and not inner.header.keys():
            return self._attachment(replace(node, body=inner.body, children=()))
        texts = self._attached(inner)
        self._list(node, _size(inner), was_read=_has_text(texts))
        return texts

    def _attached(self, root: Node) -> list[Text]:
        """Return the texts of an attached mail: context, whatever they were there."""
        self.attached.append(root)
        return [_as_kind(text, "quoted") for text in self.texts(root)]

    def _attachment(self, node: Node) -> list[Text]:
        if node.media_type in _SILENT | _ENCRYPTED or _is_inline_image(node):
            return []
        if node.media_type in TNEF:
            detail = "A part in Outlook's own format (winmail.dat) was not read."
            self.warnings.append(Notice("tnef_ignored", detail))
        payload = node.payload()
        texts = self._file(node, payload)
        self._list(node, len(payload), was_read=_has_text(texts))
        return texts

    def _list(self, node: Node, size: int, *, was_read: bool) -> None:
        is_shown = len(self.attachments) < MAX_LISTED
        name = clean_name(node) if is_shown else Cleaned("", 0)
        self.invisible += name.removed
        found = Attachment(name.text or None, node.media_type, size, was_read)
        self.attachments.append(found)

    def _file(self, node: Node, payload: bytes) -> list[Text]:
        """Return the text of an attached file, nothing when it is not read."""
        read = sum(each.was_read for each in self.attachments)
        if read >= MAX_READ or not is_readable(payload):
            return []
        form = form_of(node, clean_name(node).text)
        if form is None:
            return []
        if form != "mail":
            return self._read(node, form, payload)
        mail = read_mail(payload, f"{node.path}.1")
        return self._attached(mail.root) if mail else []

    def _read(self, node: Node, form: Form | None, payload: bytes) -> list[Text]:
        """Return the text of a part: of the body where it has no form of a file."""
        if self.effort >= MAX_EFFORT:
            detail = "The mail holds too much text; its last parts were left out."
            self.warnings.append(Notice("text_cut", detail))
            return []
        decoded = decode(payload, self._charset(node))
        text = self._text(node, form, decoded.text)
        self.effort += text.lines.effort
        return [replace(text, warnings=(*decoded.warnings, *text.warnings))]

    def _charset(self, node: Node) -> str | None:
        # What was text already holds only characters; the bytes are ours.
        if self.is_decoded and not node.is_encoded:
            return "utf-8"
        return (node.parameter("charset") or "").strip("\"' ") or None

    def _text(self, node: Node, form: Form | None, content: str) -> Text:
        if form == "calendar":
            return self._calendar(node, content)
        if form is not None:
            lines = read_form(form, content)
            whole = Text(node.path, lines, warnings=tuple(removal_notices(lines)))
            return _as_kind(whole, "attachment")
        is_html = node.media_type == "text/html"
        lines = read_html(content) if is_html else _plain(node, content)
        blocks = quotes.split(lines.lines, is_forward=self.is_forward)
        return Text(node.path, lines, blocks, is_html, tuple(removal_notices(lines)))

    def _calendar(self, node: Node, content: str) -> Text:
        """Read an invitation; many programs send the same one twice."""
        known = self.calendars.get(content.strip())
        if known is not None:
            return Text(node.path, known)
        found = read_calendar(content)
        self.calendars[content.strip()] = found.lines
        self.people += (replace(each, role="participant") for each in found.people)
        whole = Text(node.path, found.lines, warnings=found.warnings)
        return _as_kind(whole, "attachment")


def _as_kind(text: Text, kind: PartKind) -> Text:
    """Return a text whose lines, when it has any to show, are one block."""
    block = Block(kind, text.lines.lines)
    is_shown = text.blocks or (kind == "attachment" and text.size)
    return replace(text, blocks=(block,) if is_shown else ())


def _has_text(texts: Iterable[Text]) -> bool:
    return any(text.size for text in texts)


def _size(node: Node) -> int:
    return len(node.body) + sum(map(_size, node.children))


def _is_calendar(node: Node) -> bool:
    return not node.children and form_of(node, None) == "calendar"


def _is_attached(node: Node, place: int) -> bool:
    """Tell whether a text is a file: it says so, or has a name and is not the first.

    So does JMAP tell them apart (RFC 8621, section 4.1.4).
    """
    return node.disposition == "attachment" or (place > 0 and bool(node.file_name()))


def _is_text(node: Node) -> bool:
    """Tell whether a part is text; an unknown type with a charset is."""
    return node.media_type in _TEXT_TYPES or (
        not node.media_type.startswith(("text/", "image/", "audio/", "video/"))
        and node.media_type not in _SILENT | _ENCRYPTED | TNEF
        and node.parameter("name") is None
        and node.parameter("charset") is not None
        and form_of(node, None) is None
    )


def _is_inline_image(node: Node) -> bool:
    is_image = node.media_type.startswith("image/")
    return is_image and ("content-id" in node.header or node.disposition == "inline")


def _plain(node: Node, text: str) -> Lines:
    lines = read_lines(text)
    if (node.parameter("format") or "").lower() != "flowed":
        return lines
    delete_space = (node.parameter("delsp") or "").lower() == "yes"
    return replace(lines, lines=unfold(lines.lines, delete_space=delete_space))
