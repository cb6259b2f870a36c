"""Zoom: transcripts of cloud recordings, and the summaries of its AI Companion.

Zoom signs every request: `x-zm-signature` is `v0=` and the hex HMAC-SHA256 of
`v0:TIMESTAMP:BODY` with the app's secret token, `x-zm-request-timestamp` the time in
seconds (developers.zoom.us, "Using webhooks").

How old: Zoom repeats after 5, 20 and 60 minutes, 85 in all, and nowhere says that a
repetition is stamped anew. So a signature holds for 90 minutes: what we could not take
at first is not lost. A replay within that time costs nothing, because the event is
known by its key.

The challenge `endpoint.url_validation` comes when an endpoint is set up and every 72
hours. It is answered signed and unsigned. Unsigned it is no oracle for signatures:
what is signed for events begins with `v0:`, and a token with a colon is refused.

Codes: Zoom takes 200 or 204 within 3 seconds for success, and everything else for a
reason to repeat three times and then to forget the event. So all that is proven and
readable is 200, also what is not for us; 401 and 400 show in the webhook log of the
app and stop by themselves; 503 is repeated.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flaskllm.core import json_text
from flaskllm.inputs.senders import json_body
from flaskllm.inputs.senders.signed import (
    check_age,
    digest,
    plain_fault,
    same,
    secret_of,
)
from flaskllm.inputs.senders.types import (
    Delivery,
    Fetch,
    Item,
    NeedsFetch,
    Nothing,
    Reading,
    Reply,
    Sender,
    SenderRefusedError,
    Statuses,
    Terms,
)

OLDEST = timedelta(minutes=90)
AHEAD = timedelta(minutes=5)
HOSTS = ("zoom.us", "zoomgov.com")
"""Where transcripts lie; subdomains too."""

_CHALLENGE = "endpoint.url_validation"
# Nothing larger is read as JSON before it is proven.
_LONGEST_CHALLENGE = 4_096
_TOKEN = re.compile(r"[A-Za-z0-9+/=_-]{1,200}")
_BEARER = re.compile(r"[!-~]{1,8192}")
_URL = re.compile(r"https://[!-\[\]-~]{1,4096}", re.IGNORECASE)
_HTTPS = 443
_NO_TOKEN = (
    "Zoom sent no download token for the transcript. Download it in the Zoom portal "
    "(Recordings, Audio transcript) and post it to /api/v1/webhook as text/vtt."
)


def prove(delivery: Delivery, terms: Terms) -> None:
    """Return when Zoom signed the delivery, or when it is a bare challenge.

    Raises:
        SenderRefusedError: `unproven` or `stale`.
    """
    secret = secret_of(terms)
    signature = delivery.headers.get("x-zm-signature", "")
    if not signature and _is_challenge(delivery.body):
        return
    stamp = check_age(
        delivery.headers.get("x-zm-request-timestamp", ""),
        terms.now,
        oldest=OLDEST,
        ahead=AHEAD,
    )
    text = f"v0:{stamp}:".encode("ascii") + delivery.body
    if not same(signature, f"v0={digest(secret, text).hex()}"):
        raise SenderRefusedError(
            "unproven",
            "The signature is missing or wrong; the endpoint's secret has to be the "
            "app's Secret Token.",
        )


def read(delivery: Delivery, terms: Terms) -> Reading:
    """Return what a proven delivery holds.

    Raises:
        SenderRefusedError: `malformed`.
    """
    event = json_body.read_object(delivery.body)
    name = event.get("event")
    if name == _CHALLENGE:
        return _answer(event, secret_of(terms))
    reader = _READERS.get(name) if isinstance(name, str) else None
    return reader(event) if reader else Nothing("zoom_other_event")


def _is_challenge(body: bytes) -> bool:
    if len(body) > _LONGEST_CHALLENGE:
        return False
    try:
        return json_body.read_object(body).get("event") == _CHALLENGE
    except SenderRefusedError:
        return False


def _answer(event: Mapping[str, Any], secret: bytes) -> Reply:
    token = json_body.inner(event, "payload").get("plainToken")
    if not (isinstance(token, str) and _TOKEN.fullmatch(token)):
        raise SenderRefusedError("malformed", "The challenge has no plain token.")
    encrypted = digest(secret, token.encode("ascii")).hex()
    answer = {"plainToken": token, "encryptedToken": encrypted}
    return Reply(json_text.dump(answer))


def _read_transcript(event: dict[str, Any]) -> Reading:
    meeting = json_body.inner(event, "payload", "object")
    key = _event_key(event, meeting.get("uuid"))
    files = [
        each
        for each in json_body.objects(meeting.get("recording_files"))
        if each.get("file_type") == "TRANSCRIPT"
    ]
    if not files:
        return Nothing("zoom_without_transcript")
    metadata = _metadata(meeting, "")
    token = event.get("download_token")
    if not (isinstance(token, str) and _BEARER.fullmatch(token)):
        ids = json_body.named(
            meeting_id=meeting.get("id"),
            meeting_uuid=meeting.get("uuid"),
            recording_file_id=files[0].get("id"),
        )
        return NeedsFetch(key, _NO_TOKEN, "transcript", ids, metadata=metadata)
    item = Item(
        content=b"",
        media_type="text/vtt",
        source="meeting",
        event_key=key,
        fields=_fields(meeting.get("start_time")),
        metadata=metadata,
        # A recording that was paused has one transcript for each stretch.
        warnings=("more_transcripts_not_fetched",) if len(files) > 1 else (),
    )
    url = _checked_url(files[0].get("download_url"))
    return Fetch(url, {"Authorization": f"Bearer {token}"}, item)


def _read_summary(event: dict[str, Any]) -> Reading:
    meeting = json_body.inner(event, "payload", "object")
    key = _event_key(event, meeting.get("meeting_uuid"))
    text = "\n\n".join(_summary_parts(meeting))
    if not text:
        return Nothing("zoom_empty_summary")
    return Item(
        content=text.encode("utf-8", "replace"),
        media_type="text/plain",
        source="meeting",
        event_key=key,
        charset="utf-8",
        fields=_fields(meeting.get("meeting_start_time")),
        metadata=_metadata(meeting, "meeting_"),
    )


def _summary_parts(meeting: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paragraphs; a label stands on a line of its own, as no speaker's."""
    overview = _block(meeting.get("summary_overview"))
    yield from filter(None, (_block(meeting.get("summary_title")), overview))
    for detail in json_body.objects(meeting.get("summary_details")):
        parts = (_block(detail.get("label")), _block(detail.get("summary")))
        if any(parts):
            yield "\n".join(filter(None, parts))
    steps = meeting.get("next_steps")
    shown = [_block(each) for each in steps] if isinstance(steps, list) else []
    if any(shown):
        yield "\n".join(("Next steps", *(f"- {each}" for each in shown if each)))


def _block(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _event_key(event: Mapping[str, Any], uuid: object) -> str:
    parts = [json_body.line(each) for each in (event.get("event"), uuid)]
    if not all(parts):
        raise SenderRefusedError("malformed", "The event names no meeting.")
    return ":".join((*parts, json_body.line(event.get("event_ts"))))


def _metadata(meeting: Mapping[str, Any], prefix: str) -> dict[str, str]:
    return json_body.named(
        subject=meeting.get(f"{prefix}topic"),
        meeting_id=meeting.get(f"{prefix}id"),
        meeting_uuid=meeting.get(f"{prefix}uuid"),
    )


def _fields(start: object) -> dict[str, Any]:
    found = json_body.moment(start)
    return {"reference_time": found} if found else {}


def _checked_url(value: object) -> str:
    """Return the address when it is one of Zoom's own: the token goes there."""
    if isinstance(value, str) and _URL.fullmatch(value) and _is_zooms(value):
        return value
    raise SenderRefusedError(
        "malformed", "The transcript's address is none of zoom.us or zoomgov.com."
    )


def _is_zooms(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port or _HTTPS
    except ValueError:
        return False
    host = (parts.hostname or "").lower()
    ours = any(host == each or host.endswith(f".{each}") for each in HOSTS)
    return ours and port == _HTTPS and "@" not in parts.netloc


_READERS = {
    "recording.transcript_completed": _read_transcript,
    "meeting.summary_completed": _read_summary,
}

ZOOM = Sender(
    name="zoom",
    prove=prove,
    read=read,
    statuses=Statuses(),
    wants=(("secret",),),
    secret_fault=plain_fault,
)
