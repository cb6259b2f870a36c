"""Every route asks who is calling, but for a short list."""

import pytest

from flaskllm.api.guard import access_of
from flaskllm.core.config import load
from flaskllm.factory import create_app

# Open to everybody, a limited number of times a minute. They tell status words;
# the metrics and what senders deliver have proofs of their own.
OPEN = {
    "/health",
    "/api/v1/health",
    "/api/v1/health/ready",
    "/api/v1/inbound/x/x",
    "/metrics",
}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    many = {"FLASKLLM_LIMITS__AUTHENTICATION_FAILURES_PER_MINUTE": "1000000"}
    return create_app(load(many, tmp_path_factory.mktemp("routes")))


def requests_of(app):
    """Yield a method, a path that leads to the route, and its view, per route.

    A WebSocket opens for a stranger too, and is closed unless its first frame
    brings an API token; here its address is asked for without an upgrade.
    """
    for rule in app.url_map.iter_rules():
        if rule.websocket:
            continue
        view = app.view_functions[rule.endpoint]
        path = app.url_map.bind("localhost").build(
            rule.endpoint, dict.fromkeys(rule.arguments, "x")
        )
        yield from ((method, path, view) for method in sorted(rule.methods))


def test_every_route_is_guarded_or_on_the_list(app):
    unguarded = {
        path for _, path, view in requests_of(app) if not access_of(view).any_of
    }

    assert unguarded == OPEN


def test_no_guarded_route_answers_a_stranger(app):
    client = app.test_client()
    guarded = [each for each in requests_of(app) if each[1] not in OPEN]
    assert guarded

    answers = {(m, path): client.open(path, method=m) for m, path, _ in guarded}

    assert {each.status_code for each in answers.values()} == {401}
    assert all("WWW-Authenticate" in each.headers for each in answers.values())
