"""Replies that were fetched for a delivery: bytes and the item so far -> the item.

`FETCHED` names the readers; a `Fetch` says which one its reply needs. `as_is` needs
none: there the reply's bytes are the content.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from flaskllm.inputs.senders import json_body
from flaskllm.inputs.senders.fireflies import READER as FIREFLIES
from flaskllm.inputs.senders.types import Item, SenderRefusedError


class FetchRefusedError(Exception):
    """The place that has the document answered, and not with the document.

    Attributes:
        detail: A sentence for the job: what was wrong and its mend, without a word
            of the reply.
        retryable: Whether the same request may get it later.
    """

    def __init__(self, detail: str, *, retryable: bool) -> None:
        """Keep the reason."""
        super().__init__(detail)
        self.detail = detail
        self.retryable = retryable


# docs.fireflies.ai, "Error codes". What is not listed may pass: Fireflies answers
# its own faults so too.
_LASTING: Final[Mapping[str, str]] = {
    "auth_failed": "Fireflies does not know the endpoint's api_key; make a new one.",
    "require_elevated_privilege": "The owner of the endpoint's api_key may not read "
    "this meeting; use the key of somebody who may.",
    "paid_required": "The plan of the api_key's owner does not hold transcripts.",
    "object_not_found": "Fireflies does not have this meeting, or not for the owner of "
    "the endpoint's api_key.",
    "invalid_arguments": "Fireflies does not take the id of this meeting.",
    "account_cancelled": "The subscription of the api_key's owner has ended.",
}


def _read_fireflies(reply: bytes, item: Item) -> Item:
    try:
        answer = json_body.read_object(reply)
    except SenderRefusedError:
        raise FetchRefusedError(
            "Fireflies answered with something that is no JSON.", retryable=True
        ) from None
    transcript = json_body.inner(answer, "data", "transcript")
    if not transcript:
        raise _failure(answer.get("errors"))
    if not any(json_body.objects(transcript.get("sentences"))):
        raise FetchRefusedError(
            "Fireflies has no sentences of this meeting yet.", retryable=True
        )
    return replace(
        item,
        content=reply,
        fields={**item.fields, **_fields(transcript)},
        metadata={**item.metadata, **json_body.named(subject=transcript.get("title"))},
    )


def _failure(errors: object) -> FetchRefusedError:
    for error in json_body.objects(errors):
        codes = (error.get("code"), json_body.inner(error, "extensions").get("code"))
        for code in codes:
            if isinstance(code, str) and code.lower() in _LASTING:
                return FetchRefusedError(_LASTING[code.lower()], retryable=False)
    return FetchRefusedError(
        "Fireflies answered without the transcript.", retryable=True
    )


def _fields(transcript: Mapping[str, Any]) -> dict[str, Any]:
    attendees = json_body.objects(transcript.get("meeting_attendees"))
    people = json_body.names(
        each.get("displayName") or each.get("name") for each in attendees
    )
    start = json_body.moment(transcript.get("date"))
    found = {"participants": people, "reference_time": start}
    return {name: value for name, value in found.items() if value}


FETCHED: Mapping[str, Callable[[bytes, Item], Item]] = {FIREFLIES: _read_fireflies}
"""By name; each raises `FetchRefusedError`."""
