"""What a route learns of its deployments, and forgets."""

import pytest
from health_scene import UNKNOWN, USED, Scene, deployment

from flaskllm.core import errors
from flaskllm.llm.health.lessons import Lessons
from flaskllm.llm.strategies.choices import Record


def test_a_route_that_has_asked_nothing_has_learned_nothing():
    lessons = Lessons()
    assert lessons.record("r", "a") == Record()

    lessons.learn("r", "a", True, 1.0)

    assert lessons.record("r", "b") == Record()
    assert lessons.record("other", "a") == Record()


def test_each_lesson_of_a_route_lets_all_its_records_fade():
    lessons = Lessons()
    lessons.learn("r", "a", True, 2.0)
    assert lessons.record("r", "a") == Record(1.0, 0.0, 2.0)

    lessons.learn("r", "b", False, None)
    lessons.learn("r", "b", False, None)

    assert lessons.record("r", "a") == Record(pytest.approx(0.97**2), 0.0, 2.0)
    assert lessons.record("r", "b") == Record(0.0, pytest.approx(1.97), None)


def test_the_lessons_of_another_route_let_nothing_fade():
    lessons = Lessons()
    lessons.learn("r", "a", True, 2.0)

    lessons.learn("other", "a", False, None)

    assert lessons.record("r", "a") == Record(1.0, 0.0, 2.0)


def test_the_mean_time_follows_the_newer_lessons():
    lessons = Lessons()
    lessons.learn("r", "a", True, 1.0)

    lessons.learn("r", "a", True, 3.0)
    lessons.learn("r", "a", False, None)

    expected = (0.97 * 1.0 + 3.0) / 1.97
    assert lessons.record("r", "a").seconds == pytest.approx(expected)


def test_a_time_that_has_faded_is_unknown_again():
    lessons = Lessons()
    lessons.learn("r", "a", True, 1.0)

    for _ in range(1000):
        lessons.learn("r", "a", False, None)

    record = lessons.record("r", "a")
    assert record.seconds is None
    assert record.failures == pytest.approx(1.0 / 0.03)


def test_forgotten_deployments_are_unknown_to_every_route():
    lessons = Lessons()
    for alias in ("r", "s"):
        lessons.learn(alias, "a", True, 1.0)
        lessons.learn(alias, "b", True, 1.0)

    lessons.forget(frozenset({"a", "never asked"}))

    assert lessons.record("r", "a") == lessons.record("s", "a") == Record()
    assert lessons.record("s", "b").successes == 1.0


@pytest.mark.parametrize(
    ("error", "successes", "failures"),
    [
        (None, 1.0, 0.0),
        (errors.LLMUnavailable(), 0.0, 1.0),
        (errors.LLMRateLimited(), 0.0, 1.0),
        (errors.LLMCredentialRejected(), 0.0, 1.0),
        (errors.LLMRequestRejected(), 0.0, 1.0),
        (errors.LLMInvalidRequest(), 0.0, 0.0),
        (errors.CallerGone(), 0.0, 0.0),
    ],
)
def test_a_route_learns_whether_it_got_an_answer(error, successes, failures):
    scene = Scene()

    scene.ask(error=error)

    record = scene.look().record
    assert (record.successes, record.failures) == (successes, failures)


def test_the_time_of_a_stream_is_that_to_its_first_token():
    scene = Scene(deployment("a"), deployment("b"))
    stream = scene.visit(streams=True)
    stream.first_token(0.2)
    stream.end(None, USED, 9.0)
    scene.ask("b", seconds=4.0)

    assert scene.look("a").record.seconds == pytest.approx(0.2)
    assert scene.look("b").record.seconds == pytest.approx(4.0)


def test_without_a_route_nobody_learns():
    scene = Scene()

    scene.ask(alias="")
    stream = scene.visit(alias="", streams=True)
    stream.end(errors.LLMTimeout(), UNKNOWN, 9.0)

    assert scene.look(alias="").record == Record()
    assert scene.look().record == Record()
