"""Failures as answers: their bodies, headers and log lines."""

import inspect

import pytest
from face_fakes import build
from flask import abort
from werkzeug import exceptions as http

from flaskllm.api import errors as face
from flaskllm.api import guard
from flaskllm.core import errors
from flaskllm.core.auth import Scope

ALL = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, errors.APIError)
]


def client_raising(services, error):
    """Return a client of an app whose `/fail` raises `error`."""

    def before(app):
        @guard.guarded(Scope.READ)
        def fail():
            raise error

        app.add_url_rule("/fail", view_func=fail, methods=["GET", "POST"])

    return build(services, before=before).test_client()


@pytest.fixture
def fail(services, bearer):
    def run(error, method="GET"):
        client = client_raising(services, error)
        return client.open("/fail", method=method, headers=bearer("read"))

    return run


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_each_error_has_its_status_sentence_and_code(fail, kind):
    reply = fail(kind(details="why"))

    assert reply.status_code == kind.status
    assert reply.content_type == "application/json"
    assert reply.json == {"error": kind.sentence, "details": "why", "code": kind.code}


def test_wrong_fields_are_listed(fail):
    reply = fail(errors.InvalidInputError.of("source", "'x' is unknown", "email"))

    assert reply.json["fields"] == [
        {"path": "source", "problem": "'x' is unknown", "allowed": "email"}
    ]


@pytest.mark.parametrize(
    ("seconds", "header"),
    [(None, None), (0.0, "1"), (0.2, "1"), (1.5, "2"), (60, "60")],
)
def test_a_known_wait_is_told_in_whole_seconds(fail, seconds, header):
    reply = fail(errors.LLMRateLimited(retry_after_seconds=seconds))

    assert reply.headers.get("Retry-After") == header


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_only_a_401_says_how_to_prove_oneself(fail, kind):
    reply = fail(kind())

    assert reply.headers.get("WWW-Authenticate") == (
        'Bearer realm="flaskllm"' if kind.status == 401 else None
    )


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (http.NotFound(), 404, "NOT_FOUND"),
        (http.BadRequest("sk-secret"), 400, "INVALID_INPUT"),
        (http.BadRequestKeyError("sk-secret"), 400, "INVALID_INPUT"),
        (http.SecurityError("sk-secret"), 400, "INVALID_INPUT"),
        (http.ClientDisconnected(), 400, "INVALID_INPUT"),
        (http.RequestEntityTooLarge(), 413, "PAYLOAD_TOO_LARGE"),
        (http.UnsupportedMediaType(), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (http.TooManyRequests(), 429, "RATE_LIMIT_EXCEEDED"),
        (http.ServiceUnavailable(), 503, "SERVICE_UNAVAILABLE"),
        (http.ImATeapot(), 400, "INVALID_INPUT"),
        (http.GatewayTimeout(), 500, "INTERNAL_ERROR"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_flask_s_own_errors_are_told_in_our_form(fail, error, status, code):
    reply = fail(error)

    assert (reply.status_code, reply.json["code"]) == (status, code)
    assert b"sk-secret" not in reply.data


def test_abort_is_told_in_our_form(services, bearer):
    def before(app):
        app.add_url_rule("/gone", "gone", guard.public(lambda: abort(404)))

    reply = build(services, before=before).test_client().get("/gone")

    assert reply.json["code"] == "NOT_FOUND"


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS", "PUT", "TRACE"])
def test_an_unknown_address_is_404_for_every_method(client, method):
    reply = client.open("/nowhere", method=method)

    assert reply.status_code == 404
    assert reply.content_type == "application/json"
    assert (reply.data == b"") == (method == "HEAD")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/v1/webhook", "OPTIONS, POST"),
        ("HEAD", "/api/v1/webhook", "OPTIONS, POST"),
        ("DELETE", "/api/v1/health", "GET, HEAD, OPTIONS"),
        ("PROPFIND", "/health", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_wrong_method_names_the_right_ones(client, method, path, allowed):
    reply = client.open(path, method=method)

    assert reply.status_code == 405
    assert reply.headers["Allow"] == allowed


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method"])
def test_no_header_changes_the_method(client, header):
    assert client.get("/api/v1/webhook", headers={header: "POST"}).status_code == 405


def test_a_405_without_a_list_has_no_allow_header(fail):
    reply = fail(http.MethodNotAllowed())

    assert reply.status_code == 405
    assert "Allow" not in reply.headers


@pytest.mark.parametrize(
    "error",
    [
        ValueError("the mail said: sk-secret"),
        KeyError("sk-secret"),
        RecursionError("sk-secret"),
        AssertionError("sk-secret"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_the_unexpected_is_a_500_that_says_nothing(fail, error):
    reply = fail(error)

    assert reply.status_code == 500
    assert reply.json["code"] == "INTERNAL_ERROR"
    assert reply.json["error"] == "Something went wrong on our side."
    assert b"sk-secret" not in reply.data
    assert b"Traceback" not in reply.data


def test_where_no_memory_is_left_another_time_may_do(fail):
    reply = fail(MemoryError())

    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "5")
    assert reply.json["code"] == "SERVICE_UNAVAILABLE"


def test_the_unexpected_is_logged_with_its_traceback(fail, caplog):
    caplog.set_level("INFO")
    fail(ValueError("the cause"))

    (record,) = [each for each in caplog.records if each.levelname == "ERROR"]
    assert record.getMessage() == "request_answered"
    assert isinstance(record.exc_info[1].__cause__, ValueError)


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (errors.InvalidInputError(), "WARNING"),
        (errors.NotFound(), "WARNING"),
        (errors.CallerGone(), "WARNING"),
        (errors.LLMContextTooLong(), "WARNING"),
        (errors.LLMTimeout(), "ERROR"),
        (errors.NoModelConfigured(), "ERROR"),
        (errors.InternalError(), "ERROR"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_a_refusal_is_a_warning_and_a_fault_an_error(fail, lines, error, level):
    fail(error)

    found, _, fields = next(line for line in lines() if line[1] == "request_answered")
    assert (found, fields["code"]) == (level, error.code)


def test_details_are_logged_only_where_the_fault_is_not_the_caller_s(fail, lines):
    """Those of a refusal repeat what the caller sent."""
    fail(errors.InvalidInputError(details="what they sent"))
    fail(errors.LLMTimeout(details="deployment mini: no byte in 60 s"))

    refused, failed = [
        fields for _, name, fields in lines() if name == "request_answered"
    ]
    assert "details" not in refused
    assert failed["details"] == "deployment mini: no byte in 60 s"


def test_a_body_without_fields_does_not_mention_them():
    assert "fields" not in face.body_of(errors.NotFound())


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (errors.ServiceUnavailable(details="damaged"), "CRITICAL"),
        (errors.ServiceUnavailable(retry_after_seconds=1.0), "ERROR"),
        (errors.InternalError(), "ERROR"),
        (errors.LLMTimeout(), "ERROR"),
        (errors.NotFound(), "WARNING"),
    ],
    ids=["for good", "for a while", "our fault", "an upstream's", "the caller's"],
)
def test_only_what_takes_the_operator_is_critical(fail, lines, error, level):
    fail(error)

    assert [line[0] for line in lines() if line[1] == "request_answered"] == [level]


@pytest.mark.parametrize(
    ("error", "is_shown"),
    [
        (errors.InternalError(), True),
        (errors.ServiceUnavailable(details="damaged"), True),
        (errors.ServiceUnavailable(retry_after_seconds=1.0), False),
        (errors.LLMTimeout(), False),
    ],
    ids=["our fault", "for good", "for a while", "an upstream's"],
)
def test_a_store_that_is_away_for_a_while_fills_no_log(fail, caplog, error, is_shown):
    fail(error)

    (line,) = [each for each in caplog.records if each.msg == "request_answered"]
    assert bool(line.exc_info) is is_shown
