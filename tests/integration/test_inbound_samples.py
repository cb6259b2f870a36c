"""Deliveries as they were caught are taken or refused as they are labelled."""

import json
from base64 import b64decode
from datetime import UTC, datetime

import pytest
from fetch_scene import fetched
from inbound_scene import InboundCalls

from flaskllm.inputs.senders.catalogue import SENDERS
from flaskllm.inputs.senders.types import Delivery

SENDER = {"ses-sns": "ses"}
CAPTURES = (
    "cloudmailin-json-normalized",
    "fireflies-v2-transcribed",
    "mailgun-tampered-timestamp",
    "mailgun-urlencoded-signed",
    "sendgrid-parsed-mixed-charsets-signed",
    "sns-bad-cert-host",
    "sns-ses-received-sigv1",
    "zoom-url-validation",
)


def said_of(verify, body):
    """Return what an endpoint knows that takes such a delivery."""
    if "user" in verify:
        return {"username": verify["user"], "password": verify["password"]}
    if "certificate_pem" in verify:
        return {"topics": [json.loads(body)["TopicArn"]]}
    return {"secret": verify.get("key") or verify["public_key_der_base64"]}


@pytest.mark.parametrize("name", CAPTURES)
def test_a_capture_is_taken_or_refused_as_labelled(make_gateway, samples, name):
    told = json.loads((samples / "inbound" / f"{name}.http.json").read_bytes())
    request, verify = told["request"], told["verify"]
    headers = {key.lower(): value for key, value in request["headers"].items()}
    body = b64decode(request["body_base64"])
    now = datetime.fromtimestamp(told["frozen_time"], UTC)
    calls = InboundCalls(make_gateway(), now)
    calls.fetches(fetched(verify.get("certificate_pem", "").encode()))
    sender = SENDER.get(told["provider"], told["provider"])
    calls.open(sender, **said_of(verify, body))

    reply = calls.deliver(Delivery(headers, body))

    statuses, is_good = SENDERS[sender].statuses, verify["expect"] == "accept"
    wanted = statuses.taken if is_good else statuses.unproven
    assert reply.status_code == wanted, reply.text
    if "response_json" in told["expected"]:
        assert reply.json == told["expected"]["response_json"]
        is_good = False
    assert calls.made() == (int(is_good), 0)
