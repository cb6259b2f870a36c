"""The description of the API validates, and the whole gateway keeps to it."""

import logging
import os
import shutil
import tempfile
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
)

from flaskllm.api.openapi import template_of
from flaskllm.core.config import load
from flaskllm.factory import create_app
from flaskllm.wiring import build_services

ADDRESS = "/api/v1/openapi.json"
RAW_MEDIA_TYPES = (
    "message/rfc822",
    "text/vtt",
    "application/x-subrip",
    "text/plain",
    "text/calendar",
)
API_TOKEN = "k3R9vQ2mX7bT5wL8nZ4cH6jD1sF0gYpA"
OPEN = ("/api/v1/health", "/api/v1/health/ready")
HEADERS = {"Authorization": f"Bearer {API_TOKEN}"}
# Cases are made while tests are collected, before any fixture; nothing is opened
# here until the first of them is sent.
FOLDER = Path(tempfile.gettempdir()) / f"flaskllm-openapi-{os.getpid()}"
ENVIRON = {
    "FLASKLLM_API_TOKEN": API_TOKEN,
    "FLASKLLM_DATA_DIR": str(FOLDER),
    "FLASKLLM_LIMITS__AUTHENTICATION_FAILURES_PER_MINUTE": "1000000",
    "FLASKLLM_LIMITS__UNAUTHENTICATED_PER_MINUTE": "1000000",
}

# Held over a gateway of fakes, where no name and no document is wrong.
NOT_HERE = [not_a_server_error, positive_data_acceptance]


def make_app():
    """Make it without leaving its logs to the tests of other files."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    loaded = load(ENVIRON, FOLDER)
    services = build_services(loaded)
    app = create_app(loaded, services)
    root.setLevel(level)
    root.handlers[:] = handlers
    return app, services


app, services = make_app()
documents = st.binary(min_size=1).filter(lambda content: content.strip())
for media_type in RAW_MEDIA_TYPES:
    schemathesis.openapi.media_type(media_type, documents)
schema = schemathesis.openapi.from_wsgi(ADDRESS, app, headers=HEADERS)
schema.config.generation.with_security_parameters = False


@pytest.fixture(scope="module", autouse=True)
def _leave_nothing():
    yield
    services.database.close()
    shutil.rmtree(FOLDER, ignore_errors=True)


@schema.parametrize()
@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_of_the_whole_gateway_is_as_described(case):
    """Statuses, content types, headers and bodies are those of the description.

    What no schema can say is left out here: the names of this gateway's models
    and templates, and what makes bytes a mail. Such a refusal names its field.
    """
    response = case.call(headers=HEADERS)

    # OPTIONS says nothing, and a table is no JSON.
    is_json = response.headers.get("content-type", [""])[0] == "application/json"
    answer = response.json() if response.content and is_json else {}
    # Without a model most types say 503, as described; other faults are ours.
    code = answer.get("code") if response.status_code >= 500 else None
    assert code in (None, "NO_MODEL_CONFIGURED")
    if response.status_code == 400 and case.meta.generation.mode.is_positive:
        assert answer["code"] == "INVALID_INPUT"
        assert answer["fields"]
    # All values of a form are texts, so a number where a text should be is one.
    in_a_form = case.media_type == "multipart/form-data"
    excluded = [*NOT_HERE, *([negative_data_rejection] if in_a_form else [])]
    case.validate_response(response, headers=HEADERS, excluded_checks=excluded)


class TestDescription:
    @pytest.fixture
    def described(self):
        answer = app.test_client().get(ADDRESS, headers=HEADERS)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/json"
        return answer.get_json()

    def test_it_is_valid_openapi(self, described):
        validate(described)
        assert described["openapi"].startswith("3.1")

    def test_it_has_every_route_with_its_methods(self, described):
        routes = {
            (template_of(rule.rule), method.lower())
            for rule in app.url_map.iter_rules()
            for method in rule.methods - {"HEAD", "OPTIONS"}
            if rule.rule.startswith("/api/v1/")
        }
        told = {
            (path, method)
            for path, item in described["paths"].items()
            for method in item
        }
        assert told == routes

    def test_every_route_says_what_it_needs_and_how_it_fails(self, described):
        for path, item in described["paths"].items():
            for operation in item.values():
                is_open = path in OPEN
                assert bool(operation["security"]) is not is_open, path
                assert "429" in operation["responses"], path
                assert ("401" in operation["responses"]) is not is_open, path
                assert operation["summary"].endswith("."), path

    def test_a_stranger_cannot_read_it(self):
        assert app.test_client().get(ADDRESS).status_code == 401
