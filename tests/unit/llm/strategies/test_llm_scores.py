"""What a score means is said once for each strategy."""

from random import Random
from typing import get_args

import pytest
from doc_blocks import read_doc

from flaskllm.core.config_routes import StrategyName
from flaskllm.llm.strategies import STRATEGIES
from flaskllm.llm.strategies.choices import Choice, Turn
from flaskllm.llm.strategies.scores import SCORES


def test_the_page_says_them_in_the_same_words():
    rows = [line for line in read_doc("docs/routing.md").splitlines() if "|" in line]

    said = [f"| `{name}` | {score.meaning} |" for name, score in SCORES.items()]
    assert [row for row in rows if row in said] == said


def test_every_strategy_has_one():
    assert tuple(SCORES) == tuple(STRATEGIES) == get_args(StrategyName)


@pytest.mark.parametrize("strategy", ["round_robin", "least_busy", "usage", "cheapest"])
def test_the_end_that_is_said_to_be_first_is_first(strategy):
    choices = [
        Choice("a", 1, in_flight=3, headroom=0.2, cost_nanos=500),
        Choice("b", 1, in_flight=1, headroom=0.9, cost_nanos=100),
        Choice("c", 1, in_flight=2, headroom=0.5, cost_nanos=300),
    ]

    places = STRATEGIES[strategy](choices, Turn(1, Random(1)))

    scores = [each.score for each in places]
    falls = "highest first" in SCORES[strategy].meaning
    assert falls or "lowest first" in SCORES[strategy].meaning
    assert scores == sorted(scores, reverse=falls)


@pytest.mark.parametrize("strategy", ["cheapest", "lowest_latency"])
def test_what_is_not_known_has_the_score_that_says_so(strategy):
    (place,) = STRATEGIES[strategy]([Choice("a", 1)], Turn(1, Random(1)))

    assert place.score == SCORES[strategy].unknown
    assert f"{place.score:g} not known" in SCORES[strategy].meaning
