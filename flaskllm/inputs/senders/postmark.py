"""Postmark inbound: a mail as JSON, with the whole mail in it when switched on.

Form: postmarkapp.com/developer, "Inbound webhook". `RawEmail` is used where it is
there. The control panel's test writes a file into `Data` instead of `Content`, and
all its deliveries have one MessageID of zeros: of several tests only the first is new.

Proof: Postmark signs nothing. Its address carries the endpoint's credentials.

Codes: Postmark takes 200 for success, stops at 403, and repeats after anything else,
10 times in about 10.5 hours. So what never gets readable is a 403, and all that a
person can mend in that time is not. Its set-up check is a GET or HEAD and gets a 200.
"""

from collections.abc import Iterator
from typing import Any

from flaskllm.inputs.senders.basic import prove_basic
from flaskllm.inputs.senders.delivered_mail import Delivered, mail_item
from flaskllm.inputs.senders.json_fields import list_at, object_at, read_object, text_at
from flaskllm.inputs.senders.mail_again import (
    Attachment,
    Pieces,
    Text,
    address,
    header_block,
    put_together,
    unpacked,
)
from flaskllm.inputs.senders.types import Delivery, Item, Reply, Sender, Statuses, Terms

# Those of `Headers` that are written from fields of their own.
_WRITTEN = frozenset({"from", "to", "cc", "subject", "date", "reply-to"})


def greeting(delivery: Delivery) -> Reply | None:
    """Return the answer to a set-up check, or None when it is none."""
    if delivery.method in ("GET", "HEAD"):
        return Reply(b"ok\n", "text/plain")
    return None


def prove(delivery: Delivery, terms: Terms) -> None:
    """Return when the endpoint's credentials came with the delivery.

    Raises:
        SenderRefusedError: `unproven`.
    """
    prove_basic(delivery, terms)


def read(delivery: Delivery, terms: Terms) -> Item:
    """Return the mail of a delivery.

    Raises:
        SenderRefusedError: `malformed`.
    """
    told = read_object(delivery.body)
    whole = text_at(told, "RawEmail")
    content = whole.encode("utf-8") if whole else _put_together(told)
    return mail_item(
        Delivered(
            sender="postmark",
            content=content,
            event_key=text_at(told, "MessageID") or None,
            recipients=(text_at(told, "OriginalRecipient"),),
            is_decoded=bool(whole),
        )
    )


def _put_together(told: Any) -> bytes:
    return put_together(
        Pieces(
            header=header_block(_headers(told)),
            plain=_text(told, "TextBody"),
            html=_text(told, "HtmlBody"),
            attachments=[_attachment(each) for each in list_at(told, "Attachments")],
        )
    )


def _headers(told: Any) -> Iterator[tuple[str, str]]:
    sender = object_at(told, "FromFull")
    yield "From", _address(sender) or text_at(told, "From")
    for name in ("To", "Cc"):
        full = filter(None, map(_address, list_at(told, f"{name}Full")))
        yield name, ", ".join(full) or text_at(told, name)
    yield "Reply-To", text_at(told, "ReplyTo")
    yield "Subject", text_at(told, "Subject")
    yield "Date", text_at(told, "Date")
    for each in list_at(told, "Headers"):
        if text_at(each, "Name").lower() not in _WRITTEN:
            yield text_at(each, "Name"), text_at(each, "Value")


def _address(full: Any) -> str:
    email = text_at(full, "Email")
    return address(text_at(full, "Name"), email) if email else ""


def _text(told: Any, name: str) -> Text | None:
    found = text_at(told, name)
    return Text(found.encode("utf-8")) if found.strip() else None


def _attachment(each: Any) -> Attachment:
    return Attachment(
        content=unpacked(text_at(each, "Content") or text_at(each, "Data")),
        media_type=text_at(each, "ContentType"),
        file_name=text_at(each, "Name"),
        content_id=text_at(each, "ContentID"),
    )


POSTMARK = Sender(
    name="postmark",
    prove=prove,
    read=read,
    statuses=Statuses(
        unproven=401, stale=401, malformed=403, unwanted=200, unknown=404, too_large=413
    ),
    wants=(("username", "password"),),
    greeting=greeting,
)
