"""Split a mail's lines into what is new, what is quoted and what is signature.

A quote is kept: it is context. What stands between quoted lines is new text,
and so are the coloured lines that somebody wrote into a quote without marks.
What follows a forward mark is the content of the mail, not history.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from flaskllm.inputs import quote_marks
from flaskllm.inputs.document import PartKind
from flaskllm.inputs.text import Line, join

# A mail that changes between new and quoted text more often is read as one
# block from there on.
MAX_BLOCKS = 400

# Coloured text is an answer when it is the smaller share of a quoted message;
# a message that is coloured throughout is its author's taste.
_ANSWER_SHARE = 0.6

# A longer "signature" is text below a line of dashes.
_SIGNATURE_LINES = 40

# What an unmarked line is: new text, text of a forwarded message, the same
# inside a block quote, signature, or everything below the header of a reply.
_State = Literal["body", "forwarded", "cited", "signature", "history"]
_KIND: dict[_State, PartKind] = {
    "body": "body",
    "forwarded": "body",
    "cited": "body",
    "signature": "signature",
    "history": "quoted",
}


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of one kind. `is_answer` marks an answer written into a quote."""

    kind: PartKind
    lines: tuple[Line, ...]
    is_answer: bool = False


@dataclass(frozen=True, slots=True)
class _View:
    """All lines of a mail: as they are, and without quote marks."""

    lines: tuple[Line, ...]
    depths: tuple[int, ...]
    texts: tuple[str, ...]
    is_forward: bool

    def is_quoted(self, at: int) -> bool:
        """Tell whether marks or markup say that a line is quoted."""
        return self.depths[at] > 0 or self.lines[at].region == "quoted"

    def skip_blank(self, at: int) -> int:
        """Return the next line with text, at most three lines away."""
        while at < min(len(self.texts), at + 3) and not self.texts[at].strip():
            at += 1
        return at


@dataclass(frozen=True, slots=True)
class _Span:
    """The next lines, what they are, and what the lines after them are."""

    length: int
    kind: PartKind
    state: _State
    starts: bool = False


def split(lines: Sequence[Line], *, is_forward: bool = False) -> tuple[Block, ...]:
    """Return the blocks of a mail body in reading order, none of them empty.

    Args:
        lines: The visible lines.
        is_forward: The subject says that the mail is a forward; then the first
            header block begins its content.
    """
    stripped = [quote_marks.strip_marks(line.text) for line in lines]
    view = _View(
        lines=tuple(lines),
        depths=tuple(depth for depth, _ in stripped),
        texts=tuple(text for _, text in stripped),
        is_forward=is_forward,
    )
    blocks = [block for found in _blocks(view) for block in _with_answers(found)]
    return _capped([block for block in blocks if join(block.lines)])


def _blocks(view: _View) -> Iterator[Block]:
    kind: PartKind = "body"
    lines: list[Line] = []
    at = 0
    state: _State = "body"
    while at < len(view.lines):
        span = _next_span(view, at, state)
        is_blank = not view.texts[at].strip()
        if span.starts or (span.kind != kind and not is_blank):
            yield Block(kind, tuple(lines))
            kind, lines = span.kind, []
        lines.extend(_unmarked(view, at, span))
        at, state = at + span.length, span.state
    yield Block(kind, tuple(lines))


def _unmarked(view: _View, at: int, span: _Span) -> Iterator[Line]:
    for index in range(at, min(at + span.length, len(view.lines))):
        line = view.lines[index]
        yield replace(line, text=view.texts[index]) if view.depths[index] else line


def _next_span(view: _View, at: int, state: _State) -> _Span:
    for rule in _RULES:
        span = rule(view, at, state)
        if span is not None:
            return span
    return _Span(1, _KIND[state], state)


def _forward_mark(view: _View, at: int, state: _State) -> _Span | None:
    if view.depths[at] or not quote_marks.is_forward_mark(view.texts[at]):
        return None
    after = view.skip_blank(at + 1)
    header = _header_length(view, after)
    length = after + header - at if header else 1
    is_cited = view.lines[at].region == "quoted"
    return _Span(length, "body", "cited" if is_cited else "forwarded", starts=True)


def _header(view: _View, at: int, state: _State) -> _Span | None:
    length = _header_length(view, at)
    if quote_marks.is_original_mark(view.texts[at]):
        after = view.skip_blank(at + 1)
        length = after - at + _header_length(view, after)
    if not length:
        return None
    if view.is_quoted(at):
        return _Span(length, "quoted", state, starts=True)
    if view.is_forward and state in ("body", "signature"):
        return _Span(length, "body", "forwarded", starts=True)
    return _Span(length, "quoted", "history", starts=True)


def _header_length(view: _View, at: int) -> int:
    if at >= len(view.texts):
        return 0
    found = quote_marks.header_length(view.texts, at)
    # The markup of some programs marks the header in every language.
    return found or int(view.lines[at].region == "header")


def _attribution(view: _View, at: int, state: _State) -> _Span | None:
    length, is_plain = quote_marks.attribution_length(view.texts, at)
    if not length or len(set(view.depths[at : at + length])) > 1:
        return None
    after = view.skip_blank(at + length)
    is_followed = after < len(view.texts) and view.is_quoted(after)
    if view.is_quoted(at) or is_followed:
        return _Span(length, "quoted", _resume(state), starts=True)
    return _Span(length, "quoted", "history", starts=True) if is_plain else None


def _quoted(view: _View, at: int, state: _State) -> _Span | None:
    if view.depths[at] or (view.is_quoted(at) and state != "cited"):
        return _Span(1, "quoted", _resume(state))
    return None


def _resume(state: _State) -> _State:
    """Return the state below a quote: the signature above it has ended."""
    return "body" if state == "signature" else state


def _signature(view: _View, at: int, state: _State) -> _Span | None:
    if view.lines[at].region == "signature":
        return _Span(1, "signature", state)
    is_mark = quote_marks.is_signature_mark(view.texts[at])
    if is_mark and state in ("body", "forwarded"):
        return _Span(1, "signature", "signature", starts=True)
    return None


# The order matters: a header inside a quote is seen before the quote's mark.
_RULES: tuple[Callable[[_View, int, _State], _Span | None], ...] = (
    _forward_mark,
    _header,
    _attribution,
    _quoted,
    _signature,
)


def _with_answers(block: Block) -> list[Block]:
    """Return a quoted block cut at the coloured answers written into it."""
    if block.kind == "signature" and len(block.lines) > _SIGNATURE_LINES:
        return [replace(block, kind="body")]
    colour = _answer_colour(block) if block.kind == "quoted" else None
    if colour is None:
        return [block]
    return [
        Block("body" if is_answer else "quoted", tuple(lines), is_answer)
        for is_answer, lines in groupby(
            block.lines, key=lambda line: line.colour == colour
        )
    ]


def _answer_colour(block: Block) -> str | None:
    """Return the one colour somebody answered in, or None."""
    sizes: Counter[str | None] = Counter()
    for line in block.lines:
        sizes[line.colour] += len(line.text.strip())
    total = sum(sizes.values())
    del sizes[None]
    if not sizes:
        return None
    colour, size = sizes.most_common(1)[0]
    return colour if size <= total * _ANSWER_SHARE else None


def _capped(blocks: list[Block]) -> tuple[Block, ...]:
    if len(blocks) <= MAX_BLOCKS:
        return tuple(blocks)
    rest = tuple(line for block in blocks[MAX_BLOCKS - 1 :] for line in block.lines)
    return (*blocks[: MAX_BLOCKS - 1], Block("body", rest))
