"""Mailgun Routes: a mail as a form, urlencoded or multipart, raw or taken apart.

Form: `body-mime` holds the whole mail where the route's address ends in `mime`, else
the fields hold it in UTF-8. Names are matched without regard to case, and of several
fields of one name the last one counts. A `store()` route names its attachments by
addresses that need the account's key; they are listed and not fetched
(documentation.mailgun.com, "Receiving, forwarding and storing messages").

Proof: hex HMAC-SHA256 of timestamp and token with the webhook signing key. It does
not cover the mail, so it proves no more than that Mailgun once made this token: the
address has to be https, and the token is the event key, remembered with the job, so
that it brings no second mail.

Age: 9 hours, because a delivery is repeated for 8; 5 minutes ahead.

Codes: Mailgun takes 200 for success, stops at 406, and repeats after anything else for
8 hours. So what never gets readable is a 406, and all that a person can mend is not.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flaskllm.inputs.senders.basic import prove_basic
from flaskllm.inputs.senders.delivered_mail import (
    Delivered,
    addresses,
    bounded,
    event_key,
    mail_item,
)
from flaskllm.inputs.senders.forms import Form, read_form, read_proof
from flaskllm.inputs.senders.json_fields import read_json, text_at
from flaskllm.inputs.senders.mail_again import (
    Attachment,
    Pieces,
    Text,
    header_block,
    put_together,
)
from flaskllm.inputs.senders.signed import (
    check_age,
    digest,
    plain_fault,
    same,
    secret_of,
)
from flaskllm.inputs.senders.types import (
    Delivery,
    NeedsFetch,
    Reading,
    Sender,
    SenderRefusedError,
    Statuses,
    Terms,
)

OLDEST = timedelta(hours=9)
AHEAD = timedelta(minutes=5)

_MAX_TOKEN = 200
_PROVING = frozenset({"timestamp", "token", "signature"})
_PAIR = 2
_STORAGE_KEY = re.compile(r"[A-Za-z0-9=_-]{1,250}")
# Which fields stand for headers where the list of all of them is missing.
_HEADERS = (
    "From", "To", "Cc", "Subject", "Date", "Message-Id", "In-Reply-To", "References",
)  # fmt: skip
_REMEDY = (
    "The route stored the mail and sent only its address. Use forward() with this "
    "endpoint's address in the route, or post the mail to /api/v1/webhook as "
    "message/rfc822."
)


def prove(delivery: Delivery, terms: Terms) -> None:
    """Return when Mailgun signed the token, and the credentials are right if set.

    Raises:
        SenderRefusedError: `unproven`, `stale`, or `malformed`: the signature is a
            field, and there is no form.
    """
    if terms.username or terms.password:
        prove_basic(delivery, terms)
    secret = secret_of(terms)
    form = read_proof(delivery, _PROVING)
    stamp, token = form.text("timestamp"), form.text("token")
    if not 0 < len(token) <= _MAX_TOKEN:
        raise SenderRefusedError("unproven", "The delivery has no token of Mailgun.")
    wanted = digest(secret, (stamp + token).encode("utf-8")).hex()
    if not same(form.text("signature"), wanted):
        raise SenderRefusedError(
            "unproven",
            "The signature is missing or wrong; the endpoint's secret has to be the "
            "webhook signing key.",
        )
    # Nothing parts the two in the signed text; a digit that is moved from one to the
    # other makes the time ten times as large or small, which is refused here.
    check_age(stamp, terms.now, oldest=OLDEST, ahead=AHEAD)


def read(delivery: Delivery, terms: Terms) -> Reading:
    """Return the mail of a delivery.

    Raises:
        SenderRefusedError: `malformed`.
    """
    form = read_form(delivery)
    key = event_key(form.text("token"))
    whole = form.last("body-mime")
    plain, html = _text(form, "body-plain"), _text(form, "body-html")
    if whole is None and plain is None and html is None and form.last("message-url"):
        return NeedsFetch(
            key,
            _REMEDY,
            "mail",
            _ids(form),
            addresses([form.text("recipient", "utf-8")])
            or addresses(form.text(name, "utf-8") for name in ("To", "Cc")),
            {"sender": "mailgun"},
        )
    pieces = Pieces(_header(form), plain, html, _attachments(form))
    return mail_item(
        Delivered(
            sender="mailgun",
            content=whole.value if whole else put_together(pieces),
            event_key=key,
            recipients=(form.text("recipient", "utf-8"),),
            not_fetched=_not_fetched(form),
        )
    )


def _ids(form: Form) -> dict[str, str]:
    """Return by what the stored mail is found, without the address itself.

    Both take the account's key: the storage key is that of Mailgun's API, the message
    id that of its log.
    """
    try:
        url = urlsplit(form.text("message-url"))
        host = url.hostname or ""
    except ValueError:
        return {}
    key = _STORAGE_KEY.fullmatch(url.path.rpartition("/")[2])
    return bounded(
        {
            "host": host,
            "storage_key": key[0] if key else "",
            "message_id": form.text("Message-Id", "utf-8"),
        }
    )


def _text(form: Form, name: str) -> Text | None:
    found = form.last(name)
    return Text(found.value) if found and found.value.strip() else None


def _header(form: Form) -> bytes:
    """Return the header from the list of all headers, else from the fields."""
    pairs = [each for each in _list(form, "message-headers") if _is_pair(each)]
    if pairs:
        return header_block((str(name), str(value)) for name, value in pairs)
    return header_block((name, form.text(name, "utf-8")) for name in _HEADERS)


def _is_pair(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == _PAIR
        and all(isinstance(each, str) for each in value)
    )


def _attachments(form: Form) -> list[Attachment]:
    shown = {name: content_id for content_id, name in _content_ids(form)}
    return [
        Attachment(
            content=file.value,
            media_type=file.media_type,
            file_name=file.file_name or "",
            content_id=shown.get(file.name, "") or file.content_id,
        )
        for file in form.files
    ]


def _content_ids(form: Form) -> Iterable[tuple[str, str]]:
    found = _json(form, "content-id-map")
    items = found.items() if isinstance(found, dict) else ()
    return ((key, value) for key, value in items if isinstance(value, str))


def _not_fetched(form: Form) -> list[str]:
    """Return the names of the attachments that a store() route keeps."""
    listed: Iterable[Mapping[str, Any]] = (
        each for each in _list(form, "attachments") if isinstance(each, dict)
    )
    return [text_at(each, "name") or "unnamed" for each in listed]


def _list(form: Form, name: str) -> list[Any]:
    found = _json(form, name)
    return found if isinstance(found, list) else []


def _json(form: Form, name: str) -> Any:
    """Return the JSON in a field; None where there is none to be read."""
    try:
        return read_json(form.text(name, "utf-8"))
    except SenderRefusedError:
        return None


MAILGUN = Sender(
    name="mailgun",
    prove=prove,
    read=read,
    statuses=Statuses(
        unproven=401, stale=401, malformed=406, unwanted=200, unknown=404, too_large=413
    ),
    wants=(("secret",),),
    secret_fault=plain_fault,
)
