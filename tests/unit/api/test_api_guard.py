"""Who may pass: the checks on every route, with good, bad and no API tokens."""

from itertools import product

import pytest
from face_fakes import FakeServices, build, token_for
from flask import Flask

from flaskllm.api import context, guard
from flaskllm.core import logs
from flaskllm.core.auth import Scope
from flaskllm.core.config import LimitSettings
from flaskllm.core.errors import ServiceUnavailable

# Every route that needs no API token. A new one must be added here on purpose.
PUBLIC = {"/health", "/api/v1/health", "/api/v1/health/ready", "/metrics"}

GUARDED = [
    ("POST", "/api/v1/webhook"),
    ("GET", "/api/v1/templates"),
    ("GET", "/api/v1/openapi.json"),
]

BAD_HEADERS = {
    "none": [],
    "empty": [("Authorization", "")],
    "scheme only": [("Authorization", "Bearer")],
    "scheme and blank": [("Authorization", "Bearer ")],
    "another scheme": [("Authorization", f"Basic {token_for('webhook')}")],
    "no scheme": [("Authorization", token_for("webhook"))],
    "unknown": [("Authorization", "Bearer fllm_api_unknown")],
    "SQL": [("Authorization", "Bearer ' OR 1=1--")],
    "SQL union": [("Authorization", "Bearer x' UNION SELECT 1")],
    "NUL": [("Authorization", f"Bearer {token_for('webhook')}\0")],
    "64 kB": [("Authorization", "Bearer " + "a" * 65536)],
    "not ASCII": [("Authorization", "Bearer \xff\xfe")],
    "two words": [("Authorization", f"Bearer {token_for('webhook')} x")],
    "the same twice": [("Authorization", f"Bearer {token_for('webhook')}")] * 2,
    "good, then bad": [
        ("Authorization", f"Bearer {token_for('webhook')}"),
        ("Authorization", "Bearer bad"),
    ],
    "another header": [("X-Api-Key", token_for("webhook"))],
}


def from_peer(address):
    return {"REMOTE_ADDR": address}


@pytest.fixture
def quiet_limits():
    return LimitSettings(authentication_failures_per_minute=100_000)


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_every_bad_proof_gets_the_same_401_and_reaches_no_view(
    services, quiet_limits, method, path
):
    client = build(services, limits=quiet_limits).test_client()

    replies = [
        client.open(path, method=method, headers=headers, json={"prompt": "x"})
        for headers in BAD_HEADERS.values()
    ]

    assert {reply.status_code for reply in replies} == {401}
    assert len({reply.data for reply in replies}) == 1
    assert replies[0].headers["WWW-Authenticate"] == 'Bearer realm="flaskllm"'
    assert services.digests.orders == []


@pytest.mark.parametrize("place", ["query", "cookie"])
def test_a_token_outside_the_header_counts_for_nothing(client, place):
    token = token_for("read")
    client.set_cookie("Authorization", token)

    reply = client.get(f"/api/v1/templates?access_token={token}&token={token}")

    assert reply.status_code == 401


@pytest.mark.parametrize(
    ("scope", "path", "status"),
    [
        ("webhook", "/api/v1/webhook", 200),
        ("admin", "/api/v1/webhook", 200),
        ("chat", "/api/v1/webhook", 403),
        ("read", "/api/v1/webhook", 403),
        ("webhook", "/api/v1/templates", 200),
        ("chat", "/api/v1/templates", 200),
        ("read", "/api/v1/templates", 200),
        ("read", "/api/v1/openapi.json", 200),
    ],
)
def test_a_scope_opens_its_routes_only(client, bearer, scope, path, status):
    method = "POST" if path.endswith("webhook") else "GET"

    reply = client.open(
        path, method=method, headers=bearer(scope), json={"prompt": "Hello."}
    )

    assert reply.status_code == status


def test_a_missing_scope_is_named(client, bearer, services):
    reply = client.post("/api/v1/webhook", headers=bearer("read"), json={"prompt": "x"})

    assert reply.json["code"] == "PERMISSION_DENIED"
    assert "scope webhook" in reply.json["details"]
    assert services.digests.orders == []


def test_the_scheme_is_read_in_any_case(client):
    header = {"Authorization": f"bEaReR {token_for('read')}"}

    assert client.get("/api/v1/templates", headers=header).status_code == 200


def test_public_routes_ask_for_nothing(client, services):
    for path in PUBLIC:
        assert client.get(path).status_code == 200
    assert services.api_tokens.seen == []


def test_each_route_is_guarded_or_on_the_list(app):
    public = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if guard.access_of(app.view_functions[rule.endpoint]) == guard.Access()
    }

    assert public == PUBLIC


@pytest.mark.no_cover
def test_a_view_runs_only_with_a_principal_unless_it_is_public(services, bearer):
    """The property over all routes: whatever the request, no view without a caller."""
    app = build(services)
    seen = []
    for rule in app.url_map.iter_rules():
        app.view_functions[rule.endpoint] = spy(
            app.view_functions[rule.endpoint], rule.rule, seen
        )
    client = app.test_client()

    methods = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE")
    proofs = ({}, {"Authorization": "Bearer bad"}, bearer("admin"))
    paths = [rule.rule for rule in app.url_map.iter_rules()]
    for number, (path, method, proof) in enumerate(product(paths, methods, proofs)):
        peer = from_peer(f"10.0.0.{number}")  # each its own, so that none is limited
        client.open(path, method=method, headers=proof, environ_base=peer)

    assert {path for path, _ in seen} >= PUBLIC
    by_sender = "/api/v1/inbound/<sender>/<endpoint_id>"  # with a proof of its own
    assert all(
        has_principal or path in {*PUBLIC, by_sender} for path, has_principal in seen
    )


def spy(view, path, seen):
    def run(**arguments):
        from flask import g

        seen.append((path, "principal" in g))
        return view(**arguments)

    run.__dict__.update(vars(view))
    return run


def test_an_unmarked_route_stops_the_start(services):
    def before(app):
        app.add_url_rule("/forgotten", view_func=lambda: "x")

    with pytest.raises(RuntimeError, match="neither guarded nor public: /forgotten"):
        build(services, before=before)


def test_a_route_added_after_the_start_is_not_served(app, client, lines):
    app.add_url_rule("/late", view_func=lambda: "secret")

    reply = client.get("/late")

    assert reply.status_code == 500
    assert b"secret" not in reply.data


def test_guarding_without_a_scope_is_refused():
    """It would read as guarded and mean open."""
    with pytest.raises(ValueError, match="needs a scope"):
        guard.guarded()


@pytest.mark.parametrize(
    "broken",
    [
        RuntimeError("database gone: sk-secret"),
        OSError("disk"),
        RecursionError(),
        MemoryError(),
        UnicodeDecodeError("utf-8", b"", 0, 1, "x"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_whatever_breaks_in_the_check_the_door_stays_closed(
    services, method, path, broken, bearer
):
    services.api_tokens.broken = broken
    client = build(services).test_client()

    reply = client.open(
        path, method=method, headers=bearer("admin"), json={"prompt": "x"}
    )

    assert reply.status_code == 503
    assert reply.json["code"] == "SERVICE_UNAVAILABLE"
    assert b"sk-secret" not in reply.data
    assert services.digests.orders == []


def test_a_database_that_is_down_is_told_as_such(services, client, bearer):
    services.api_tokens.broken = ServiceUnavailable(retry_after_seconds=5)

    reply = client.get("/api/v1/templates", headers=bearer("read"))

    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "5")


def test_a_limiter_that_is_down_closes_the_door(services, bearer):
    app = build(services)
    (limiter,) = app.extensions["limiter"]

    def fail(*arguments):
        raise ConnectionError

    limiter.limiter.test = limiter.limiter.hit = fail
    client = app.test_client()

    assert client.get("/api/v1/templates", headers=bearer("read")).status_code == 503
    assert client.get("/health").status_code == 503
    assert services.api_tokens.seen == []


def fail_times(client, times, peer):
    for number in range(times):
        reply = client.get(
            "/api/v1/templates",
            headers={"Authorization": f"Bearer wrong-{number}"},
            environ_base=from_peer(peer),
        )
        assert reply.status_code == 401


def test_after_twenty_failures_a_peer_is_refused_unheard(services, client, bearer):
    fail_times(client, 20, "203.0.113.7")

    heard = len(services.api_tokens.seen)
    bad = client.get("/api/v1/templates", environ_base=from_peer("203.0.113.7"))
    good = client.get(
        "/api/v1/templates",
        headers=bearer("read"),
        environ_base=from_peer("203.0.113.7"),
    )

    assert (bad.status_code, good.status_code) == (429, 429)
    assert 1 <= int(bad.headers["Retry-After"]) <= 60
    assert bad.json["code"] == "RATE_LIMIT_EXCEEDED"
    assert good.json["details"].startswith("Too many refused API tokens")
    assert len(services.api_tokens.seen) == heard


def test_a_good_token_from_another_peer_is_unaffected(client, bearer):
    fail_times(client, 20, "203.0.113.7")

    reply = client.get(
        "/api/v1/templates",
        headers=bearer("read"),
        environ_base=from_peer("203.0.113.8"),
    )

    assert reply.status_code == 200


def test_good_tokens_never_count(client, bearer):
    for _ in range(60):
        reply = client.get("/api/v1/templates", headers=bearer("read"))

    assert reply.status_code == 200


def test_a_missing_scope_is_no_failed_proof(client, bearer):
    for _ in range(30):
        reply = client.post("/api/v1/webhook", headers=bearer("read"), json={})

    assert reply.status_code == 403


def test_the_minute_passes(client, bearer, time_machine):
    time_machine.move_to("2025-03-14T09:30:00Z")
    fail_times(client, 20, "203.0.113.7")
    time_machine.move_to("2025-03-14T09:31:01Z")

    reply = client.get(
        "/api/v1/templates",
        headers=bearer("read"),
        environ_base=from_peer("203.0.113.7"),
    )

    assert reply.status_code == 200


def test_a_forwarded_address_changes_nothing(client, lines):
    """Without a configured proxy the socket's peer is the peer."""
    for number in range(20):
        client.get(
            "/api/v1/templates",
            headers={"X-Forwarded-For": f"10.0.0.{number}", "X-Real-IP": "10.9.9.9"},
            environ_base=from_peer("203.0.113.7"),
        )

    reply = client.get(
        "/api/v1/templates",
        headers={"X-Forwarded-For": "10.1.1.1"},
        environ_base=from_peer("203.0.113.7"),
    )

    assert reply.status_code == 429
    failures = [line for line in lines() if line[1] == "authentication_failed"]
    assert {fields["peer"] for _, _, fields in failures} == {"203.0.113.7"}


def test_open_routes_are_limited_per_peer_and_minute(client, bearer):
    statuses = [client.get("/health").status_code for _ in range(121)]

    assert statuses == [200] * 120 + [429]
    assert client.get("/api/v1/templates", headers=bearer("read")).status_code == 200
    elsewhere = client.get("/health", environ_base=from_peer("203.0.113.8"))
    assert elsewhere.status_code == 200


def test_a_failure_is_logged_with_its_peer_and_never_with_the_token(client, lines):
    client.get("/api/v1/templates", headers={"Authorization": "Bearer sk-leaked-123"})

    level, _, fields = next(
        line for line in lines() if line[1] == "authentication_failed"
    )
    assert (level, fields["peer"]) == ("WARNING", "127.0.0.1")
    assert "sk-leaked" not in repr(lines())


def test_the_principal_is_known_to_the_view_and_on_its_log_lines(services, bearer):
    seen = []

    @guard.guarded(Scope.READ)
    def view():
        seen.append((context.principal().name, logs._bound().principal))
        return "x"

    app = build(services, before=lambda app: app.add_url_rule("/me", view_func=view))

    app.test_client().get("/me", headers=bearer("read"))

    assert seen == [("read", "read-id")]


def test_nothing_is_public_where_no_route_matched(app):
    with app.test_request_context("/nowhere"):
        assert guard.is_public_here() is False


def test_an_app_of_guarded_routes_passes_the_check():
    app = Flask("x", static_folder=None)
    app.add_url_rule("/a", "a", guard.public(lambda: "x"))
    app.add_url_rule("/b", "b", guard.guarded(Scope.READ)(lambda: "x"))

    guard.check_routes(app)


def test_services_are_found_by_one_key(app, services):
    assert isinstance(services, FakeServices)
    assert app.extensions["flaskllm"] is services
