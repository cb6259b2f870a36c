"""Who may pass: hostile API tokens, guessing peers, and checks that break."""

import dataclasses
import random
import re
import sqlite3
from contextlib import contextmanager
from functools import wraps

import pytest
from api_tokens import TESTER
from route_walk import (
    OPEN_ROUTES,
    address_of,
    bearer,
    guarded_routes_of,
    routes_of,
)
from sqlalchemy import Engine, event

from flaskllm.core.auth import Scope, make_token
from flaskllm.factory import create_app

WEBHOOK = "/api/v1/webhook"
TEMPLATES = "/api/v1/templates"
GENEROUS = """
limits:
  authentication_failures_per_minute: 1000000
  unauthenticated_per_minute: 1000000
"""
HOSTILE = {
    "no scheme": "' OR 1=1--",
    "sql": "Bearer ' OR 1=1--",
    "union": "Bearer x' UNION SELECT id, digest FROM api_tokens--",
    "nul": "Bearer fllm_api_\x00",
    "64 kB": "Bearer " + "a" * 65536,
    "not ascii": "Bearer fllm_api_äöü€".encode().decode("latin-1"),
    "half a surrogate": "Bearer fllm_api_\udcff",
    "empty": "",
    "only the scheme": "Bearer ",
    "basic": "Basic YWRtaW46YWRtaW4=",
    "line breaks": "Bearer x\r\nX-Admin: 1",
    "bad checksum": "Bearer " + make_token("api").text[:-1] + "!",
    "unknown id": "Bearer " + make_token("api").text,
}


@contextmanager
def statements():
    """Collect the SQL text of every statement inside."""
    seen = []

    def note(connection, cursor, statement, parameters, context, many):
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def count_views(app):
    """Let every view of the app note that it ran."""
    ran = []

    def counted(endpoint, view):
        @wraps(view)  # keeps the marks that the guard reads
        def wrapper(*arguments, **named):
            ran.append(endpoint)
            return view(*arguments, **named)

        return wrapper

    for endpoint, view in app.view_functions.items():
        app.view_functions[endpoint] = counted(endpoint, view)
    return ran


def ask(app, method, address, authorization=None, peer="192.0.2.1", **environ):
    environ["REMOTE_ADDR"] = peer
    if authorization is not None:
        environ["HTTP_AUTHORIZATION"] = authorization
    return app.test_client().open(address, method=method, environ_overrides=environ)


@pytest.fixture
def open_gateway(make_gateway):
    """A gateway that never says 429."""
    return make_gateway(GENEROUS)


def without_id(body):
    """Return an answer but for the request's own id, which Anthropic's form tells."""
    return re.sub(rb'"request_id":\s*"[^"]+"', b"", body)


class TestHostileTokens:
    """A1: whatever stands in the header, the answer is one and the same 401."""

    @pytest.mark.parametrize("header", HOSTILE.values(), ids=HOSTILE)
    def test_every_guarded_route_refuses_it_in_the_same_bytes(
        self, open_gateway, header
    ):
        ran = count_views(open_gateway.app)
        for method, address in guarded_routes_of(open_gateway.app):
            plain = ask(open_gateway.app, method, address)
            hostile = ask(open_gateway.app, method, address, header)

            assert hostile.status_code == 401, (method, address)
            assert without_id(hostile.data) == without_id(plain.data)
            assert hostile.headers["WWW-Authenticate"] == 'Bearer realm="flaskllm"'
        assert ran == []

    @pytest.mark.parametrize("header", HOSTILE.values(), ids=HOSTILE)
    def test_it_reaches_the_database_as_a_bound_value_or_not_at_all(
        self, open_gateway, header
    ):
        hostile = header.removeprefix("Bearer ").strip()
        open_gateway.client.get("/api/v1/health/ready")  # the schema is there now
        with statements() as seen:
            ask(open_gateway.app, "GET", TEMPLATES, header)

        assert len([text for text in seen if "api_tokens" in text]) <= 1
        assert all(not hostile or hostile not in text for text in seen)

    def test_two_authorization_headers_are_none(self, open_gateway):
        good = bearer(open_gateway.token)

        for joined in (f"{good},{good}", f"{good}, Basic eDp5", f"Basic eDp5, {good}"):
            refused = ask(open_gateway.app, "GET", TEMPLATES, joined)
            assert refused.status_code == 401, joined

    @pytest.mark.parametrize(
        ("where", "environ"),
        [
            ("query", {"QUERY_STRING": "token={0}&api_key={0}&access_token={0}"}),
            ("cookie", {"HTTP_COOKIE": "token={0}; session={0}"}),
            ("x-api-key", {"HTTP_X_API_KEY": "{0}"}),
            ("proxy", {"HTTP_PROXY_AUTHORIZATION": "Bearer {0}"}),
            ("basic", {"HTTP_AUTHORIZATION": "Basic {0}"}),
            ("token", {"HTTP_AUTHORIZATION": "Token {0}"}),
        ],
    )
    def test_a_good_token_anywhere_else_is_no_token(self, open_gateway, where, environ):
        good = open_gateway.token
        filled = {name: value.format(good) for name, value in environ.items()}

        assert ask(open_gateway.app, "GET", TEMPLATES, **filled).status_code == 401

    @pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER    "])
    def test_the_scheme_is_read_as_the_standard_says(self, open_gateway, scheme):
        header = scheme + open_gateway.token
        assert ask(open_gateway.app, "GET", TEMPLATES, header).status_code == 200


class TestScopes:
    @pytest.mark.parametrize("scope", list(Scope))
    def test_a_scope_opens_its_routes_and_no_other(self, open_gateway, scope):
        token = open_gateway.make_token(scope)

        webhook = ask(open_gateway.app, "POST", WEBHOOK, bearer(token))
        templates = ask(open_gateway.app, "GET", TEMPLATES, bearer(token))

        may_post = scope in (Scope.WEBHOOK, Scope.ADMIN)
        assert (webhook.status_code == 403) is not may_post
        assert templates.status_code == 200
        if not may_post:
            assert webhook.json["code"] == "PERMISSION_DENIED"
            assert "webhook" in webhook.json["details"]

    def test_expired_and_revoked_tokens_read_like_a_wrong_one(self, open_gateway):
        revoked = open_gateway.make_token(Scope.ADMIN)
        open_gateway.services.api_tokens.revoke(revoked[9:21], actor=TESTER)
        expired = open_gateway.make_token(Scope.ADMIN)
        database = open_gateway.loaded.settings.data_dir / "flaskllm.db"
        with sqlite3.connect(database) as connection:
            connection.execute(
                "UPDATE api_tokens SET expires_at = created_at WHERE id = ?",
                (expired[9:21],),
            )
        connection.close()

        answers = {
            ask(open_gateway.app, "GET", TEMPLATES, bearer(token)).data
            for token in (revoked, expired, make_token("api").text)
        }

        assert len(answers) == 1
        reasons = [
            line["reason"] for line in open_gateway.events("authentication_failed")
        ]
        assert reasons == ["revoked", "expired", "unknown"]


class TestGuessing:
    """A9, A10: a peer that guesses is slowed down, and nobody else is."""

    def test_1000_wrong_tokens_are_20_guesses(self, make_gateway):
        gateway = make_gateway()
        statuses = [
            ask(gateway.app, "GET", TEMPLATES, bearer(make_token("api").text))
            for _ in range(1000)
        ]

        codes = [answer.status_code for answer in statuses]
        assert codes[:20] == [401] * 20
        assert set(codes[20:]) == {429}
        assert 1 <= int(statuses[-1].headers["Retry-After"]) <= 60
        assert statuses[-1].json["code"] == "RATE_LIMIT_EXCEEDED"
        assert len(gateway.events("authentication_failed")) == 20

    def test_a_good_token_from_another_peer_is_unaffected(self, make_gateway):
        gateway = make_gateway()
        for _ in range(25):
            ask(gateway.app, "GET", TEMPLATES, bearer("x"), peer="192.0.2.1")

        good = bearer(gateway.token)
        assert ask(gateway.app, "GET", TEMPLATES, good, "192.0.2.2").status_code == 200
        assert (
            ask(gateway.app, "GET", TEMPLATES, good, "2001:db8::1").status_code == 200
        )

    def test_to_throttle_a_peer_tells_nothing_about_its_next_guess(self, make_gateway):
        """Else a guesser would go on and read the status of the right one."""
        gateway = make_gateway()
        for _ in range(20):
            ask(gateway.app, "GET", TEMPLATES, bearer("x"))

        good = ask(gateway.app, "GET", TEMPLATES, bearer(gateway.token))
        wrong = ask(gateway.app, "GET", TEMPLATES, bearer("x"))
        assert (good.status_code, wrong.status_code) == (429, 429)

    def test_a_good_caller_has_no_limit(self, make_gateway):
        gateway = make_gateway()
        good = bearer(gateway.token)

        codes = {
            ask(gateway.app, "GET", TEMPLATES, good).status_code for _ in range(300)
        }

        assert codes == {200}

    def test_malformed_tokens_never_reach_the_database(self, open_gateway):
        open_gateway.client.get("/api/v1/health/ready")
        good = open_gateway.token
        random_ = random.Random(7)
        with statements() as seen:
            for _ in range(1000):
                place = random_.randrange(len(good))
                letter = random_.choice("0aZ".replace(good[place], ""))
                spoiled = good[:place] + letter + good[place + 1 :]
                refused = ask(open_gateway.app, "GET", TEMPLATES, bearer(spoiled))
                assert refused.status_code == 401

        assert seen == []

    def test_the_addresses_of_one_ipv6_host_are_one_peer(self, make_gateway):
        gateway = make_gateway()
        codes = [
            ask(gateway.app, "GET", TEMPLATES, bearer("x"), f"2001:db8::{n:x}")
            for n in range(1, 23)
        ]
        assert [answer.status_code for answer in codes[20:]] == [429, 429]

    def test_x_forwarded_for_of_an_untrusted_peer_changes_nothing(self, make_gateway):
        gateway = make_gateway()
        codes = [
            ask(
                gateway.app,
                "GET",
                TEMPLATES,
                bearer("x"),
                HTTP_X_FORWARDED_FOR=f"198.51.100.{n}",
                HTTP_X_REAL_IP=f"198.51.100.{n}",
                HTTP_FORWARDED=f"for=198.51.100.{n}",
            ).status_code
            for n in range(22)
        ]

        assert codes == [401] * 20 + [429] * 2
        peers = {line["peer"] for line in gateway.events("authentication_failed")}
        assert peers == {"192.0.2.1"}

    def test_behind_one_proxy_its_last_entry_is_the_peer_and_no_other(
        self, make_gateway
    ):
        """Whatever a caller writes itself stands before what the proxy adds."""
        gateway = make_gateway("server: {proxy_hops: 1}\n")
        codes = [
            ask(
                gateway.app,
                "GET",
                TEMPLATES,
                bearer("x"),
                HTTP_X_FORWARDED_FOR=f"198.51.100.{n}, 203.0.113.9",
            ).status_code
            for n in range(22)
        ]
        other = ask(
            gateway.app,
            "GET",
            TEMPLATES,
            bearer(gateway.token),
            HTTP_X_FORWARDED_FOR="203.0.113.9, 203.0.113.10",
        )

        assert codes == [401] * 20 + [429] * 2
        assert other.status_code == 200
        peers = {line["peer"] for line in gateway.events("authentication_failed")}
        assert peers == {"203.0.113.9"}


class Breaking:
    """API tokens whose check breaks instead of answering."""

    def __init__(self, error=None, answer=None):
        self.error, self.answer = error, answer

    def authenticate(self, text):
        if self.error:
            raise self.error
        return self.answer


BROKEN = {
    "database gone": Breaking(sqlite3.OperationalError("disk I/O error canary")),
    "decoding": Breaking(UnicodeDecodeError("utf-8", b"canary", 0, 1, "bad")),
    "recursion": Breaking(RecursionError("canary")),
    "key": Breaking(KeyError("canary")),
    "a principal of None": Breaking(answer=None),
    "garbage from a cache": Breaking(answer="canary"),
    "garbage with an id": Breaking(answer=type("Thing", (), {"id": "x"})()),
}


class TestBrokenChecks:
    """A13: when the check breaks the door stays shut."""

    @pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
    def test_no_guarded_view_runs(self, open_gateway, broken):
        services = dataclasses.replace(open_gateway.services, api_tokens=broken)
        app = create_app(open_gateway.loaded, services)
        ran = count_views(app)
        for method, address in guarded_routes_of(app):
            answer = ask(app, method, address, bearer(open_gateway.token))

            assert answer.status_code in (401, 503), (method, address)
            assert b"canary" not in answer.data
        assert ran == []

    def test_a_damaged_database_shuts_guarded_routes_and_tells_the_probe(
        self, open_gateway
    ):
        open_gateway.services.database.close()
        database = open_gateway.loaded.settings.data_dir / "flaskllm.db"
        for extra in ("-wal", "-shm"):
            database.with_name(database.name + extra).unlink(missing_ok=True)
        database.write_bytes(b"this is no database" * 1000)
        good = bearer(open_gateway.token)

        for method, address in guarded_routes_of(open_gateway.app):
            answer = ask(open_gateway.app, method, address, good)
            assert answer.status_code == 503, (method, address)
        assert ask(open_gateway.app, "GET", "/api/v1/health").status_code == 200
        ready = ask(open_gateway.app, "GET", "/api/v1/health/ready")
        assert ready.status_code == 503
        assert ready.json["data"]["status"] == "not_ready"

    def test_a_view_that_ran_had_a_principal_or_is_on_the_short_list(
        self, open_gateway
    ):
        ran = count_views(open_gateway.app)
        rules = {r.endpoint: r.rule for r in open_gateway.app.url_map.iter_rules()}
        tries = (None, bearer("x"), bearer(make_token("api").text))
        for method, address in routes_of(open_gateway.app):
            for header in tries:
                ask(open_gateway.app, method, address, header)

        assert {address_of(rules[endpoint]) for endpoint in ran} == OPEN_ROUTES
