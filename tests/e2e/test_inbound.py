"""A mail is delivered to a real server, digested by its worker, and told of, signed."""

import json
from datetime import UTC, datetime
from pathlib import Path

import requests
from fakes import Reply, Upstream, chat
from processes import House, bearer, open_house
from standardwebhooks.webhooks import Webhook
from test_receivers import secret_of_callback_urls

TOKEN = "Zq7vT3mKd9ZsW5bX2cRf8gHj4nLpQ6tY"
SETTINGS = """
api_token: {token}
jobs: {{poll_seconds: 0.1}}
callbacks:
  allowed_networks: [127.0.0.0/8]
  allowed_ports: [{port}]
  allow_http: true
inbound:
  support-mail:
    sender: postmark
    username: support
    password: pass-4f1c09ab37d2
    digest: {{type: keywords, model: small}}
    callback_url: http://127.0.0.1:{port}/done
providers:
  box: {{kind: openai_compatible, base_url: {model}}}
deployments:
  one: {{provider: box, model: scripted-1, context_window: 32000}}
routes:
  - {{alias: small, deployments: {{one: 1}}}}
"""
MAIL = """From: Ada <ada@example.com>
To: support@in.example.org
Subject: Invoice 4711
Message-ID: <1@mail.example>

The invoice 4711 is open.
"""


def test_a_delivered_mail_is_digested_and_told_of_signed(tmp_path: Path):
    with Upstream() as model, Upstream() as receiver, open_house(tmp_path) as house:
        model.always(chat(json.dumps({"keywords": ["invoice"]})))
        receiver.always(Reply(204))
        url = deliver_to(house, model, receiver)

        assert receiver.wait_for_requests(1, 20)
        (heard,) = receiver.requests
        secret = secret_of_callback_urls(url, TOKEN)
        told = Webhook(secret).verify(heard.body, dict(heard.headers))

    assert told["type"] == "job.done"
    assert told["data"]["result"]["data"]["digest"]["keywords"] == ["invoice"]
    assert told["data"]["result"]["meta"]["metadata"]["subject"] == "Invoice 4711"
    assert len(model.requests) == 1
    assert abs((datetime.now(UTC) - moment(heard)).total_seconds()) < 60


def deliver_to(house: House, model: Upstream, receiver: Upstream) -> str:
    """Deliver a mail as the first request of a server; return its address."""
    house.write_settings(
        SETTINGS.format(token=TOKEN, port=receiver.port, model=model.url)
    )
    house.accept_jobs(worker=True)
    _, url = house.serve()
    reply = requests.post(
        f"{url}/api/v1/inbound/postmark/support-mail",
        json={"RawEmail": MAIL, "MessageID": "m-1"},
        auth=("support", "pass-4f1c09ab37d2"),
        timeout=30,
    )
    assert reply.status_code == 200, reply.text
    job = requests.get(
        f"{url}/api/v1/jobs/{reply.json()['data']['job']}?view=job",
        headers=bearer(TOKEN),
        timeout=30,
    )
    assert job.json()["data"]["source"] == "inbound:postmark"
    return url


def moment(heard) -> datetime:
    """Return when a message was signed."""
    return datetime.fromtimestamp(int(heard.headers["webhook-timestamp"]), UTC)
