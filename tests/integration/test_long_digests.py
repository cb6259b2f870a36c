"""A document longer than the window of its model, over the whole walk."""

import json
import re
import threading

import pytest
from api_tokens import make_token
from fakes import chat
from job_http_scene import JobCalls

from flaskllm.core.auth import Scope
from flaskllm.storage.workers import WorkerRow

SETTINGS = """
providers:
  box: {{kind: openai_compatible, base_url: {url}}}
deployments:
  small:
    provider: box
    model: scripted-1
    context_window: 8192
    price: {{input: 1.0, output: 2.0}}
routes:
  - {{alias: scripted, deployments: {{small: 1}}}}
default_route: scripted
digests: {{most_inline_calls: {inline}}}
"""
TASK = re.compile(r"\[(t\d+) \|[^\]]*\]\n(I will send draft \d+ by Friday\.)")
CHAT = "So about the crane, the paint on its northern arm is coming off once again."


def meeting(turns):
    """Return a meeting in which every tenth turn takes on a task."""
    return "\n".join(
        f"Ada: I will send draft {n} by Friday."
        if n % 10 == 0
        else f"Ben: {CHAT} {CHAT} That was remark {n}."
        for n in range(1, turns + 1)
    )


def body(turns=720, **fields):
    return {"prompt": meeting(turns), "source": "meeting", **fields}


class Model:
    """Answers each question truthfully once `needed` stand side by side."""

    def __init__(self, needed=1):
        self.most = self.now = 0
        self._needed, self._lock = needed, threading.Condition()

    def __call__(self, exchange):
        prompt = exchange.request.json["messages"][-1]["content"]
        is_prose = '"people"' in prompt
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
            self._lock.notify_all()
            if not is_prose:
                # All come together the first time; nobody is kept waiting later.
                self._lock.wait_for(lambda: self.most >= self._needed, timeout=10)
        chat(json.dumps(self._answer(prompt, is_prose)))(exchange)
        with self._lock:
            self.now -= 1

    def _answer(self, prompt, is_prose):
        if is_prose:
            return {"summary": {"short": "Many drafts.", "bullets": []}}
        return {
            "action_items": [
                {"task": quote[7:-11], "evidence": {"quote": quote, "turn": turn}}
                for turn, quote in TASK.findall(prompt)
            ]
        }


@pytest.fixture
def open_gateway(make_gateway, upstream):
    def open_gateway(inline=100, more=""):
        settings = SETTINGS.format(url=upstream.url, inline=inline) + more
        return JobCalls(make_gateway(settings))

    return open_gateway


def test_four_pieces_are_asked_about_at_once_and_the_prose_after_them(
    open_gateway, upstream
):
    calls, model = open_gateway(), Model(needed=4)
    upstream.always(model)
    plan = calls.post("/api/v1/webhook", body(dry_run=True)).json["data"]["plan"]

    reply = calls.post("/api/v1/webhook", body())

    assert reply.status_code == 200, reply.text
    assert len(upstream.requests) == plan["calls"] == plan["pieces"] + 1 >= 13
    assert model.most == 4
    items = reply.json["data"]["digest"]["action_items"]
    assert [item["task"] for item in items] == [
        f"send draft {n}" for n in range(10, 721, 10)
    ]
    assert all(item["evidence"]["verified"] for item in items)


def test_every_call_is_in_the_ledger_once(open_gateway, upstream):
    calls = open_gateway()
    upstream.always(Model())

    meta = calls.post("/api/v1/webhook", body()).json["meta"]

    asked = len(upstream.requests)
    assert meta["usage"]["tokens_input"] == 12 * asked
    assert meta["cost"] == pytest.approx(asked * (12 * 1.0 + 5 * 2.0) / 1e6)
    assert len(calls.gateway.events("attempt_ended")) == asked
    ids = {line["request_id"] for line in calls.gateway.events("attempt_ended")}
    assert ids == {meta["request_id"]}


def test_a_token_for_two_requests_at_once_has_its_long_digest_all_the_same(
    open_gateway, upstream
):
    calls, model = open_gateway(), Model()
    upstream.always(model)
    made = make_token(calls.services.api_tokens, Scope.WEBHOOK, concurrent_requests=2)

    reply = calls.post("/api/v1/webhook", body(), token=made.text)

    assert reply.status_code == 200, reply.text
    assert model.most <= 2


def test_one_by_one_without_threads(open_gateway, upstream):
    calls, model = open_gateway(), Model()
    object.__setattr__(calls.services.digests, "at_once", 1)
    upstream.always(model)

    assert calls.post("/api/v1/webhook", body()).status_code == 200
    assert model.most == 1


class TestDryRun:
    @pytest.mark.parametrize("fields", [{}, {"async": True}])
    def test_it_tells_what_a_digest_would_take_and_asks_nobody(
        self, open_gateway, upstream, fields
    ):
        calls = open_gateway()

        reply = calls.post("/api/v1/webhook", body(dry_run=True, **fields))

        assert reply.status_code == 200
        plan = reply.json["data"]["plan"]
        assert plan["calls"] == plan["pieces"] + 1 >= 13
        assert plan["tokens_input"] > 20_000
        assert 0.02 < plan["cost_estimated"] < 0.2
        assert upstream.requests == []
        assert calls.gateway.events("attempt_ended") == []

    def test_it_takes_the_query_of_a_raw_document(self, open_gateway):
        reply = open_gateway().post(
            "/api/v1/webhook",
            data=b"Hello, all is well.",
            headers={"Content-Type": "text/plain"},
            query_string="dry_run=true&colour=red",
        )

        assert reply.json["data"]["plan"]["calls"] == 2
        assert reply.json["meta"]["warnings"] == ["unknown_field: colour"]

    def test_without_a_model_it_costs_nothing(self, make_gateway):
        reply = JobCalls(make_gateway()).post("/api/v1/webhook", body(dry_run=True))

        assert reply.json["data"]["plan"] == {
            "calls": 0,
            "pieces": 1,
            "tokens_input": 0,
            "tokens_output_most": 0,
            "cost_estimated": 0.0,
        }

    def test_a_model_that_is_not_there_is_refused(self, open_gateway):
        reply = open_gateway().post("/api/v1/webhook", body(dry_run=True, model="no"))

        assert reply.status_code == 400
        assert reply.json["fields"][0]["path"] == "model"


class TestLongOnes:
    def test_one_that_takes_many_calls_becomes_a_job_by_itself(
        self, open_gateway, upstream
    ):
        calls = open_gateway(inline=8)
        calls.services.workers.beat(WorkerRow("w1", "h", "p", 8))
        upstream.always(Model())

        reply = calls.post("/api/v1/webhook", body())

        assert reply.status_code == 202, reply.text
        assert upstream.requests == []
        calls.worker.work()
        answer = calls.get(reply.headers["Location"]).json
        assert len(answer["data"]["digest"]["action_items"]) == 72
        assert len(upstream.requests) >= 13

    def test_without_a_worker_it_is_waited_for(self, open_gateway, upstream):
        upstream.always(Model())

        assert open_gateway(inline=8).post("/api/v1/webhook", body()).status_code == 200

    def test_where_no_jobs_are_accepted_it_is_waited_for(self, open_gateway, upstream):
        upstream.always(Model())
        calls = open_gateway(inline=8, more="jobs: {enabled: false}\n")

        assert calls.post("/api/v1/webhook", body()).status_code == 200

    def test_inline_and_as_a_job_it_is_the_same_digest(self, open_gateway, upstream):
        calls = open_gateway()
        upstream.always(Model())

        inline = calls.post("/api/v1/webhook", body()).json["data"]["digest"]
        job_id = calls.done(body())
        job = calls.get(f"/api/v1/jobs/{job_id}").json["data"]

        assert job["digest"] == inline
