"""Fuzzes the parsers of `flaskllm.inputs`: any bytes are read, or refused in words.

The rule is `check`. The unit tests hold it for the files of `corpus/` and for what
hypothesis makes of them. Where atheris is installed, this runs until it is stopped:

    python tests/fuzz/fuzz_inputs.py tests/fuzz/corpus

What it finds is made small, mended, and kept in `corpus/`.
"""

import re
import sys
from pathlib import Path

from flaskllm.core.errors import InvalidInputError, UnsupportedMediaType
from flaskllm.inputs import parse
from flaskllm.inputs.media_types import FILE_TYPES

CORPUS = Path(__file__).parent / "corpus"
_SOURCES = (None, "meeting", "chat", "email", "document")
_UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def check(content):
    """Parse content as everything it could be called; every document must be clean."""
    for media_type in (None, *FILE_TYPES):
        for source in _SOURCES if media_type is None else _SOURCES[:1]:
            try:
                document = parse(content, media_type=media_type, source=source)
            except (InvalidInputError, UnsupportedMediaType):
                continue
            _check_document(document, len(content))


def _check_document(document, size):
    assert document.form
    for part in document.parts:
        assert part.text.strip() == part.text
        assert not _UNSEEN.search(part.text)
        assert 0 <= part.origin.start <= part.origin.end
        assert part.origin.path or part.origin.end <= size
        assert part.start_ms is None or part.start_ms >= 0
        assert part.end_ms is None or part.end_ms >= (part.start_ms or 0)
    for name in (person.name for person in document.participants):
        assert name is None or not _UNSEEN.search(name)
    assert document.sent_at is None or document.sent_at.tzinfo is not None


def main():
    """Run atheris over the corpus named on the command line."""
    import atheris

    atheris.instrument_all()
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
