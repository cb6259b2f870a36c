"""What tests of callbacks share: rows, a way out that is scripted, a real answer."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from flaskllm.core.auth import Actor
from flaskllm.llm.types import Usage
from flaskllm.net.egress import EgressReply
from flaskllm.services.callbacks import events
from flaskllm.services.callbacks.signing import make_secret
from flaskllm.services.digests.types import (
    ActionItem,
    Digest,
    DigestResult,
    Evidence,
    Statement,
    Summary,
)
from flaskllm.storage.job_rows import EndpointRow, JobRow
from flaskllm.storage.workflows import Start

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=41)
OWNER = "aB3dE6gH9jK2"
ACTOR = Actor(OWNER, "192.0.2.7", "req_1")
HOOK = "https://hooks.example.org/services/T0/SECRET?key=HIDDEN"

_PROVEN = Evidence("as it says", verified=True)
_UNPROVEN = Evidence("as it does not say", verified=False)


class FakeWorkflows:
    """Remembers what was started, and deletes as the real ones do."""

    def __init__(self, *, is_enabled=True):
        self.is_enabled = is_enabled
        self.started: list[Start] = []
        self.deleted: list[str] = []
        self.prepared = 0

    def prepare(self):
        self.prepared += 1

    def start(self, connection: Any, *starts: Start):
        self.started.extend(starts)

    def delete(self, ids: Sequence[str]):
        self.deleted.extend(ids)


@dataclass
class FakeWay:
    """A way out: answers are statuses, replies or errors, one for each call.

    `pause` is what happens before an answer comes.
    """

    answers: list[Any] = field(default_factory=list)
    sent: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    pause: Callable[[], None] = lambda: None

    def check(self, url):
        """Allow everything."""

    def post(self, url, headers, body):
        self.sent.append((url, dict(headers), body))
        self.pause()
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        return EgressReply(answer, None) if isinstance(answer, int) else answer


def answer_of(digest: Digest, type: str = "summary", text: str = "") -> dict[str, Any]:
    """Return the webhook's whole answer with this digest."""
    result = DigestResult(
        id="dig_1",
        type=type,
        text=text,
        digest=digest,
        provider="openai",
        model="gpt-small",
        usage=Usage(input_uncached=12, output_text=5, source="provider"),
        cached=False,
        degraded=False,
        warnings=(),
    )
    return result.to_json("req_1", 1.25, 0.0004)


def meeting(short: str = "The offer goes out on Friday.", **others: Any) -> Digest:
    """Return the digest of a meeting with something in every list."""
    task = ActionItem("Send the offer", "Anna", "2026-01-09", "Friday", "open", _PROVEN)
    loose = ActionItem("Book a room", None, None, None, "done", _UNPROVEN)
    usual = {
        "summary": Summary(short, ("Price stays", "Team grows")),
        "action_items": (task, loose),
        "decisions": (Statement("The price stays.", _PROVEN),),
        "open_questions": (Statement("Who signs?", _UNPROVEN),),
    }
    return Digest(language="en", kind="meeting", **(usual | others))


def job(**others: Any) -> JobRow:
    """Return a digest that is done."""
    usual = {
        "id": "job_1",
        "principal_id": OWNER,
        "kind": "digest",
        "state": "done",
        "source": "webhook",
        "request_id": "req_1",
        "created_at": NOW,
        "finished_at": NOW + timedelta(seconds=40),
        "expires_at": NOW + timedelta(days=30),
        "result": json.dumps(answer_of(meeting())).encode(),
    }
    return JobRow(**(usual | others))


def endpoint(**others: Any) -> EndpointRow:
    """Return an endpoint that listens to all that is done."""
    usual = {
        "id": "end_1",
        "principal_id": OWNER,
        "name": "Team",
        "target": HOOK.encode(),
        "secret": make_secret().encode(),
        "events": "job.done job.failed batch.done",
        "rendering": "json",
        "state": "enabled",
        "created_at": NOW,
    }
    return EndpointRow(**(usual | others))


def digest_event(digest, type="summary", text="", **others):
    """Return the event of a job that made this digest."""
    result = json.dumps(answer_of(digest, type, text)).encode()
    return events.of_job(job(result=result, **others), "job.done", LATER)


def texts_of(value):
    """Yield every text in a piece of JSON under a key that people see."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key == "text" and isinstance(each, str):
                yield each
            else:
                yield from texts_of(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts_of(each)
