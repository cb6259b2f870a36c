"""Amazon SES through SNS: a mail inside a message inside a message.

Form: docs.aws.amazon.com/ses, "Contents of notifications for Amazon SES email
receiving". With an SNS action the notification holds the mail, up to 150 KB, in
UTF-8 or Base64; with an S3 action it names an object that only the account reads.

Proof: the SNS signature (`sns`), for the topics that the settings list; credentials in
the address besides, where the settings name them. A subscription is confirmed for
those topics alone.

Age: 2 hours. SNS repeats for an hour at the most and keeps the first timestamp.

Codes: SNS repeats on 5xx and 429, by default three times within a minute, and gives a
message up on any other 4xx. So everything that passes, such as a certificate that
could not be fetched, or that the operator can mend within a longer delivery policy is
a 503. What the mail's form makes unreadable is a 400: a dead-letter queue of the
subscription gets it at once.

Verdicts: a mail in which SES found spam or a virus is read all the same, with a
warning. We read its text and open no file; to drop it is the receipt rule's business.
"""

from collections.abc import Mapping
from typing import Any

from flaskllm.inputs.senders import sns
from flaskllm.inputs.senders.basic import prove_basic
from flaskllm.inputs.senders.delivered_mail import (
    Delivered,
    addresses,
    bounded,
    event_key,
    mail_item,
)
from flaskllm.inputs.senders.json_fields import list_at, object_at, read_object, text_at
from flaskllm.inputs.senders.signed import from_base64
from flaskllm.inputs.senders.types import (
    Delivery,
    NeedsFetch,
    Nothing,
    Reading,
    Sender,
    SenderRefusedError,
    Statuses,
    Terms,
    Visit,
)

# SNS carries 256 KiB; JSON may write a character in six. Before the proof no more is
# read: small things make a large body dear.
_MOST_BYTES = 2 * 1024 * 1024
_VERDICTS = ("spam", "virus", "spf", "dkim", "dmarc")
_WARNED = {"spam": "spam_suspected", "virus": "virus_suspected"}
_KNOWN = frozenset({"PASS", "FAIL", "GRAY", "PROCESSING_FAILED", "DISABLED"})
_REMEDY = (
    "The notification does not hold the mail. Add an SNS action with Base64 encoding "
    "to the receipt rule (mails up to 150 KB), or let a Lambda function post the "
    "object to /api/v1/webhook as message/rfc822."
)


def prove(delivery: Delivery, terms: Terms) -> None:
    """Return when SNS signed the message for a topic of the endpoint.

    Raises:
        SenderRefusedError: `unproven`, `stale`, or `malformed`: the signature stands
            in the body, and that is no JSON.
    """
    if terms.username or terms.password:
        prove_basic(delivery, terms)
    if len(delivery.body) > _MOST_BYTES:
        raise SenderRefusedError("malformed", "The body is too large to be of SNS.")
    sns.prove_message(read_object(delivery.body), terms)


def read(delivery: Delivery, terms: Terms) -> Reading:
    """Return what a proven message holds.

    Raises:
        SenderRefusedError: `malformed`.
    """
    message = read_object(delivery.body)
    kind = text_at(message, "Type")
    if kind == sns.SUBSCRIBE:
        return _visit(text_at(message, "SubscribeURL"))
    if kind == sns.UNSUBSCRIBE:
        return Nothing("sns_unsubscribed")
    notification = _notification(message)
    if text_at(notification, "notificationType") != "Received":
        return Nothing("ses_no_mail")
    return _received(event_key(text_at(message, "MessageId")), notification)


def _visit(url: str) -> Visit:
    if not sns.is_subscribe_url(url):
        raise SenderRefusedError(
            "malformed", "The subscription's address is not one of Amazon SNS."
        )
    return Visit(url)


def _notification(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what SES says; empty for a plain text, such as its set-up notice."""
    try:
        return read_object(text_at(message, "Message"))
    except SenderRefusedError:
        return {}


def _received(key: str, notification: Mapping[str, Any]) -> Reading:
    verdicts = _verdicts(notification)
    content = text_at(notification, "content")
    if not content:
        return NeedsFetch(
            key,
            _REMEDY,
            "mail",
            _ids(notification),
            _recipients(notification),
            _metadata(notification, verdicts),
        )
    encoding = text_at(notification, "receipt", "action", "encoding").lower()
    is_text = encoding != "base64"
    return mail_item(
        Delivered(
            sender="ses",
            content=content.encode("utf-8") if is_text else _decoded(content),
            event_key=key,
            recipients=_recipients(notification),
            is_decoded=is_text,
            metadata={"verdicts": verdicts} if verdicts else {},
            warnings=tuple(
                code for name, code in _WARNED.items() if verdicts.get(name) == "FAIL"
            ),
        )
    )


def _ids(notification: Mapping[str, Any]) -> dict[str, str]:
    """Return where the mail lies, for whoever may read it there."""
    action = object_at(notification, "receipt", "action")
    return bounded(
        {
            "bucket": text_at(action, "bucketName"),
            "object_key": text_at(action, "objectKey"),
            "ses_message_id": text_at(notification, "mail", "messageId"),
        }
    )


def _decoded(content: str) -> bytes:
    found = from_base64("".join(content.split()))
    if found is None:
        raise SenderRefusedError("malformed", "The mail is not in Base64.")
    return found


def _recipients(notification: Mapping[str, Any]) -> tuple[str, ...]:
    """Return for whom the receipt rule took the mail, else whom its envelope names."""
    for path in (("receipt", "recipients"), ("mail", "destination")):
        listed = list_at(notification, *path)
        found = addresses(each for each in listed if isinstance(each, str))
        if found:
            return found
    return ()


def _verdicts(notification: Mapping[str, Any]) -> dict[str, str]:
    receipt = object_at(notification, "receipt")
    found = {name: text_at(receipt, f"{name}Verdict", "status") for name in _VERDICTS}
    return {name: status for name, status in found.items() if status in _KNOWN}


def _metadata(
    notification: Mapping[str, Any], verdicts: Mapping[str, str]
) -> dict[str, Any]:
    common = object_at(notification, "mail", "commonHeaders")
    source = addresses([text_at(notification, "mail", "source")])
    return bounded(
        {
            "sender": "ses",
            "subject": text_at(common, "subject"),
            "message_id": text_at(common, "messageId"),
            "from": source[0] if source else "",
            "verdicts": dict(verdicts),
        }
    )


SES = Sender(
    name="ses",
    prove=prove,
    read=read,
    statuses=Statuses(
        unproven=503, stale=503, malformed=400, unwanted=200, unknown=503, too_large=413
    ),
    wants=(("topics",),),
)
