"""The headers of every reply, and what those of a request must be."""

import pytest
from face_fakes import TOKENS, build
from werkzeug.test import EnvironBuilder, run_wsgi_app

from flaskllm import __version__
from flaskllm.core.config import ServerSettings

EXPECTED = {
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
REQUESTS = [
    ("GET", "/health", 200),
    ("HEAD", "/health", 200),
    ("OPTIONS", "/health", 200),
    ("GET", "/api/v1/health/ready", 200),
    ("GET", "/api/v1/templates", 401),
    ("OPTIONS", "/api/v1/webhook", 401),
    ("GET", "/api/v1/webhook", 405),
    ("GET", "/nowhere", 404),
]


@pytest.mark.parametrize(("method", "path", "status"), REQUESTS)
def test_every_reply_has_the_whole_set(client, method, path, status):
    reply = client.open(path, method=method)

    assert reply.status_code == status
    assert {name: reply.headers[name] for name in EXPECTED} == EXPECTED
    assert reply.headers["X-Request-ID"]


@pytest.mark.parametrize(("method", "path", "status"), REQUESTS)
def test_no_reply_tells_versions_secrets_or_servers(client, method, path, status):
    reply = client.open(path, method=method)
    told = f"{reply.headers}{reply.text}".lower()

    for canary in (__version__, "werkzeug", "python/", "openai", *TOKENS):
        assert canary not in told


def test_no_origin_is_let_in(client, bearer):
    origin = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    replies = [
        client.open("/api/v1/webhook", method="OPTIONS", headers=origin),
        client.get("/api/v1/templates", headers=origin | bearer("read")),
    ]

    for reply in replies:
        assert "Access-Control" not in str(reply.headers)


@pytest.mark.parametrize(
    "host",
    [
        "h/?",
        "h/#",
        "h@evil",
        "h evil",
        "a,b",
        "",
        "[::1",
        "h:99999",
        "h:",
        "\xe9.example",
    ],
)
def test_what_is_no_host_name_is_refused(client, host):
    reply = client.get("/health", environ_overrides={"HTTP_HOST": host})

    assert reply.status_code == 400
    assert reply.json["code"] == "INVALID_INPUT"
    assert "Host" in reply.json["details"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("llm.example.org", 200),
        ("LLM.Example.ORG:8000", 200),
        ("a.intern.example.org", 200),
        ("evil.example", 400),
        ("llm.example.org.evil.example", 400),
        ("127.0.0.1", 400),
        (None, 400),
    ],
)
def test_only_trusted_hosts_are_served(services, host, status):
    server = ServerSettings(trusted_hosts=("llm.example.org", ".intern.example.org"))
    app = build(services, server=server)

    assert status_for_host(app, host) == status


def test_a_request_without_host_is_served_where_any_host_is(app):
    """HTTP/1.0, as simple probes speak it."""
    assert status_for_host(app, None) == 200


def status_for_host(app, host):
    """Send what no client of today sends: perhaps no Host at all."""
    environ = EnvironBuilder("/health").get_environ()
    del environ["HTTP_HOST"]
    if host is not None:
        environ["HTTP_HOST"] = host
    _, status, _ = run_wsgi_app(app, environ)
    return int(status.split()[0])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("//api/v1/health", 404),
        ("/api/v1//health", 404),
        ("/api/v1/health;x", 404),
        ("/api/v1/health/", 404),
        ("/%2e%2e/api/v1/templates", 404),
        ("/api/v1/templates/../health", 404),
        ("/api/v1/Templates", 404),
    ],
)
def test_a_twisted_path_reaches_nothing_and_redirects_nowhere(client, path, status):
    reply = client.open(environ_with_path(path))

    assert reply.status_code == status
    assert "Location" not in reply.headers


def environ_with_path(path):
    environ = EnvironBuilder("/").get_environ()
    return environ | {"PATH_INFO": path.replace("%2e", ".")}


@pytest.mark.parametrize(
    "header", ["X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Uri"]
)
def test_no_header_changes_the_path(client, header):
    reply = client.get("/api/v1/templates", headers={header: "/health"})

    assert reply.status_code == 401


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "gzip, identity"])
def test_a_compressed_body_is_refused(client, bearer, services, encoding):
    reply = client.post(
        "/api/v1/webhook",
        headers={"Content-Encoding": encoding} | bearer("webhook"),
        data=b"\x1f\x8b",
        content_type="application/json",
    )

    assert reply.status_code == 415
    assert "identity" in reply.json["details"]
    assert services.digests.orders == []


@pytest.mark.parametrize("encoding", ["identity", "Identity", ""])
def test_identity_is_no_encoding(client, bearer, encoding):
    reply = client.post(
        "/api/v1/webhook",
        headers={"Content-Encoding": encoding} | bearer("webhook"),
        json={"prompt": "Hello."},
    )

    assert reply.status_code == 200


@pytest.fixture
def strict(services):
    return build(services, server=ServerSettings(require_https=True)).test_client()


HTTPS = {"wsgi.url_scheme": "https"}


@pytest.mark.parametrize("path", ["/api/v1/templates", "/health", "/nowhere"])
def test_plain_http_is_refused_without_a_redirect(strict, bearer, path):
    """The API token was already sent in the clear: a redirect would hide that."""
    reply = strict.get(
        path, headers=bearer("read"), environ_overrides={"REMOTE_ADDR": "203.0.113.7"}
    )

    assert reply.status_code == 403
    assert reply.json["error"] == "Plain http is refused here."
    assert "Location" not in reply.headers
    assert "Strict-Transport-Security" not in reply.headers


@pytest.mark.parametrize(
    ("peer", "path", "status"),
    [
        ("127.0.0.1", "/health", 200),
        ("::1", "/api/v1/health/ready", 200),
        ("127.0.0.1", "/api/v1/templates", 403),
        ("127.0.0.1", "/nowhere", 403),
        ("", "/health", 403),
    ],
)
def test_probes_on_the_machine_itself_need_no_tls(strict, peer, path, status):
    reply = strict.get(path, environ_overrides={"REMOTE_ADDR": peer})

    assert reply.status_code == status


def test_over_https_browsers_are_told_to_stay_there(strict):
    reply = strict.get("/health", environ_overrides=HTTPS)

    assert reply.status_code == 200
    assert reply.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_hsts_is_not_sent_unless_asked_for(client):
    reply = client.get("/health", environ_overrides=HTTPS)

    assert "Strict-Transport-Security" not in reply.headers
