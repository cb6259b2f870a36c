"""Senders that deliver to a gateway, at a moment that stands still."""

from dataclasses import replace
from typing import Any

from fakes import FakeClock
from fetch_scene import FakeFetcher, fetched
from job_http_scene import JobCalls
from mail_sender_scene import TOPIC, der, policy_key
from sender_scene import NOW, SECRET
from sqlalchemy import func, select

from flaskllm.core.auth import parse_token
from flaskllm.services.inbound.certificates import Certificates
from flaskllm.services.inbound.terms import Inbound, terms_of
from flaskllm.services.jobs.fetching import Fetching
from flaskllm.storage.tables import jobs, usage

BASIC = {"username": "support", "password": "pass-4f1c09ab37d2"}
SAID: dict[str, dict[str, Any]] = {
    "sendgrid": {"secret": der(policy_key())},
    "mailgun": {"secret": SECRET},
    "postmark": BASIC,
    "ses": {"topics": [TOPIC]},
    "cloudmailin": BASIC,
    "zoom": {"secret": SECRET},
    "fireflies": {"secret": SECRET, "api_key": "key-of-fireflies"},
    "fathom": {"secret": "whsec_" + "A" * 32},
    "read_ai": {"secret": "A" * 44},
    "graph": {"secret": SECRET},
    "generic": {"secret": SECRET},
}
"""What each sender's endpoint needs."""


class InboundCalls(JobCalls):
    """A gateway with endpoints for senders; `fetcher` is its way out."""

    def __init__(self, gateway, now=NOW):
        super().__init__(gateway)
        self.clock = FakeClock(now)
        self.fetcher = FakeFetcher(fetched(b"", 404))
        self.endpoints = dict(gateway.services.inbound.endpoints.of_file)
        self.use()

    def use(self, **changes):
        """Let the gateway take deliveries with these parts in place of its own."""
        services = self.gateway.services
        taking = replace(
            services.inbound,
            clock=self.clock,
            fetcher=self.fetcher,
            certificates=Certificates(self.fetcher, self.clock),
            endpoints=replace(services.inbound.endpoints, of_file=self.endpoints),
            **changes,
        )
        runs = replace(services.job_runs, fetching=Fetching(self.fetcher))
        self.services = replace(services, inbound=taking, job_runs=runs)
        self.gateway.app.extensions["flaskllm"] = self.services
        self.worker.services = self.services

    def fetches(self, *script):
        """Let the way out answer so."""
        self.fetcher.script = list(script)

    def open(self, sender, endpoint_id="desk", **said):
        """Make an endpoint for a sender, whatever was said of it."""
        principal_id = parse_token(self.token).id
        terms = terms_of({**SAID[sender], **said})
        self.endpoints[endpoint_id] = Inbound(
            endpoint_id, "Desk", sender, principal_id, "enabled", "file", terms
        )
        return self.endpoints[endpoint_id]

    def deliver(self, delivery, inbound=None, *, path=None, peer="192.0.2.1"):
        """Return the answer to a delivery, which comes without an API token."""
        inbound = inbound or next(iter(self.endpoints.values()), None)
        return self.gateway.client.open(
            path or inbound.address,
            method=delivery.method,
            data=delivery.body,
            headers=dict(delivery.headers),
            query_string=dict(delivery.query),
            environ_overrides={"REMOTE_ADDR": peer},
        )

    def made(self):
        """Return how many jobs there are, and how many attempts were paid."""
        self.services.accounts.flush()
        with self.services.database.reading() as connection:
            return tuple(
                connection.execute(select(func.count()).select_from(each)).scalar_one()
                for each in (jobs, usage)
            )
