"""Fixtures for the HTTP face: an app on fake services, tokens, log lines."""

import pytest
from face_fakes import FakeServices, build, token_for

from flaskllm.core import logs


@pytest.fixture
def services():
    return FakeServices()


@pytest.fixture
def app(services):
    return build(services)


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def make_app():
    """Build an app from settings: `make_app(services, server=..., limits=...)`."""
    return build


@pytest.fixture
def bearer():
    """Return the header of the token with that scope: `bearer("webhook")`."""

    def header(scope):
        return {"Authorization": f"Bearer {token_for(scope)}"}

    return header


@pytest.fixture
def post(client, bearer):
    """Post to the webhook with a good token: `post(json=...)`, `post("?a=b", ...)`."""

    def send(query="", **options):
        options.setdefault("headers", bearer("webhook"))
        return client.post(f"/api/v1/webhook{query}", **options)

    return send


@pytest.fixture
def lines(caplog):
    """Return the events logged so far, as (level, event, fields)."""
    caplog.set_level("INFO")

    def read():
        return [
            (record.levelname, record.getMessage(), getattr(record, "fields", {}))
            for record in caplog.records
            if record.name.startswith("flaskllm")
        ]

    return read


@pytest.fixture(autouse=True)
def _fresh_log_context():
    logs.clear()
    yield
    logs.clear()
