"""Plain text becomes a document: turns, a mail's text, or one body."""

from flaskllm.core.errors import InvalidInputError
from flaskllm.inputs import quotes
from flaskllm.inputs.document import Document, Kind
from flaskllm.inputs.parts import promote, to_parts
from flaskllm.inputs.quotes import Block
from flaskllm.inputs.text import Lines, join, removal_notices
from flaskllm.inputs.transcripts.turns import spoken_lines, to_document


def parse_plain(lines: Lines, *, kind: Kind, field_name: str) -> Document:
    """Return the document of plain text.

    In a meeting or a chat, `Name: text` lines become turns; in a mail, quoted
    text and the signature become parts of their own.

    Raises:
        InvalidInputError: Nothing visible is there.
    """
    warnings = removal_notices(lines)
    if not join(lines.lines):
        raise InvalidInputError.of(
            field_name, "it holds no visible text", "a mail, a transcript or a text"
        )
    cues = spoken_lines(lines.lines) if kind in ("meeting", "chat") else []
    if cues:
        return to_document(cues, kind=kind, warnings=warnings)
    whole = (Block("body", lines.lines),)
    blocks = quotes.split(lines.lines) if kind == "email" else whole
    parts = promote(to_parts(blocks, ""))
    return Document(kind, parts, warnings=tuple(warnings))
