"""Read AI: the whole report of a meeting when it has ended.

`x-read-signature` is the hex HMAC-SHA256 of the body; the signing key is shown in
base64 and decoded before use (support.read.ai, "Verifying Webhook Requests"). It has
no time, so nothing is stale: a meeting that was seen is known by its session.

A report is sent by itself (`meeting_end`) or by hand from the report's page
(`manual`); a start of a meeting and a test are nothing to digest.

Codes: any 2xx is success. Everything else is tried 25 times, and then the *webhook*
is stopped, for all later meetings too. So a proven body that cannot be read is 200
like all else that is proven: one bad report must not end the others. Only a wrong
proof is 401, because there nothing can come through anyway; 503 brings it again.
"""

from collections.abc import Mapping
from typing import Any

from flaskllm.inputs.senders import json_body
from flaskllm.inputs.senders.meeting_items import SUMMARY_TYPE, meeting_item
from flaskllm.inputs.senders.signed import (
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
    Nothing,
    Reading,
    Sender,
    SenderRefusedError,
    Statuses,
    Terms,
)

_TRIGGERS = frozenset({"meeting_end", "manual"})
_REMEDY = (
    "Read AI sent neither transcript nor summary. Open the report and push it to the "
    "webhook once more when it is complete, or download the transcript and post it "
    "to /api/v1/webhook."
)


def prove(delivery: Delivery, terms: Terms) -> None:
    """Return when Read AI signed the delivery.

    Raises:
        SenderRefusedError: `unproven`.
    """
    secret = secret_of(terms).strip()
    # The page shows the key in base64; one who keeps another text means its bytes.
    key = from_base64(secret.decode("utf-8")) or secret
    given = delivery.headers.get("x-read-signature", "").strip().lower()
    if not same(given.removeprefix("sha256="), digest(key, delivery.body).hex()):
        raise SenderRefusedError(
            "unproven",
            "The signature is missing or wrong; the endpoint's secret has to be the "
            "webhook's signing key.",
        )


def read(delivery: Delivery, terms: Terms) -> Reading:
    """Return the meeting of a proven delivery.

    Raises:
        SenderRefusedError: `malformed`.
    """
    report = json_body.read_object(delivery.body)
    if json_body.line(report.get("trigger")) not in _TRIGGERS:
        return Nothing("read_ai_other_trigger")
    session = json_body.line(report.get("session_id"))
    if not session:
        raise SenderRefusedError("malformed", "The report names no session.")
    key = f"{json_body.line(report.get('trigger'))}:{session}"
    blocks = json_body.inner(report, "transcript").get("speaker_blocks")
    if any(json_body.objects(blocks)):
        return _item(report, key, delivery.body, "application/json")
    summary = report.get("summary")
    if isinstance(summary, str) and summary.strip():
        content = summary.encode("utf-8", "replace")
        # The transcript may come later: that is another event.
        return _item(report, f"summary:{key}", content, SUMMARY_TYPE)
    # The remedy is another push: that must not pass for a repetition of this one.
    metadata = _metadata(report)
    key, ids = f"incomplete:{key}", {"session_id": metadata["session_id"]}
    return NeedsFetch(key, _REMEDY, "transcript", ids, metadata=metadata)


def _item(report: Mapping[str, Any], key: str, content: bytes, media_type: str) -> Item:
    return meeting_item(
        key,
        content,
        media_type,
        people=report.get("participants"),
        start=report.get("start_time"),
        metadata=_metadata(report),
    )


def _metadata(report: Mapping[str, Any]) -> dict[str, str]:
    return json_body.named(
        subject=report.get("title"), session_id=report.get("session_id")
    )


READ_AI = Sender(
    name="read_ai",
    prove=prove,
    read=read,
    statuses=Statuses(malformed=200),
    wants=(("secret",),),
    secret_fault=lambda secret: plain_fault(secret.strip()),
)
