"""Why it was a deployment's turn is said in a few plain words."""

import pytest

from flaskllm.llm import decisions
from flaskllm.llm.health.standings import Obstacle
from flaskllm.llm.lineup import Candidate
from flaskllm.llm.types import Deployment


def candidate(name, score=None, alias="fast", obstacle=None):
    return Candidate(
        alias, Deployment(name, "p", "vllm", "m"), score=score, obstacle=obstacle
    )


RACK = candidate("rack", obstacle=Obstacle("cooling", 2.2))
FIRST = {
    "shares": (
        [candidate("mini", 0.8), candidate("haiku", 0.2), RACK],
        "fast weighted: mini 0.80, haiku 0.20; skipped rack (cooling 3 s)",
    ),
    "large numbers": (
        [candidate("mini", 1234567.8), candidate("haiku", 999.0)],
        "fast weighted: mini 1234568, haiku 999.00",
    ),
    "nobody": ([RACK], "fast weighted: nobody; skipped rack (cooling 3 s)"),
}


@pytest.mark.parametrize(("candidates", "said"), FIRST.values(), ids=FIRST)
def test_a_routes_own_order_is_said_with_its_scores(candidates, said):
    assert decisions.first("weighted", candidates) == said


def test_where_there_is_nothing_to_decide_the_names_are_enough():
    assert decisions.only("fast", "mini") == "fast: mini"


LLAMA = candidate("llama", 1.0, "local")
AFTER = {
    "a retry": ("retry", "LLM_SERVER_ERROR", "retry after LLM_SERVER_ERROR"),
    "a fallback": (
        "fallback local",
        "LLM_TIMEOUT",
        "fallback local after LLM_TIMEOUT: llama 1.00; skipped rack (cooling 3 s)",
    ),
    "no failure": ("next", "", "next: llama 1.00; skipped rack (cooling 3 s)"),
}


def test_who_has_no_score_is_named_alone():
    assert decisions.after("next", "LLM_TIMEOUT", candidate("b"), []) == (
        "next after LLM_TIMEOUT: b"
    )


@pytest.mark.parametrize(("verb", "code", "said"), AFTER.values(), ids=AFTER)
def test_what_follows_is_said_with_what_went_before(verb, code, said):
    assert decisions.after(verb, code, LLAMA, [LLAMA, RACK]) == said


def test_it_is_never_longer_than_a_header_may_be():
    many = [candidate(f"deployment-{n}", 0.1) for n in range(100)]

    assert len(decisions.first("weighted", many)) == 300


def test_a_callers_name_for_a_model_cannot_write_a_header():
    said = decisions.only("modèle\r\nSet-Cookie: x", "mini")

    assert said == "mod?le??Set-Cookie: x: mini"
