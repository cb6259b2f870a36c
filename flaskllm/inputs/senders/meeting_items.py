"""A meeting that a tool tells whole: its document, and what stands beside it."""

from collections.abc import Mapping

from flaskllm.inputs.senders import json_body
from flaskllm.inputs.senders.types import Item

SUMMARY_TYPE = "text/plain"
"""Of the tool's own summary."""


def meeting_item(
    key: str,
    content: bytes,
    media_type: str,
    *,
    people: object,
    start: object,
    metadata: Mapping[str, str],
) -> Item:
    """Return the item of a transcript, or of the tool's own summary as plain text.

    Args:
        key: What the tool calls the event.
        content: The document, UTF-8.
        media_type: `SUMMARY_TYPE` is a summary, which a warning tells.
        people: A list of objects with a `name`; anything else is nobody.
        start: When the meeting began, as `json_body.moment` reads it.
        metadata: Goes back with the answer.
    """
    named = json_body.objects(people)
    found = {
        "participants": json_body.names(each.get("name") for each in named),
        "reference_time": json_body.moment(start),
    }
    return Item(
        content=content,
        media_type=media_type,
        source="meeting",
        event_key=key,
        charset="utf-8",
        fields={name: value for name, value in found.items() if value},
        metadata=metadata,
        warnings=("transcript_missing",) if media_type == SUMMARY_TYPE else (),
    )
