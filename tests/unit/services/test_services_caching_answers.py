"""Answers are found until they are cleared; a store that does not work is empty."""

import threading
from dataclasses import replace

import pytest
from fakes import FakeClock

from flaskllm.core.auth import Actor
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.core.metrics import Metrics
from flaskllm.llm.types import Completion, Usage
from flaskllm.services.caching.answers import Answers, Look, Place
from flaskllm.services.caching.clearing import CacheClearing, Clearing
from flaskllm.services.caching.entries import Entry
from flaskllm.services.caching.marks import Labels
from flaskllm.services.caching.others import Others
from flaskllm.services.caching.shelf import Shelf
from flaskllm.storage.memory_cache import MemoryCache

SAID = Completion("Hello", "stop", Usage(), "m-1")
ENTRY = Entry("fast", ("small", "box", "vllm", "m"), 0.0, completion=SAID)
PLACE = Place("ann/answer/1", Labels("fast", "summary", "ann"), 60)


class Scene:
    """Answers on a store that may fail or be slow."""

    def __init__(self, changes=None, threaded=False):
        self.clock = FakeClock()
        self.store = MemoryCache(self.clock, 100, 1_000_000)
        self.metrics = Metrics().cache
        self.failures = 0
        self.shelf = Shelf(self.store, self.clock, self._count)
        others = changes and Others(
            changes, self.store.clear, self.clock, threaded=threaded
        )
        self.answers = Answers(self.shelf, self.metrics, 2000, others)

    def _count(self):
        self.failures += 1

    def keep(self, place=PLACE, entry=ENTRY):
        self.answers.store(place, self.answers.find(place), entry)

    def finds(self, place=PLACE):
        return self.answers.find(place).entry is not None


@pytest.fixture
def scene():
    return Scene()


def test_what_was_kept_is_found_until_it_expires(scene):
    scene.keep()

    assert scene.finds()
    scene.clock.advance(60)
    assert not scene.finds()


@pytest.mark.parametrize(
    ("labels", "is_gone"),
    [
        (Labels(), True),
        (Labels(alias="fast"), True),
        (Labels(template="summary"), True),
        (Labels(principal_id="ann"), True),
        (Labels(alias="slow"), False),
        (Labels(template="keywords"), False),
        (Labels(principal_id="bob"), False),
    ],
)
def test_what_is_cleared_is_not(scene, labels, is_gone):
    scene.keep()

    scene.answers.clear(labels)

    assert scene.finds() is not is_gone


def test_what_was_asked_before_the_clearing_is_not_found_after_it(scene):
    look = scene.answers.find(PLACE)
    scene.answers.clear(Labels())

    assert not scene.answers.store(PLACE, look, ENTRY)

    assert not scene.finds()
    assert scene.store.get(PLACE.key) is None


def test_a_mark_that_was_lost_takes_its_answers_with_it(scene):
    scene.keep()
    scene.store.delete("-/mark/alias/fast")

    assert not scene.finds()


def test_what_is_too_long_or_no_text_is_not_kept(scene):
    scene.keep(entry=replace(ENTRY, completion=replace(SAID, text="x" * 2000)))
    scene.keep(entry=replace(ENTRY, events=b"\xff"))

    assert not scene.finds()


def test_nothing_is_kept_where_nobody_looked(scene):
    scene.answers.store(PLACE, Look(), ENTRY)

    assert not scene.finds()


def test_the_answers_of_one_principal_are_removed(scene):
    scene.keep()

    assert scene.answers.forget("ann") == 1
    assert scene.answers.trim() == 0


class CountingClears:
    """Counts changes, and puts nothing on record."""

    def __init__(self, count):
        self._count = count

    def add(self, actor, object_id, at, details):
        self._count[0] += 1


class AllNames:
    """Every name is known."""

    def check_alias(self, name):
        pass


class TestOthersClear:
    def test_everything_is_forgotten_within_a_second(self):
        count = [3]
        scene = Scene(changes=lambda: count[0])
        scene.keep()
        count[0] = 4

        assert scene.finds()  # it has just looked
        scene.clock.advance(1)
        assert not scene.finds()

    def test_it_is_so_too_when_this_process_clears_after_them(self):
        count = [3]
        scene = Scene(changes=lambda: count[0])
        scene.keep()
        clears = CountingClears(count)
        count[0] += 1  # another process clears `fast`

        CacheClearing(scene.answers, clears, scene.clock, AllNames()).clear(
            Clearing(alias="slow"), Actor("cli:test")
        )

        scene.clock.advance(1)
        assert not scene.finds()

    def test_a_database_that_does_not_answer_changes_nothing(self):
        def fail():
            raise ServiceUnavailable

        scene = Scene(changes=fail)
        scene.keep()

        assert scene.finds()

    def test_a_database_that_hangs_costs_one_request_a_quarter_of_a_second(self):
        hangs, count = threading.Event(), [3]

        def read():
            assert hangs.wait(5)
            return count[0]

        scene = Scene(changes=read, threaded=True)
        for _ in range(3):
            scene.keep()
            scene.clock.advance(1)

        assert scene.finds()
        hangs.set()

    def test_where_the_system_gives_no_thread_a_request_reads(self, monkeypatch):
        def refuse(thread):
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", refuse)
        count = [3]
        scene = Scene(changes=lambda: count[0], threaded=True)
        scene.keep()
        count[0] = 4

        assert scene.finds()  # it has just looked
        scene.clock.advance(1)
        assert not scene.finds()


class TestShelf:
    def test_a_store_that_fails_is_empty_and_left_alone_for_a_second(self, scene):
        asked = []

        def fail(store):
            asked.append(store)
            raise ServiceUnavailable(details="away")

        assert [scene.shelf.use(fail, "nothing") for _ in range(3)] == ["nothing"] * 3
        assert (len(asked), scene.failures) == (1, 1)
        scene.clock.advance(1)
        assert scene.shelf.use(lambda store: "found", "nothing") == "found"
        assert scene.shelf.use(lambda store: "found", "nothing") == "found"

    def test_whatever_goes_wrong_the_caller_does_not_hear_of_it(self, scene):
        def fail(store):
            raise ValueError("a text of the store's")

        assert scene.shelf.use(fail, None) is None

    def test_a_slow_one_is_left_alone_after_three_times(self, scene):
        def slow(store):
            scene.clock.advance(0.3)
            return "found"

        found = [scene.shelf.use(slow, "nothing") for _ in range(4)]

        assert found == ["found"] * 3 + ["nothing"]
        scene.clock.advance(1)
        assert scene.shelf.use(lambda store: "found", "nothing") == "found"
