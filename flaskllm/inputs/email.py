"""A mail as it was sent (RFC 5322 and MIME) becomes a document.

Whatever is broken in a mail becomes a warning; no mail makes this fail that has
a header at all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from flaskllm.core.errors import InvalidInputError
from flaskllm.inputs import quote_marks, quotes
from flaskllm.inputs.charsets import decode
from flaskllm.inputs.document import Document, Notice, Origin, Part
from flaskllm.inputs.html import read_html
from flaskllm.inputs.mail_headers import MailFacts, read_facts
from flaskllm.inputs.mime import MESSAGE_TYPES, Node, read_mail
from flaskllm.inputs.parts import promote, to_parts
from flaskllm.inputs.quotes import Block
from flaskllm.inputs.text import Line, Lines, read_lines, removal_notices, unfold

_TEXT_TYPES = frozenset({"text/plain", "text/html", "text/markdown"})
_ENCRYPTED = frozenset(
    {"application/pkcs7-mime", "application/x-pkcs7-mime", "multipart/encrypted"}
)
_TNEF = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
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

# A plain text this much shorter than the HTML beside it is only a notice.
_SHORT_SHARE = 0.3
_NOTICE_CHARACTERS = 600
_NOTICE_WORDS = ("html", "browser")


@dataclass(frozen=True, slots=True)
class _Text:
    """The visible lines of one text part and the blocks they form."""

    path: str
    lines: Lines
    blocks: tuple[Block, ...]
    is_html: bool
    warnings: tuple[Notice, ...] = ()

    @property
    def size(self) -> int:
        """How many characters a reader sees."""
        return sum(len(line.text.strip()) for line in self.lines.lines)


@dataclass(slots=True)
class _Reader:
    """Reads the texts of a tree and remembers what it left out."""

    is_forward: bool
    is_decoded: bool
    attachments: int = 0
    effort: int = 0
    warnings: list[Notice] = field(default_factory=list)

    def texts(self, node: Node) -> list[_Text]:
        """Return the texts of a part and of everything in it, in order."""
        if node.media_type in _ENCRYPTED:
            detail = "A part of the mail is encrypted and was not read."
            self.warnings.append(Notice("encrypted_content", detail))
        if node.disposition == "attachment" and not node.children:
            self._leave_out(node)
            return []
        if node.media_type in MESSAGE_TYPES:
            return [_quoted(text) for text in self._inside(node)]
        if node.media_type == "multipart/alternative":
            return _choose([self.texts(child) for child in node.children])
        if node.media_type == "multipart/signed":
            # The second part is the signature, whatever type it claims; even
            # the first is missing where a cap left it out.
            return self._inside(replace(node, children=node.children[:1]))
        if node.media_type.startswith("multipart/"):
            return self._inside(node)
        if _is_text(node):
            return self._read(node)
        self._leave_out(node)
        return []

    def _inside(self, node: Node) -> list[_Text]:
        return [text for child in node.children for text in self.texts(child)]

    def _leave_out(self, node: Node) -> None:
        if node.media_type in _TNEF:
            detail = "A part in Outlook's own format (winmail.dat) was not read."
            self.warnings.append(Notice("tnef_ignored", detail))
        elif node.media_type not in _SILENT | _ENCRYPTED and not _is_inline_image(node):
            self.attachments += 1

    def _read(self, node: Node) -> list[_Text]:
        if self.effort < MAX_EFFORT:
            return [self._text(node)]
        detail = "The mail holds too much text; its last parts were left out."
        self.warnings.append(Notice("text_cut", detail))
        return []

    def _charset(self, node: Node) -> str | None:
        # What was text already holds only characters; the bytes are ours.
        if self.is_decoded and not node.is_encoded:
            return "utf-8"
        return (node.parameter("charset") or "").strip("\"' ") or None

    def _text(self, node: Node) -> _Text:
        decoded = decode(node.payload(), self._charset(node))
        is_html = node.media_type == "text/html"
        lines = read_html(decoded.text) if is_html else _plain(node, decoded.text)
        self.effort += lines.effort
        blocks = quotes.split(lines.lines, is_forward=self.is_forward)
        warnings = (*decoded.warnings, *removal_notices(lines))
        return _Text(node.path, lines, blocks, is_html, warnings)


def parse_mail(content: bytes | str, *, field_name: str) -> Document:
    """Return the document of a mail.

    Args:
        content: The raw mail; as text where somebody decoded it already.
        field_name: What the caller's field is called in an error.

    Raises:
        InvalidInputError: There is no header at all.
    """
    is_decoded = isinstance(content, str)
    raw = content.encode("utf-8") if isinstance(content, str) else content
    mail = read_mail(raw)
    if mail is None:
        raise InvalidInputError.of(
            field_name,
            "it is no mail: it does not begin with a header",
            "a raw message with header lines such as From: and Subject:, "
            "an empty line, and the text",
        )
    facts = read_facts(mail.root.header)
    is_forward = quote_marks.is_forward_subject(facts.subject)
    reader = _Reader(is_forward, is_decoded)
    texts = reader.texts(mail.root)
    warnings = [*mail.warnings, *facts.warnings, *reader.warnings]
    for text in texts:
        warnings += text.warnings
    return _document(facts, texts, [*warnings, *_remarks(reader, texts)])


def _document(
    facts: MailFacts, texts: Sequence[_Text], warnings: Sequence[Notice]
) -> Document:
    parts: list[Part] = []
    for text in texts:
        parts += to_parts(text.blocks, text.path, first=len(parts) + 1)
    subject = [
        Part(
            "subject", "subject", facts.subject, Origin("header", 0, len(facts.subject))
        )
    ]
    return Document(
        kind="email",
        parts=(*(subject if facts.subject else []), *promote(parts)),
        participants=facts.participants,
        subject=facts.subject or None,
        sent_at=facts.sent_at,
        headers=facts.headers,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _remarks(reader: _Reader, texts: Sequence[_Text]) -> Iterator[Notice]:
    if reader.attachments:
        detail = f"Attachments that were not read: {reader.attachments}."
        yield Notice("attachments_ignored", detail)
    if not any(text.blocks for text in texts):
        yield Notice("no_text_found", "The mail holds no text that can be read.")


def _is_text(node: Node) -> bool:
    """Tell whether a part is text; an unknown type with a charset is."""
    return node.media_type in _TEXT_TYPES or (
        not node.media_type.startswith(("text/", "image/", "audio/", "video/"))
        and node.media_type not in _SILENT | _ENCRYPTED | _TNEF
        and node.parameter("name") is None
        and node.parameter("charset") is not None
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


def _quoted(text: _Text) -> _Text:
    """Return the text of an attached mail: context, whatever it was there."""
    lines: tuple[Line, ...] = text.lines.lines
    block = Block("quoted", lines)
    return replace(text, blocks=(block,) if text.blocks else ())


def _choose(alternatives: list[list[_Text]]) -> list[_Text]:
    """Return the alternative that says most of what a reader would see."""
    filled = [texts for texts in alternatives if any(text.blocks for text in texts)]
    plain = next((texts for texts in filled if not _has_html(texts)), None)
    rich = next((texts for texts in reversed(filled) if _has_html(texts)), None)
    if plain is None or rich is None:
        return plain or rich or []
    return rich if _prefers_rich(plain, rich) else plain


def _has_html(texts: list[_Text]) -> bool:
    return any(text.is_html for text in texts)


def _prefers_rich(plain: list[_Text], rich: list[_Text]) -> bool:
    """HTML wins where the plain text is a notice or cannot show what matters."""
    if any(text.lines.struck or _has_answers(text) for text in rich):
        return True
    size = sum(text.size for text in plain)
    if size < _SHORT_SHARE * sum(text.size for text in rich):
        return True
    if size > _NOTICE_CHARACTERS:
        return False
    said = " ".join(line.text for text in plain for line in text.lines.lines).lower()
    return any(word in said for word in _NOTICE_WORDS)


def _has_answers(text: _Text) -> bool:
    return any(block.is_answer for block in text.blocks)
