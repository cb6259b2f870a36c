"""Text of others, made fit for a message: it makes no link and calls nobody; pure.

Every reader of messages turns something into links and mentions by itself: URLs,
bare domains, `@here`, Markdown. A zero-width space breaks each of them, and people
still read the same.
"""

import re

_ZERO_WIDTH = "\u200b"

# Control and escape characters, marks that turn the reading direction, and halves of
# surrogate pairs: each could hide what is written, or cannot be written.
_UNSAFE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\ud800-\udfff]"
)
_LIVE = re.compile(
    r"[@#~](?=\w)"  # mentions, channels, mail addresses
    r"|(?<=[A-Za-z]):(?=\S)"  # https://, mailto:
    r"|(?<=[^\W\d_])\.(?=\w)|(?<=\w)\.(?=[^\W\d_])"  # bare domains
    r"|\](?=[(\[:])"  # [a Markdown link](...), [one][by name], [name]: ...
    r"|<(?=\S)"  # <!channel>, <@U1>, <https://...>, <at>
)


def defanged(text: str) -> str:
    """Return the text so that nothing in it becomes a link or a mention."""
    return _LIVE.sub(lambda found: found[0] + _ZERO_WIDTH, text)


def line(text: str, most: int) -> str:
    """Return the text as one safe line of so many characters at most, as read."""
    return defanged(cut(" ".join(_UNSAFE.sub(" ", text).split()), most))


def lines(text: str, most: int, most_lines: int) -> tuple[str, ...]:
    """Return the first lines of a text that are not blank, each one safe."""
    found = (line(each, most) for each in _UNSAFE.sub(" ", text).split("\n"))
    return tuple([each for each in found if each][:most_lines])


def cut(text: str, most: int) -> str:
    """Return the text, shortened to so many characters with an ellipsis."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
