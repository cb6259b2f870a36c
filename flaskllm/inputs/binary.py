"""Content that is no text at all, known by its first bytes, whatever it is called."""

from dataclasses import dataclass

from flaskllm.core.errors import UnsupportedMediaType

OUTLOOK_REMEDY = (
    "Outlook's .msg is not read. In Outlook, save the item as .eml, or forward it as "
    "an attachment and send that mail; or export the text."
)
_OFFICE_REMEDY = "Send its text as text/plain, or as a transcript file."

_SAMPLE_BYTES = 4_096
# NUL bytes in text are damage; as many as this are another kind of data.
_NUL_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class _Magic:
    """The first bytes of a kind of file, where they stand, and what to do instead.

    `is_word` marks those that a text could begin with too: a NUL byte near them
    tells the file.
    """

    mark: bytes
    name: str
    remedy: str = _OFFICE_REMEDY
    offset: int = 0
    is_word: bool = False


_MAGIC = (
    _Magic(
        bytes.fromhex("D0CF11E0A1B11AE1"), "an Outlook or Office file", OUTLOOK_REMEDY
    ),
    _Magic(b"PK\x03\x04", "a zip archive, such as .docx or .xlsx"),
    _Magic(b"PK\x05\x06", "an empty zip archive"),
    _Magic(b"%PDF-", "a PDF file"),
    _Magic(b"{\\rtf", "an RTF file"),
    _Magic(b"\x1f\x8b\x08", "a gzip file"),
    _Magic(b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    _Magic(b"Rar!\x1a\x07", "a RAR archive"),
    _Magic(b"\x89PNG\r\n", "a PNG picture"),
    _Magic(b"\xff\xd8\xff", "a JPEG picture"),
    _Magic(b"GIF8", "a GIF picture", is_word=True),
    _Magic(b"\x1aE\xdf\xa3", "a Matroska or WebM recording"),
    _Magic(b"ftyp", "an MP4 or M4A recording", offset=4, is_word=True),
    _Magic(b"OggS", "an Ogg recording", is_word=True),
    _Magic(b"RIFF", "a WAV recording", is_word=True),
    _Magic(b"ID3", "an MP3 recording", is_word=True),
)


def refuse_binary(content: bytes, *, may_hold_nul: bool) -> None:
    """Return only when content can be text.

    Args:
        content: The bytes as they came.
        may_hold_nul: Whether its declared form or charset, or a byte-order mark,
            explains NUL bytes.

    Raises:
        UnsupportedMediaType: It is a file of another kind; what to send instead is
            told.
    """
    sample = content[:_SAMPLE_BYTES]
    for magic in _MAGIC:
        if _begins(sample, magic):
            raise UnsupportedMediaType(
                details=f"The content is {magic.name}. {magic.remedy}"
            )
    if not may_hold_nul and sample.count(0) > _NUL_SHARE * len(sample):
        raise UnsupportedMediaType(
            details="The content is binary, no text. "
            "Send text as UTF-8, or name its charset in the content type."
        )


def _begins(sample: bytes, magic: _Magic) -> bool:
    if not sample.startswith(magic.mark, magic.offset):
        return False
    return not magic.is_word or 0 in sample[:64]
