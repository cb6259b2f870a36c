"""Jobs: what is wrong is refused in words, before anything is stored or paid."""

import json

import pytest
from job_http_scene import (
    ASYNC,
    BATCHES,
    BODY,
    ENDPOINTS,
    HOOK,
    JOBS,
    WEBHOOK,
    JobCalls,
)

from flaskllm.core.auth import Scope

DELIVERIES = "/api/v1/deliveries"
MEBIBYTE = 1024 * 1024


@pytest.fixture
def plain(make_gateway):
    """A gateway without a model."""
    return JobCalls(make_gateway())


def refused(reply, field):
    body = reply.json
    assert (reply.status_code, body["code"]) == (400, "INVALID_INPUT"), reply.text
    assert [each["path"] for each in body["fields"]] == [field], body
    assert body["fields"][0]["problem"]
    assert body["fields"][0]["allowed"]


REFUSED_URLS = {
    "http": "http://hooks.example.org/",
    "another scheme": "ftp://hooks.example.org/",
    "no scheme": "hooks.example.org",
    "localhost": "https://localhost/hook",
    "below localhost": "https://x.localhost/hook",
    "a private address": "https://10.0.0.1/",
    "loopback in v6": "https://[::1]/",
    "loopback as a number": "https://2130706433/",
    "metadata of a cloud": "https://169.254.169.254/latest",
    "port 22": "https://hooks.example.org:22/",
    "user-info": "https://a:b@hooks.example.org/",
    "a fragment": "https://hooks.example.org/#x",
    "a blank": "https://hooks.example.org/ x",
    "far too long": f"https://hooks.example.org/{'x' * 2048}",
}


@pytest.mark.parametrize("door", [WEBHOOK, BATCHES])
def test_a_callback_that_may_not_go_out_is_refused(plain, door):
    before = plain.stored()
    body = {"items": [BODY]} if door == BATCHES else BODY

    for name, url in REFUSED_URLS.items():
        reply = plain.post(door, body | {"callback_url": url})

        refused(reply, "callback_url")
        assert plain.stored() == before, name


WRONG_FIELDS = {
    "priority 0": ({"priority": 0}, "priority"),
    "priority 10": ({"priority": 10}, "priority"),
    "no time at all": ({"deadline_seconds": 0}, "deadline_seconds"),
    "a month and more": ({"deadline_seconds": 2_592_001}, "deadline_seconds"),
    "an unknown endpoint": ({"endpoint": "end_0000000000"}, "endpoint"),
    "a template that is not there": ({"template": "nowhere"}, "template"),
    "no labels": ({"type": "classification"}, "variables.labels"),
    "a blank prompt": ({"prompt": " \n"}, "prompt"),
    "two receivers": ({"callback_url": HOOK, "endpoint": "end_1"}, "endpoint"),
}


@pytest.mark.parametrize("name", WRONG_FIELDS)
def test_a_wrong_field_is_named_and_nothing_is_accepted(plain, name):
    fields, path = WRONG_FIELDS[name]

    refused(plain.post(WEBHOOK, BODY | fields, headers=ASYNC), path)
    assert plain.stored()["jobs"] == 0


def test_a_model_that_is_not_there_is_named_and_nothing_is_accepted(gateway):
    calls = JobCalls(gateway)

    refused(calls.post(WEBHOOK, BODY | {"model": "nobody"}, headers=ASYNC), "model")
    assert calls.stored()["jobs"] == 0


def test_an_endpoint_that_is_disabled_takes_nothing(plain):
    fields = {"name": "Team", "url": HOOK, "events": ["job.done"]}
    endpoint = plain.post(ENDPOINTS, fields).json["data"]["id"]
    plain.call("PATCH", f"{ENDPOINTS}/{endpoint}", {"state": "disabled"})

    refused(plain.post(WEBHOOK, BODY | {"endpoint": endpoint}), "endpoint")


@pytest.mark.parametrize("said", ["wait", "wait=soon", "wait=-1", "wait=1.5"])
def test_a_time_that_is_none_is_refused(plain, said):
    refused(plain.post(WEBHOOK, BODY, headers={"Prefer": said}), "Prefer")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_a_number_that_is_none_is_refused(plain, number):
    data = json.dumps(BODY)[:-1] + f', "priority": {number}}}'
    headers = {**ASYNC, "Content-Type": "application/json"}

    reply = plain.post(WEBHOOK, data=data, headers=headers)

    assert (reply.status_code, reply.json["code"]) == (400, "INVALID_INPUT")


@pytest.mark.parametrize(("door", "cap"), [(WEBHOOK, 10), (BATCHES, 32)])
def test_a_body_over_its_cap_is_refused(plain, door, cap):
    data = b" " * (cap * MEBIBYTE + 1)
    headers = {**ASYNC, "Content-Type": "application/json"}

    reply = plain.post(door, data=data, headers=headers)

    assert (reply.status_code, reply.json["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert plain.stored()["documents"] == 0


@pytest.mark.parametrize(
    "query", ["?limit=0", "?limit=201", "?after=x", "?state=lost", "?colour=red"]
)
def test_a_list_that_is_none_is_refused(plain, query):
    assert plain.get(f"{JOBS}{query}").status_code == 400


class TestNotOnesOwn:
    """What is somebody else's reads as what never was."""

    ROUTES = (
        ("GET", JOBS, "job", ""),
        ("GET", JOBS, "job", "?view=job"),
        ("POST", JOBS, "job", "/cancel"),
        ("POST", JOBS, "job", "/replay"),
        ("GET", JOBS, "job", "/deliveries"),
        ("GET", JOBS, "batch", "/items"),
        ("POST", DELIVERIES, "delivery", "/replay"),
        ("GET", ENDPOINTS, "endpoint", ""),
        ("PATCH", ENDPOINTS, "endpoint", ""),
        ("DELETE", ENDPOINTS, "endpoint", ""),
        ("POST", ENDPOINTS, "endpoint", "/roll"),
        ("POST", ENDPOINTS, "endpoint", "/test"),
        ("GET", ENDPOINTS, "endpoint", "/secret"),
        ("GET", ENDPOINTS, "endpoint", "/deliveries"),
    )

    @pytest.fixture
    def made(self, plain):
        """What somebody has: an id of each kind."""
        events = {"name": "Team", "url": HOOK, "events": ["job.done"]}
        endpoint = plain.post(ENDPOINTS, events).json["data"]["id"]
        sent = plain.post(f"{ENDPOINTS}/{endpoint}/test").json["data"]
        return {
            "job": plain.accept(),
            "batch": plain.accept({"items": [BODY]}, path=BATCHES),
            "endpoint": endpoint,
            "delivery": sent["id"],
        }

    def test_all_of_it_is_told_as_if_it_never_was(self, plain, made):
        stranger, before = plain.stranger(), plain.stored()

        for method, path, kind, rest in self.ROUTES:
            body = {"state": "disabled"} if method == "PATCH" else None
            told = []
            for an_id in (made[kind], made[kind][:-4] + "0000", "..%2Fx", "x" * 200):
                reply = plain.call(
                    method, f"{path}/{an_id}{rest}", body, token=stranger
                )
                assert reply.status_code == 404, (method, path, rest, an_id)
                told.append(reply.text.replace(an_id, "ID"))
            assert told[0] == told[1], (path, rest)

        assert plain.stored() == before
        assert plain.get(JOBS, token=stranger).json["data"] == []
        assert plain.get(ENDPOINTS, token=stranger).json["data"] == []
        assert plain.state(made["job"])["state"] == "queued"

    def test_nobody_else_s_endpoint_is_told(self, plain, made):
        reply = plain.post(
            WEBHOOK, BODY | {"endpoint": made["endpoint"]}, token=plain.stranger()
        )

        refused(reply, "endpoint")

    def test_equal_mails_of_two_are_two_jobs(self, plain, made):
        assert plain.accept(token=plain.stranger()) != made["job"]


class TestStates:
    def test_what_has_ended_is_not_cancelled_and_what_works_is_not_replayed(
        self, plain
    ):
        job_id = plain.accept()

        early = plain.post(f"{JOBS}/{job_id}/replay")
        first, second = (plain.post(f"{JOBS}/{job_id}/cancel") for _ in "ab")

        assert (early.status_code, early.json["code"]) == (409, "CONFLICT")
        assert first.status_code == 200
        assert (second.status_code, second.json["code"]) == (409, "CONFLICT")

    def test_a_delivery_that_waits_is_not_replayed(self, plain):
        fields = {"name": "Team", "url": HOOK, "events": ["job.done"]}
        endpoint = plain.post(ENDPOINTS, fields).json["data"]["id"]
        sent = plain.post(f"{ENDPOINTS}/{endpoint}/test").json["data"]

        reply = plain.post(f"{DELIVERIES}/{sent['id']}/replay")

        assert (reply.status_code, reply.json["code"]) == (409, "CONFLICT")

    def test_a_digest_has_no_items(self, plain):
        assert plain.get(f"{JOBS}/{plain.accept()}/items").status_code == 404


class TestScopes:
    DOORS = (
        ("POST", WEBHOOK),
        ("POST", BATCHES),
        ("GET", JOBS),
        ("GET", f"{JOBS}/job_1"),
        ("GET", ENDPOINTS),
        ("POST", ENDPOINTS),
        ("POST", f"{DELIVERIES}/msg_1/replay"),
    )

    @pytest.mark.parametrize(("method", "path"), DOORS)
    def test_the_scope_webhook_is_needed(self, plain, method, path):
        reading = plain.gateway.make_token(Scope.READ)

        reply = plain.call(
            method, path, {} if method == "POST" else None, token=reading
        )

        assert (reply.status_code, reply.json["code"]) == (403, "PERMISSION_DENIED")
