"""The chat of a Zoom meeting as saved in the cloud, or on somebody's machine.

The cloud writes time, tab, name and colon, tab, text; the time counts from the
start of the recording. A machine writes `14:03:22 From X to Y:` with the text on
the next lines; that is the time of day, and no turn gets it. Messages to one
person are private: they are left out and counted. A reaction repeats a piece of
the message that it is about, and says nothing else; a reply begins with such a
piece.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from flaskllm.core.errors import InvalidInputError
from flaskllm.inputs.document import Document, Notice
from flaskllm.inputs.text import Line, clean_line, read_lines, removal_notices
from flaskllm.inputs.transcripts.cues import Cue
from flaskllm.inputs.transcripts.json_values import clock
from flaskllm.inputs.transcripts.turns import to_document

_TIME = r"(?:\d{4}-\d{2}-\d{2} )?(?P<time>\d{1,2}:\d{2}:\d{2})(?: ?[AP]M)?"
_CLOUD = re.compile(rf"{_TIME}\t[ \t]*+(?P<who>[^\t]{{1,200}}?) ?:(?:\t(?P<said>.*)|$)")
_LOCAL = re.compile(
    rf"{_TIME}\s++(?:From|Von|De)\s++(?P<who>\S.{{0,199}}?)\s?:(?:\s+(?P<said>.*)|$)"
)
_TO = re.compile(r"(.+?)\s+(?:to|an|à|a|para)\s+(.+)", re.IGNORECASE)
_PRIVATE = re.compile(
    r"(.*?)\s?\((?:direct message|privately|direktnachricht|privat|message direct|"
    r"en privé|mensaje directo|en privado)\)",
    re.IGNORECASE,
)
_EVERYONE = re.compile(
    r"everyone(?: in .*)?|(?:all )?(?:hosts?|panelists)\b.*|waiting room.*|"
    r"meeting group chat|alle.*|tous.*|tout le monde.*|todos.*",
    re.IGNORECASE,
)
_REACTION = re.compile(
    r'Reacted to ".*" with \S.*|Removed an? .* reaction from ".*"', re.IGNORECASE
)
# It quotes the beginning of a message, of which there is no more.
_LONGEST_REACTION = 2_000
_REPLY = re.compile(r'Replying to ".*"', re.IGNORECASE)


@dataclass(slots=True)
class _Message:
    """One message: who, whether to one person, when, what, and where it stands."""

    sender: str
    is_private: bool
    start_ms: int | None
    texts: list[str]
    start: int
    end: int

    @property
    def is_reaction(self) -> bool:
        """Tell whether it only reacts to another."""
        text = " ".join(self.texts).strip()
        is_short = len(text) <= _LONGEST_REACTION
        return is_short and _REACTION.fullmatch(text) is not None

    def cue(self) -> Cue | None:
        """Return what it says, without the quote that a reply begins with."""
        texts = [text for text in self.texts if text.strip()]
        if texts and _REPLY.fullmatch(texts[0].strip()):
            del texts[0]
        text = clean_line(" ".join(texts))
        if not text or self.is_reaction:
            return None
        return Cue(text, self.start, self.end, self.sender, self.start_ms)


def begins_message(line: str) -> bool:
    """Tell whether a line as written is the head of a message."""
    return bool(_CLOUD.match(line) or _LOCAL.match(line))


def parse_zoom_chat(text: str, *, field_name: str) -> Document:
    """Return the document of a chat; a message is a turn, or a piece of one.

    Raises:
        InvalidInputError: No message is left that everybody could read.
    """
    lines = read_lines(text)
    messages = list(_messages([(text[at.start : at.end], at) for at in lines.lines]))
    public = [message for message in messages if not message.is_private]
    cues = [cue for message in public if (cue := message.cue()) is not None]
    if not cues:
        raise InvalidInputError.of(
            field_name,
            "the chat has no message to everyone",
            "lines such as 00:01:12, a tab, a name with a colon, a tab, and the text",
        )
    counted = (
        (
            "direct_messages_left_out",
            "Messages to one person",
            len(messages) - len(public),
        ),
        (
            "reactions_left_out",
            "Reactions to messages",
            sum(m.is_reaction for m in public),
        ),
    )
    notices = [
        Notice(code, f"{what} that were left out: {number}.")
        for code, what, number in counted
        if number
    ]
    warnings = (*removal_notices(lines), *notices)
    return to_document(cues, kind="chat", form="zoom_chat", warnings=warnings)


def _messages(lines: list[tuple[str, Line]]) -> Iterator[_Message]:
    message: _Message | None = None
    for written, line in lines:
        head = _head(written, line)
        if head is not None:
            if message is not None:
                yield message
            message = head
        elif message is not None and line.text.strip():
            message.texts.append(line.text)
            message.end = line.end
    if message is not None:
        yield message


def _head(written: str, line: Line) -> _Message | None:
    match = _CLOUD.match(written)
    is_cloud = match is not None
    match = match or _LOCAL.match(written)
    if match is None:
        return None
    sender, is_private = _sender(match["who"], names_all=not is_cloud)
    # What a machine writes is the time of day.
    start_ms = clock(match["time"]) if is_cloud else None
    texts = [clean_line(match["said"] or "")]
    return _Message(sender, is_private, start_ms, texts, line.start, line.end)


def _sender(who: str, *, names_all: bool) -> tuple[str, bool]:
    """Return who wrote, and whether to one person.

    Args:
        who: What stands between the time and the colon.
        names_all: Whether everybody is named too, as `to Everyone`.
    """
    who = clean_line(who.removeprefix("From "))
    private = _PRIVATE.fullmatch(who)
    to = _TO.fullmatch(private[1] if private else who)
    if to is None:
        return (private[1] if private else who), private is not None
    is_everyone = _EVERYONE.fullmatch(to[2]) is not None
    if private or is_everyone or names_all:
        return to[1], not is_everyone
    return who, False
