"""Deliveries of senders, signed as they sign them."""

import hmac
import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta

from flaskllm.inputs.senders.types import Delivery, Terms

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = "sender-secret-4f1c09ab"


def terms(**given):
    return Terms(now=given.pop("now", NOW), secret=given.pop("secret", SECRET), **given)


def later(**amount):
    return terms(now=NOW + timedelta(**amount))


def as_bytes(body):
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def deliver(body, **headers):
    """Headers are given with underscores for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Delivery(named, as_bytes(body))


def hmac_hex(key, text):
    return hmac.digest(key, text, "sha256").hex()


def from_zoom(body, at=NOW, key=SECRET):
    stamp = str(int(at.timestamp()))
    text = f"v0:{stamp}:".encode() + as_bytes(body)
    return deliver(
        body,
        x_zm_request_timestamp=stamp,
        x_zm_signature=f"v0={hmac_hex(key.encode(), text)}",
    )


def from_fireflies(body, key=SECRET):
    signature = f"sha256={hmac_hex(key.encode(), as_bytes(body))}"
    return deliver(body, x_hub_signature=signature)


def from_fathom(body, key, at=NOW, event_id="msg_1"):
    stamp = str(int(at.timestamp()))
    text = f"{event_id}.{stamp}.".encode() + as_bytes(body)
    digest = hmac.digest(b64decode(key.removeprefix("whsec_")), text, "sha256")
    return deliver(
        body,
        webhook_id=event_id,
        webhook_timestamp=stamp,
        webhook_signature=f"v1,{b64encode(digest).decode()}",
    )


def from_read_ai(body, key):
    return deliver(body, x_read_signature=hmac_hex(key, as_bytes(body)))


def from_tool(body, token=SECRET, **headers):
    return deliver(body, authorization=f"Bearer {token}", **headers)


def captured(sample):
    """Return the delivery, the key and the moment of a sample of HTTP."""
    told = json.loads(sample.read_bytes())
    request = told["request"]
    headers = {name.lower(): value for name, value in request["headers"].items()}
    delivery = Delivery(headers, b64decode(request["body_base64"]))
    moment = datetime.fromtimestamp(told["frozen_time"], UTC)
    return told, delivery, terms(secret=told["verify"]["key"], now=moment)
