"""Who may read `/metrics`, and what a request leaves there."""

import pytest
from face_fakes import build
from flask import Response

from flaskllm.api.guard import public
from flaskllm.core.config import LimitSettings, ServerSettings
from flaskllm.core.metrics import Metrics
from flaskllm.llm.types import Attempt, Deployment, Outcome, Usage
from flaskllm.services.attempt_notes import note_attempt

TOKEN = "m9R3vQ2kX7bT5wL8nZ4cH6jD1sF0gYpA"
ATTEMPT = Attempt(1, "fast", Deployment("mini", "openai", "openai", "gpt-4o-mini"))
WITH_TOKEN = ServerSettings(metrics_token=TOKEN)
BEHIND_A_PROXY = ServerSettings(proxy_hops=1)
BOTH = ServerSettings(metrics_token=TOKEN, proxy_hops=1)
HERE, AWAY = "127.0.0.1", "192.0.2.7"


@pytest.mark.parametrize(
    ("server", "peer", "headers", "status"),
    [
        (ServerSettings(), HERE, {}, 200),
        (ServerSettings(), "::1", {}, 200),
        (ServerSettings(), AWAY, {}, 403),
        (ServerSettings(), "", {}, 403),
        (ServerSettings(), HERE, {"X-Forwarded-For": AWAY}, 403),
        (ServerSettings(), AWAY, {"Authorization": f"Bearer {TOKEN}"}, 403),
        (BEHIND_A_PROXY, HERE, {}, 403),
        (WITH_TOKEN, HERE, {}, 200),
        (WITH_TOKEN, AWAY, {}, 401),
        (WITH_TOKEN, AWAY, {"Authorization": "Bearer wrong"}, 401),
        (WITH_TOKEN, AWAY, {"Authorization": TOKEN}, 401),
        (WITH_TOKEN, AWAY, {"Authorization": f"Bearer {TOKEN}"}, 200),
        (WITH_TOKEN, HERE, {"X-Forwarded-For": AWAY}, 401),
        (BOTH, HERE, {}, 401),
        (BOTH, HERE, {"Authorization": f"Bearer {TOKEN}"}, 200),
    ],
)
def test_this_machine_or_the_token_may_read_them(
    services, server, peer, headers, status
):
    client = build(services, server=server).test_client()

    reply = client.get(
        "/metrics", headers=headers, environ_overrides={"REMOTE_ADDR": peer}
    )

    assert reply.status_code == status
    assert ("WWW-Authenticate" in reply.headers) is (status == 401)


def test_they_are_text_for_prometheus(client):
    reply = client.get("/metrics")

    assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "# TYPE flaskllm_requests_total counter" in reply.text


def test_guesses_of_the_token_are_limited_like_all_visits(services):
    limits = LimitSettings(unauthenticated_per_minute=2)
    client = build(services, server=WITH_TOKEN, limits=limits).test_client()

    codes = [
        client.get("/metrics", environ_overrides={"REMOTE_ADDR": AWAY}).status_code
        for _ in range(3)
    ]

    assert codes == [401, 401, 429]


def test_a_request_is_counted_by_its_rule_and_timed(client, services, bearer):
    def act(order, call):
        services.clock.advance(0.5)
        call.after(ATTEMPT, Outcome("OK", 0.25, Usage(input_uncached=7)))

    services.digests.acts = act
    headers = bearer("webhook")
    client.post("/api/v1/webhook?x=1", headers=headers, json={"prompt": "x"})
    client.get("/secret-path")

    text = client.get("/metrics").text
    rule = 'rule="/api/v1/webhook"'
    assert f'flaskllm_requests_total{{method="POST",{rule},status="200"}} 1.0' in text
    assert f"flaskllm_request_seconds_sum{{{rule}}} 0.5" in text
    assert f"flaskllm_overhead_seconds_sum{{{rule}}} 0.25" in text
    labels = 'code="OK",deployment="mini",provider="openai"'
    assert f"flaskllm_attempts_total{{{labels}}} 1.0" in text
    assert 'method="GET",rule="none",status="404"' in text
    assert "secret" not in text


@pytest.mark.parametrize(
    ("code", "reason"), [("CALLER_GONE", "caller"), ("LLM_TIMEOUT", "upstream")]
)
def test_a_stream_that_ended_too_early_is_a_cut(client, services, bearer, code, reason):
    cut = Outcome(code, 2.0, Usage(), first_token_seconds=0.5)
    services.digests.acts = lambda order, call: call.after(ATTEMPT, cut)
    client.post("/api/v1/webhook", headers=bearer("webhook"), json={"prompt": "x"})

    text = client.get("/metrics").text

    assert f'flaskllm_streams_cut_total{{reason="{reason}"}} 1.0' in text
    assert 'flaskllm_first_token_seconds_sum{deployment="mini"} 0.5' in text


@pytest.mark.parametrize("code", ["OK", "LLM_ANSWER_DIFFERS"])
def test_a_stream_that_ended_well_or_was_left_by_us_is_no_cut(
    client, services, bearer, code
):
    good = Outcome(code, 2.0, Usage(), first_token_seconds=0.5)
    services.digests.acts = lambda order, call: call.after(ATTEMPT, good)
    client.post("/api/v1/webhook", headers=bearer("webhook"), json={"prompt": "x"})

    assert "flaskllm_streams_cut_total{" not in client.get("/metrics").text


def test_what_failed_before_its_first_token_is_no_cut(client, services, bearer):
    failed = Outcome("LLM_TIMEOUT", 2.0, Usage())
    services.digests.acts = lambda order, call: call.after(ATTEMPT, failed)
    client.post("/api/v1/webhook", headers=bearer("webhook"), json={"prompt": "x"})

    assert "flaskllm_streams_cut_total{" not in client.get("/metrics").text


class Body:
    """A body of two pieces that counts how often it was closed."""

    def __init__(self, error=None):
        self.closed = 0
        self._error = error

    def __iter__(self):
        return iter([b"data: 1\n\n", b"data: 2\n\n"])

    def close(self):
        self.closed += 1
        if self._error:
            raise self._error


class TestStreams:
    @pytest.fixture
    def bodies(self):
        return []

    @pytest.fixture
    def client(self, services, bodies):
        def add(app):
            @app.get("/stream")
            @public
            def stream():
                kind = "text/event-stream"
                return Response(bodies[0], content_type=kind, direct_passthrough=True)

        return build(services, before=add).test_client()

    def gauge(self, services):
        rendered = services.metrics.render().decode()
        (line,) = (
            x for x in rendered.splitlines() if x.startswith("flaskllm_streams_in")
        )
        return float(line.rpartition(" ")[2])

    def test_one_is_in_flight_until_it_is_closed_and_timed_then(
        self, client, services, bodies
    ):
        bodies.append(Body())

        reply = client.get("/stream")
        assert self.gauge(services) == 1
        assert list(reply.response) == [b"data: 1\n\n", b"data: 2\n\n"]
        services.clock.advance(3.0)
        reply.close()
        reply.close()

        assert self.gauge(services) == 0
        assert bodies[0].closed >= 1
        rendered = services.metrics.render().decode()
        assert 'flaskllm_request_seconds_sum{rule="/stream"} 3.0' in rendered
        assert 'flaskllm_request_seconds_count{rule="/stream"} 1.0' in rendered

    def test_one_that_is_never_read_is_not_in_flight_for_ever(
        self, client, services, bodies
    ):
        bodies.append(Body())

        client.get("/stream").close()

        assert self.gauge(services) == 0

    def test_nor_one_whose_closing_fails(self, client, services, bodies):
        bodies.append(Body(ZeroDivisionError()))

        with pytest.raises(ZeroDivisionError):
            client.get("/stream").close()

        assert self.gauge(services) == 0

    def test_a_body_without_an_end_of_its_own_is_fine(self, client, services, bodies):
        bodies.append([b"data: 1\n\n"])

        client.get("/stream").close()

        assert self.gauge(services) == 0


@pytest.mark.parametrize(
    ("name", "label"),
    [("mini", "mini"), ("openai/gpt-4o", "openai/*"), ("any", "any")],
    ids=["described", "named by the caller", "passed on"],
)
def test_what_a_caller_names_begins_no_series_of_its_own(name, label):
    metrics = Metrics()
    attempt = Attempt(1, "fast", Deployment(name, "openai", "openai", "gpt-4o"))

    note_attempt(metrics, attempt, Outcome("OK", 1.0, Usage()))

    assert f'deployment="{label}"' in metrics.render().decode()
