"""Fireflies, Webhooks V2: a thin event, and the transcript through GraphQL.

`x-hub-signature` is `sha256=` and the hex HMAC-SHA256 of the body with the webhook's
signing secret (docs.fireflies.ai, "Webhooks V2"). The signature has no time of its own
and the body's is that of the event, which a repetition keeps; so nothing is stale,
and an event that was seen is known by its name and its meeting.

Only `meeting.transcribed` is work: `meeting.summarized` is about the same meeting,
and its transcript would be paid for twice.

Codes: Fireflies waits 10 seconds for a 2xx and repeats otherwise. All that is proven
and readable is 200; 401 and 400 stay wrong however often they are repeated, and show
in its delivery log; 503 brings the event again.
"""

import re
from typing import Any, Final

from flaskllm.core import json_text
from flaskllm.inputs.senders import json_body
from flaskllm.inputs.senders.signed import digest, plain_fault, same, secret_of
from flaskllm.inputs.senders.types import (
    Delivery,
    Fetch,
    Item,
    NeedsFetch,
    Nothing,
    Reading,
    Sender,
    SenderRefusedError,
    Statuses,
    Terms,
)

URL: Final = "https://api.fireflies.ai/graphql"
QUERY: Final = """\
query Transcript($id: String!) {
  transcript(id: $id) {
    id title date dateString duration organizer_email participants
    meeting_attendees { displayName email name }
    speakers { id name }
    sentences {
      index speaker_name speaker_id text raw_text start_time end_time
    }
  }
}
"""
READER: Final = "fireflies"
"""The name of the reply's reader in `FETCHED`."""

_MEETING = re.compile(r"[A-Za-z0-9_-]{1,128}")
_API_KEY = re.compile(r"[!-~]{1,4096}")
_REMEDY = (
    "The event holds no transcript, and the endpoint has no api_key to fetch it with. "
    "Set api_key to a key of Fireflies (Settings, Developer settings), or export the "
    "transcript and post it to /api/v1/webhook."
)


def prove(delivery: Delivery, terms: Terms) -> None:
    """Return when Fireflies signed the delivery.

    Raises:
        SenderRefusedError: `unproven`.
    """
    wanted = f"sha256={digest(secret_of(terms), delivery.body).hex()}"
    if not same(delivery.headers.get("x-hub-signature", "").strip(), wanted):
        raise SenderRefusedError(
            "unproven",
            "The signature is missing or wrong; the endpoint's secret has to be the "
            "webhook's signing secret.",
        )


def read(delivery: Delivery, terms: Terms) -> Reading:
    """Return what is to be fetched for a proven delivery.

    Raises:
        SenderRefusedError: `malformed`.
    """
    event = json_body.read_object(delivery.body)
    if event.get("event") != "meeting.transcribed":
        return Nothing("fireflies_other_event")
    meeting = event.get("meeting_id")
    # It goes into a variable of the query and never into its text; all the same
    # nothing goes there that is no id.
    if not (isinstance(meeting, str) and _MEETING.fullmatch(meeting)):
        raise SenderRefusedError("malformed", "The event names no meeting.")
    key = f"meeting.transcribed:{meeting}"
    metadata = json_body.named(
        meeting_id=meeting, client_reference_id=event.get("client_reference_id")
    )
    if not (terms.api_key and _API_KEY.fullmatch(terms.api_key)):
        return NeedsFetch(key, _REMEDY, "transcript", metadata, metadata=metadata)
    item = Item(
        content=b"",
        media_type="application/json",
        source="meeting",
        event_key=key,
        metadata=metadata,
    )
    return Fetch(URL, _headers(terms.api_key), item, _body(meeting), READER)


def _headers(api_key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}


def _body(meeting: str) -> bytes:
    request: dict[str, Any] = {"query": QUERY, "variables": {"id": meeting}}
    return json_text.dump(request)


FIREFLIES = Sender(
    name="fireflies",
    prove=prove,
    read=read,
    statuses=Statuses(),
    wants=(("secret",),),
    secret_fault=plain_fault,
)
