"""Which of two ways to say the same (multipart/alternative) says more."""

from collections.abc import Sequence
from dataclasses import dataclass

from flaskllm.inputs.document import Notice
from flaskllm.inputs.quotes import Block
from flaskllm.inputs.text import Lines

# A plain text this much shorter than the HTML beside it is only a notice.
_SHORT_SHARE = 0.3
_NOTICE_CHARACTERS = 600
_NOTICE_WORDS = ("html", "browser")


@dataclass(frozen=True, slots=True)
class Text:
    """The visible lines of one text part and the blocks they form."""

    path: str
    lines: Lines
    blocks: tuple[Block, ...] = ()
    is_html: bool = False
    warnings: tuple[Notice, ...] = ()

    @property
    def size(self) -> int:
        """How many characters a reader sees."""
        return sum(len(line.text.strip()) for line in self.lines.lines)


def choose(alternatives: Sequence[list[Text]]) -> list[Text]:
    """Return the alternative that says most of what a reader would see."""
    filled = [texts for texts in alternatives if any(text.blocks for text in texts)]
    plain = next((texts for texts in filled if not _has_html(texts)), None)
    rich = next((texts for texts in reversed(filled) if _has_html(texts)), None)
    if plain is None or rich is None:
        return plain or rich or []
    return rich if _prefers_rich(plain, rich) else plain


def _has_html(texts: list[Text]) -> bool:
    return any(text.is_html for text in texts)


def _prefers_rich(plain: list[Text], rich: list[Text]) -> bool:
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


def _has_answers(text: Text) -> bool:
    return any(block.is_answer for block in text.blocks)
