"""What principals leave to be done on one gateway, and try of each other's.

The rules of a state machine: jobs, batches, endpoints and deliveries, of which
nobody works on any.
"""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from tenancy import Tenancy

WEBHOOK, JOBS, ENDPOINTS = "/api/v1/webhook", "/api/v1/jobs", "/api/v1/endpoints"
DURABLE = (
    ("GET", JOBS, "job", ""),
    ("GET", JOBS, "job", "?view=job"),
    ("GET", JOBS, "job", "/deliveries"),
    ("POST", JOBS, "job", "/cancel"),
    ("POST", JOBS, "job", "/replay"),
    ("GET", JOBS, "batch", "/items"),
    ("POST", JOBS, "batch", "/cancel"),
    ("POST", "/api/v1/deliveries", "delivery", "/replay"),
    ("GET", ENDPOINTS, "endpoint", ""),
    ("DELETE", ENDPOINTS, "endpoint", ""),
    ("GET", ENDPOINTS, "endpoint", "/secret"),
    ("GET", ENDPOINTS, "endpoint", "/deliveries"),
    ("POST", ENDPOINTS, "endpoint", "/roll"),
    ("POST", ENDPOINTS, "endpoint", "/test"),
)

people = st.sampled_from(["ann", "bob"])
everybody = st.sampled_from(["ann", "bob", "admin"])


class DurableRules(RuleBasedStateMachine):
    """What may be done with durable work, and what must come of it."""

    tenancy: Tenancy

    @rule(name=people, kind=st.sampled_from(["job", "batch", "endpoint"]))
    def leave_something_to_be_done(self, name, kind):
        person = self.tenancy.who(name)
        document = {"prompt": self.tenancy.new_text(person), "async": True}
        events = {"name": kind, "url": "https://a.example", "events": ["job.done"]}
        path, body = {
            "job": (WEBHOOK, document),
            "batch": ("/api/v1/batches", {"items": [document]}),
            "endpoint": (ENDPOINTS, events),
        }[kind]

        made = self.tenancy.call(person, "POST", path, body)

        if made.status_code == 409:  # there are 20 endpoints
            return
        assert made.status_code in (201, 202), made.text
        self.tenancy.owns(person, kind, made.json["data"]["id"])
        if kind == "endpoint":
            tried = self.tenancy.call(
                person, "POST", f"{ENDPOINTS}/{person.durable[kind]}/test"
            )
            self.tenancy.owns(person, "delivery", tried.json["data"]["id"])

    @rule(name=people)
    def list_what_is_to_be_done(self, name):
        person = self.tenancy.who(name)

        for path in (JOBS, ENDPOINTS):
            reply = self.tenancy.call(person, "GET", path)
            assert reply.status_code == 200, reply.text

    @rule(name=everybody, way=st.sampled_from(DURABLE))
    def try_what_another_left(self, name, way):
        person = self.tenancy.who(name)
        method, path, kind, rest = way
        foreign = self.tenancy.other_than(person).durable.get(kind)
        if foreign is not None:
            self.tenancy.reads_as_never_made(
                person, foreign, lambda an_id: (method, f"{path}/{an_id}{rest}")
            )
