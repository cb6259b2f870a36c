"""How the text of a second answer is joined to what was shown of the first: pure.

A joint takes the second answer's text piece by piece. `Repetition` swallows what was
shown already and lets go of what is new; `Continuation` takes an answer that is to
go on by itself, and cuts off what it repeats all the same. `Joiner` does it for
chunks.
"""

from typing import Protocol

from flaskllm.core.errors import LLMAnswerDiffers
from flaskllm.llm.streams import Chunk

OVERLAP_CHARACTERS = 256
"""So much of what was shown is compared with how a continuation begins."""

# A repetition inside of a word is believed from here on: two characters may as well
# be how the word goes on ("10" and "00 guests", "co" and "okie").
_OVERLAP_IN_WORD = 4
# A continuation that repeats so much of the answer's beginning begins anew.
_ANEW_CHARACTERS = 32


class Joint(Protocol):
    """Where two texts meet.

    Attributes:
        is_joined: Something new was let go of, or the answer is at its end: from here
            on all is new.
    """

    is_joined: bool

    def take(self, text: str) -> str:
        """Return what is new in the next piece of the second answer.

        Raises:
            LLMAnswerDiffers: It does not fit to what was shown.
        """
        ...

    def end(self) -> str:
        """Return what was held back, when no more text comes before something else.

        Raises:
            LLMAnswerDiffers: It does not fit to what was shown.
        """
        ...


class Repetition:
    """Swallows an answer from its start as long as it repeats what was shown."""

    def __init__(self, shown: str) -> None:
        """Start before the first piece."""
        self.is_joined = False
        self._shown = shown
        self._matched = 0

    def take(self, text: str) -> str:
        """Return what follows after all that was shown; see `Joint`."""
        if self.is_joined:
            return text
        missing = len(self._shown) - self._matched
        if not self._shown.startswith(text[:missing], self._matched):
            raise LLMAnswerDiffers(
                details=f"It differs after {self._same(text)} characters."
            )
        self._matched += min(missing, len(text))
        self.is_joined = missing < len(text)
        return text[missing:]

    def end(self) -> str:
        """Return nothing: all that is new was let go; see `Joint`."""
        if self._matched < len(self._shown):
            raise LLMAnswerDiffers(details=f"It ends after {self._matched} characters.")
        self.is_joined = True
        return ""

    def _same(self, text: str) -> int:
        return self._matched + _common(self._shown[self._matched :], text)


class Continuation:
    """Lets go of an answer that goes on, without what it repeats of the end.

    Its beginning is held back until it is clear how much that is. One that tells the
    answer anew from its start is swallowed like a repetition.
    """

    def __init__(self, shown: str) -> None:
        """Start before the first piece."""
        self.is_joined = False
        self._shown = shown
        self._begun = ""

    def take(self, text: str) -> str:
        """Return what is new, nothing while that is not clear; see `Joint`."""
        if self.is_joined:
            return text
        self._begun += text
        overlap = self._overlap(is_all=False)
        if overlap is None or overlap == len(self._begun):
            return ""
        return self._let_go(overlap)

    def end(self) -> str:
        """Return what was held back, without the overlap; see `Joint`."""
        if self.is_joined:
            return ""
        return self._let_go(self._overlap(is_all=True) or 0)

    def _overlap(self, *, is_all: bool) -> int | None:
        """Return how much of the beginning is a repetition; None = not clear yet."""
        begun, shown = self._begun, self._shown
        if begun.startswith(shown):
            return len(shown)
        if shown.startswith(begun) and not is_all:
            return None
        if len(begun) >= _ANEW_CHARACTERS and shown.startswith(
            begun[:_ANEW_CHARACTERS]
        ):
            raise LLMAnswerDiffers(details="It begins anew instead of going on.")
        if not is_all and may_overlap_more(shown, begun):
            return None
        return overlap(shown, begun)

    def _let_go(self, overlap: int) -> str:
        self.is_joined = True
        fresh, self._begun = self._begun[overlap:], ""
        return fresh


def overlap(shown: str, begun: str) -> int:
    """Return the length of the longest end of `shown` that `begun` begins with.

    At most 256 characters are compared. An end that starts inside of a word counts
    from four characters on.

    >>> overlap("The launch is on Fri", "is on Friday.")
    9
    >>> overlap("about 10", "00 guests")
    0
    """
    longest = min(len(shown), len(begun), OVERLAP_CHARACTERS)
    for length in range(longest, 0, -1):
        counts = length >= _OVERLAP_IN_WORD or not _is_in_word(shown, length)
        if counts and shown.endswith(begun[:length]):
            return length
    return 0


def may_overlap_more(shown: str, begun: str) -> bool:
    """Tell whether all of `begun` is within the end of `shown`, so that more may be.

    >>> may_overlap_more("on Friday", "Fri"), may_overlap_more("on Friday", "Frit")
    (True, False)
    """
    tail = shown[-OVERLAP_CHARACTERS:]
    lengths = range(len(begun) + 1, len(tail) + 1)
    return any(tail.startswith(begun, len(tail) - length) for length in lengths)


class Joiner:
    """Takes the chunks of a second answer, and lets go of those that are new.

    Thoughts, the model's name and the count of tokens before the place where the
    answers meet are swallowed: the first answer has told its own.
    """

    def __init__(self, joint: Joint) -> None:
        """Start before the first chunk."""
        self._joint = joint

    @property
    def is_joined(self) -> bool:
        """Tell whether everything from here on is new."""
        return self._joint.is_joined

    def take(self, chunk: Chunk) -> Chunk | None:
        """Return what is new in this chunk; None when nothing is.

        Raises:
            LLMAnswerDiffers: Its text does not fit to what was shown, or something
                else comes before all of that was repeated.
        """
        fresh = self._joint.take(chunk.text) if chunk.text else ""
        if chunk.tool or chunk.refusal or chunk.finish_reason:
            fresh += self._joint.end()
        if not self._joint.is_joined:
            return None
        return _or_none(
            Chunk(
                text=fresh,
                tool=chunk.tool,
                refusal=chunk.refusal,
                finish_reason=chunk.finish_reason,
                stop_sequence=chunk.stop_sequence,
                usage=chunk.usage,
            )
        )

    def end(self) -> Chunk | None:
        """Return what was held back of an answer that is over; None when nothing was.

        Raises:
            LLMAnswerDiffers: It ended before it repeated all that was shown.
        """
        return _or_none(Chunk(text=self._joint.end()))


def _or_none(chunk: Chunk) -> Chunk | None:
    return None if chunk == _NOTHING else chunk


_NOTHING = Chunk()


def _common(one: str, other: str) -> int:
    """Return how many characters two texts have in common from their start."""
    longest = min(len(one), len(other))
    return next((n for n in range(longest) if one[n] != other[n]), longest)


def _is_in_word(shown: str, length: int) -> bool:
    """Tell whether the last so many characters start inside of a word or a number."""
    start = len(shown) - length
    return start > 0 and _is_of_word(shown[start - 1]) and _is_of_word(shown[start])


def _is_of_word(character: str) -> bool:
    """Tell whether it is a letter with a case, or a digit.

    Scripts without case are mostly written without gaps between the words.
    """
    return character.isdecimal() or character.lower() != character.upper()
