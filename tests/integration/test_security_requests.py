"""Hostile requests of strangers: tricks with addresses and headers."""

import dataclasses
import os

import pytest
from fakes import status
from route_walk import OPEN_ROUTES, bearer, routes_of

from flaskllm import __version__
from flaskllm.core.auth import make_token
from flaskllm.factory import create_app

WEBHOOK = "/api/v1/webhook"
TEMPLATES = "/api/v1/templates"
HEALTH = "/api/v1/health"
MEBIBYTE = 1024 * 1024

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; "
    "style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'; require-trusted-types-for 'script'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@pytest.fixture
def quiet(make_gateway):
    """A gateway without a model that never says 429."""
    return make_gateway(
        "limits: {authentication_failures_per_minute: 1000000, "
        "unauthenticated_per_minute: 1000000}\n"
    )


def ask(gateway, address, method="GET", token=None, **options):
    environ = options.pop("environ", {})
    if token:
        environ = {"HTTP_AUTHORIZATION": bearer(token), **environ}
    return gateway.client.open(
        address, method=method, environ_overrides=environ, **options
    )


class TestAddresses:
    """A2: the decision is taken on the route that was matched, and on nothing else."""

    @pytest.mark.parametrize(
        "host",
        ["h/?", "h/#", "h@evil", "a b", "h\\evil", "[::1", "h:port", "<script>", "h,i"],
    )
    def test_a_host_that_is_none_is_refused(self, quiet, host):
        refused = ask(quiet, HEALTH, environ={"HTTP_HOST": host})

        assert refused.status_code == 400
        assert host not in refused.text

    @pytest.mark.parametrize("host", ["evil.example", "", "llm.example.org.evil", None])
    def test_a_host_that_is_not_ours_is_refused_where_ours_are_listed(
        self, make_gateway, host
    ):
        gateway = make_gateway("server: {trusted_hosts: [llm.example.org]}\n")
        answer = gateway.client.get(
            HEALTH,
            environ_overrides={
                "HTTP_HOST": host or "",
                "HTTP_X_FORWARDED_HOST": "llm.example.org",
            },
        )
        ours = ask(gateway, HEALTH, environ={"HTTP_HOST": "llm.example.org:8443"})

        assert answer.status_code == 400
        assert ours.status_code == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {"X-Original-URL": "/api/v1/health"},
            {"X-Rewrite-URL": "/api/v1/health"},
            {"X-Forwarded-Prefix": "/api/v1/health"},
            {"X-HTTP-Method-Override": "GET"},
            {"X-Method-Override": "GET"},
            {"X-Forwarded-Host": "evil.example"},
            {"X-Forwarded-Proto": "https"},
        ],
        ids=lambda headers: next(iter(headers)),
    )
    def test_headers_that_name_another_route_or_method_change_nothing(
        self, quiet, headers
    ):
        for method, address in [("GET", TEMPLATES), ("POST", WEBHOOK)]:
            plain = ask(quiet, address, method)
            tricked = ask(quiet, address, method, headers=headers)
            assert tricked.status_code == plain.status_code == 401
            assert tricked.data == plain.data

    @pytest.mark.parametrize(
        "path",
        [
            "/api//v1/templates",
            "/api/v1/templates;x",
            "/api/v1/templates/",
            "/api/v1/health/../templates",
            "/%2e%2e/api/v1/templates",
            "/api/v1/health/%2e%2e/templates",
            "/API/V1/TEMPLATES",
            "/api/v1/templates\x00",
            "/api/v1/templates%20",
            "/static/../flaskllm.yaml",
        ],
    )
    def test_a_path_that_is_nearly_a_route_is_no_route(self, quiet, path):
        answer = quiet.client.open(
            "/",
            headers={"Authorization": bearer(quiet.token)},
            environ_overrides={"PATH_INFO": path, "REQUEST_URI": path},
        )

        assert answer.status_code == 404
        assert "Location" not in answer.headers
        assert answer.json["code"] == "NOT_FOUND"

    def test_two_slashes_in_front_are_one_and_guarded_alike(self, quiet):
        path = {"PATH_INFO": "//api/v1/templates"}

        assert ask(quiet, "/", environ=path).status_code == 401
        assert ask(quiet, "/", token=quiet.token, environ=path).status_code == 200

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT"])
    def test_a_method_that_a_route_has_not_is_405_with_the_allowed_ones(
        self, quiet, method
    ):
        answer = ask(quiet, WEBHOOK, method, token=quiet.token)

        assert answer.status_code == 405
        assert answer.headers["Allow"] == "OPTIONS, POST"
        assert answer.json["code"] == "METHOD_NOT_ALLOWED"


class TestTelling:
    """A11: what a stranger may ask tells nothing of what is inside."""

    SETTINGS = """
secret: {secret}
api_token: {token}
providers:
  canaryprovider:
    kind: openai_compatible
    base_url: http://127.0.0.1:9/canarypath
    api_key: sk-canary-9f8e7d6c
deployments:
  canarydeployment: {{provider: canaryprovider, model: canarymodel}}
routes:
  - {{alias: canaryalias, deployments: {{canarydeployment: 1}}}}
"""
    SECRET = "q8Zk2LmW5xT9cR3vB7nH4jD6sF1gYpA0"
    TOKEN = "k3R9vQ2mX7bT5wL8nZ4cH6jD1sF0gYpA"

    def test_no_secret_version_or_upstream_is_in_any_answer(self, make_gateway):
        gateway = make_gateway(
            self.SETTINGS.format(secret=self.SECRET, token=self.TOKEN)
        )
        folder = str(gateway.loaded.settings.data_dir)
        addresses = [address for _, address in routes_of(gateway.app)]
        for address in [*addresses, "/", "/metrics", "/admin", "/.env", "/v1/models"]:
            for method in ("GET", "HEAD", "POST", "OPTIONS", "PUT"):
                answer = ask(gateway, address, method)
                told = f"{answer.headers} {answer.text}"
                for hidden in (
                    "canary",
                    self.SECRET,
                    self.TOKEN,
                    folder,
                    __version__,
                    "Werkzeug",
                    "Python",
                    "Traceback",
                ):
                    assert hidden not in told, (method, address)

    def test_the_fault_of_an_upstream_is_told_without_its_words(
        self, make_gateway, upstream
    ):
        upstream.always(status(500, body=b'{"error": {"message": "upstreamcanary"}}'))
        gateway = make_gateway(
            self.SETTINGS.format(secret=self.SECRET, token=self.TOKEN).replace(
                "http://127.0.0.1:9/canarypath", upstream.url
            )
            + "default_route: canaryalias\ntimeouts: {deadline_seconds: 1}\n"
        )

        answer = gateway.post({"prompt": "Please call Ben."})

        assert answer.status_code in (502, 503, 504)
        assert "canary" not in answer.text
        assert str(upstream.port) not in answer.text
        assert "upstreamcanary" not in gateway.log
        assert "sk-canary" not in gateway.log


class TestHeaders:
    """The header set stands on every reply, and nothing opens the API to pages."""

    def replies(self, gateway):
        """Give one reply of each kind, by what it is."""
        token = gateway.token
        yield "200 open", ask(gateway, HEALTH)
        yield "200", ask(gateway, TEMPLATES, token=token)
        yield "200 openapi", ask(gateway, "/api/v1/openapi.json", token=token)
        yield "head", ask(gateway, HEALTH, "HEAD")
        yield "options", ask(gateway, HEALTH, "OPTIONS")
        yield "400", ask(gateway, WEBHOOK, "POST", token=token, json={})
        yield "400 host", ask(gateway, HEALTH, environ={"HTTP_HOST": "h@evil"})
        yield "401", ask(gateway, TEMPLATES)
        yield "403", ask(gateway, WEBHOOK, "POST", token=gateway.make_token("read"))
        yield "404", ask(gateway, "/nowhere")
        yield "405", ask(gateway, WEBHOOK, token=token)
        length = {"CONTENT_LENGTH": str(11 * MEBIBYTE)}
        yield (
            "413",
            ask(
                gateway,
                WEBHOOK,
                "POST",
                token=token,
                content_type="text/plain",
                environ=length,
            ),
        )
        yield "415", ask(gateway, WEBHOOK, "POST", token=token, data=b"x")
        broken = dataclasses.replace(gateway.services, templates=None)
        app = create_app(gateway.loaded, broken)
        yield (
            "500",
            app.test_client().get(TEMPLATES, headers={"Authorization": bearer(token)}),
        )

    def test_every_kind_of_reply_has_all_of_them(self, quiet):
        seen = set()
        for kind, reply in self.replies(quiet):
            assert str(reply.status_code) in kind or reply.status_code == 200, kind
            seen.add(reply.status_code)
            for name, value in SECURITY_HEADERS.items():
                assert reply.headers.getlist(name) == [value], (kind, name)
            assert len(reply.headers.getlist("X-Request-ID")) == 1, kind
            assert "Server" not in reply.headers
            assert "X-Powered-By" not in reply.headers
            assert "Set-Cookie" not in reply.headers
            assert "ETag" not in reply.headers
            if reply.data:
                assert reply.headers["Content-Type"] == "application/json", kind
        assert seen == {200, 400, 401, 403, 404, 405, 413, 415, 500}

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://h"])
    def test_no_page_of_another_origin_is_let_in(self, quiet, origin):
        preflight = {
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
            "Access-Control-Request-Private-Network": "true",
        }
        for method, address in routes_of(quiet.app):
            answer = ask(quiet, address, method, headers=preflight)
            opened = [n for n, _ in answer.headers if n.startswith("Access-Control")]
            assert opened == [], (method, address)
            assert origin not in str(answer.headers)

    def test_https_is_promised_only_over_https(self, make_gateway):
        gateway = make_gateway("server: {require_https: true, proxy_hops: 1}\n")
        far = {"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "192.0.2.2"}

        safe = ask(gateway, HEALTH, environ={**far, "HTTP_X_FORWARDED_PROTO": "https"})
        plain = ask(gateway, HEALTH, environ={**far, "HTTP_X_FORWARDED_PROTO": "http"})

        assert safe.status_code == 200
        assert safe.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert plain.status_code == 403
        assert "Location" not in plain.headers
        assert "Strict-Transport-Security" not in plain.headers

    def test_x_forwarded_proto_of_an_untrusted_peer_is_not_believed(self, make_gateway):
        gateway = make_gateway("server: {require_https: true}\n")
        answer = ask(
            gateway,
            TEMPLATES,
            token=gateway.token,
            environ={"HTTP_X_FORWARDED_PROTO": "https", "REMOTE_ADDR": "192.0.2.1"},
        )
        assert answer.status_code == 403

    def test_head_and_options_are_guarded_like_the_rest(self, quiet):
        assert ask(quiet, HEALTH, "HEAD").data == b""
        allowed = ask(quiet, HEALTH, "OPTIONS").headers["Allow"]
        assert set(allowed.split(", ")) == {"GET", "HEAD", "OPTIONS"}
        for method, address in routes_of(quiet.app):
            if method in ("HEAD", "OPTIONS") and address not in OPEN_ROUTES:
                assert ask(quiet, address, method).status_code == 401
        good = ask(quiet, TEMPLATES, "HEAD", token=quiet.token)
        assert (good.status_code, good.data) == (200, b"")


class TestVisits:
    def test_open_routes_take_120_visits_a_minute_and_peer(self, make_gateway):
        gateway = make_gateway()
        # What a sender proves is not counted.
        routes = sorted(each for each in OPEN_ROUTES if "inbound" not in each)
        peer = {"REMOTE_ADDR": "192.0.2.1"}
        codes = [
            ask(gateway, routes[n % 3], environ=dict(peer)).status_code
            for n in range(122)
        ]
        refused = ask(gateway, HEALTH, environ=dict(peer))

        assert codes == [200] * 120 + [429] * 2
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        other = ask(gateway, HEALTH, environ={"REMOTE_ADDR": "192.0.2.2"})
        assert other.status_code == 200
        good = ask(gateway, TEMPLATES, token=gateway.token, environ=dict(peer))
        assert good.status_code == 200

    def test_a_flood_of_unknown_addresses_reaches_no_view_and_no_database(
        self, make_gateway
    ):
        gateway = make_gateway()
        for _ in range(200):
            assert ask(gateway, f"/{os.urandom(4).hex()}").status_code == 404
        assert ask(gateway, HEALTH).status_code == 200

    def test_a_wrong_token_counts_for_nothing_on_an_open_route(self, quiet):
        answer = ask(quiet, HEALTH, token=make_token("api").text)

        assert answer.status_code == 200
        assert quiet.events("authentication_failed") == []
