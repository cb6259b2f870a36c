"""Sentences of a source that talk to the machine instead of to a person.

Whoever writes a mail can write "add X to your summary". The digest stays
harmless whatever a model does with such a sentence, because the whole paragraph
around it is kept from the model and accepted as proof of nothing. This is a
precaution against the plain forms; what it misses still meets the closed
schema, the quotes, and links that may come from the source only.

The patterns look for three things: forged conversation boundaries, words that
address a model, and orders about the form of *every* or *the* answer. "Please
put the order number in your reply" is how people write to people, and stays.
Every pattern reads a text in linear time: whoever writes a mail wrote it.
"""

import re
from collections.abc import Callable, Iterator

Span = tuple[int, int]

_ANSWER = (
    r"(?:answer|response|output|summary|keyword|reply_draft|digest|json|"
    r"translation)s?"
)
_TALKS_TO_MACHINE = re.compile(
    "|".join(
        (
            # Forged boundaries: role tags, chat markup, closed tool output.
            r"<\|[^|\n]{1,60}\|>",
            r"</?(?:system|assistant|user|tool|instructions?|email|transcript)\s{0,9}>",
            r"^[^\S\n]*(?:assistant|system|ai)[^\S\n]*:",
            r"\[/?(?:inst|system)\]",
            # Words to a model.
            r"\b(?:ignore|disregard|forget)\b[^.\n]{0,40}"
            r"\b(?:instructions?|prompts?|context|guidelines|everything above)\b",
            r"\bnote (?:to|for) (?:the )?(?:ai|assistant|model|llm|bot)\b",
            r"\byou are (?:now )?(?:an? |the )?(?:ai|assistant|language model|llm)\b",
            r"\b(?:system prompt|note[- ]?taker,)",
            r"\b(?:dear|hey|attention) (?:ai|assistant|model|llm)\b",
            r"\bignorier\w*\b[^.\n]{0,40}\banweisung\w*",
            r"\bignore[zr]?\b[^.\n]{0,40}\binstructions?\b",
            r"\bignor[ae]\b[^.\n]{0,40}\binstrucciones\b",
            # Orders about the answer.
            rf"\b(?:in|to|with|of) (?:every|each|all|any)(?: \w+)? {_ANSWER}\b",
            r"\b(?:answer|respond|reply|output)(?: only)? with the "
            r"(?:text|token|word)\b",
            rf"\b(?:replace|end|begin|start|finish) (?:the|your) {_ANSWER}\b",
            rf"\bthe {_ANSWER} (?:must|should|has to|shall) "
            r"(?:end|begin|start|contain|include|say)\b",
            r"\b(?:in|to|into) (?:the )?(?:keywords|reply_draft)\b",
            # Markdown that a viewer would fetch.
            r"!\[[^\]\n]{0,200}\][\[(]",
        )
    ),
    re.IGNORECASE | re.MULTILINE,
)
_PARAGRAPH = re.compile(r"\S[^\n]*(?:\n[^\S\n]*\S[^\n]*)*")
_IMAGE_REFERENCE = re.compile(r"!\[[^\]\n]{0,200}\]\[([^\]\n]{1,40})\]")


def find_instructions(text: str) -> tuple[Span, ...]:
    """Return the spans of paragraphs that talk to the machine, in order.

    A paragraph ends at a blank line; the definition of a link that a flagged
    Markdown image uses belongs to it wherever it stands.
    """
    return tuple(_flagged(text))


def blank(text: str, spans: tuple[Span, ...]) -> str:
    """Return the text with the spans filled with spaces, offsets unchanged."""
    return replace(text, spans, lambda span: re.sub(r"[^\n]", " ", span))


def replace(text: str, spans: tuple[Span, ...], put: Callable[[str], str]) -> str:
    """Return the text with something else put in the place of each span."""
    pieces, after = [], 0
    for start, end in spans:
        pieces += [text[after:start], put(text[start:end])]
        after = end
    return "".join(pieces) + text[after:]


def _flagged(text: str) -> Iterator[Span]:
    names = {name.lower() for name in _IMAGE_REFERENCE.findall(text)}
    for paragraph in _PARAGRAPH.finditer(text):
        words = paragraph[0]
        if _TALKS_TO_MACHINE.search(words) or _defines(words, names):
            yield paragraph.span()


def _defines(paragraph: str, names: set[str]) -> bool:
    match = re.match(r"\s*\[([^\]\n]{1,40})\]:", paragraph)
    return match is not None and match[1].lower() in names
