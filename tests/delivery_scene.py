"""A database with endpoints, what sends to them, and the way out that is scripted."""

import json

import pytest
from callback_scene import (
    ACTOR,
    HOOK,
    NOW,
    OWNER,
    FakeWay,
    FakeWorkflows,
    endpoint,
    job,
)
from fakes import FakeClock
from sqlalchemy import select

from flaskllm.core.auth import Actor
from flaskllm.core.errors import InvalidInputError
from flaskllm.net.egress import EgressRefused, Refusal
from flaskllm.net.mail import MailFailed
from flaskllm.services.callbacks.deliveries import Deliveries
from flaskllm.services.callbacks.endpoint_checks import TargetRules
from flaskllm.services.callbacks.endpoints import Endpoints, NewEndpoint
from flaskllm.services.callbacks.planning import deliveries_of
from flaskllm.services.callbacks.receivers import Receivers
from flaskllm.services.callbacks.sending import Sender
from flaskllm.services.callbacks.targets import Recipients
from flaskllm.storage.api_tokens import Noted
from flaskllm.storage.deliveries import DeliveryRows
from flaskllm.storage.delivery_log import DeliveryLog
from flaskllm.storage.endpoints import EndpointRows, listeners_of
from flaskllm.storage.job_rows import JobRow
from flaskllm.storage.tables import audit, endpoints, jobs

STRANGER = "zZ9yY8xX7wW6"
ALLOWED = Recipients(frozenset({"example.com"}))
NOTED = Noted("endpoint.create", Actor(OWNER), NOW)


class DeliveryScene:
    """A database with endpoints, and what sends to them."""

    def __init__(self, database):
        self.database = database
        self.clock, self.way = FakeClock(), FakeWay()
        self.workflows = FakeWorkflows()
        self.mails = []
        self.mail_failure: MailFailed | None = None
        self.recipients = ALLOWED
        self.sender = "flaskllm <digests@example.org>"
        self.endpoints = EndpointRows(database, self.clock)
        self.rows = DeliveryRows(database, self.workflows, self.clock)
        self.deliveries = self.make(self)

    def make(self, post, *, sends=True):
        return Deliveries(
            self.rows,
            DeliveryLog(self.database),
            Sender(self.way, post, self.recipients),
            self.clock,
            lambda: 0.5,
            sends=sends,
        )

    def send(self, mail, recipient):
        """Be the way out for mail."""
        if self.mail_failure is not None:
            raise self.mail_failure
        self.mails.append((mail, recipient))
        return 250

    def add_endpoint(self, **others):
        row = endpoint(**others)
        assert self.endpoints.add(row, NOTED, 20)
        return row

    def tell(self, ended: JobRow | None = None):
        """Write what is told of a job, and return the ids of the deliveries."""
        ended = ended or job()
        with self.database.reading() as connection:
            listeners = listeners_of(connection, OWNER)
        planned = self.rows.add(lambda now: deliveries_of(ended, listeners, now))
        return [row.id for row in planned.deliveries]

    def store_job(self):
        row = job()
        values = {name: getattr(row, name) for name in JobRow.__dataclass_fields__}
        with self.database.transaction() as connection:
            connection.execute(jobs.insert().values(values))

    def attempt_all(self, delivery_id):
        """Make every attempt that is started, each at its time; return the waits."""
        waits = []
        while True:
            start = self.workflows.started[-1]
            if start.arguments[0] != delivery_id or start.arguments[1] <= len(waits):
                return waits
            waits.append(start.delay_seconds or 0.0)
            self.clock.advance(waits[-1])
            self.deliveries.attempt(*start.arguments)
            if self.find(delivery_id).state != "pending":
                return waits

    def find(self, delivery_id):
        return self.deliveries.find(delivery_id, OWNER)

    def state(self, endpoint_id="end_1"):
        return self.endpoints.find(endpoint_id, OWNER)

    def disable(self, endpoint_id="end_1"):
        """Disable an endpoint, and leave what waits for it."""
        named = endpoints.c.id == endpoint_id
        with self.database.transaction() as connection:
            connection.execute(endpoints.update().where(named).values(state="disabled"))

    def audited(self, action):
        query = select(audit.c.object_id, audit.c.details).where(
            audit.c.action == action
        )
        with self.database.reading() as connection:
            return [(row[0], json.loads(row[1])) for row in connection.execute(query)]


def check_url(url):
    """Allow what the rules of the way out allow, by its first letters."""
    if not url.startswith("https://"):
        raise EgressRefused(Refusal.SCHEME)


class Office:
    """Endpoints and receivers in a scene."""

    def __init__(self, scene):
        self.scene = scene
        self.endpoints = self.make()
        rules = TargetRules(check_url, ALLOWED)
        self.receivers = Receivers(scene.endpoints, rules, scene.clock)

    def make(self, *, recipients=ALLOWED, sends=True):
        rules = TargetRules(check_url, recipients)
        scene = self.scene
        return Endpoints(
            scene.endpoints, scene.rows, rules, scene.clock, keep_days=30, sends=sends
        )

    def create(self, **others):
        usual = {"name": "Team", "events": ("job.done",), "url": HOOK}
        return self.endpoints.create(NewEndpoint(**(usual | others)), OWNER, ACTOR)


def refusal(act):
    """Return the field that is refused, and the whole text."""
    with pytest.raises(InvalidInputError) as refused:
        act()
    return refused.value.fields[0].path, refused.value.details
