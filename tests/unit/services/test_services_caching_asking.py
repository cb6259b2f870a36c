"""Whatever becomes of who asks for all, nobody waits for it in vain."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from fakes import FakeClock
from sealers import key_ring

from flaskllm.core.clock import Deadline
from flaskllm.core.errors import LLMTimeout, LLMUnavailable
from flaskllm.core.metrics import Metrics
from flaskllm.llm.cached import CacheNote, CacheTerms
from flaskllm.llm.parts import Message
from flaskllm.llm.route import Route
from flaskllm.llm.types import (
    Answer,
    Call,
    Completion,
    CompletionRequest,
    Deployment,
    Usage,
)
from flaskllm.services.caching import landing
from flaskllm.services.caching.answers import Answers
from flaskllm.services.caching.asking import Remembering
from flaskllm.services.caching.entries import Entry
from flaskllm.services.caching.flights import Flights, Landed
from flaskllm.services.caching.shelf import Shelf
from flaskllm.storage.memory_cache import MemoryCache

ASKED = CompletionRequest("fast", (Message("user", "Hi"),), temperature=0)
SMALL = Deployment("small", "box", "vllm", "m")
ANSWER = Answer(Completion("Hello", "stop", Usage(), "m"), "fast", SMALL, attempts=1)
DEGRADED = replace(ANSWER, deployment=replace(SMALL, degraded=True))
TERMS = CacheTerms(ttl_seconds=60)


class FakeRouter:
    """Leads everything to one route that keeps answers."""

    def keeping(self, request, call):
        return Route(alias="fast", weights={"small": 1}, cache=TERMS)


class Scene:
    """What remembers, and what it asks."""

    def __init__(self):
        self.clock = FakeClock()
        shelf = Shelf(MemoryCache(self.clock, 9, 99_999), self.clock, lambda: None)
        answers = Answers(shelf, Metrics().cache, 9999)
        self.flights = Flights(shelf, self.clock, threaded=False, deadline_seconds=60)
        self.house = Remembering(answers, self.flights, key_ring(), self.clock)
        self.notes = []

    def call(self, seconds=20.0):
        return Call(
            Deadline.after(seconds, self.clock),
            self.clock.sleep,
            before=lambda attempt: None,
            after=lambda attempt, outcome: None,
            principal_id="ann",
            cached=self.notes.append,
        )

    def complete(self, ask=lambda request, call: ANSWER, call=None):
        completing = self.house.completing(FakeRouter(), ask)
        return completing(ASKED, call or self.call())

    @property
    def outcomes(self):
        return [note.outcome for note in self.notes]


@pytest.fixture
def scene():
    return Scene()


def test_what_was_answered_is_answered_again(scene):
    scene.complete()
    scene.complete()

    assert scene.outcomes == ["miss", "hit"]


@pytest.mark.parametrize(
    "answer", [KeyError(), replace(ANSWER, completion=None)], ids=["asked", "kept"]
)
def test_who_fails_in_any_way_leaves_its_seat(scene, answer):
    def ask(request, call):
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.raises((KeyError, AttributeError)):
        scene.complete(ask)

    assert scene.flights._turns == {}
    assert scene.complete() == ANSWER


def test_what_is_remembered_is_made_text_for_those_alone_who_wait(scene, monkeypatch):
    scene.complete()
    made, find, to_text = [], Answers.find, Entry.to_text

    def noted(entry):
        made.append(entry)
        return to_text(entry)

    def find_while_another_waits(answers, place):
        scene.complete(call=scene.call(seconds=0.0))
        return find(answers, place)

    monkeypatch.setattr(Entry, "to_text", noted)
    scene.complete()
    assert made == []

    monkeypatch.setattr(Answers, "find", find_while_another_waits)
    scene.complete()
    assert len(made) == 1
    assert scene.outcomes == ["miss", "hit", "miss", "hit"]


class Held:
    """Asks nobody, and gives this answer once all of them ask."""

    def __init__(self, asking):
        self.barrier = threading.Barrier(asking, timeout=5)
        self.begun, self.go_on = threading.Event(), threading.Event()

    def lead(self, request, call):
        self.begun.set()
        assert self.go_on.wait(5)
        return DEGRADED

    def follow(self, request, call):
        self.barrier.wait()
        return DEGRADED


def test_all_ask_for_themselves_at_once_after_an_answer_that_is_for_nobody_else(
    scene, monkeypatch
):
    held, waiting = Held(asking=3), threading.Semaphore(0)
    wait = Flights._wait

    def noted(flights, turn, call):
        waiting.release()
        wait(flights, turn, call)

    monkeypatch.setattr(Flights, "_wait", noted)
    with ThreadPoolExecutor(4) as pool:
        leader = pool.submit(scene.complete, held.lead)
        assert held.begun.wait(5)
        others = [pool.submit(scene.complete, held.follow) for _ in range(3)]
        assert all(waiting.acquire(timeout=5) for _ in others)
        held.go_on.set()

        # None of the three waits for another: else the barrier would break.
        assert [each.result() for each in (leader, *others)] == [DEGRADED] * 4


def test_who_shares_an_error_hears_that_no_upstream_was_asked_for_it(
    scene, monkeypatch
):
    text = landing.text_of_error(LLMUnavailable("Away."))
    monkeypatch.setattr(Flights, "board", lambda *_: Landed(text))

    with pytest.raises(LLMUnavailable):
        scene.complete()

    assert scene.notes == [CacheNote("joined")]


def test_who_has_waited_until_its_deadline_asks_what_needs_no_time(scene):
    held = Held(asking=1)
    with ThreadPoolExecutor(1) as pool:
        leader = pool.submit(scene.complete, held.lead)
        assert held.begun.wait(5)

        late = scene.complete(held.follow, scene.call(seconds=0.0))

        held.go_on.set()
        assert late == leader.result() == DEGRADED


def test_so_does_who_has_waited_for_another_process(scene, monkeypatch):
    def too_late(flights, seat, call, kept):
        raise LLMTimeout

    monkeypatch.setattr(Flights, "claim", too_late)

    assert scene.complete() == ANSWER
    assert scene.flights._turns == {}
