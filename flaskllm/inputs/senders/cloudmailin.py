"""CloudMailin: a mail as JSON or as a multipart form, while its sender waits.

Form: docs.cloudmailin.com, "HTTP POST formats". The normalised JSON and the multipart
form hold the same; the form writes `headers[subject]` where JSON has an object. The
raw format holds the whole mail in `message`. A file that CloudMailin put into a store
comes as an address; it is listed and not fetched.

Proof: the address carries the endpoint's credentials. Their old signature is
deprecated.

Codes: CloudMailin asks us while the mail is being handed over, so that the answer is
the one of the mail server: a 4xx refuses the mail and comes back to its writer, a 5xx
has the writer's server try again, for days. A 4xx is therefore for what the writer can
mend: an address that is not one of ours, a mail that is too large or cannot be read.
All that only the operator can mend (credentials, an unknown endpoint) is a 503, at
which no mail is lost and nobody is told of a fault that is not theirs. CloudMailin
shows the text of an answer to its operator, in the log of its messages, and to the
writer once the mail server gives up: so it says whose turn it is.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flaskllm.inputs.senders.basic import prove_basic
from flaskllm.inputs.senders.delivered_mail import Delivered, mail_item
from flaskllm.inputs.senders.forms import Form, is_form, read_form
from flaskllm.inputs.senders.json_fields import list_at, object_at, read_object, text_at
from flaskllm.inputs.senders.mail_again import (
    Attachment,
    Pieces,
    Text,
    header_block,
    put_together,
    unpacked,
)
from flaskllm.inputs.senders.types import Delivery, Item, Sender, Statuses, Terms

_BRACKETED = re.compile(r"(\w{1,40})\[([^\[\]]{1,100})\](?:\[([^\[\]]{0,100})\])?")


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
    if is_form(delivery):
        form = read_form(delivery)
        told, files = _nested(form), _files(form)
        raw = form.last("message")
        whole, is_decoded = (raw.value if raw else b""), False
    else:
        told, files = read_object(delivery.body), []
        whole, is_decoded = text_at(told, "message").encode("utf-8"), True
    listed = [each for each in _attachments(told) if isinstance(each, dict)]
    fetched = [_attachment(each) for each in listed if not _address(each)]
    return mail_item(
        Delivered(
            sender="cloudmailin",
            content=whole or _put_together(told, [*files, *fetched]),
            recipients=tuple(_recipients(told)),
            is_decoded=is_decoded and bool(whole),
            not_fetched=[_name(each) or "unnamed" for each in listed if _address(each)],
        )
    )


def _nested(form: Form) -> Mapping[str, Any]:
    """Return the fields of a form as the objects that their names spell."""
    told: dict[str, Any] = {}
    for field in form.fields:
        spelled = _BRACKETED.fullmatch(field.name)
        if field.file_name is not None:
            continue
        if not spelled:
            told[field.name] = field.text()
            continue
        outer, inner, innermost = spelled.groups()
        inside = told.setdefault(outer, {})
        if isinstance(inside, dict):
            _put(inside, inner, innermost, field.text())
    return told


def _put(inside: dict[str, Any], name: str, innermost: str | None, text: str) -> None:
    """Put a value under a name; with a third name under both."""
    if innermost is None:
        inside[name] = text
        return
    within = inside.setdefault(name, {})
    if isinstance(within, dict):
        # `name[]` repeats: the values are kept in the order in which they came.
        within[innermost or str(len(within))] = text


def _values(value: Any) -> list[Any]:
    """Return the values of a list, of an object with numbers for names, or of one."""
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else [value]


def _recipients(told: Mapping[str, Any]) -> Iterator[str]:
    envelope = object_at(told, "envelope")
    listed = _values(envelope.get("recipients"))
    for each in (*listed, envelope.get("to")):
        if isinstance(each, str):
            yield each


def _attachments(told: Mapping[str, Any]) -> list[Any]:
    return list_at(told, "attachments") or list(object_at(told, "attachments").values())


def _address(attachment: Mapping[str, Any]) -> str:
    return "" if text_at(attachment, "content") else text_at(attachment, "url")


def _name(attachment: Mapping[str, Any]) -> str:
    return text_at(attachment, "file_name")


def _attachment(each: Mapping[str, Any]) -> Attachment:
    return Attachment(
        content=unpacked(text_at(each, "content")),
        media_type=text_at(each, "content_type"),
        file_name=_name(each),
        content_id=text_at(each, "content_id"),
    )


def _files(form: Form) -> list[Attachment]:
    return [
        Attachment(each.value, each.media_type, each.file_name or "", each.content_id)
        for each in form.files
        if each.name != "message"
    ]


def _put_together(told: Mapping[str, Any], files: list[Attachment]) -> bytes:
    return put_together(
        Pieces(
            header=header_block(_headers(told)),
            plain=_text(told, "plain"),
            html=_text(told, "html"),
            attachments=files,
        )
    )


def _headers(told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the headers; their names come in lower case with underscores."""
    for name, value in object_at(told, "headers").items():
        for each in _values(value):
            if isinstance(each, str):
                yield name.replace("_", "-").title(), each


def _text(told: Mapping[str, Any], name: str) -> Text | None:
    found = text_at(told, name)
    return Text(found.encode("utf-8")) if found.strip() else None


CLOUDMAILIN = Sender(
    name="cloudmailin",
    prove=prove,
    read=read,
    statuses=Statuses(
        unproven=503, stale=503, malformed=400, unwanted=404, unknown=503, too_large=413
    ),
    wants=(("username", "password"),),
    told_as="text",
)
