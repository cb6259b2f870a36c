"""The description of the API, made from what each route declares."""

import pytest
from face_fakes import FakeServices, build
from openapi_spec_validator import OpenAPIV31SpecValidator

from flaskllm.api import guard
from flaskllm.api.openapi import describe, documented, template_of
from flaskllm.api.v1.health import HealthReply
from flaskllm.core.auth import Scope


@pytest.fixture(scope="module")
def spec():
    return describe(build(FakeServices()))


def test_it_is_valid_openapi_3_1(spec):
    OpenAPIV31SpecValidator(spec).validate()

    assert spec["openapi"] == "3.1.0"


def test_it_is_served_to_holders_of_a_token(client, bearer, app):
    reply = client.get("/api/v1/openapi.json", headers=bearer("chat"))

    assert reply.json == describe(app)


def test_it_lists_every_route_below_its_prefix(spec, app):
    listed = {
        (method, path) for path, methods in spec["paths"].items() for method in methods
    }
    served = {
        (method.lower(), template_of(rule.rule))
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/v1/")
    }

    assert listed == served


def operations(spec):
    return {
        path: operation
        for path, methods in spec["paths"].items()
        for operation in methods.values()
    }


def test_every_operation_tells_its_failures(spec):
    for path, operation in operations(spec).items():
        statuses = set(operation["responses"])
        assert {"400", "403", "415", "429", "500", "503", "507"} <= statuses, path
        assert ("401" in statuses) == bool(operation["security"]), path
        assert operation["summary"].endswith("."), path


def test_scopes_and_open_routes_are_told(spec):
    assert operations(spec)["/api/v1/webhook"]["security"] == [
        {"api_token": ["webhook"]}
    ]
    assert operations(spec)["/api/v1/health"]["security"] == []


def test_the_webhook_tells_every_code_it_may_fail_with(spec):
    responses = operations(spec)["/api/v1/webhook"]["responses"]
    codes = {
        code
        for response in responses.values()
        for code in response["content"]["application/json"]["schema"]
        .get("properties", {})
        .get("code", {})
        .get("enum", [])
    }

    assert {
        "INVALID_INPUT",
        "AUTHENTICATION_ERROR",
        "PERMISSION_DENIED",
        "PAYLOAD_TOO_LARGE",
        "UNSUPPORTED_MEDIA_TYPE",
        "RATE_LIMIT_EXCEEDED",
        "LLM_CONTEXT_TOO_LONG",
        "LLM_PROTOCOL_ERROR",
        "LLM_RATE_LIMITED",
        "LLM_SERVER_ERROR",
        "LLM_UNAVAILABLE",
        "NO_MODEL_CONFIGURED",
        "LLM_TIMEOUT",
        "INTERNAL_ERROR",
    } <= codes


def test_headers_of_replies_are_told(spec):
    responses = operations(spec)["/api/v1/webhook"]["responses"]

    assert all("X-Request-ID" in response["headers"] for response in responses.values())
    assert "Retry-After" in responses["429"]["headers"]
    assert "WWW-Authenticate" in responses["401"]["headers"]


def test_every_body_is_told(spec):
    content = operations(spec)["/api/v1/webhook"]["requestBody"]["content"]

    assert set(content) == {
        "application/json",
        "multipart/form-data",
        "message/rfc822",
        "text/vtt",
        "application/x-subrip",
        "text/plain",
        "text/calendar",
    }


@pytest.mark.parametrize(
    ("path", "is_told"),
    [
        ("/api/v1/webhook", True),
        ("/api/v1/chat", True),
        ("/api/v1/chat/stream", True),
        ("/api/v1/routes/explain", False),
    ],
)
def test_a_route_that_costs_money_takes_an_idempotency_key(spec, path, is_told):
    told = operations(spec)[path]
    headers = {
        each["name"] for each in told.get("parameters", ()) if each["in"] == "header"
    }

    assert ("Idempotency-Key" in headers) is is_told
    assert ("Prefer" in headers) is (path == "/api/v1/webhook")
    assert ("422" in told["responses"]) is is_told
    headers = told["responses"]["200"]["headers"]
    assert ("Idempotency-Replayed" in headers) is is_told
    if is_told:
        assert "Retry-After" in told["responses"]["409"]["headers"]


def test_objects_in_a_query_are_json(spec):
    parameters = {
        parameter["name"]: parameter
        for parameter in operations(spec)["/api/v1/webhook"]["parameters"]
        if parameter["in"] == "query"
    }

    assert set(parameters) == {
        "source",
        "type",
        "language",
        "model",
        "template",
        "variables",
        "response_format",
        "metadata",
        "reference_time",
        "timezone",
        "automatic",
        "participants",
        "thread",
        "async",
        "callback_url",
        "endpoint",
        "priority",
        "deadline_seconds",
        "event_id",
        "force",
        "dry_run",
        "on_sensitive",
        "redact",
        "cache",
        "sensitive",
    }
    assert set(parameters["variables"]["content"]) == {"application/json"}
    assert parameters["participants"]["schema"]["type"] == "array"


def test_a_route_that_declares_nothing_is_an_error(services):
    def before(app):
        app.add_url_rule("/api/v1/new", "new", guard.guarded(Scope.READ)(lambda: "x"))

    with pytest.raises(RuntimeError, match="/api/v1/new is not @documented"):
        build(services, before=before)


def test_a_code_is_told_once_however_often_it_is_declared(services):
    from flaskllm.core.errors import InvalidInputError

    @guard.public
    @documented(summary="Try.", replies={200: HealthReply}, errors=(InvalidInputError,))
    def view():
        return "x"

    app = build(services, before=lambda app: app.add_url_rule("/api/v1/x", "x", view))

    response = operations(describe(app))["/api/v1/x"]["responses"]["400"]
    assert response["description"] == "INVALID_INPUT"


def test_what_stands_in_an_address_is_a_parameter(spec):
    described = spec["paths"]["/api/v1/health/providers/{deployment}"]

    for operation in described.values():
        assert operation["parameters"] == [
            {
                "name": "deployment",
                "in": "path",
                "required": True,
                "schema": {"type": "string", "minLength": 1},
            }
        ]
    assert set(described) == {"get", "put", "delete"}


@pytest.mark.parametrize(
    ("rule", "template"),
    [("/a", "/a"), ("/a/<b>", "/a/{b}"), ("/<path:a>/<int:b_1>", "/{a}/{b_1}")],
)
def test_an_address_is_written_as_openapi_does(rule, template):
    assert template_of(rule) == template
