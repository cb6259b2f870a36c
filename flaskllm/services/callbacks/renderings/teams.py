"""For webhooks of Teams' workflows: a message with one Adaptive Card 1.4.

Texts of others are runs of rich text, in which Markdown means nothing. Source:
https://adaptivecards.io/explorer/RichTextBlock.html; a message may have 28 KB.
"""

from collections.abc import Iterator
from typing import Any, Final

from flaskllm.core.json_text import dump
from flaskllm.services.callbacks.events import Event
from flaskllm.services.callbacks.messages import Message, message_of

MOST_BYTES: Final = 25_000
_Element = dict[str, Any]

_SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"
_CONTENT_TYPE = "application/vnd.microsoft.card.adaptive"


def render(event: Event) -> bytes:
    """Return the body of a message, with as many lines as have a place in it."""
    message = message_of(event)
    for most_lines in (15, 8, 4, 2):
        body = dump(_envelope(message.shortened(most_lines)))
        if len(body) <= MOST_BYTES:
            break
    return body


def _envelope(message: Message) -> _Element:
    card = {
        "$schema": _SCHEMA,
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": list(_elements(message)),
        "msteams": {"width": "Full"},
    }
    attachment = {"contentType": _CONTENT_TYPE, "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _elements(message: Message) -> Iterator[_Element]:
    yield _heading(message.title, "Large")
    yield from map(_text, message.lead)
    for section in message.sections:
        if section.heading:
            yield _heading(section.heading, "Medium")
        yield from (_text(f"• {each}") for each in section.lines)
    if message.context:
        yield _text(" · ".join(message.context), isSubtle=True, size="Small")


def _heading(text: str, size: str) -> _Element:
    # Words of ours only: Markdown means something here.
    return {
        "type": "TextBlock",
        "text": text,
        "size": size,
        "weight": "Bolder",
        "wrap": True,
    }


def _text(text: str, **marks: Any) -> _Element:
    run = {"type": "TextRun", "text": text, **marks}
    return {"type": "RichTextBlock", "inlines": [run]}
