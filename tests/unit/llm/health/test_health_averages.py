"""How long a deployment takes, as a moving average."""

import pytest
from health_scene import UNKNOWN, Scene

from flaskllm.core.errors import LLMTimeout, LLMUnavailable
from flaskllm.llm.health.averages import MovingAverage


def test_the_first_measurement_is_the_average():
    average = MovingAverage()
    assert average.seconds is None

    average.add(2.0, 100.0)

    assert average.seconds == 2.0


def test_under_load_each_news_counts_a_tenth():
    average = MovingAverage()
    average.add(1.0, 100.0)

    average.add(2.0, 100.1)

    assert average.seconds == pytest.approx(1.1)


def test_after_silence_news_counts_more():
    average = MovingAverage()
    average.add(1.0, 100.0)

    average.add(2.0, 130.0)
    assert average.seconds == pytest.approx(1.6321, abs=1e-4)

    average.add(9.0, 10_000.0)
    assert average.seconds == pytest.approx(9.0)


def test_streams_and_whole_answers_are_averaged_apart():
    scene = Scene()
    stream = scene.visit(streams=True)
    stream.first_token(0.25)
    stream.end(None, UNKNOWN, 4.0)

    scene.ask(seconds=3.0)

    assert scene.look().first_token_seconds == 0.25
    assert scene.look().answer_seconds == 3.0


@pytest.mark.parametrize("streams", [True, False])
def test_a_time_out_took_at_least_so_long(streams):
    scene = Scene()

    scene.ask(error=LLMTimeout(), seconds=10.0, streams=streams)

    stood = scene.look()
    expected = (10.0, None) if streams else (None, 10.0)
    assert (stood.first_token_seconds, stood.answer_seconds) == expected


def test_a_stall_after_the_first_token_and_other_failures_say_nothing():
    scene = Scene()
    stream = scene.visit(streams=True)
    stream.first_token(0.25)
    stream.end(LLMTimeout(), UNKNOWN, 30.0)

    scene.ask(error=LLMUnavailable(), seconds=9.0)

    assert scene.look().first_token_seconds == 0.25
    assert scene.look().answer_seconds is None
