"""For incoming webhooks as Slack has them: blocks, and a text for all others.

Limits and escapes: https://docs.slack.dev/reference/block-kit and
https://docs.slack.dev/messaging/formatting-message-text.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from flaskllm.core.json_text import dump
from flaskllm.services.callbacks.events import Event
from flaskllm.services.callbacks.messages import Message, message_of
from flaskllm.services.callbacks.plain_text import cut

MOST_CHARACTERS: Final = 3000
MOST_BLOCKS: Final = 50
_LONGEST_HEADER = 150
_Block = dict[str, Any]

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def render(event: Event) -> bytes:
    """Return the body of a message. Those who know no blocks show its `text`."""
    message = message_of(event)
    blocks = list(_blocks(message))[:MOST_BLOCKS]
    return dump({"text": _fitting(_text(message)), "blocks": blocks})


def _blocks(message: Message) -> Iterator[_Block]:
    title = {"type": "plain_text", "text": cut(message.title, _LONGEST_HEADER)}
    yield {"type": "header", "text": title}
    if message.lead:
        yield {"type": "section", "text": _marked(map(_escaped, message.lead))}
    for section in message.sections:
        heading = [f"*{section.heading}*"] if section.heading else []
        items = (f"• {_escaped(each)}" for each in section.lines)
        yield {"type": "section", "text": _marked([*heading, *items])}
    if message.context:
        small = " · ".join(map(_escaped, message.context))
        yield {"type": "context", "elements": [_marked([small])]}


def _marked(texts: Iterable[str]) -> _Block:
    # Verbatim: Slack looks for no URLs, channels and names in it by itself.
    return {"type": "mrkdwn", "text": _fitting(texts), "verbatim": True}


def _text(message: Message) -> Iterator[str]:
    yield message.title
    yield from map(_escaped, message.lead)
    for section in message.sections:
        if section.heading:
            yield f"{section.heading}:"
        yield from (f"• {_escaped(each)}" for each in section.lines)


def _fitting(texts: Iterable[str]) -> str:
    """Return the lines that fit, and an ellipsis in the place of the others."""
    text = ""
    for each in texts:
        longer = f"{text}\n{each}" if text else each
        if len(longer) > MOST_CHARACTERS - 2:
            return f"{text}\n…"
        text = longer
    return text


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)
