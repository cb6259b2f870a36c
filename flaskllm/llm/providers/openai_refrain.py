"""What nearly all events of a stream repeat, word for word, around their text.

To parse an event costs more than all else that is done with it, and a stream has
hundreds that differ in nothing but the next few letters.
"""

import re

from flaskllm.core.sse import SSEEvent

_KEY = re.compile(rb'"(?:content|text)"\s*:\s*"')
_LETTERS = re.compile(rb'[^"\\\x00-\x1f]+')
# Where something else changes too, as a random padding, it is in vain to learn.
_MOST_LESSONS = 16


class Refrain:
    """Recognises events that differ in their text alone from one that was parsed.

    It is exact: the same bytes stand before and behind it, and letters that need no
    escape cannot end the string in which they stand.
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self._before = b""
        self._behind = b""
        self._lessons_left = _MOST_LESSONS

    def learn(self, event: SSEEvent, text: str) -> None:
        """Learn from an event that says this text and nothing else.

        Nothing is learnt where it is not plain which string of the event that is:
        an escape could spell a key or a text in another way.
        """
        if not self._lessons_left or event.name or b"\\" in event.data:
            return
        self._lessons_left -= 1
        keys = list(_KEY.finditer(event.data))
        if len(keys) != 1 or not text:
            return
        start = keys[0].end()
        letters = text.encode("utf-8")
        if event.data.startswith(letters + b'"', start):
            self._before = event.data[:start]
            self._behind = event.data[start + len(letters) :]

    def text_of(self, event: SSEEvent) -> str | None:
        """Return the text of an event that is like the learnt one, else None."""
        data, before, behind = event.data, self._before, self._behind
        if not before or event.name or not data.startswith(before):
            return None
        letters = _LETTERS.match(data, len(before))
        if letters is None or data[letters.end() :] != behind:
            return None
        try:
            return letters[0].decode("utf-8")
        except UnicodeDecodeError:
            return None
