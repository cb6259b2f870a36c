"""What senders deliver, proven as each does it."""

from inbound_scene import BASIC, SAID
from mail_sender_scene import (
    basic,
    fields,
    form,
    from_sendgrid,
    message,
    sign,
    token_of_mailgun,
    told,
)
from sender_scene import from_fireflies, from_tool, from_zoom

MAIL = """From: Ada Quist <ada@example.com>
To: Desk <desk@in.example.org>
Subject: Invoice 4711
Message-ID: <1@mail.example>
Date: Mon, 05 Oct 2026 09:00:00 +0200

Hello Ben, please pay the invoice 4711 by Friday, 9 October. Ada
"""
TALK = "Ben: I will send the offer by Friday. Ada: Good, then we sign it on Monday."
VTT = b"WEBVTT\n\n1\n00:00:01.000 --> 00:00:04.000\nBen Ito: I will send the offer.\n"


def from_postmark(body=None, **given):
    usual = {"RawEmail": MAIL, "MessageID": "m-1", "OriginalRecipient": "d@x.example"}
    headers = basic(BASIC["username"], given.pop("password", BASIC["password"]))
    return told({**usual, **given} if body is None else body, **headers)


def transcript(**given):
    meeting = {
        "uuid": "u1==",
        "topic": "Offer",
        "recording_files": [
            {"file_type": "TRANSCRIPT", "download_url": "https://zoom.us/rec/1"}
        ],
    }
    return {
        "event": "recording.transcript_completed",
        "event_ts": 1,
        "download_token": "token-of-zoom",
        "payload": {"object": meeting},
        **given,
    }


GOOD = {
    "sendgrid": from_sendgrid(fields(email=MAIL.encode(), envelope=b"{}")),
    "mailgun": form(*token_of_mailgun(), ("body-mime", MAIL)),
    "postmark": from_postmark(),
    "ses": sign(message()),
    "cloudmailin": told({"headers": {"subject": "x"}, "plain": TALK}, **basic()),
    "generic": from_tool({"content": TALK}, content_type="application/json"),
    "zoom": from_zoom(transcript()),
    "fireflies": from_fireflies({"event": "meeting.transcribed", "meeting_id": "m1"}),
    "graph": told(
        {"value": [{"clientState": SAID["graph"]["secret"], "resource": "r"}]}
    ),
}
"""Of each sender one that is proven."""
