"""Bad upstreams: a typed 502, 503 or 504 that says when to come back."""

import pytest
from fakes import (
    chat,
    chunked_garbage,
    cut,
    drip,
    hang,
    html,
    json_reply,
    raw,
    redirect,
    reset,
    status,
)

from flaskllm.core import languages

CANARY = "mailcanary"
TEXT = f"Please call {CANARY} on Friday, 9 October."
SETTINGS = """
providers:
  box: {{kind: openai_compatible, base_url: {url}}}
deployments:
  small: {{provider: box, model: scripted-1, context_window: 32000}}
routes:
  - {{alias: scripted, deployments: {{small: 1}}}}
default_route: scripted
timeouts: {{deadline_seconds: {seconds}}}
"""
GOOD = chat('{"keywords": ["call"]}')
UPSTREAMS = {
    "refused": (None, 503, "LLM_UNAVAILABLE"),
    "slow": (hang(), 504, "LLM_TIMEOUT"),
    "dripping": (drip(GOOD.wire(), 0.05), 504, "LLM_TIMEOUT"),
    "dripping headers": (
        drip(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 500, 0.05),
        504,
        "LLM_TIMEOUT",
    ),
    "429 with a hint": (status(429, {"Retry-After": "7"}), 429, "LLM_RATE_LIMITED"),
    "429 with a date": (
        status(429, {"Retry-After": "Wed, 21 Oct 2065 07:28:00 GMT"}),
        429,
        "LLM_RATE_LIMITED",
    ),
    "429 with nonsense": (
        status(429, {"Retry-After": "soon"}),
        429,
        "LLM_RATE_LIMITED",
    ),
    "500": (status(500), 502, "LLM_SERVER_ERROR"),
    "503": (status(503), 503, "LLM_UNAVAILABLE"),
    "529": (status(529), 503, "LLM_UNAVAILABLE"),
    "HTML": (html(), 502, "LLM_PROTOCOL_ERROR"),
    "no JSON": (status(200, body=b"{"), 502, "LLM_PROTOCOL_ERROR"),
    "another JSON": (status(200, body=b"[1, 2]"), 502, "LLM_PROTOCOL_ERROR"),
    "an empty body": (status(200, body=b""), 502, "LLM_PROTOCOL_ERROR"),
    "empty choices": (json_reply({"choices": []}), 502, "LLM_PROTOCOL_ERROR"),
    "truncated": (cut(GOOD, 150), 502, "LLM_PROTOCOL_ERROR"),
    "truncated headers": (cut(GOOD, 20), 502, "LLM_PROTOCOL_ERROR"),
    "reset": (reset(150, GOOD), 502, "LLM_PROTOCOL_ERROR"),
    "closed at once": (raw(b""), 502, "LLM_SERVER_ERROR"),
    "broken chunks": (chunked_garbage(), 502, "LLM_PROTOCOL_ERROR"),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH\r\n\r\n"), 502, "LLM_PROTOCOL_ERROR"),
    "elsewhere": (redirect("http://127.0.0.1:1/"), 502, "LLM_PROTOCOL_ERROR"),
    "cut short": (
        chat('{"keywords"', finish_reason="length"),
        502,
        "LLM_PROTOCOL_ERROR",
    ),
    "prose": (chat("I would rather not."), 502, "LLM_PROTOCOL_ERROR"),
    "nothing said": (chat(None), 502, "LLM_PROTOCOL_ERROR"),
}
FINAL = {
    "401": (status(401), 502, "LLM_CREDENTIAL_REJECTED"),
    "403": (status(403), 502, "LLM_CREDENTIAL_REJECTED"),
    "400": (status(400), 502, "LLM_REQUEST_REJECTED"),
    "404": (status(404), 502, "LLM_REQUEST_REJECTED"),
    "422": (status(422), 502, "LLM_REQUEST_REJECTED"),
}


@pytest.fixture(scope="module", autouse=True)
def _warm():
    """The first look at a language reads a large table, which is not on trial."""
    languages.detect("The first text takes a second longer than all others.")


class TestUpstreams:
    @pytest.fixture
    def patient(self, make_gateway, upstream):
        """A gateway that gives its only model more time than it takes."""
        return make_gateway(SETTINGS.format(url=upstream.url, seconds=30))

    def ask(self, gateway):
        return gateway.post({"prompt": TEXT, "type": "keywords"})

    @pytest.mark.parametrize(
        ("step", "expected", "code"), UPSTREAMS.values(), ids=UPSTREAMS
    )
    def test_its_fault_is_typed_and_says_when_to_come_back(
        self, make_gateway, upstream, step, expected, code
    ):
        url = upstream.url if step else "http://127.0.0.1:9"
        # Time runs out only where nothing else is to happen.
        seconds = 1 if code == "LLM_TIMEOUT" else 30
        gateway = make_gateway(SETTINGS.format(url=url, seconds=seconds))
        if step:
            upstream.always(step)

        answer = self.ask(gateway)

        body = answer.get_json()
        assert (answer.status_code, body["code"]) == (expected, code), body
        assert int(answer.headers["Retry-After"]) >= 1
        assert "SSH" not in answer.text
        assert "captive" not in answer.text.lower()
        assert {line["code"] for line in gateway.events("attempt_ended")} <= {
            code,
            "OK",
        }
        line = gateway.events("request_answered")[-1]
        assert line["level"] == ("WARNING" if expected == 429 else "ERROR")
        assert line["details"]
        assert CANARY not in gateway.log

    @pytest.mark.parametrize(("step", "expected", "code"), FINAL.values(), ids=FINAL)
    def test_what_a_repetition_cannot_mend_is_asked_once_and_gives_no_hint(
        self, patient, upstream, step, expected, code
    ):
        upstream.always(step)

        answer = self.ask(patient)

        assert (answer.status_code, answer.get_json()["code"]) == (expected, code)
        assert "Retry-After" not in answer.headers
        assert len(upstream.requests) == 1

    def test_the_upstreams_own_hint_is_passed_on(self, patient, upstream):
        upstream.always(status(429, {"Retry-After": "7"}))

        answer = self.ask(patient)

        assert answer.headers["Retry-After"] in ("6", "7")
        assert len(upstream.requests) == 1

    def test_a_passing_fault_costs_the_caller_nothing(self, gateway, upstream):
        upstream.script(status(503), cut(GOOD, 150))
        upstream.always(GOOD)

        answer = self.ask(gateway)

        assert answer.status_code == 200
        assert len(upstream.requests) == 3
        codes = [line["code"] for line in gateway.events("attempt_ended")]
        assert codes == ["LLM_UNAVAILABLE", "LLM_PROTOCOL_ERROR", "OK"]

    def test_an_input_that_the_upstream_finds_too_long_is_a_413(
        self, patient, upstream
    ):
        said = {
            "error": {
                "message": "This model's maximum context length is 100 tokens.",
                "type": "invalid_request_error",
                "code": "context_length_exceeded",
            }
        }
        upstream.always(json_reply(said, status=400))

        answer = self.ask(patient)

        assert answer.status_code == 413
        assert answer.get_json()["code"] == "LLM_CONTEXT_TOO_LONG"

    def test_a_model_that_refuses_is_told_so(self, patient, upstream):
        upstream.always(chat("I cannot.", finish_reason="content_filter"))

        answer = self.ask(patient)

        assert answer.status_code == 502
        assert answer.get_json()["code"] == "LLM_REFUSED"
        assert "Retry-After" not in answer.headers
