"""Endpoints over HTTP: made, shown without their secrets, changed, rolled, tried."""

import pytest
from fakes import Reply
from job_http_scene import BODY, ENDPOINTS, HOOK, JobCalls
from standardwebhooks import Webhook

RECEIVED = """
callbacks:
  allow_http: true
  allowed_networks: [127.0.0.0/8]
  allowed_ports: [{port}]
"""
FIELDS = {"name": "Team", "url": HOOK, "events": ["job.done", "job.failed"]}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def plain(make_gateway):
    """A gateway without a model."""
    return JobCalls(make_gateway())


@pytest.fixture
def told(make_gateway, upstream):
    """A gateway that may call the upstream's socket back, which takes all."""
    upstream.always(Reply(204))
    return JobCalls(make_gateway(RECEIVED.format(port=upstream.port)))


def make(calls, **others):
    reply = calls.post(ENDPOINTS, FIELDS | others)
    assert reply.status_code == 201, reply.text
    return reply.json["data"]


def test_the_secret_is_shown_when_it_is_made_and_on_demand_only(plain):
    reply = plain.post(ENDPOINTS, FIELDS)

    made = reply.json["data"]
    path = reply.headers["Location"]
    shown = plain.get(path).json["data"]
    assert path == f"{ENDPOINTS}/{made['id']}"
    assert made.pop("secret").startswith("whsec_")
    assert shown == made == plain.get(ENDPOINTS).json["data"][0]
    assert (shown["url"], shown["state"], shown["rendering"]) == (
        HOOK,
        "enabled",
        "json",
    )
    assert len(plain.get(f"{path}/secret").json["data"]["secrets"]) == 1


def test_what_is_left_out_of_a_change_stays(plain):
    path = f"{ENDPOINTS}/{make(plain)['id']}"

    changed = plain.call("PATCH", path, {"name": "Ops", "state": "disabled"})

    data = changed.json["data"]
    assert (data["name"], data["state"], data["url"]) == ("Ops", "disabled", HOOK)
    assert data["disabled_reason"]
    assert plain.call("PATCH", path, {"state": "enabled"}).json["data"]["state"] == (
        "enabled"
    )


@pytest.mark.parametrize(
    ("body", "n_secrets"), [(None, 2), ({"overlap_seconds": 0}, 1)]
)
def test_after_a_roll_the_old_secret_signs_as_long_as_is_said(plain, body, n_secrets):
    path = f"{ENDPOINTS}/{make(plain, secret=SECRET)['id']}"

    rolled = plain.post(f"{path}/roll", body).json["data"]

    secrets = plain.get(f"{path}/secret").json["data"]["secrets"]
    assert secrets == [rolled["secret"], SECRET][:n_secrets]
    assert (rolled["previous_until"] is not None) == (n_secrets == 2)


def test_a_test_event_is_sent_and_verified_and_logged(told, upstream):
    path = f"{ENDPOINTS}/{make(told, url=upstream.url, secret=SECRET)['id']}"

    reply = told.post(f"{path}/test")
    told.worker.work()

    (heard,) = upstream.requests
    (sent,) = told.get(f"{path}/deliveries").json["data"]
    event = Webhook(SECRET).verify(heard.body, dict(heard.headers))
    assert (reply.status_code, reply.json["data"]["state"]) == (202, "pending")
    assert event["type"] == sent["event"] == "endpoint.test"
    assert (sent["state"], sent["id"]) == ("delivered", reply.json["data"]["id"])


def test_it_is_told_of_every_job_it_listens_to_until_it_is_removed(told, upstream):
    path = f"{ENDPOINTS}/{make(told, url=upstream.url)['id']}"
    told.done()

    removed = told.call("DELETE", path)
    told.done(BODY | {"type": "reply"})

    assert [each.json["type"] for each in upstream.requests] == ["job.done"]
    assert (removed.status_code, told.get(path).status_code) == (200, 404)
    assert len(told.get(f"{path}/deliveries").json["data"]) == 1, "its log is kept"


def test_what_signs_callbacks_of_requests_is_an_endpoint_without_a_url(plain):
    plain.accept(BODY | {"callback_url": HOOK})

    (usual,) = plain.get(ENDPOINTS).json["data"]

    secrets = plain.get(f"{ENDPOINTS}/{usual['id']}/secret").json["data"]["secrets"]
    assert (usual["url"], len(secrets)) == (None, 1)
    assert plain.post(f"{ENDPOINTS}/{usual['id']}/test").status_code == 409


def test_the_twenty_first_is_refused(plain):
    for number in range(20):
        make(plain, name=f"Team {number}")

    reply = plain.post(ENDPOINTS, FIELDS)

    assert (reply.status_code, reply.json["code"]) == (409, "CONFLICT")
    assert "20" in reply.json["details"]


def test_a_test_is_refused_where_nothing_is_ever_sent(make_gateway):
    off = JobCalls(make_gateway("jobs: {enabled: false}"))
    endpoint = make(off)["id"]

    reply = off.post(f"{ENDPOINTS}/{endpoint}/test")

    assert (reply.status_code, reply.json["code"]) == (503, "JOBS_DISABLED")


WRONG = {
    "no name": ({"name": ""}, "name"),
    "a name that cannot be read": ({"name": "a\nb"}, "name"),
    "no address": ({"url": None}, "url"),
    "an address inside": ({"url": "https://127.0.0.1/"}, "url"),
    "an address that all can read": ({"url": "http://hooks.example.org/"}, "url"),
    "no events": ({"events": []}, "events"),
    "an unknown event": ({"events": ["job.begun"]}, "events.0"),
    "events as a text": ({"events": "job.done"}, "events"),
    "an unknown rendering": ({"rendering": "fax"}, "rendering"),
    "mail that is not set up": (
        {"rendering": "email", "url": None, "email": "a@example.org"},
        "rendering",
    ),
    "a mail address for a URL": ({"email": "a@example.org"}, "email"),
    "a secret of another kind": ({"secret": "sk-0123456789abcdef0123"}, "secret"),
    "a secret that is too short": ({"secret": "whsec_AAAA"}, "secret"),
    "a secret that is no base64": ({"secret": f"whsec_{'?' * 40}"}, "secret"),
    "an unknown field": ({"colour": "red"}, "colour"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_field_is_named_and_nothing_is_made(plain, name):
    fields, path = WRONG[name]
    body = {key: value for key, value in (FIELDS | fields).items() if value is not None}

    reply = plain.post(ENDPOINTS, body)

    assert (reply.status_code, reply.json["code"]) == (400, "INVALID_INPUT")
    assert [each["path"] for each in reply.json["fields"]] == [path]
    assert plain.stored()["endpoints"] == 0


@pytest.mark.parametrize(
    ("method", "rest", "body", "path"),
    [
        ("PATCH", "", {"url": "http://hooks.example.org"}, "url"),
        ("PATCH", "", {"rendering": "slack"}, "rendering"),
        ("PATCH", "", {"state": "broken"}, "state"),
        ("PATCH", "", {"secret": SECRET}, "secret"),
        ("POST", "/roll", {"overlap_seconds": 604_801}, "overlap_seconds"),
        ("POST", "/roll", {"overlap_seconds": -1}, "overlap_seconds"),
        ("POST", "/roll", {"secret": "mine"}, "secret"),
    ],
)
def test_a_wrong_change_is_named_and_changes_nothing(plain, method, rest, body, path):
    address = f"{ENDPOINTS}/{make(plain)['id']}"
    before = plain.get(address).json["data"], plain.get(f"{address}/secret").json

    reply = plain.call(method, f"{address}{rest}", body)

    assert [each["path"] for each in reply.json["fields"]] == [path]
    after = plain.get(address).json["data"], plain.get(f"{address}/secret").json
    assert after == before
