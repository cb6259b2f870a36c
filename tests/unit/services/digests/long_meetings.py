"""Long meetings of our own making, and a model that reads what it is shown of them."""

import json
import re
import threading
from dataclasses import replace

from digest_fakes import BOX, COST, answer
from digest_fakes import call as make_call
from digest_orders import LIBRARY
from fakes import FakeClock

from flaskllm.llm.fitting import Sizes
from flaskllm.llm.outlook import Prospect
from flaskllm.services.completions import Completions
from flaskllm.services.digests.pipeline import Digests
from flaskllm.services.digests.types import DigestOrder

NAMES = ("Ada", "Ben", "Cleo", "Dan")
TURN = re.compile(r"\[(t\d+) \|.*\]\n(.*)")
TASK = re.compile(r"I will send draft \d+ by Friday\.")
CHAT = (
    "So about the harbour crane, the paint on the northern arm is coming off again. "
    "We looked at it last week, and nobody could say how long the rest will hold. "
    "There are three offers on the table, each of them with another kind of paint."
)


def meeting(turns, every=10, extra=None):
    """Return a transcript of so many turns; each `every`th one takes on a task."""
    said = extra or {}
    lines = [
        f"{NAMES[n % 4]}: {said.get(n) or _said(n, every)}" for n in range(1, turns + 1)
    ]
    return "\n".join(lines).encode()


def _said(number, every):
    if number % every:
        return f"{CHAT} That was remark {number}."
    return f"I will send draft {number} by Friday."


def order(content, kind="action_items", **wanted):
    """Return an order for the digest of a meeting."""
    return DigestOrder(content=content, source="meeting", type=kind, **wanted)


class ReadingModel:
    """A model with a window that finds the planted tasks in what it is shown."""

    def __init__(self, window=8192, deployment=None, read=None):
        self.deployment = deployment or replace(BOX, context_window=window)
        self.requests = []
        self.fails_on = None
        self._read = read or tasks_of
        self._lock = threading.Lock()
        self.under_way = self.most_under_way = 0
        self.meet = None
        self.error = None

    def outlook(self, request, call=None):
        sizes = Sizes(request)
        room = sizes.room(self.deployment)
        tokens = sizes.of(self.deployment)
        return (Prospect("scripted", self.deployment, tokens, room),)

    def complete(self, request, call=None):
        sizes = Sizes(request)
        room = sizes.room(self.deployment)
        assert room is None or sizes.of(self.deployment) <= room.tokens
        prompt = "\n".join(message.content for message in request.messages)
        with self._lock:
            self.requests.append(prompt)
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            if self.meet is not None:
                self.meet.wait(timeout=5)
            if self.fails_on and self.fails_on in prompt:
                raise self.error
            return answer(json.dumps(self._read(prompt)), self.deployment, COST)
        finally:
            with self._lock:
                self.under_way -= 1


def tasks_of(prompt):
    """Return the answer of a truthful model: tasks with quotes, or prose."""
    if '{"fact"' in prompt or '"people"' in prompt:
        told = prompt.count('"fact": "action_items"')
        return {"summary": {"short": f"Drafts: {told}.", "bullets": []}}
    items = [
        {
            "task": f"Send draft {re.search('[0-9]+', match[0])[0]}",
            "evidence": {"quote": match[0], "turn": turn},
        }
        for turn, text in TURN.findall(prompt)
        if (match := TASK.search(text))
    ]
    return {"action_items": items}


def digests(model, at_once=1):
    """Return the pipeline before this model."""
    return Digests(Completions(lambda: model), lambda: LIBRARY, FakeClock(), at_once)


def make(model, wanted, at_once=1):
    return digests(model, at_once).make(wanted, make_call())
