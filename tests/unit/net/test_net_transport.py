"""What the transport does before and around the network."""

import http.client
import socket
import ssl

import fakes
import pytest
import requests
import responses
import urllib3.exceptions

from flaskllm.core.clock import Deadline, SystemClock
from flaskllm.core.errors import (
    InternalError,
    LLMProtocolError,
    LLMServerError,
    LLMTimeout,
    LLMUnavailable,
)
from flaskllm.net.transport import HttpReply, HttpRequest, Transport

URL = "http://upstream.test/v1/chat/completions"


def transport(**settings):
    usual = {
        "pool_size": 2,
        "connect_timeout_seconds": 1.0,
        "proxies": lambda url: None,
        "ca_bundle": None,
    }
    return Transport(**usual | settings)


def send(headers=None, url=URL, deadline_seconds=5.0, **settings):
    request = HttpRequest("POST", url, headers or {}, b"{}")
    deadline = Deadline.after(deadline_seconds, SystemClock())
    sender = transport(**settings)
    try:
        return sender.send(request, deadline=deadline)
    finally:
        sender.close()


def test_a_reply_comes_back_with_names_in_lower_case_and_without_cookies(upstream):
    headers = {
        "Retry-After": "2",
        "Set-Cookie": "a=b",
        "Content-Type": "application/json",
    }
    upstream.always(fakes.status(429, headers, b'{"a": 1}'))

    reply = send(url=upstream.url)

    expected = {
        "content-length": "8",
        "content-type": "application/json",
        "retry-after": "2",
    }
    assert reply == HttpReply(429, expected, b'{"a": 1}')


def test_compression_is_not_asked_for(upstream):
    upstream.always(fakes.chat("x"))

    send({"Authorization": "Bearer sk-1"}, upstream.url)

    sent = upstream.requests[0].headers
    assert sent["accept-encoding"] == "identity"
    assert sent["authorization"] == "Bearer sk-1"
    assert "cookie" not in sent


def connecting(cause):
    """Return what is raised when no connection comes about."""
    error = urllib3.exceptions.NewConnectionError(None, "no")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (requests.ConnectionError(), LLMUnavailable),
        (requests.ConnectTimeout(), LLMUnavailable),
        (requests.ReadTimeout(), LLMTimeout),
        (requests.exceptions.SSLError(ssl.SSLError()), LLMUnavailable),
        (requests.exceptions.InvalidURL(), LLMUnavailable),
        (urllib3.exceptions.ProxyError("no", OSError()), LLMUnavailable),
        (urllib3.exceptions.LocationParseError("x"), LLMUnavailable),
        (socket.gaierror(), LLMUnavailable),
        (ConnectionRefusedError(), LLMUnavailable),
        (ConnectionResetError(), LLMServerError),
        (http.client.RemoteDisconnected(), LLMServerError),
        (BrokenPipeError(), LLMServerError),
        (connecting(ConnectionResetError()), LLMUnavailable),
        (connecting(OSError(113, "No route to host")), LLMUnavailable),
        (UnicodeError(), LLMUnavailable),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
@responses.activate
def test_foreign_errors_become_ours_and_are_asked_once(failure, expected):
    responses.post(URL, body=failure)

    with pytest.raises(expected) as caught:
        send()

    assert type(caught.value) is expected
    assert caught.value.details
    assert caught.value.__cause__ is not None
    assert len(responses.calls) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304, 101])
@responses.activate
def test_a_redirect_is_an_error_that_does_not_name_its_target(status):
    responses.post(URL, status=status, headers={"Location": "http://169.254.169.254/"})

    with pytest.raises(LLMProtocolError, match="could not be read") as caught:
        send()

    assert str(status) in caught.value.details
    assert "169.254" not in caught.value.details
    assert len(responses.calls) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", "Bearer sk-1\r\nX-Evil: 1"),
        ("Authorization", "Bearer sk-1\n"),
        ("Authorization", "Bearer sk-1\r"),
        ("Authorization", "Bearer \x00"),
        ("Authorization", " leading"),
        ("Authorization", "Bearer sk-…"),
        ("X-Evil\r\nX", "1"),
        ("X Evil", "1"),
        ("", "1"),
    ],
)
@responses.activate
def test_a_header_that_could_break_out_is_never_sent(name, value):
    responses.post(URL, body=b"{}")

    with pytest.raises(InternalError) as caught:
        send({name: value})

    assert "sk-" not in caught.value.details
    assert len(responses.calls) == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http://[::1",
        "nonsense",
        "ftp://upstream.test/",
        "http://" + "a" * 70 + ".test/",
        "http://a..b/",
        "http://upstream.test:99999/",
    ],
)
def test_an_address_that_is_none_is_unavailable(url):
    with pytest.raises(LLMUnavailable):
        send(url=url)


def test_a_deadline_that_has_passed_asks_nobody():
    with pytest.raises(LLMTimeout):
        send(deadline_seconds=0)


def test_a_ca_bundle_that_cannot_be_read_is_unavailable(tmp_path):
    with pytest.raises(LLMUnavailable):
        send(url="https://127.0.0.1:9/", ca_bundle=str(tmp_path / "missing.pem"))


def test_the_text_form_of_a_request_hides_headers_and_body():
    request = HttpRequest("POST", URL, {"Authorization": "Bearer sk-1"}, b"prompt")

    assert "sk-1" not in repr(request)
    assert "prompt" not in repr(request)


@pytest.mark.parametrize(
    ("deadline_seconds", "expected"),
    [(30.0, LLMUnavailable), (0.5, LLMTimeout)],
    ids=["connect time-out", "deadline"],
)
def test_a_slow_name_look_up_ends_the_request_by_its_limit(
    monkeypatch, fake_clock, deadline_seconds, expected
):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        refusing = listener.getsockname()

    def look_up_slowly(*_, **__):
        fake_clock.advance(10)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", refusing)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up_slowly)
    request = HttpRequest("POST", URL, {}, b"{}")

    with pytest.raises(expected) as caught:
        transport().send(request, deadline=Deadline.after(deadline_seconds, fake_clock))

    assert "refused" not in caught.value.details
