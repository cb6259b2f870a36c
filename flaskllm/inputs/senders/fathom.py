"""Fathom: the whole meeting in one delivery, signed as Standard Webhooks.

`webhook-signature` holds signatures parted by spaces, each `v1,` and the base64
HMAC-SHA256 of `ID.TIMESTAMP.BODY`; the secret is base64 behind `whsec_`
(developers.fathom.ai, "New meeting content ready"; Standard Webhooks 1.0.0). Each
attempt is stamped anew, so a signature holds for 5 minutes; `webhook-id` stays.

Codes: any 2xx is success; everything else is tried again for about a day, and an
endpoint that fails for days is switched off. So all that is proven and readable is
200. 401 and 400 stay wrong and show in Fathom's settings; 503 brings it again.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flaskllm.inputs.senders import json_body
from flaskllm.inputs.senders.meeting_items import SUMMARY_TYPE, meeting_item
from flaskllm.inputs.senders.signed import (
    check_age,
    digest,
    from_base64,
    plain_fault,
    same,
    secret_of,
)
from flaskllm.inputs.senders.types import (
    Delivery,
    Item,
    NeedsFetch,
    Reading,
    SecretFault,
    Sender,
    SenderRefusedError,
    Statuses,
    Terms,
)

TOLERANCE = timedelta(minutes=5)

_PREFIX = b"whsec_"
# Two while a secret is changed; the rest is somebody's attempt to make us work.
_MOST_SIGNATURES = 10
_REMEDY = (
    "Fathom sent neither transcript nor summary. Tick Transcript in the webhook's "
    "settings (Fathom, Settings, API Access, Manage), or copy the transcript and post "
    "it to /api/v1/webhook."
)


def prove(delivery: Delivery, terms: Terms) -> None:
    """Return when Fathom signed the delivery.

    Raises:
        SenderRefusedError: `unproven` or `stale`.
    """
    secret = secret_of(terms)
    event_id = delivery.headers.get("webhook-id", "")
    stamp = check_age(
        delivery.headers.get("webhook-timestamp", ""),
        terms.now,
        oldest=TOLERANCE,
        ahead=TOLERANCE,
    )
    text = f"{event_id}.{stamp}.".encode("utf-8", "replace") + delivery.body
    wanted = digest(_key(secret), text)
    given = delivery.headers.get("webhook-signature", "").split()
    if not event_id or not any(_is(each, wanted) for each in given[:_MOST_SIGNATURES]):
        raise SenderRefusedError(
            "unproven",
            "The signature is missing or wrong; the endpoint's secret has to be the "
            "webhook's secret, which begins with whsec_.",
        )


def read(delivery: Delivery, terms: Terms) -> Reading:
    """Return the meeting of a proven delivery.

    Raises:
        SenderRefusedError: `malformed`.
    """
    meeting = json_body.read_object(delivery.body)
    key = json_body.line(delivery.headers.get("webhook-id", ""))
    summary = json_body.inner(meeting, "default_summary").get("markdown_formatted")
    if any(json_body.objects(meeting.get("transcript"))):
        return _item(meeting, key, delivery.body, "application/json")
    if isinstance(summary, str) and summary.strip():
        content = summary.encode("utf-8", "replace")
        return _item(meeting, key, content, SUMMARY_TYPE)
    ids = json_body.named(recording_id=meeting.get("recording_id"))
    return NeedsFetch(key, _REMEDY, "transcript", ids, metadata=_metadata(meeting))


def secret_fault(secret: str) -> SecretFault | None:
    """Return what keeps a text from being a secret of Fathom's, if anything."""
    shown = secret.strip()
    if plain_fault(shown) is None and shown.startswith(_PREFIX.decode("ascii")):
        key = from_base64(shown.removeprefix(_PREFIX.decode("ascii")))
        if key is not None:
            return None
    return SecretFault(
        "is no secret of a webhook of Fathom", "whsec_ and Base64, as Fathom shows it"
    )


def _key(secret: bytes) -> bytes:
    shown = secret.strip().removeprefix(_PREFIX)
    return from_base64(shown.decode("utf-8")) or shown


def _is(given: str, wanted: bytes) -> bool:
    version, _, signature = given.partition(",")
    return version == "v1" and same((from_base64(signature) or b"").hex(), wanted.hex())


def _item(
    meeting: Mapping[str, Any], key: str, content: bytes, media_type: str
) -> Item:
    return meeting_item(
        key,
        content,
        media_type,
        people=meeting.get("calendar_invitees"),
        start=meeting.get("recording_start_time")
        or meeting.get("scheduled_start_time"),
        metadata=_metadata(meeting),
    )


def _metadata(meeting: Mapping[str, Any]) -> dict[str, str]:
    return json_body.named(
        subject=meeting.get("meeting_title") or meeting.get("title"),
        recording_id=meeting.get("recording_id"),
    )


FATHOM = Sender(
    name="fathom",
    prove=prove,
    read=read,
    statuses=Statuses(),
    wants=(("secret",),),
    secret_fault=secret_fault,
)
